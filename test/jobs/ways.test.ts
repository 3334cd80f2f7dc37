import { afterEach, describe, expect, test } from 'vitest';
import { type Letter, missingWay, NotTold, openWays, type WaysOptions } from '../../jobs/ways.ts';
import { authority, certificate } from '../helpers/certificates.ts';
import { type MailOptions, startHook, startMail, type TestHook, type TestMail } from '../helpers/mail.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

const LETTER: Letter = {
  id: 'e5a1',
  subject: '🟠 Patient billing: partial outage (INC-12)',
  lines: ['🟠 Patient billing: partial outage.', 'Since 10:42.', '', 'Möller & Söhne'],
  facts: { incident: 'INC-12', onCall: ['Ana'] },
  to: ['ops@clinic.example', 'ana@clinic.example'],
};

async function mail(options: MailOptions = {}): Promise<TestMail> {
  const server = await startMail(options);
  open.push(server);
  return server;
}

async function hook(): Promise<TestHook> {
  const server = await startHook();
  open.push(server);
  return server;
}

/** What became of it: `told`, or the error's words, with `unclear` before them when it may be there. */
async function outcome(way: 'email' | 'webhook', options: WaysOptions, letter: Letter = LETTER): Promise<string> {
  try {
    await openWays({ timeoutMs: 1_000, ...options })[way]?.(letter);
    return 'told';
  } catch (error) {
    if (!(error instanceof NotTold)) throw error;
    return `${error.unclear ? 'unclear: ' : ''}${error.message}`;
  }
}

describe('mail', () => {
  test('goes over STARTTLS to a server whose certificate is good, with its account', async () => {
    const ca = await authority('Clinic CA');
    const server = await mail({
      certificate: await certificate({ names: ['localhost', '127.0.0.1'], by: ca }),
      account: 'rounds@clinic.example:pä ss',
    });
    const smtpUrl = `smtp://rounds%40clinic.example:p%C3%A4%20ss@localhost:${server.port}`;
    expect(await outcome('email', { smtpUrl, ca: ca.cert, plainMail: false })).toBe('told');
    const [got] = server.received;
    expect(got).toMatchObject({ secure: true, user: 'rounds@clinic.example', from: 'rounds@clinic.example', to: LETTER.to });
    expect(got?.text).toBe('🟠 Patient billing: partial outage.\r\nSince 10:42.\r\n\r\nMöller & Söhne\r\n');
    expect(got?.headers.get('message-id')).toBe('<rounds.e5a1@clinic.example>');
    expect(got?.headers.get('subject')).toBe(LETTER.subject);
    expect(got?.headers.get('auto-submitted')).toBe('auto-generated');
  });

  test('is kept back from a server without TLS, with a certificate of somebody else, or of nobody known: no password is sent', async () => {
    const ca = await authority('Clinic CA');
    const account = 'rounds:secret';
    const plain = await mail({ plain: true, account });
    const other = await mail({ certificate: await certificate({ names: ['mail.other.example'], by: ca }), account });
    const own = await mail({ certificate: await certificate({ names: ['localhost'] }), account });
    for (const server of [plain, other, own]) {
      const smtpUrl = `smtp://rounds:secret@localhost:${server.port}`;
      const said = await outcome('email', { smtpUrl, ca: ca.cert, plainMail: false });
      expect(said).toMatch(/^The mail server did not take it: .*(STARTTLS|certificate|altnames|self-signed)/i);
      expect(said).not.toContain('secret');
      expect(server.received).toEqual([]);
    }
  });

  test('goes without TLS on the loopback, from the domain of the first address, in one thread with what was told before', async () => {
    const server = await mail({ plain: true });
    const smtpUrl = `smtp://127.0.0.1:${server.port}`;
    expect(await outcome('email', { smtpUrl }, { ...LETTER, earlierId: 'd0' })).toBe('told');
    expect(await outcome('email', { smtpUrl }, { ...LETTER, from: 'alerts@clinic.example' })).toBe('told');
    expect(server.received.map((one) => one.from)).toEqual(['rounds@clinic.example', 'alerts@clinic.example']);
    expect(server.received[0]?.headers.get('in-reply-to')).toBe('<rounds.d0@clinic.example>');
  });

  test('that is refused was not taken; of one that is not answered nobody knows', async () => {
    const server = await mail({ plain: true });
    const smtpUrl = `smtp://127.0.0.1:${server.port}`;
    server.refuse(1);
    expect(await outcome('email', { smtpUrl })).toMatch(/^The mail server did not take it: .*451/);
    server.swallow();
    expect(await outcome('email', { smtpUrl })).toMatch(/^unclear: /);
    expect(server.received).toHaveLength(1);
    await server.close();
    expect(await outcome('email', { smtpUrl })).toMatch(/^The mail server did not take it: .*ECONNREFUSED/);
    open.length = 0;
  });

  test('with a wrong password is not taken, and the password is not told', async () => {
    const server = await mail({ plain: true, account: 'rounds:right' });
    const said = await outcome('email', { smtpUrl: `smtp://rounds:hunter2@127.0.0.1:${server.port}` });
    expect(said).toMatch(/^The mail server did not take it: /);
    expect(said).not.toContain('hunter2');
  });
});

describe('a webhook', () => {
  test('gets the facts as JSON, its token and a key that stays the same', async () => {
    const server = await hook();
    const options = { webhookUrl: server.url, webhookToken: 'token-of-the-test' };
    expect(await outcome('webhook', options)).toBe('told');
    expect(await outcome('webhook', options)).toBe('told');
    const [first, second] = server.received;
    expect(first?.headers).toMatchObject({
      authorization: 'Bearer token-of-the-test',
      'idempotency-key': 'e5a1',
      'content-type': 'application/json',
    });
    expect(second?.headers['idempotency-key']).toBe('e5a1');
    expect(first?.body).toEqual({
      ...{ version: 1, id: 'e5a1', subject: LETTER.subject, incident: 'INC-12', onCall: ['Ana'], text: LETTER.lines.join('\n') },
    });
  });

  test('that answers anything else did not take it, or nobody knows; a redirection is not followed', async () => {
    const server = await hook();
    server.answer(401, 503, 302, 0);
    const said = [];
    for (let turn = 0; turn < 4; turn++) said.push(await outcome('webhook', { webhookUrl: server.url, webhookToken: 'x' }));
    expect(said.slice(0, 3)).toEqual([
      'The webhook answered with HTTP 401.',
      'unclear: The webhook answered with HTTP 503.',
      'The webhook answered with HTTP 302.',
    ]);
    expect(said[3]).toMatch(/^unclear: The webhook cannot be reached/);
    expect(await outcome('webhook', { webhookUrl: 'http://127.0.0.1:39999/' })).toBe('The webhook cannot be reached (ECONNREFUSED).');
  });
});

describe('the environment', () => {
  const fallback = { afterMs: 1, email: ['ops@clinic.example'], webhook: true, classes: [] };
  test('that lacks what the configuration asks for is told of, with both names', () => {
    const mailOnly = openWays({ smtpUrl: 'smtp://mail.example' });
    expect(missingWay(fallback, {})).toMatch(/fallback\.email.*ROUNDS_SMTP_URL is not set: expected/);
    expect(missingWay(fallback, mailOnly)).toMatch(/fallback\.webhook.*ROUNDS_FALLBACK_WEBHOOK is not set: expected/);
    expect(missingWay({ ...fallback, webhook: false }, mailOnly)).toBeUndefined();
    expect(missingWay(undefined, {})).toBeUndefined();
  });

  test.each([
    [{ smtpUrl: 'mail.example:587' }, 'ROUNDS_SMTP_URL'],
    [{ smtpUrl: 'https://user:hunter2@mail.example' }, 'ROUNDS_SMTP_URL'],
    [{ webhookUrl: 'http://hooks.example/hunter2' }, 'ROUNDS_FALLBACK_WEBHOOK'],
    [{ webhookUrl: 'hunter2' }, 'ROUNDS_FALLBACK_WEBHOOK'],
  ])('with an address that is none (%o) is refused, and the address is not told', (options, name) => {
    expect(() => openWays(options)).toThrow(`${name} is no such address`);
    expect(() => openWays(options)).not.toThrow('hunter2');
  });
});

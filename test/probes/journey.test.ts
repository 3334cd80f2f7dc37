import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import journey from '../../probes/types/journey.ts';
import { JOURNEYS, testBrowser } from '../helpers/agent-browser.ts';
import { listening, probeContext, type TestServer } from '../helpers/probing.ts';

const browser = testBrowser();
const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});
afterAll(() => browser.close());

async function serve(answer: RequestListener): Promise<string> {
  const server = await listening(createServer(answer));
  open.push(server);
  return `http://127.0.0.1:${server.port}`;
}

const html = (body: string) => `<!doctype html><meta charset="utf-8"><title>Clinic</title><body style="font: 20px monospace">${body}`;
const LOGIN = html(
  '<form action="/invoices"><label>User <input name="u"></label><label>Password <input name="p"></label><button>Log in</button></form>',
);
const INVOICES = html('<h1>Invoices</h1><button onclick="this.after(\'Invoice 17 posted\')">Confirm</button>');

function clinic(pages: Record<string, string> = {}): RequestListener {
  const all: Record<string, string> = { '/login': LOGIN, '/invoices': INVOICES, ...pages };
  return (request, response) => {
    const page = all[new URL(request.url ?? '/', 'http://clinic').pathname];
    response.writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html' }).end(page);
  };
}

const ACCOUNT = { user: 'rounds-monitor', password: 'swordfish-7' };

function run(params: Record<string, unknown>, changes: Parameters<typeof probeContext>[0] = {}) {
  const context = probeContext({ browser, filesFolder: JOURNEYS, secrets: [ACCOUNT.password], ...changes });
  return journey.run(journey.schema.parse({ file: 'clinic.ts', account: ACCOUNT, ...params }), context);
}

describe('a journey that succeeds', () => {
  test('is up, with a time for each step and no picture', async () => {
    const outcome = await run({ baseUrl: await serve(clinic()) });
    expect(outcome).toMatchObject({ verdict: 'up' });
    expect(outcome.steps?.map(({ name, outcome: how }) => [name, how])).toEqual([
      ['open the login', 'passed'],
      ['log in', 'passed'],
      ['confirm the invoice', 'passed'],
    ]);
    expect(outcome.picture).toBeUndefined();
  });

  test('sends the traceparent with every request', async () => {
    const seen: IncomingMessage[] = [];
    const answer = clinic();
    const baseUrl = await serve((request, response) => {
      seen.push(request);
      answer(request, response);
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await run({ baseUrl }, { traceparent });
    expect(seen.length).toBeGreaterThan(1);
    for (const request of seen) expect(request.headers.traceparent, request.url).toBe(traceparent);
  });
});

describe('a journey that fails', () => {
  test('says which step, what was missing, and shows it', async () => {
    const baseUrl = await serve(clinic({ '/invoices': html('<h1>Invoices</h1>') }));
    const outcome = await run({ baseUrl });
    expect(outcome.verdict).toBe('down');
    expect(outcome.failure).toEqual({
      kind: 'timeout',
      step: 'confirm the invoice',
      message: 'button "Confirm" did not appear within 1 s',
    });
    expect(outcome.steps?.at(-1)).toMatchObject({ name: 'confirm the invoice', outcome: 'failed' });
    const jpeg = Buffer.from(outcome.picture?.base64 ?? '', 'base64');
    expect(jpeg.subarray(0, 2).toString('hex')).toBe('ffd8');
    expect(jpeg.length).toBeLessThan(120_000);
  });

  test('says what the page came with', async () => {
    const baseUrl = await serve((_request, response) => response.writeHead(503, { 'content-type': 'text/html' }).end(html('Down')));
    const outcome = await run({ baseUrl }, { timeoutMs: 1_000 });
    expect(outcome.failure?.message).toMatch(/^field "User" did not appear within .+; the page came with status 503$/);
  });

  test('nothing listens', async () => {
    const server = await listening(createServer());
    await server.close();
    const outcome = await run({ baseUrl: `http://127.0.0.1:${server.port}` });
    expect(outcome.failure).toEqual({
      kind: 'connection-refused',
      step: 'open the login',
      message: `127.0.0.1:${server.port} refused the connection`,
    });
    expect(outcome.picture).toBeUndefined();
  });

  test('a server that never answers', async () => {
    const outcome = await run({ baseUrl: await serve(() => {}) }, { timeoutMs: 1_000 });
    expect(outcome.failure).toEqual({ kind: 'timeout', step: 'open the login', message: 'no answer within 1 s' });
  });

  test('a journey that never ends is ended at the check’s time', async () => {
    const outcome = await run({ file: 'endless.ts', baseUrl: await serve(clinic({ '/': html('Hello') })) }, { timeoutMs: 1_500 });
    expect(outcome.failure).toEqual({ kind: 'timeout', step: 'wait for ever', message: 'not finished within 1.5 s' });
    expect(outcome.picture).toBeDefined();
  });

  test('what the journey itself finds wrong', async () => {
    const outcome = await run({ file: 'visit.ts', baseUrl: await serve(clinic({ '/': html('0.00') })) });
    expect(outcome.failure).toEqual({ kind: 'assertion', step: 'find it wrong', message: 'the total is 0.00, expected 80.00' });
  });
});

describe('the journey’s own mistakes are faults', () => {
  test('an error in its code', async () => {
    const outcome = await run({ file: 'mistaken.ts', baseUrl: 'http://127.0.0.1:9' });
    expect(outcome.verdict).toBe('fault');
    expect(outcome.failure?.kind).toBe('journey-error');
    expect(outcome.failure?.message).toMatch(/^the journey itself is wrong: TypeError: .+ \(mistaken\.ts:\d+\)$/);
    expect(outcome.picture).toBeUndefined();
  });

  test('a login without an account', async () => {
    const outcome = await run({ account: undefined, baseUrl: await serve(clinic()) });
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { message: expect.stringContaining('the check has no account') } });
  });

  test.each([
    ['broken.ts', /^broken\.ts cannot be loaded\. Error: a module that is missing$/],
    ['nowhere.ts', /^There is no journey nowhere\.ts on this agent\.$/],
    ['../probes/journey.test.ts', /lies outside the folder with journeys\.$/],
  ])('%s cannot be loaded', async (file, message) => {
    await expect(run({ file, baseUrl: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      kind: 'journey-error',
      message: expect.stringMatching(message),
    });
  });

  test('no browser', async () => {
    const none = testBrowser({ chromium: async () => undefined });
    await expect(run({ baseUrl: 'http://127.0.0.1:9' }, { browser: none })).rejects.toMatchObject({ kind: 'no-browser' });
  });
});

test('a file outside this package finds rounds/journey, and is loaded anew when it changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-journeys-'));
  const write = (words: string) =>
    writeFileSync(
      join(folder, 'own.mjs'),
      `import { journey } from 'rounds/journey';\nexport default journey('Own', async () => { throw new Error('${words}'); });`,
    );
  write('first');
  const first = await run({ file: 'own.mjs', baseUrl: 'http://127.0.0.1:9' }, { filesFolder: folder });
  expect(first.failure?.message).toBe('first');
  write('second');
  const second = await run({ file: 'own.mjs', baseUrl: 'http://127.0.0.1:9' }, { filesFolder: folder });
  expect(second.failure?.message).toBe('second');
  rmSync(folder, { recursive: true });
});

describe('the picture', () => {
  const picture = async (body: (secret: string) => string, secret: string, params: Record<string, unknown> = {}) => {
    const baseUrl = await serve(clinic({ '/': html(body(secret)) }));
    const outcome = await run({ file: 'visit.ts', baseUrl, ...params }, { secrets: [secret] });
    return outcome.picture?.base64;
  };

  test.each([
    ['in a field', (secret: string) => `<input value="${secret}">`],
    ['as text', (secret: string) => `<p>Your password is ${secret}.</p>`],
    ['split over elements', (secret: string) => `<p>Pass: <b>${secret.slice(0, 4)}</b><i>${secret.slice(4)}</i></p>`],
    ['flowing out of its element', (secret: string) => `<div style="width:20px;white-space:nowrap">${secret}</div>`],
    ['in a frame', (secret: string) => `<iframe srcdoc="<p>${secret}</p>"></iframe>`],
    ['in a shadow tree', (secret: string) => `<div id=h></div><script>h.attachShadow({mode:'open'}).innerHTML='<p>${secret}</p>'</script>`],
    ['marked private', (secret: string) => `<p data-private>${secret}</p>`],
  ])('shows no secret %s: it is the same whatever the secret is', async (_where, body) => {
    const [one, other] = [await picture(body, 'swordfish-7'), await picture(body, 'abcdefghijk')];
    expect(one).toBeDefined();
    expect(one).toBe(other);
  });

  test('does show what is not private', async () => {
    const [one, other] = [await picture(() => '<h1>Invoices</h1>', 'swordfish-7'), await picture(() => '<h1>Bookings</h1>', 'swordfish-7')];
    expect(one).not.toBe(other);
  });

  test('covers the selectors of the configuration', async () => {
    const mask = { mask: ['.patient'] };
    const [one, other] = [
      await picture(() => '<p class=patient>Jane Doe</p>', 'swordfish-7', mask),
      await picture(() => '<p class=patient>John Roe</p>', 'swordfish-7', mask),
    ];
    expect(one).toBe(other);
  });
});

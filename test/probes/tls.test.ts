import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, createServer, TLSSocket, type TlsOptions } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AgentFault } from '../../probes/probe.ts';
import { chainOf, validity } from '../../probes/tls/chain.ts';
import { judge, type Rules } from '../../probes/tls/judge.ts';
import { indexed } from '../../probes/tls/trust.ts';
import tls from '../../probes/types/tls.ts';
import { authority, type Certificate, certificate, withBrokenEnd } from '../helpers/certificates.ts';
import { blackHole, keptServers, listening, probeContext, type TestServer } from '../helpers/probing.ts';
import { testServer } from '../helpers/server.ts';

const DAY_MS = 86_400_000;

let root: Certificate;
let issuing: Certificate;
let portal: Certificate;
beforeAll(async () => {
  root = await authority('Clinic Root', { toDays: 1000 });
  issuing = await authority('Clinic Issuing', { toDays: 500, by: root });
  portal = await certificate({ by: issuing });
});

const keep = keptServers();

function serve(options: TlsOptions): Promise<TestServer> {
  const server = createServer(options, (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  return keep(listening(server));
}

/** The server shows these, its own first. */
function showing(own: Certificate, ...others: Certificate[]): TlsOptions {
  return { key: own.key, cert: [own, ...others].map(({ cert }) => cert).join('') };
}

function probe(server: TestServer, params: Record<string, unknown> = {}, changes: Parameters<typeof probeContext>[0] = {}) {
  const target = { host: '127.0.0.1', port: server.port, serverName: 'portal.example', ca: root?.cert };
  return tls.run(tls.schema.parse({ ...target, ...params }), probeContext(changes));
}

describe('a certificate that is good', () => {
  test('is up, with the days that its chain lasts', async () => {
    const server = await serve(showing(portal, issuing));
    const outcome = await probe(server);
    expect(outcome).toMatchObject({ verdict: 'up', measurements: { cert_left_days: 99.99, chain_count: 3 } });
    expect(Object.keys(outcome.measurements ?? {}).sort()).toEqual(['cert_left_days', 'chain_count', 'connect_ms', 'tls_ms']);
    await server.drained();
  });

  test('is asked for by name, and may be asked for under another', async () => {
    const asked: string[] = [];
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
      asked.push(name);
      done(null, createSecureContext(showing(portal, issuing)));
    };
    const server = await serve({ ...showing(portal, issuing), SNICallback });
    expect((await probe(server, { serverName: 'portal.example.' })).verdict).toBe('up');
    expect((await probe(server, { serverName: 'ingress.example', certificateName: 'portal.example' })).verdict).toBe('up');
    expect(asked).toEqual(['portal.example', 'ingress.example']);
  });

  test('is up for an address that it names', async () => {
    const server = await serve(showing(await certificate({ names: ['127.0.0.1'], by: root })));
    expect((await probe(server, { serverName: undefined })).verdict).toBe('up');
  });

  test('is up when it is the one that was pinned, and down when it is another', async () => {
    const server = await serve(showing(portal, issuing));
    const { fingerprint256 } = new X509Certificate(portal.cert);
    expect((await probe(server, { fingerprint: fingerprint256 })).verdict).toBe('up');
    expect((await probe(server, { fingerprint: fingerprint256.replaceAll(':', '').toLowerCase() })).verdict).toBe('up');
    const other = createHash('sha256').update('another').digest('hex');
    const outcome = await probe(server, { fingerprint: other });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'fingerprint' } });
    expect(outcome.failure?.message).toBe(
      `the certificate's fingerprint begins with ${fingerprint256.slice(0, 23)}, expected AE:44:8A:C8:6C:4E:8E:4D`,
    );
  });
});

describe('a certificate that is not good', () => {
  const failure = async (options: TlsOptions, params: Record<string, unknown> = {}) => {
    const outcome = await probe(await serve(options), params);
    expect(outcome.verdict).toBe('down');
    return outcome;
  };

  test('has expired', async () => {
    const outcome = await failure(showing(await certificate({ toDays: -2.5, fromDays: -9, by: root })));
    expect(outcome.failure).toEqual({ kind: 'expired', message: 'the certificate expired 2 d 12 h ago' });
    expect(outcome.measurements?.cert_left_days).toBe(-2.51);
  });

  test('is not valid yet', async () => {
    const outcome = await failure(showing(await certificate({ fromDays: 3.01, by: root })));
    expect(outcome.failure).toEqual({ kind: 'not-yet-valid', message: 'the certificate becomes valid only in 3 d' });
  });

  test('has an issuer whose own has expired', async () => {
    const old = await authority('Old Issuing', { toDays: -1.01, fromDays: -9, by: root });
    const outcome = await failure(showing(await certificate({ by: old }), old));
    expect(outcome.failure).toEqual({ kind: 'expired', message: 'the certificate of the issuer "Old Issuing" expired 1 d ago' });
    expect(outcome.measurements?.cert_left_days).toBeLessThan(-1);
  });

  test('is for another name', async () => {
    const names = ['a.example', 'b.example', 'c.example', 'd.example', '192.0.2.1'];
    const outcome = await failure(showing(await certificate({ names, by: root })));
    expect(outcome.failure).toEqual({
      kind: 'wrong-name',
      message: 'the certificate is for a.example, b.example, c.example and 2 more, expected portal.example',
    });
    expect(outcome.measurements?.cert_left_days).toBe(99.99);
  });

  test('is signed by itself: its days are told all the same', async () => {
    const outcome = await failure(showing(await certificate({ toDays: 30.01 })));
    expect(outcome.failure).toEqual({
      kind: 'self-signed',
      message: 'the certificate is signed by itself and is not among those that are trusted',
    });
    expect(outcome.measurements).toMatchObject({ cert_left_days: 30, chain_count: 1 });
  });

  test('is signed by somebody who is not trusted', async () => {
    const outcome = await failure(showing(portal, issuing), { ca: undefined });
    expect(outcome.failure).toEqual({ kind: 'untrusted', message: 'the certificate is signed by "Clinic Root", who is not trusted' });
    expect(outcome.measurements).toMatchObject({ cert_left_days: 99.99, chain_count: 2 });
  });

  test('comes with the root of somebody who is not trusted', async () => {
    const outcome = await failure(showing(portal, issuing, root), { ca: undefined });
    expect(outcome.failure).toEqual({ kind: 'untrusted', message: 'the certificate is signed by "Clinic Root", who is not trusted' });
  });

  test('comes without that of its issuer', async () => {
    const outcome = await failure(showing(portal));
    expect(outcome.failure).toEqual({
      kind: 'untrusted',
      message: 'the certificate is signed by "Clinic Issuing", who is not trusted; the server sends no certificate of its issuer',
    });
  });

  test('is signed by what may not sign', async () => {
    const clerk = await certificate({ names: ['clerk.example'], by: root });
    const outcome = await failure(showing(await certificate({ by: clerk }), clerk));
    expect(outcome.failure?.kind).toBe('untrusted');
  });

  test('has a short key', async () => {
    const by = await authority('RSA Root', { rsaBits: 2048 });
    const weak = showing(await certificate({ rsaBits: 1024, by }));
    const outcome = await failure({ ...weak, ciphers: 'DEFAULT@SECLEVEL=0' }, { ca: by.cert });
    expect(outcome.failure).toEqual({ kind: 'weak', message: 'the key of the certificate has 1024 bits, expected at least 2048' });
  });

  test('has a key of exactly the length that is enough', async () => {
    const by = await authority('RSA Root', { rsaBits: 2048 });
    const server = await serve(showing(await certificate({ rsaBits: 2048, by })));
    expect((await probe(server, { ca: by.cert })).verdict).toBe('up');
  });

  test('is signed with SHA-1', async () => {
    const outcome = await failure({ ...showing(await certificate({ signature: 'sha1', by: root })), ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(outcome.failure).toEqual({
      kind: 'weak',
      message: 'the certificate is signed with ecdsa-with-SHA1, expected SHA-256 or better',
    });
  });

  test('has dates that cannot be read, and never passes', async () => {
    const broken = withBrokenEnd(await certificate({ rsaBits: 2048 }));
    const outcome = await failure(showing(broken), { ca: broken.cert, expires: { down: '1s' } });
    expect(outcome.failure).toEqual({ kind: 'unreadable-dates', message: 'the dates of the certificate cannot be read' });
    expect(outcome.measurements).not.toHaveProperty('cert_left_days');
  });
});

describe('a certificate that is trusted by itself', () => {
  test('is up', async () => {
    const own = await certificate({ signature: 'sha1' });
    const server = await serve({ ...showing(own), ciphers: 'DEFAULT@SECLEVEL=0' });
    expect(await probe(server, { ca: own.cert })).toMatchObject({ verdict: 'up', measurements: { chain_count: 1 } });
  });
});

describe('the chain', () => {
  const read = (one: Certificate) => new X509Certificate(one.cert);

  test('ends at the first authority that is trusted: an old root behind it may expire', async () => {
    const old = await authority('Old Root', { toDays: -1, fromDays: -9 });
    // The same authority with the same key, signed by the old root as well.
    const crossed = { cert: (await authority('Clinic Root', { by: old, toDays: 900 })).cert, key: root.key };
    const server = await serve(showing(portal, issuing, crossed, old));
    expect(await probe(server)).toMatchObject({ verdict: 'up', measurements: { cert_left_days: 99.99, chain_count: 3 } });
  });

  test('is found whatever the order in which it is sent', async () => {
    const server = await serve(showing(portal, root, issuing));
    expect(await probe(server)).toMatchObject({ verdict: 'up', measurements: { chain_count: 3 } });
  });

  test('is counted by the certificate that ends first', async () => {
    const short = await authority('Short Issuing', { toDays: 40.01, by: root });
    const server = await serve(showing(await certificate({ by: short }), short));
    expect((await probe(server)).measurements?.cert_left_days).toBe(40);
    const outcome = await probe(server, { expires: { degraded: '50d' } });
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { kind: 'expires-soon', message: 'the certificate of the issuer "Short Issuing" expires in 40 d, limit 50 d' },
    });
  });

  test('has no dates where they cannot be read, however often that is tried', async () => {
    const broken = withBrokenEnd(await certificate());
    const read = Array.from({ length: 1000 }, () => validity(new X509Certificate(broken.cert)).toMs);
    expect(new Set(read)).toEqual(new Set([Number.NaN]));
  });

  test('does not run in circles', () => {
    const [one, two] = [read(root), read(issuing)];
    expect(chainOf(read(portal), [two, one, two, one], indexed([]))).toHaveLength(3);
  });
});

describe('the time that is left', () => {
  const rules: Rules = { name: 'portal.example', minVersion: 'TLSv1.2', expires: { degraded: 21 * DAY_MS, down: 7 * DAY_MS } };
  const verdictAt = (leftMs: number, expires: Rules['expires'] = rules.expires) => {
    const leaf = new X509Certificate(portal.cert);
    const seen = { leaf, sent: [], protocol: 'TLSv1.3', chain: [leaf] };
    const { verdict, failure } = judge(seen, { ...rules, expires }, Date.parse(leaf.validTo) - leftMs);
    return failure ? `${verdict} ${failure.kind}` : verdict;
  };

  test.each([
    [21 * DAY_MS + 1, 'up'],
    [21 * DAY_MS, 'degraded expires-soon'],
    [7 * DAY_MS + 1, 'degraded expires-soon'],
    [7 * DAY_MS, 'down expires-soon'],
    [1, 'down expires-soon'],
    [0, 'down expired'],
    [-1, 'down expired'],
  ])('%i ms: %s', (leftMs, expected) => {
    expect(verdictAt(leftMs)).toBe(expected);
  });

  test('counts without limits only when it has gone', () => {
    expect(verdictAt(1, {})).toBe('up');
    expect(verdictAt(0, {})).toBe('down expired');
  });

  test('begins at the first moment', () => {
    const leaf = new X509Certificate(portal.cert);
    const seen = { leaf, sent: [], protocol: 'TLSv1.3', chain: [leaf] };
    const fromMs = Date.parse(leaf.validFrom);
    expect(judge(seen, rules, fromMs).verdict).toBe('up');
    expect(judge(seen, rules, fromMs - 1).failure?.kind).toBe('not-yet-valid');
  });

  test('is judged by default at three weeks and at one', async () => {
    const soon = await serve(showing(await certificate({ toDays: 20, by: root })));
    expect(await probe(soon)).toMatchObject({
      verdict: 'degraded',
      failure: { message: 'the certificate expires in 19 d 23 h, limit 21 d' },
    });
    const now = await serve(showing(await certificate({ toDays: 6, by: root })));
    expect(await probe(now)).toMatchObject({ verdict: 'down', failure: { kind: 'expires-soon' } });
  });
});

describe('the version of the protocol', () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

  test('is told when it is too old, with the days of the certificate', async () => {
    const outcome = await probe(await serve({ ...showing(portal, issuing), ...old }));
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'protocol-version', message: 'the server speaks TLS 1.1, expected at least TLS 1.2' },
      measurements: { cert_left_days: 99.99 },
    });
  });

  test('may be exactly the oldest that is good enough', async () => {
    const server = await serve({ ...showing(portal, issuing), maxVersion: 'TLSv1.2' });
    expect((await probe(server)).verdict).toBe('up');
    expect((await probe(server, { minVersion: 'TLSv1.3' })).failure?.kind).toBe('protocol-version');
    expect((await probe(await serve({ ...showing(portal, issuing), ...old }), { minVersion: 'TLSv1.1' })).verdict).toBe('up');
  });
});

describe('no handshake', () => {
  test('the server breaks it off', async () => {
    const server = await serve({});
    const outcome = await probe(server);
    expect(outcome.failure).toEqual({
      kind: 'tls',
      message: `127.0.0.1:${server.port} breaks the TLS handshake off (handshake failure)`,
    });
  });

  test('the server speaks something else', async () => {
    const server = await keep(listening(createTcp((socket) => socket.end('220 mail.example ESMTP\r\n'))));
    expect((await probe(server)).failure).toEqual({ kind: 'tls', message: `127.0.0.1:${server.port} does not speak TLS` });
  });

  test('the server closes the connection', async () => {
    const server = await keep(listening(createTcp((socket) => socket.once('data', () => socket.destroy()))));
    const reset = { kind: 'connection-reset', message: `127.0.0.1:${server.port} closed the connection` };
    expect((await probe(server)).failure).toEqual(reset);
  });

  test('the server says nothing', async () => {
    const server = await keep(blackHole());
    const outcome = await probe(server, {}, { timeoutMs: 500 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no TLS handshake within 500 ms' });
    await server.drained();
  });

  test('nothing listens', async () => {
    const server = await blackHole();
    await server.close();
    expect((await probe(server)).failure?.kind).toBe('connection-refused');
  });

  test('the name does not exist', async () => {
    const server = await keep(blackHole());
    expect((await probe(server, { host: 'no-such-clinic.invalid' })).failure?.kind).toBe('dns');
  });

  test('there is no way to the address', async () => {
    expect((await probe(await keep(blackHole()), { host: '255.255.255.255' })).failure?.kind).toBe('unreachable');
  });

  test('an agent that stops ends it at once, and it is nobody’s failure', async () => {
    const server = await keep(blackHole());
    const stop = new AbortController();
    const stopping = new Error('stopping');
    const run = probe(server, {}, { signal: stop.signal });
    setTimeout(() => stop.abort(stopping), 20);
    await expect(run).rejects.toBe(stopping);
    await server.drained();
  });
});

/** A server that speaks line by line, and TLS from where `talk` says. */
function speaking(greeting: string, answer: (line: string, secure: () => void) => string): Promise<TestServer> {
  const server = createTcp((socket: Socket) => {
    socket.on('error', () => {});
    socket.write(greeting);
    const onData = (said: Buffer) => {
      const secure = () => {
        socket.off('data', onData);
        const upgraded = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext(showing(portal, issuing)) });
        upgraded.on('error', () => {});
      };
      let upgrade = false;
      const reply = answer(said.toString('latin1'), () => {
        upgrade = true;
      });
      socket.write(reply, () => upgrade && secure());
    };
    socket.on('data', onData);
  });
  return keep(listening(server));
}

describe('TLS that begins in the clear', () => {
  test('in SMTP', async () => {
    const server = await speaking('220-mail.example\r\n220 ready\r\n', (line, secure) => {
      if (line === 'EHLO rounds\r\n') return '250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n';
      secure();
      return line === 'STARTTLS\r\n' ? '220 go ahead\r\n' : '500 what\r\n';
    });
    const outcome = await probe(server, { starttls: 'smtp' });
    expect(outcome).toMatchObject({ verdict: 'up', measurements: { cert_left_days: 99.99 } });
    expect(outcome.measurements).toHaveProperty('starttls_ms');
    await server.drained();
  });

  test('in IMAP', async () => {
    const server = await speaking('* OK ready\r\n', (line, secure) => {
      secure();
      return line === 'r1 STARTTLS\r\n' ? '* 1 EXISTS\r\nr1 OK begin\r\n' : 'r1 BAD\r\n';
    });
    expect(await probe(server, { starttls: 'imap' })).toMatchObject({ verdict: 'up', measurements: { cert_left_days: 99.99 } });
    await server.drained();
  });

  test.each([
    ['smtp', '421 too busy\r\n', '', 'does not offer TLS in SMTP and says "421 too busy"'],
    [
      'smtp',
      '220 ready\r\n',
      '250-mail.example\r\n250 8BITMIME\r\n',
      'does not offer TLS in SMTP and says "250-mail.example 250 8BITMIME"',
    ],
    ['imap', '* BYE\r\n', '', 'does not offer TLS in IMAP and says "* BYE"'],
    ['imap', '* OK\r\n', 'r1 BAD no such command\r\n', 'does not offer TLS in IMAP and says "r1 BAD no such command"'],
    ['postgres', '', 'N', "does not offer TLS in PostgreSQL's protocol"],
    ['postgres', '', 'E', 'does not offer TLS in PostgreSQL\'s protocol and says "E"'],
  ])('is refused in %s: %j %j', async (starttls, greeting, answer, words) => {
    const server = await speaking(greeting, () => answer);
    expect((await probe(server, { starttls })).failure).toEqual({ kind: 'starttls', message: `127.0.0.1:${server.port} ${words}` });
    await server.drained();
  });

  test('does not begin when the server closes the connection', async () => {
    const server = await keep(listening(createTcp((socket) => socket.end('220'))));
    expect((await probe(server, { starttls: 'smtp' })).failure?.kind).toBe('starttls');
  });

  test('does not begin when the server says nothing', async () => {
    const server = await keep(blackHole());
    const outcome = await probe(server, { starttls: 'imap' }, { timeoutMs: 500 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no answer in IMAP within 500 ms' });
  });
});

describe('a PostgreSQL', () => {
  let server: Awaited<ReturnType<typeof testServer>>;
  let port: number;
  beforeAll(async () => {
    server = await testServer();
    port = Number(new URL(server.adminUrl).port);
  });
  afterAll(async () => {
    await server.stop();
  });

  const ask = () => probe({ port } as TestServer, { starttls: 'postgres', serverName: 'db.example' });

  test('offers no TLS until it is told to, and shows its certificate then', async () => {
    expect((await ask()).failure).toEqual({ kind: 'starttls', message: `127.0.0.1:${port} does not offer TLS in PostgreSQL's protocol` });
    const folder = await withTls(server.adminUrl, await certificate({ names: ['db.example'], by: root, toDays: 20.01 }));
    await expect.poll(async () => (await ask()).failure?.kind).toBe('expires-soon');
    const outcome = await ask();
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { message: 'the certificate expires in 20 d, limit 21 d' },
      measurements: { cert_left_days: 20, chain_count: 2 },
    });
    rmSync(folder, { recursive: true });
  });
});

/** Gives the server a certificate and has it read its settings again. Returns the folder where these are. */
async function withTls(adminUrl: string, { cert, key }: Certificate): Promise<string> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const data = (await client.query('SHOW data_directory')).rows[0].data_directory as string;
  const folder = mkdtempSync(join(tmpdir(), 'rounds-pg-tls-'));
  chmodSync(folder, 0o755);
  const { uid, gid } = statSync(data);
  for (const [name, content] of Object.entries({ cert, key })) {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    chownSync(join(folder, name), uid, gid);
  }
  await client.query(`ALTER SYSTEM SET ssl_cert_file = '${join(folder, 'cert')}'`);
  await client.query(`ALTER SYSTEM SET ssl_key_file = '${join(folder, 'key')}'`);
  await client.query('ALTER SYSTEM SET ssl = on');
  await client.query('SELECT pg_reload_conf()');
  await client.end();
  return folder;
}

test('an authority that is none once its secret is filled in is the fault of the check', async () => {
  const server = await serve(showing(portal, issuing));
  const params = { ...tls.schema.parse({ host: '127.0.0.1', port: server.port }), ca: 'swordfish' };
  const run = tls.run(params, probeContext());
  await expect(run).rejects.toThrow(AgentFault);
  await expect(run).rejects.not.toThrow(/swordfish/);
});

describe('options that make no sense', () => {
  const problem = (params: Record<string, unknown>) => {
    const issues = tls.schema.safeParse({ host: 'portal.example', ...params }).error?.issues ?? [];
    return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  const pem = 'ca: expected a certificate in PEM, from -----BEGIN CERTIFICATE----- on';
  const fingerprint = 'fingerprint: expected a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons';
  const sooner = 'expires.degraded: expected more than for down, so that the warning comes first';
  test.each([
    [{}, []],
    [{ ca: `\${secret:CLINIC_CA}`, fingerprint: `\${tenant.fingerprint}`, expires: { down: '3d' } }, []],
    [{ host: 'https://portal.example' }, ['host: expected a host name or an address, such as db.example.org or 192.0.2.10']],
    [{ ca: 'clinic-ca.pem' }, [pem]],
    [{ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' }, [pem]],
    [{ fingerprint: 'AB:CD' }, [fingerprint]],
    [{ expires: { degraded: '7d', down: '7d' } }, [sooner]],
    [{ expires: { degraded: '21 days' } }, ['expires.degraded: expected a duration such as 30s or 5m']],
  ])('%j', (params, expected) => {
    expect(problem(params)).toEqual(expected);
  });
});

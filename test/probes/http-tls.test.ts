/** https: whom the probe trusts, what it shows of itself, and how long certificates last. */
import { createServer, type ServerOptions } from 'node:https';
import { beforeAll, describe, expect, test } from 'vitest';
import { authority, type Certificate, type CertificateOptions, certificate, withBrokenEnd } from '../helpers/certificates.ts';
import { listening } from '../helpers/probing.ts';
import { probe, probeWith, webServers } from '../helpers/web.ts';

const { keep, serve } = webServers();

/** Of the loopback, and of a name besides. */
const leaf = (options: CertificateOptions) => certificate({ names: ['clinic.example', '127.0.0.1'], ...options });

let root: Certificate;
let server: Certificate;
beforeAll(async () => {
  root = await authority('Clinic Root', { toDays: 900 });
  server = await leaf({ toDays: 60, by: root });
});

async function serveTls(options: ServerOptions, names: string[] = []) {
  const SNICallback: ServerOptions['SNICallback'] = (name, done) => {
    names.push(name);
    done(null);
  };
  const listener = createServer({ ...options, SNICallback }, (_request, response) => response.end('ok'));
  // Handshakes that the client breaks off are what is tested.
  listener.on('tlsClientError', () => {});
  return await keep(listening(listener), 'https');
}

describe('a certificate', () => {
  test('of an authority that is named is trusted, and tells how long it lasts', async () => {
    const { url } = await serveTls(server);
    const outcome = await probe({ url, ca: root.cert, expect: { text: 'ok', within: { tls: '5s' } } });
    expect(outcome.verdict).toBe('up');
    expect(outcome.measurements?.tls_ms).toBeGreaterThan(0);
    expect(outcome.measurements?.cert_left_days).toBeGreaterThan(59.9);
    expect(outcome.measurements?.cert_left_days).toBeLessThanOrEqual(60);
  });

  test('of the chain that expires first counts', async () => {
    const middle = await authority('Clinic Issuing', { toDays: 20, by: root });
    const { key, cert } = await leaf({ toDays: 60, by: middle });
    const { url } = await serveTls({ key, cert: `${cert}\n${middle.cert}` });
    const outcome = await probe({ url, ca: root.cert });
    expect(outcome.verdict).toBe('up');
    expect(Math.round(outcome.measurements?.cert_left_days ?? 0)).toBe(20);
  });

  test('that nobody follows does not count: an old root behind the one that is trusted', async () => {
    const old = await authority('Old Root', { fromDays: -9, toDays: -1 });
    // The same authority, signed by the old root as well.
    const { cert: crossed } = await authority('Clinic Root', { by: old, toDays: 900 });
    const { url } = await serveTls({ key: server.key, cert: [server.cert, crossed, old.cert].join('') });
    const outcome = await probe({ url, ca: root.cert });
    expect(outcome.verdict).toBe('up');
    expect(Math.round(outcome.measurements?.cert_left_days ?? 0)).toBe(60);
  });

  test('whose end cannot be read tells no days, however often it is asked', async () => {
    const { url } = await serveTls(withBrokenEnd(await leaf({ by: root })));
    for (let run = 0; run < 20; run++) {
      const outcome = await probe({ url, tls: { insecure: true } });
      expect(outcome.verdict).toBe('up');
      expect(outcome.measurements).not.toHaveProperty('cert_left_days');
    }
  });

  test('of several steps the one that expires first counts', async () => {
    const short = await serveTls(await leaf({ toDays: 9, by: root }));
    const long = await serveTls(server);
    const steps = [
      { name: 'one', url: short.url },
      { name: 'two', url: long.url },
    ];
    for (const order of [steps, steps.toReversed()]) {
      const outcome = await probe({ ca: root.cert, steps: order });
      expect(outcome.verdict).toBe('up');
      expect(Math.round(outcome.measurements?.cert_left_days ?? 0)).toBe(9);
    }
  });

  test('is not there in http', async () => {
    const { url } = await serve((_request, response) => response.end());
    expect((await probe({ url })).measurements).not.toHaveProperty('cert_left_days');
  });

  test.each([
    ['signed by nobody', async () => leaf({ by: await authority('Somebody') }), 'the certificate is signed by nobody that is trusted'],
    ['expired', () => leaf({ fromDays: -9, toDays: -1, by: root }), 'the certificate has expired'],
    ['not valid yet', () => leaf({ fromDays: 2, by: root }), 'the certificate is not valid yet'],
    ['signed weakly', () => leaf({ signature: 'sha1', by: root }), 'the certificate is not accepted, its key or signature may be too weak'],
  ])('%s is down', async (_, make, words) => {
    const { url, port } = await serveTls(await make());
    const outcome = await probe({ url, ca: root.cert });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'tls', message: `127.0.0.1:${port}: ${words}` } });
  });

  test('for another name is down, unless that name is asked for', async () => {
    const names: string[] = [];
    const { port } = await serveTls(server, names);
    const url = `https://localhost:${port}/`;
    const failure = { kind: 'tls', message: `localhost:${port}: the certificate is for another name` };
    expect((await probe({ url, ca: root.cert })).failure).toEqual(failure);
    const byName = await probe({ url, ca: root.cert, tls: { serverName: 'clinic.example' } });
    expect([byName.verdict, names.at(-1)]).toEqual(['up', 'clinic.example']);
    const byHost = await probe({ url, ca: root.cert, headers: { Host: 'clinic.example:443' } });
    expect([byHost.verdict, names.at(-1)]).toEqual(['up', 'clinic.example']);
  });

  test('is taken unseen only where the check says so, and still measured', async () => {
    const { url } = await serveTls(await leaf({ fromDays: -9, toDays: -3, by: root }));
    const outcome = await probe({ url, tls: { insecure: true } });
    expect(outcome.verdict).toBe('up');
    expect(Math.round(outcome.measurements?.cert_left_days ?? 0)).toBe(-3);
    expect((await probe({ url, tls: { insecure: false } })).verdict).toBe('down');
  });

  test('of another origin is never taken unseen', async () => {
    const other = await serveTls(server);
    const { url } = await serveTls(server);
    const first = await keep(
      listening(createServer(server, (_request, response) => response.writeHead(302, { location: other.url }).end())),
      'https',
    );
    expect((await probe({ url, tls: { insecure: true } })).verdict).toBe('up');
    expect((await probe({ url: first.url, tls: { insecure: true } })).failure?.kind).toBe('tls');
    expect((await probe({ url: first.url, ca: root.cert })).verdict).toBe('up');
  });
});

describe('a server that asks for a certificate', () => {
  const asking = () => serveTls({ ...server, ca: root.cert, requestCert: true, rejectUnauthorized: true });

  test('gets ours, and no message holds the key', async () => {
    const { url } = await asking();
    const ours = await leaf({ by: root });
    const tls = { certificate: ours.cert, privateKey: `\${secret:CLINIC_KEY}` };
    expect((await probeWith({ CLINIC_KEY: ours.key }, { url, ca: root.cert, tls })).verdict).toBe('up');
  });

  test('refuses us without one', async () => {
    const { url } = await asking();
    const outcome = await probe({ url, ca: root.cert });
    expect(outcome.verdict).toBe('down');
    expect(['tls', 'connection-reset']).toContain(outcome.failure?.kind);
  });

  test('a key that is none is the fault of the check, and not quoted', async () => {
    const { url } = await asking();
    const tls = { certificate: server.cert, privateKey: `\${secret:CLINIC_KEY}` };
    const run = probeWith({ CLINIC_KEY: 'no key at all' }, { url, ca: root.cert, tls });
    await expect(run).rejects.toMatchObject({ kind: 'parameters' });
    await expect(run).rejects.not.toThrow('no key at all');
  });
});

test('a server that does not speak TLS', async () => {
  const { port } = await serve((_request, response) => response.end());
  expect((await probe({ url: `https://127.0.0.1:${port}/` })).failure?.kind).toBe('tls');
});

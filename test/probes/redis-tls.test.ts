/** The redis probe of a Redis behind TLS, with certificates of an authority of the test's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../cli/ports.ts';
import redis from '../../probes/types/redis.ts';
import { type Certificate, certificate, authority as newAuthority } from '../helpers/certificates.ts';
import { probeContext } from '../helpers/probing.ts';
import { redisIsThere } from '../helpers/redis.ts';
import { probe, server } from '../helpers/redis-probing.ts';

const here = describe.runIf(await redisIsThere('the redis probe over TLS'));

let folder: string;
let authority: Certificate;
let otherAuthority: Certificate;
let served: Certificate;
let shown: Certificate;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-redis-tls-'));
  [authority, otherAuthority] = await Promise.all([newAuthority('Clinic Root'), newAuthority('Clinic Root')]);
  served = await certificate({ names: ['localhost'], by: authority });
  shown = await certificate({ names: ['rounds'], by: authority });
  const files = { 'ca.pem': authority.cert, 'server.pem': served.cert, 'server.key': served.key };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Speaks TLS on a port of its own, beside the one that does not. */
async function secured(settings: Record<string, string> = {}): Promise<{ tlsPort: number; port: number }> {
  const tlsPort = await freePort(0);
  const { port } = await server({
    'tls-port': String(tlsPort),
    'tls-ca-cert-file': join(folder, 'ca.pem'),
    'tls-cert-file': join(folder, 'server.pem'),
    'tls-key-file': join(folder, 'server.key'),
    'tls-auth-clients': 'no',
    ...settings,
  });
  return { tlsPort, port };
}

here('a Redis behind TLS', () => {
  test('is up when its authority is trusted', async () => {
    const { tlsPort } = await secured();
    expect(await probe({ url: `rediss://localhost:${tlsPort}`, ca: authority.cert, canary: 'rounds' })).toMatchObject({ verdict: 'up' });
  });

  test('is down when its authority is not trusted, or its certificate is for another name', async () => {
    const { tlsPort } = await secured();
    for (const ca of [undefined, otherAuthority.cert]) {
      const outcome = await probe({ url: `rediss://localhost:${tlsPort}`, ca });
      expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'tls' } });
      expect(outcome.failure?.message).toMatch(/signed by nobody that is trusted|handshake failed/);
    }
    const outcome = await probe({ url: `rediss://127.0.0.1:${tlsPort}`, ca: authority.cert });
    expect(outcome.failure).toEqual({ kind: 'tls', message: `127.0.0.1:${tlsPort}: the certificate is for another name` });
  });

  test('may ask for a certificate of ours', async () => {
    const { tlsPort } = await secured({ 'tls-auth-clients': 'yes' });
    const url = `rediss://localhost:${tlsPort}`;
    expect((await probe({ url, ca: authority.cert })).failure?.kind).toBe('tls');
    expect((await probe({ url, ca: authority.cert, tls: { certificate: shown.cert, privateKey: shown.key } })).verdict).toBe('up');
    const running = redis.run(redis.schema.parse({ url, tls: { certificate: shown.cert, privateKey: served.key } }), probeContext());
    await expect(running).rejects.toMatchObject({
      kind: 'parameters',
      message: expect.stringContaining('a key that belongs to the certificate'),
    });
  });

  test('is not spoken to without, nor one without with it', async () => {
    const { tlsPort, port } = await secured();
    expect((await probe({ url: `redis://localhost:${tlsPort}` })).failure?.kind).toMatch(/^(connection-reset|protocol)$/);
    // A Redis without TLS goes on waiting for the end of a line.
    const { failure } = await probe({ url: `rediss://localhost:${port}`, ca: authority.cert }, { timeoutMs: 300 });
    expect(failure).toEqual({ kind: 'timeout', message: 'no TLS handshake within 300 ms' });
  });
});

/** What every probe keeps, whoever writes it. A probe that is new is tested here without an edit. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadProbes } from '../../probes/registry.ts';
import { datagrams } from '../helpers/dns.ts';
import { blackHole, probeContext, type TestServer } from '../helpers/probing.ts';

const probes = await loadProbes();
const UNIT = /_(ms|s|days|ratio|bytes|count)$/;
const SECRET = 'correct-horse-battery-staple';

/** How each type is pointed at a port of the loopback, with a secret in its parameters where it has a place for one. */
const AT_PORT: Record<string, (port: number) => Record<string, unknown>> = {
  bullmq: (port) => ({ url: `redis://rounds:${SECRET}@127.0.0.1:${port}/0`, queues: ['mail'] }),
  dns: (port) => ({ name: `${SECRET}.example`, servers: [`127.0.0.1:${port}`] }),
  http: (port) => ({ url: `http://rounds:${SECRET}@127.0.0.1:${port}/?token=${SECRET}`, headers: { Authorization: `Bearer ${SECRET}` } }),
  postgres: (port) => ({ url: `postgres://rounds:${SECRET}@127.0.0.1:${port}/main` }),
  redis: (port) => ({ url: `redis://rounds:${SECRET}@127.0.0.1:${port}/0` }),
  tcp: (port) => ({ host: '127.0.0.1', port, send: `AUTH ${SECRET}\r\n`, expect: SECRET }),
  tls: (port) => ({ host: '127.0.0.1', port }),
};

const open: Pick<TestServer, 'close'>[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function hole(): Promise<TestServer> {
  const server = await blackHole();
  open.push(server);
  // Some ask by datagram.
  open.push(await datagrams(server.port));
  return server;
}

describe.each([...probes])('probe %s', (type, probe) => {
  test('describes itself', () => {
    expect(probe.type).toBe(type);
    expect(probe.summary).toMatch(/^[A-Z].+\.$/);
    expect(probe.examples.length).toBeGreaterThan(0);
  });

  test('names its failures in kebab-case, once each, with what they mean', () => {
    const kinds = probe.failures.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    for (const { kind, means } of probe.failures) {
      expect(kind).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
      expect(means.length).toBeGreaterThan(5);
    }
    expect(kinds).toContain('timeout');
  });

  test('names its measurements with their unit last', () => {
    for (const name of Object.keys(probe.measurements)) expect(name).toMatch(UNIT);
  });

  test('every option says what it is', () => {
    for (const [name, option] of Object.entries(probe.schema.shape)) {
      expect((option as { description?: string }).description, name).toBeTruthy();
    }
  });

  test.each(probe.examples)('example parses: %s', (example) => {
    const [check] = Object.values(parse(example)) as Record<string, unknown>[];
    expect(check).toHaveProperty(type);
    // Secrets and tenants stay references in what the configuration hands out.
    const parsed = probe.schema.parse(check?.[type]);
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed);
  });

  test('an option that is not known is an error', () => {
    const [check] = Object.values(parse(probe.examples[0] ?? '')) as Record<string, Record<string, unknown>>[];
    expect(probe.schema.safeParse({ ...check?.[type], notAnOption: 1 }).success).toBe(false);
  });
});

describe.each([...probes].filter(([, probe]) => !probe.browser))('probe %s against a port that never answers', (type, probe) => {
  test('settles in its time with "timeout", tells no secret and leaves no connection', async () => {
    const server = await hole();
    const at = AT_PORT[type];
    expect(at, `test/contract/probes.test.ts must know how "${type}" is pointed at a port`).toBeDefined();
    const params = probe.schema.parse(at?.(server.port));
    const outcome = await probe.run(params, probeContext({ timeoutMs: 250, secrets: [SECRET] }));
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'timeout' } });
    expect(probe.failures.map(({ kind }) => kind)).toContain(outcome.failure?.kind);
    expect(JSON.stringify(outcome)).not.toContain(SECRET);
    await server.drained();
  });

  test('ends when the agent stops, without a verdict', async () => {
    const server = await hole();
    const stop = new AbortController();
    const run = probe.run(probe.schema.parse(AT_PORT[type]?.(server.port)), probeContext({ signal: stop.signal }));
    const stopping = new Error('stopping');
    setTimeout(() => stop.abort(stopping), 50);
    await expect(run).rejects.toBe(stopping);
    await server.drained();
  });
});

test('a file whose type is not its name is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-types-'));
  writeFileSync(join(folder, 'smoke.ts'), `export default { type: 'smock', run() {} };`);
  const load = loadProbes(pathToFileURL(`${folder}/`));
  await expect(load).rejects.toThrow('probes/types/smoke.ts: expected type "smoke", as the file is named, got "smock".');
  rmSync(folder, { recursive: true });
});

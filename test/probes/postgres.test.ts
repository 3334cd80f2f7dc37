import { createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rootBlocker } from '../../probes/postgres/blocking.ts';
import postgres from '../../probes/types/postgres.ts';
import { type Blocked, blockedSessions } from '../helpers/blocking.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { blackHole, listening, probeContext } from '../helpers/probing.ts';
import { type TestServer, testServer } from '../helpers/server.ts';

// A server of its own: who blocks whom is asked of all of it, and other tests hold locks too.
let server: TestServer;
let database: TestDatabase;
const open: { end(): Promise<unknown> }[] = [];

beforeAll(async () => {
  server = await testServer();
  database = await testDatabase(server.adminUrl);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.end();
});
afterAll(async () => {
  await database.drop();
  await server.stop();
});

function probe(params: Record<string, unknown> = {}, changes: Parameters<typeof probeContext>[0] = {}) {
  return postgres.run(postgres.schema.parse({ url: database.url, ...params }), probeContext(changes));
}

async function blocked(waiters: number): Promise<Blocked> {
  const made = await blockedSessions(database.url, waiters);
  open.push(made);
  return made;
}

describe('a server that is well', () => {
  test('is up, with its vital signs', async () => {
    const outcome = await probe({ connections: { down: '95%' }, lockWait: { down: '30s' }, longQuery: { down: '1h' } });
    expect(outcome).toMatchObject({ verdict: 'up', findings: [] });
    expect(Object.keys(outcome.measurements ?? {}).sort()).toEqual([
      'blocked_sessions_count',
      'connections_ratio',
      'login_ms',
      'longest_lock_wait_s',
      'longest_query_s',
      'query_ms',
    ]);
    expect(outcome.measurements?.connections_ratio).toBeGreaterThan(0);
  });

  test('leaves no session behind', async () => {
    await probe();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const left = `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rounds'`;
    await expect.poll(async () => (await client.query(left)).rows[0].sessions).toBe(0);
    await client.end();
  });
});

describe('sessions that wait for a lock', () => {
  test('are a failure whose finding names the session at the root, and never its query', async () => {
    const { pid } = await blocked(3);
    const outcome = await probe({ lockWait: { down: '1ms' } });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'lock-wait' } });
    expect(outcome.failure?.message).toMatch(/^3 sessions wait for a lock, the longest for .+, limit 1 ms$/);
    expect(outcome.measurements?.blocked_sessions_count).toBe(3);
    const [finding] = outcome.findings ?? [];
    expect(finding?.kind).toBe('blocking-session');
    expect(finding?.text).toMatch(
      new RegExp(`^month-end report \\(postgres, pid ${pid}, idle in a transaction for \\d+ s\\) blocks 3 sessions$`),
    );
    expect(finding?.target).toEqual({ pid, backendStart: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) });
    expect(JSON.stringify(outcome)).not.toContain('Jane Doe');
  });

  test('below the limit are told, and are up', async () => {
    await blocked(1);
    const outcome = await probe({ lockWait: { down: '1h' } });
    expect(outcome.verdict).toBe('up');
    expect(outcome.findings).toHaveLength(1);
  });
});

describe('the root of those who wait', () => {
  const waiting = (pid: number, ...blockers: number[]) => ({ pid, blockers, waitedS: 1 });
  test('is found behind others', () => {
    expect(rootBlocker([waiting(2, 1), waiting(3, 2), waiting(4, 2, 3), waiting(9, 8)])).toEqual({ pid: 1, blocks: 3 });
  });
  test('is the lowest pid among equals', () => {
    expect(rootBlocker([waiting(2, 1), waiting(9, 8)])).toEqual({ pid: 1, blocks: 1 });
  });
  test('is nobody in a ring', () => {
    expect(rootBlocker([waiting(1, 2), waiting(2, 1)])).toBeUndefined();
  });
});

describe('limits', () => {
  test('a share of the connections', async () => {
    const outcome = await probe({ connections: { degraded: '0%', down: '100%' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'connections' } });
  });

  test('a long query', async () => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    open.push(client);
    const sleeping = client.query('SELECT pg_sleep(60)').catch(() => {});
    await expect.poll(async () => (await probe({ longQuery: { degraded: '1ms' } })).failure?.kind).toBe('long-query');
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query('SELECT pg_cancel_backend($1)', [(client as unknown as { processID: number }).processID]);
    await admin.end();
    await sleeping;
  });

  test('never pass when their value cannot be read: no replica', async () => {
    const outcome = await probe({ replicationLag: { degraded: '10s' } });
    expect(outcome.verdict).toBe('fault');
    expect(outcome.failure).toEqual({ kind: 'unreadable', message: 'replicationLag cannot be judged: no replica is connected' });
  });

  test('never pass when their value cannot be read: no right', async () => {
    const name = `plain_${Date.now()}`;
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'plain'`);
    const url = new URL(database.url);
    url.username = name;
    url.password = 'plain';
    const outcome = await probe({ url: url.href, lockWait: { down: '30s' } });
    const without = await probe({ url: url.href, connections: { down: '100%' } });
    await admin.query(`DROP ROLE ${name}`);
    await admin.end();
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { kind: 'unreadable' } });
    expect(outcome.failure?.message).toContain('pg_monitor');
    expect(without.verdict).toBe('up');
    expect(without.measurements).not.toHaveProperty('longest_lock_wait_s');
  });
});

describe('a server that cannot be used', () => {
  const changed = (change: (url: URL) => void) => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };

  test('wrong password', async () => {
    const url = changed((one) => {
      one.password = 'guessed-wrong';
    });
    const outcome = await probe({ url });
    expect(outcome.failure?.kind).toBe('authentication');
    expect(JSON.stringify(outcome)).not.toContain('guessed-wrong');
  });

  test('no such database', async () => {
    const url = changed((one) => {
      one.pathname = '/nowhere';
    });
    expect((await probe({ url })).failure?.kind).toBe('no-database');
  });

  test('no TLS', async () => {
    const url = changed((one) => {
      one.search = '?sslmode=verify-full';
    });
    expect((await probe({ url })).failure?.kind).toBe('tls');
  });

  test('what answers is no PostgreSQL', async () => {
    const greeting = Buffer.from('J\0\0\0\n8.0.36\0', 'latin1');
    const server = await listening(createServer((socket) => socket.once('data', () => socket.write(greeting))));
    const outcome = await probe({ url: `postgres://rounds:hidden@127.0.0.1:${server.port}/main` });
    await server.close();
    const message = `127.0.0.1:${server.port} does not speak the protocol of PostgreSQL`;
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'protocol', message } });
  });

  test('nothing listens, and a port that never answers', async () => {
    const hole = await blackHole();
    const url = `postgres://rounds:hidden@127.0.0.1:${hole.port}/main`;
    expect((await probe({ url }, { timeoutMs: 200 })).failure).toEqual({
      kind: 'timeout',
      message: 'no answer to the login within 200 ms',
    });
    await hole.drained();
    await hole.close();
    expect((await probe({ url })).failure?.kind).toBe('connection-refused');
  });
});

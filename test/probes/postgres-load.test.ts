import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Load, type Loads, loadsSchema } from '../../core/result.ts';
import { rootsByWaiter } from '../../probes/postgres/blocking.ts';
import postgres from '../../probes/types/postgres.ts';
import { probeContext } from '../helpers/probing.ts';
import { type TenantsServer, tenantsServer } from '../helpers/tenants-server.ts';

const ODD = 'rôle "x"; DROP';
let server: TenantsServer;
beforeAll(async () => {
  server = await tenantsServer(['riverside_app', 'hillcrest_app', 'plain', ODD]);
  await server.admin.query('GRANT pg_monitor TO riverside_app');
  await server.admin.query(
    'CREATE TABLE shared_numbers (n int); INSERT INTO shared_numbers VALUES (1); GRANT ALL ON shared_numbers TO public',
  );
});
afterAll(() => server.stop());

async function sample(params: Record<string, unknown> = {}): Promise<Loads> {
  const outcome = await postgres.run(postgres.schema.parse({ url: server.url, load: true, ...params }), probeContext());
  expect(outcome.verdict).toBe('up');
  return loadsSchema.parse(outcome.loads);
}

function of(loads: Loads, by: Load['by'], name: string): Load {
  const found = loads.loads.find((load) => load.by === by && load.name === name);
  if (!found) throw new Error(`no ${by} ${name} in ${JSON.stringify(loads.loads)}`);
  return found;
}

test('nothing is read of loads unless it is asked for', async () => {
  const outcome = await postgres.run(postgres.schema.parse({ url: server.url }), probeContext());
  expect(outcome).not.toHaveProperty('loads');
});

describe('what each role does', () => {
  test('is counted when its statements end, with what they read and wrote', async () => {
    const before = of(await sample(), 'role', 'hillcrest_app');
    const client = await server.as('hillcrest_app');
    await client.query('SET work_mem = 64');
    await client.query('SELECT count(*) FROM (SELECT g FROM generate_series(1, 200000) g ORDER BY g DESC) s');
    const after = await sample();
    const { counters, levels } = of(after, 'role', 'hillcrest_app');
    expect(counters.statementMs).toBeGreaterThan((before.counters.statementMs ?? 0) + 1);
    expect(counters.tempBytes).toBeGreaterThan(100_000);
    expect(levels).toMatchObject({ connections: 1, waiting: 0, running: 0, runningMs: 0, locks: 0, held: 0, blocks: 0 });
    expect(of(after, 'database', 'clinic').levels).toMatchObject({ waiting: 0, sizeBytes: expect.any(Number) });
    expect(of(after, 'role', ODD).levels.connections).toBe(0);
    expect(after.unreadable).toEqual([]);
    await client.end();
  });

  test('is seen while it runs, and who holds whom up: the waiting is not its own doing', async () => {
    const [holder, waiter] = [await server.as('hillcrest_app', 'month-end report'), await server.as('plain')];
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE shared_numbers IN EXCLUSIVE MODE');
    const report = holder.query('SELECT pg_sleep(30)').catch(() => {});
    const waits = waiter.query('UPDATE shared_numbers SET n = n + 1').catch(() => {});
    await expect.poll(async () => of(await sample(), 'role', 'plain').levels.waiting).toBe(1);
    await expect.poll(async () => of(await sample(), 'role', 'hillcrest_app').levels.runningMs).toBeGreaterThan(50);
    const loads = await sample();
    expect(of(loads, 'role', 'hillcrest_app').levels).toMatchObject({ running: 1, waiting: 0, held: 0, locks: 1, blocks: 1 });
    expect(of(loads, 'role', 'plain').levels).toMatchObject({
      connections: 1,
      running: 0,
      runningMs: 0,
      waiting: 1,
      held: 1,
      locks: 0,
      blocks: 0,
    });
    expect(of(loads, 'database', 'clinic').levels).toMatchObject({ waiting: 1, held: 0, blocks: 0 });
    const outcome = await postgres.run(postgres.schema.parse({ url: server.url, lockWait: { down: '1ms' } }), probeContext());
    expect(outcome.findings?.[0]).toMatchObject({ kind: 'blocking-session', whose: { role: 'hillcrest_app', database: 'clinic' } });
    await server.admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'month-end report'`);
    await Promise.all([report, waits]);
    await waiter.end();
  });

  test('to itself holds nobody else up', async () => {
    const [holder, waiter] = [await server.as('plain', 'own report'), await server.as('plain')];
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE shared_numbers IN EXCLUSIVE MODE');
    const waits = waiter.query('UPDATE shared_numbers SET n = n + 1').catch(() => {});
    await expect.poll(async () => of(await sample(), 'role', 'plain').levels.waiting).toBe(1);
    expect(of(await sample(), 'role', 'plain').levels).toMatchObject({ connections: 2, held: 0, blocks: 0, locks: 1 });
    await holder.query('ROLLBACK');
    await waits;
    await holder.end();
    await waiter.end();
  });

  test('begins anew with a reset, which can be told', async () => {
    const before = of(await sample(), 'role', 'riverside_app');
    await (await server.as('riverside_app')).query('SELECT 1');
    await server.admin.query('SELECT pg_stat_statements_reset()');
    await (await server.as('riverside_app')).query('SELECT 1');
    expect(of(await sample(), 'role', 'riverside_app').countingSinceMs).toBeGreaterThan(before.countingSinceMs);
  });
});

describe('what cannot be read', () => {
  const as = (role: string) => {
    const url = new URL(server.url);
    url.username = role;
    url.password = 'secret';
    return url.href;
  };

  test('without the right to see sessions is said, and never zero', async () => {
    const loads = await sample({ url: as('plain') });
    expect(loads.unreadable).toEqual(['sessions and locks: the role may not see other sessions (it needs pg_monitor)']);
    expect(of(loads, 'role', 'hillcrest_app').levels).toEqual({});
    expect(of(loads, 'database', 'clinic').counters.statementMs).toBeGreaterThan(0);
  });

  test('without pg_stat_statements in the database is said; sessions are seen all the same', async () => {
    const url = new URL(as('riverside_app'));
    url.pathname = '/postgres';
    const loads = await sample({ url: url.href });
    expect(loads.unreadable).toEqual(['time, blocks and temporary files by role: pg_stat_statements is not in this database']);
    expect(of(loads, 'role', 'hillcrest_app')).toMatchObject({ counters: {}, levels: { connections: 0 } });
  });

  test('with the extension there and its library not loaded', async () => {
    const other = await tenantsServer(['riverside_app'], false);
    await other.admin.query('CREATE EXTENSION pg_stat_statements');
    const loads = await sample({ url: other.url });
    await other.stop();
    expect(loads.unreadable).toEqual([expect.stringMatching(/^time, blocks and temporary files by role: .+ is not set up to tell this$/)]);
    expect(of(loads, 'role', 'riverside_app')).toMatchObject({ counters: {}, levels: { connections: 0 } });
  });
});

test('of many roles the busiest are told, and that it is not all', async () => {
  await server.admin.query(`DO $$ BEGIN FOR i IN 1..120 LOOP EXECUTE format('CREATE ROLE many_%s LOGIN', i); END LOOP; END $$`);
  const client = await server.as('hillcrest_app');
  const loads = await sample();
  await client.end();
  expect(loads.loads.filter((load) => load.by === 'role')).toHaveLength(100);
  expect(of(loads, 'role', 'hillcrest_app').levels.connections).toBe(1);
  expect(loads.unreadable).toEqual([expect.stringMatching(/^only the 100 busiest of 12\d roles are told$/)]);
});

test('sessions that wait in a row wait for the one at its head', () => {
  const waiting = (pid: number, ...blockers: number[]) => ({ pid, blockers, waitedS: 1 });
  const roots = rootsByWaiter([waiting(2, 1), waiting(3, 2), waiting(4, 9), waiting(5, 6), waiting(6, 5)]);
  expect([...roots].map(([pid, found]) => [pid, ...found])).toEqual([[2, 1], [3, 1], [4, 9], [5], [6]]);
});

/** A changed configuration under load: two workers, agents at each location, and not one slot lost or run twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWritten } from '../../cli/config.ts';
import type { Check } from '../../core/check.ts';
import { slotsBetween } from '../../core/run.ts';
import { type Applied, applyConfig, type ConfigToApply } from '../../jobs/config.ts';
import { QUEUES, roundSchema } from '../../jobs/contract.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { planSlots } from '../../jobs/plan.ts';
import { openQueues, type Queues } from '../../jobs/queue.ts';
import { ResultQueues } from '../../jobs/result-queues.ts';
import { startWorker } from '../../jobs/worker.ts';
import { NotInForce } from '../../store/config.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { watchConfig } from '../../store/in-force.ts';
import { migrate } from '../../store/migrate.ts';
import { written } from '../helpers/config.ts';
import { asReport, asResult } from '../helpers/jobs.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { onEachQueue, type TestQueue, testQueue } from '../helpers/queues.ts';

const http = 'http: { url: http://a.example }, timeout: 500ms';
const BEFORE = `
version: 1
timezone: UTC
locations: { north: {}, south: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops }, legacy: { owner: ops } }
checks:
  stays: { service: billing, every: 1s, locations: [north], ${http} }
  faster: { service: billing, every: 3s, locations: [north], ${http} }
  moves: { service: billing, every: 1s, locations: [north, south], ${http} }
  gone: { service: legacy, critical: true, every: 1s, locations: [north], ${http} }
`;
const AFTER = `
version: 1
timezone: UTC
locations: { north: {}, west: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops }, legacy: { owner: ops } }
checks:
  stays: { service: billing, every: 1s, locations: [north], ${http} }
  faster: { service: billing, every: 1s, locations: [north], ${http} }
  moves: { service: billing, every: 1s, locations: [north, west], ${http} }
  fresh: { service: billing, every: 1s, locations: [west], ${http} }
`;

interface RunRow {
  name: string;
  check_id: string;
  location: string;
  slot: Date;
  state: string;
  reason: string | null;
  revision: string;
}

onEachQueue((backend) => {
  let database: TestDatabase;
  let queue: TestQueue;
  let pool: Pool;
  let queues: Queues;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    database = await testDatabase();
    await migrate(database.url, quietLog);
    queue = await testQueue(backend, database.url);
    pool = openPool({ url: database.url, name: 'test', max: 4, log: quietLog });
    queues = await openQueues({ url: queue.url, log: quietLog, name: 'test' });
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    await queues.close();
    await pool.end();
    await queue.drop();
    await database.drop();
  });

  const query = async <T extends object>(text: string, values: unknown[] = []) => (await pool.query<T>(text, values)).rows;

  /** A worker of its own, as `rounds worker` starts it. */
  async function worker(): Promise<void> {
    const own = openPool({ url: database.url, name: 'worker', max: 4, log: quietLog });
    const ownQueues = await openQueues({ url: queue.url, log: quietLog, name: 'worker' });
    const watch = await watchConfig({ pool: own, log: quietLog, read: readWritten });
    const running = await startWorker({
      pool: own,
      queues: ownQueues,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      log: quietLog,
      actions: new Map(),
      get config() {
        return watch.config;
      },
      get configSeq() {
        return watch.configSeq;
      },
      refreshConfig: () => watch.refreshConfig(),
    });
    closers.push(async () => {
      await running.stop();
      await watch.stop();
      await ownQueues.close();
      await own.end();
    });
  }

  /** An agent that finds everything up, but `gone`. Returns the names of the runs it was given, in order. */
  async function agent(location: string): Promise<string[]> {
    const given: string[] = [];
    await queues.prepare(location);
    const working = queues.work(QUEUES.round(location), { concurrency: 20, policy: 'once' }, async ({ data }) => {
      const { orders } = roundSchema.parse(data);
      given.push(...orders.map((order) => order.run));
      await sleep(Math.max(0, (orders[0]?.notBeforeMs ?? 0) - Date.now()));
      const results = orders.map((order) => {
        const down = order.check === 'gone' ? { failure: { kind: 'status', message: 'answered 500' } } : {};
        const verdict = order.check === 'gone' ? ('down' as const) : ('up' as const);
        return asResult({ run: order.run, location, plannedAtMs: order.notBeforeMs, verdict, durationMs: 5, findings: [], ...down });
      });
      const report = asReport(results, { sentAtMs: Date.now() });
      await queues.add(QUEUES.results(location), [{ id: `report of ${orders[0]?.run}`, data: report }], 'until-stored');
    });
    closers.push(() => working.close(1_000));
    return given;
  }

  const openIncidents = () => query<{ scope: string; class: string }>(`select scope, class from incident where state = 'open' order by id`);

  async function underLoad(): Promise<{ before: ConfigToApply; after: ConfigToApply; applied: Applied; given: string[] }> {
    const [before, after] = [await written(BEFORE), await written(AFTER)];
    await applyConfig(pool, before, 'test');
    const given = [await agent('north'), await agent('south'), await agent('west')];
    await Promise.all([worker(), worker()]);
    await expect.poll(openIncidents, { timeout: 15_000 }).toEqual([{ scope: 'legacy', class: 'full interruption' }]);
    const runs = 'select count(distinct check_id)::int as checks from result';
    await expect.poll(async () => (await query<{ checks: number }>(runs))[0]?.checks, { timeout: 15_000 }).toBe(4);
    const applied = await applyConfig(pool, after, 'test');
    const fresh = `select count(*)::int as count from ledger where check_id = 'fresh' and state = 'run'`;
    await expect.poll(async () => (await query<{ count: number }>(fresh))[0]?.count, { timeout: 20_000 }).toBeGreaterThan(2);
    return { before, after, applied, given: given.flat() };
  }

  /** The slots of a check's runs at a location that were planned under that revision. */
  function slotsOf(rows: readonly RunRow[], check: string, location: string, revision?: string): number[] {
    const own = rows.filter((row) => row.check_id === check && row.location === location && (!revision || row.revision === revision));
    return own.map((row) => row.slot.getTime()).sort((a, b) => a - b);
  }

  function expectNoGap(slots: readonly number[], check: Pick<Check, 'id' | 'everyMs'>): void {
    expect(slots.length).toBeGreaterThan(2);
    expect(slots).toEqual(slotsBetween(check, (slots[0] ?? 0) - 1, slots.at(-1) ?? 0));
  }

  describe('a reload with two workers', () => {
    it('plans every slot once, ends what is gone, and begins what is new', async () => {
      const { before, after, applied, given } = await underLoad();
      expect(applied.retiredRuns).toBeGreaterThan(0);
      const rows = await query<RunRow>(
        `select name, check_id, location, slot, state, reason, revision from ledger where purpose = 'scheduled'`,
      );
      const planner = await query<{ planned_until: Date; planning_since: Date }>('select planned_until, planning_since from planner');
      const sinceMs = planner[0]?.planning_since.getTime() ?? 0;

      // What stays goes on in its slots, from the first to the last, and each was given to an agent once.
      const { stays, faster } = after.config.checks;
      if (!stays || !faster) throw new Error('the configuration lacks its checks');
      expectNoGap(slotsOf(rows, 'stays', 'north'), stays);
      expect(slotsOf(rows, 'stays', 'north')[0]).toBeLessThan(sinceMs + 2_000);
      expectNoGap(slotsOf(rows, 'moves', 'north'), { id: 'moves', everyMs: 1_000 });
      expect(new Set(given).size).toBe(given.length);
      expect(rows.filter((row) => row.check_id === 'stays' && row.state === 'missed')).toEqual([]);

      // What was changed has its old slots until those of the new begin, one after the other and without a hole between.
      const old = slotsOf(rows, 'faster', 'north', before.config.revision);
      const next = slotsOf(rows, 'faster', 'north', after.config.revision);
      expectNoGap(next, faster);
      expect(old).toEqual(slotsBetween({ id: 'faster', everyMs: 3_000 }, (old[0] ?? 0) - 1, old.at(-1) ?? 0));
      expect(next[0]).toBeGreaterThan(old.at(-1) ?? 0);
      expect((next[0] ?? 0) - (old.at(-1) ?? 0)).toBeLessThan(4_000);

      // What is gone has no slot of the new configuration, and nobody waits for one of the old.
      expect(slotsOf(rows, 'gone', 'north', after.config.revision)).toEqual([]);
      expect(slotsOf(rows, 'moves', 'south', after.config.revision)).toEqual([]);
      const ended = rows.filter((row) => row.check_id === 'gone' || row.location === 'south');
      expect(ended.filter((row) => row.state === 'due')).toEqual([]);
      expect(ended.filter((row) => row.state === 'missed' && row.reason !== 'retired')).toEqual([]);
      expect(ended.some((row) => row.reason === 'retired')).toBe(true);

      // What is new runs, at the new location too.
      expectNoGap(slotsOf(rows, 'moves', 'west'), { id: 'moves', everyMs: 1_000 });
      const [west] = await query<{ count: number }>(`select count(*)::int as count from result where location = 'west'`);
      expect(west?.count).toBeGreaterThan(2);
    });

    it('closes the incident of a check that is gone, and opens none', async () => {
      await underLoad();
      await expect.poll(openIncidents, { timeout: 5_000 }).toEqual([]);
      expect(await query('select scope, state from incident')).toEqual([{ scope: 'legacy', state: 'resolved' }]);
      const told = await query(`select data->>'reason' as reason from timeline where kind = 'resolved'`);
      expect(told).toEqual([{ reason: 'retired' }]);
    });
  });

  it('refuses every decision under a configuration that is in force no more', async () => {
    const before = await written(BEFORE);
    await applyConfig(pool, before, 'test');
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const deps = { pool, queues, clock, log: quietLog, actions: new Map(), config: before.config, configSeq: 1 };
    await applyConfig(pool, await written(AFTER), 'test');
    await expect(planSlots(deps)).rejects.toThrow(NotInForce);
    await expect(judgeDirty(deps, new Map())).rejects.toThrow(NotInForce);
    expect(await query('select from ledger')).toEqual([]);
    expect(await query('select from scope where judged_seq > 0')).toEqual([]);
  });

  it('works the reports of a location that was removed for a while, and those of a new one at once', async () => {
    let nowMs = 0;
    const taken: string[] = [];
    const reports = new ResultQueues({
      queues,
      log: quietLog,
      monotonic: () => nowMs,
      lingerMs: 60_000,
      take: async (location, data) => void taken.push(`${location} ${(data as { n: number }).n}`),
    });
    closers.push(() => reports.close(1_000));
    const send = (location: string, n: number) =>
      queues.add(QUEUES.results(location), [{ id: `report ${n}`, data: { n } }], 'until-stored');
    await reports.fit(['north', 'south']);
    await reports.fit(['north', 'west']);
    await Promise.all([send('south', 1), send('west', 2)]);
    await expect.poll(() => taken.toSorted(), { timeout: 5_000 }).toEqual(['south 1', 'west 2']);
    nowMs = 59_000;
    await reports.fit(['north', 'west']);
    expect(reports.locations).toEqual(['north', 'south', 'west']);
    nowMs = 60_000;
    await reports.fit(['north', 'west']);
    expect(reports.locations).toEqual(['north', 'west']);
    await reports.fit(['north', 'south']);
    await send('south', 3);
    await expect.poll(() => taken.at(-1), { timeout: 5_000 }).toBe('south 3');
  });
});

/** What the worker counts, against a brute-force count over the raw runs of generated histories. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/model.ts';
import { keptFrom, minuteOf } from '../../core/rollup.ts';
import { quantileMs } from '../../core/sketch.ts';
import { criterionOf, type Slo } from '../../core/slo/slo.ts';
import { type RollupMemory, rollUp } from '../../jobs/rollup.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { readProgress } from '../../store/rollup-progress.ts';
import { keptAt, seriesOf, sketchesOf, tallies } from '../../store/rollup-read.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { anyHistory, bruteForce, type RawRun, tell } from '../helpers/rollup.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Late in the evening, so that a day ends in between. */
const START_MS = Date.UTC(2026, 0, 15, 21, 10);
const CHECKS = ['post-invoice/riverside', 'post-invoice/hillcrest', 'connect'];

const slo = (id: string, sli: Slo['sli']): Slo => ({
  ...{ id, service: 'billing', title: id, sli, objective: 0.999, budgets: ['service'] },
  window: { kind: 'rolling', durationMs: 28 * 24 * HOUR_MS },
});
const SLOS = [
  slo('works', { kind: 'availability', check: 'post-invoice' }),
  slo('fast', { kind: 'latency', check: 'post-invoice', fasterMs: 3000 }),
  slo('connects', { kind: 'measurement', check: 'connect', measurement: 'connect_ms', op: 'lte', limit: 100 }),
];

function configOf(slos: Slo[]): Config {
  const checks = [aCheck({ tenant: 'riverside' }), aCheck({ tenant: 'hillcrest' }), aCheck({ template: 'connect' })];
  const config = aConfig(checks);
  const billing = config.services.billing;
  return billing ? { ...config, services: { ...config.services, billing: { ...billing, slos } } } : config;
}

let database: TestDatabase;
let pool: Pool;
let nowMs = START_MS;
let memory: RollupMemory;
const clock = { now: () => nowMs, monotonic: () => performance.now() };

async function turn(config = configOf(SLOS)): Promise<void> {
  // What was told in the last moment waits for a turn: PostgreSQL's clock is in it.
  await pool.query('select pg_sleep(0.06)');
  await rollUp({ pool, config, clock, log: quietLog }, memory);
}

async function fresh(): Promise<void> {
  await pool.query('truncate run, due, rollup_minute, rollup_hour, rollup_day, rollup_series');
  const minute = minuteOf(START_MS);
  await pool.query('update rollup_progress set received_until = now(), hours_until = $1, days_until = $2', [
    Math.floor(minute / 60) * 60,
    Math.floor(minute / 1440) * 1440,
  ]);
  memory = { forgotMs: START_MS };
  nowMs = START_MS;
}

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 3, log: quietLog });
});
beforeEach(fresh);
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** What the rollups say of an objective in windows that begin at these minutes. */
async function counted({ sli }: Slo, begins: readonly number[], until: number) {
  const known = await seriesOf(pool, [sli.check]);
  const series = known.filter((one) => one.criterion === criterionOf(sli)).map((one) => one.id);
  const group = { series };
  const kept = keptAt(keptFrom(configOf(SLOS), nowMs), await readProgress(pool));
  return (await tallies(pool, [group], { begins, until, kept })).get(group) ?? [];
}

async function expectEqual(runs: readonly RawRun[], hours: number): Promise<void> {
  const until = minuteOf(START_MS) + hours * 60;
  const begins = [0, 5, 50, 110, hours * 60 - 30].map((minutes) => minuteOf(START_MS) + minutes);
  for (const one of SLOS) {
    const checks = CHECKS.filter((check) => check.split('/')[0] === one.sli.check);
    const brute = begins.map((begin) => bruteForce(runs, one.sli, checks, begin * MINUTE_MS, until * MINUTE_MS));
    const found = await counted(one, begins, until);
    expect(found.map(({ good, bad }) => ({ good, bad }))).toEqual(brute.map(({ good, bad }) => ({ good, bad })));
  }
  const all = bruteForce(runs, { kind: 'availability', check: '' }, CHECKS, START_MS, until * MINUTE_MS);
  const { rows } = await pool.query<{ unseen: number }>(
    `select coalesce(sum(unseen), 0)::int as unseen from rollup_minute join rollup_series on id = series where criterion = ''`,
  );
  expect(rows[0]?.unseen).toBe(all.unseen);
}

/** Everything that is kept, for comparison. */
async function everything(): Promise<unknown[]> {
  const { rows } = await pool.query(
    `select level, check_id, criterion, at, good, bad, unseen, encode(sketch, 'hex') as sketch, encode(places, 'hex') as places from (
       select 'minute' as level, *, null::bytea as places from rollup_minute union all select 'hour', * from rollup_hour union all select 'day', * from rollup_day) as one
     join rollup_series on id = series join check_key on key = check_key order by 1, 2, 3, 4`,
  );
  return rows;
}

describe('counts', () => {
  it('equal a brute-force count, told in any order, in any number of turns, and twice', { timeout: 120_000 }, async () => {
    const hours = 5;
    await fc.assert(
      fc.asyncProperty(anyHistory(CHECKS, START_MS, hours * 60), fc.integer({ min: 1, max: 4 }), async (runs, turns) => {
        await fresh();
        const size = Math.ceil(runs.length / turns);
        for (let at = 0; at < runs.length; at += size) {
          await tell(pool, runs.slice(at, at + size));
          // Hours and a day end in between, so that what comes later is late for them.
          nowMs = START_MS + ((at + size) / runs.length) * (hours + 1) * HOUR_MS;
          await turn();
        }
        await tell(pool, runs);
        await turn();
        await expectEqual(runs, hours);
        const inTurns = await everything();

        await fresh();
        nowMs = START_MS + (hours + 1) * HOUR_MS;
        await tell(pool, runs.toReversed());
        await turn();
        expect(await everything()).toEqual(inTurns);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });
});

const run = (check: string, location: string, slot: number, change: Partial<RawRun> = {}): RawRun => {
  const slotMs = START_MS + slot * MINUTE_MS;
  return {
    check,
    location,
    slotMs,
    ask: 0,
    purpose: 'scheduled',
    plannedAtMs: slotMs,
    verdict: 'up',
    durationMs: 1000,
    connectMs: 50,
    ...change,
  };
};
const everywhere = (slot: number, change: Partial<RawRun> = {}) =>
  ['north', 'south', 'cloud'].map((location) => run('post-invoice/riverside', location, slot, change));

describe('a slot', () => {
  it('whose other locations are still due is not judged by the first', async () => {
    const [north, ...others] = everywhere(0, { verdict: 'down' });
    await tell(pool, [north ?? run('', '', 0)]);
    await pool.query(`insert into location_key (location) values ('south'), ('cloud') on conflict do nothing`);
    await pool.query(
      `insert into due (location_key, second, purpose, revision_key, lasts_ms, ends_at, checks, offsets_ms)
       select l.key, to_timestamp($1::float8 / 1000), 'scheduled', 1, 1000, now(), array[c.key], '{0}'::smallint[]
       from check_key c, location_key l where c.check_id = 'post-invoice/riverside' and l.location in ('south', 'cloud')`,
      [START_MS],
    );
    await turn();
    const [works] = SLOS;
    const tally = async () => (works ? await counted(works, [minuteOf(START_MS)], minuteOf(START_MS) + 1) : []);
    expect(await tally()).toEqual([{ good: 0, bad: 0, badMinutes: 0 }]);
    await tell(pool, others.slice(0, 1));
    await turn();
    expect(await tally()).toEqual([{ good: 0, bad: 1, badMinutes: 1 }]);
  });

  it('of a check that was retired counts for nothing', async () => {
    await tell(pool, everywhere(0, { verdict: null }));
    await pool.query(`update run set reason = 'retired'`);
    await turn();
    expect(await everything()).toEqual([]);
  });
});

describe('durations', () => {
  it('are those of scheduled runs that were not down, the same by minute, hour and day', async () => {
    const runs = Array.from({ length: 300 }, (_, slot) => everywhere(slot, { durationMs: 500 + slot })).flat();
    const down = Array.from({ length: 20 }, (_, slot) =>
      run('post-invoice/hillcrest', 'north', slot, { verdict: 'down', durationMs: 9000 }),
    );
    const asked = [run('post-invoice/riverside', 'north', 3, { ask: 7, purpose: 'manual', durationMs: 9000 })];
    await tell(pool, [...runs, ...down, ...asked]);
    nowMs = START_MS + 30 * HOUR_MS;
    await turn();
    const groups = new Map([['post-invoice', ['post-invoice/riverside', 'post-invoice/hillcrest']]]);
    const kept = keptAt(keptFrom(configOf(SLOS), nowMs), await readProgress(pool));
    const from = minuteOf(START_MS);
    const sketch = (await sketchesOf(pool, groups, { from, until: from + 1440, kept })).get('post-invoice');
    expect(sketch?.count).toBe(900);
    const p95 = (sketch && quantileMs(sketch, 0.95)) ?? 0;
    expect(Math.abs(p95 - 785)).toBeLessThan(0.01 * 785);
  });
});

describe('an objective that is new', () => {
  it('is counted over the runs that are kept', async () => {
    const runs = Array.from({ length: 200 }, (_, slot) => everywhere(slot, { durationMs: slot % 10 === 0 ? 3500 : 1000 })).flat();
    await tell(pool, runs);
    nowMs = START_MS + 5 * HOUR_MS;
    await turn(configOf([]));
    const [, fast] = SLOS;
    if (!fast) throw new Error('no objective');
    const begins = [minuteOf(START_MS)];
    expect(await counted(fast, begins, minuteOf(nowMs))).toEqual([{ good: 0, bad: 0, badMinutes: 0 }]);
    await turn();
    expect(await counted(fast, begins, minuteOf(nowMs))).toMatchObject([{ good: 180, bad: 20 }]);
    const { rows } = await pool.query('select count(*) as waiting from rollup_series where backfill_from is not null');
    expect(rows).toEqual([{ waiting: 0 }]);
  });
});

describe('what is old', () => {
  it('goes, minutes by partitions, and not before its hours and days are made', async () => {
    await tell(pool, everywhere(0));
    await turn();
    nowMs = START_MS + 100 * 24 * HOUR_MS;
    await pool.query('update rollup_progress set hours_until = $1, days_until = $2', [
      Math.floor(minuteOf(nowMs) / 60) * 60,
      Math.floor(minuteOf(nowMs) / 1440) * 1440,
    ]);
    const levels = async () => (await everything()).map((row) => (row as { level: string }).level);
    await turn();
    expect(await levels()).toEqual([]);
    const { rows } = await pool.query(
      `select count(*) as old from pg_inherits where inhparent = 'rollup_minute'::regclass
      and split_part(inhrelid::regclass::text, '_', 3)::int < $1`,
      [minuteOf(START_MS) + 1440],
    );
    expect(rows).toEqual([{ old: 0 }]);
  });
});

it('two workers count what one would', async () => {
  const runs = Array.from({ length: 60 }, (_, slot) => everywhere(slot)).flat();
  await tell(pool, runs);
  await pool.query('select pg_sleep(0.06)');
  nowMs = START_MS + 3 * HOUR_MS;
  const deps = { pool, config: configOf(SLOS), clock, log: quietLog };
  await Promise.all([1, 2, 3].map(() => rollUp(deps, { forgotMs: nowMs })));
  await turn();
  await expectEqual(runs, 2);
});

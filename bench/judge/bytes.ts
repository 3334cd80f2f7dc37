/**
 * What a check takes on the disk when everything is as old as it gets: two hours of it go the real way through folding and counting; how
 * much each row of them takes says what the times of the usual retention take.
 */
import { installedParts } from '../../cli/config.ts';
import { loadConfig } from '../../core/config/load.ts';
import { rollUp } from '../../jobs/rollup.ts';
import { type BenchContext, type Closers, countOf, withClosers } from '../benchmark.ts';
import { ofType, startChild } from '../child.ts';
import { quietLog } from '../quiet-log.ts';
import type { Folded, Go } from './folder.ts';
import { configText, LOCATIONS } from './load.ts';
import { type Database, startDatabase } from './postgres.ts';

export interface CheckBytes {
  total: number;
  /** By what it is. */
  parts: { runs: number; decision_log: number; minutes: number; hours: number; days: number; state: number };
  perRun: number;
  postgresVersion: string;
}

const FOLDED_HOURS = 2;
/** 48 hours, and what is kept longer since it is dropped six hours, or a day, at a time. */
const RAW_HOURS = 54;
const LOG_HOURS = 72;
const HOUR_ROWS = 90 * 24;
const DAY_ROWS = 365;

export function measureBytes(context: BenchContext): Promise<CheckBytes> {
  return withClosers(async (closers) => {
    const database = await startDatabase(closers);
    const checks = countOf(context, 'storedChecks', 500);
    await foldHours(context, { database, checks }, closers);
    await rollUpAll({ database, checks });
    const { pool } = database;
    const size = async (tables: string) => {
      const { rows } = await pool.query<{ bytes: number }>(
        `select coalesce(sum(pg_total_relation_size(oid)), 0)::float8 as bytes from pg_class where relkind = 'r' and relname ~ $1`,
        [tables],
      );
      return rows[0]?.bytes ?? 0;
    };
    const count = async (table: string) => (await pool.query<{ rows: number }>(`select count(*) as rows from ${table}`)).rows[0]?.rows ?? 0;
    const runs = await count('run');
    const perHour = 60 * LOCATIONS.length;
    const each = async (tables: string, rows: number) => (await size(tables)) / Math.max(1, rows);
    const perRun = await each('^run_2', runs);
    const parts = {
      runs: perRun * perHour * RAW_HOURS,
      decision_log: (await each('^decision_log_', runs)) * perHour * LOG_HOURS,
      minutes: (await each('^rollup_minute_', await count('rollup_minute'))) * 60 * RAW_HOURS,
      ...(await wholeSizes({ database, checks }, size)),
      state: (await size('^(check_state|due|check_key|rollup_series|scope)$')) / checks,
    };
    return { total: Object.values(parts).reduce((sum, one) => sum + one, 0), parts, perRun, postgresVersion: database.version };
  });
}

interface Stored {
  database: Database;
  checks: number;
}

async function foldHours({ env, signal }: BenchContext, { database, checks }: Stored, closers: Closers): Promise<void> {
  const folder = startChild({ script: 'bench/judge/folder.ts', env: { PATH: env.PATH, HOME: env.HOME }, signal });
  closers.push(() => folder.stop());
  const results = checks * LOCATIONS.length * 60 * FOLDED_HOURS;
  folder.tell({ type: 'go', url: database.url, postgresPid: database.pid, checks, results, alone: true } satisfies Go);
  await folder.hear(ofType<Folded>('folded'));
}

async function rollUpAll({ database: { pool }, checks }: Stored): Promise<void> {
  const loaded = loadConfig({ file: 'rounds.yaml', text: configText(checks) }, await installedParts());
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const memory = { forgotMs: Date.now() };
  // As if the worker had been away while all of it came.
  await pool.query(
    `update rollup_progress set received_until = first.at, hours_until = floor(extract(epoch from first.slot) / 3600) * 60,
       days_until = floor(extract(epoch from first.slot) / 86400) * 1440
     from (select min(received_at) - interval '1 s' as at, min(slot) as slot from run) as first`,
  );
  while (await rollUp({ pool, config: loaded.config, clock, log: quietLog }, memory));
}

/** Of the one hour that is whole, as many as are kept; and as many days, with sketches of twice its length. */
async function wholeSizes(
  { database: { pool }, checks }: Stored,
  size: (tables: string) => Promise<number>,
): Promise<{ hours: number; days: number }> {
  const { rows } = await pool.query<{ at: number }>(
    'select at from rollup_hour group by at order by sum(good + bad + unseen) desc limit 1',
  );
  const at = rows[0]?.at;
  if (at === undefined) throw new Error('No hour was counted: the rollups do not work.');
  const copies = (table: string, most: number, sketch: string) =>
    `insert into ${table} (series, at, good, bad, unseen, sketch)
     select series, -${most} + copy, good, bad, unseen, ${sketch} from generate_series(1, ${most}) as copy cross join rollup_hour where at = ${at}
     order by copy, series`;
  await pool.query(copies('rollup_day', DAY_ROWS / 5, 'sketch || sketch'));
  await pool.query(copies('rollup_hour', HOUR_ROWS / 5, 'sketch'));
  return { hours: ((await size('^rollup_hour$')) * 5) / checks, days: ((await size('^rollup_day$')) * 5) / checks };
}

/**
 * The decision log: what went into each transaction that decided something, so that it can be done once more (core/replay.ts). Only ever
 * added to, and dropped by the day. To be written at the end of the transaction: its number is drawn while the locks are held, so numbers
 * are the true order for whatever shares a lock, and what came before was committed before.
 */
import type { Config } from '../core/config/model.ts';
import type { FoldInput, Moment } from '../core/evaluate.ts';
import type { FoldGap } from '../core/fold.ts';
import { type CodedRun, markOf, packRuns, type Ref } from '../core/replay/code.ts';
import type { JudgeInputs } from '../core/replay/entry.ts';
import { VERSION } from '../core/version.ts';
import { type Db, inTransaction, type Pool } from './db.ts';
import { worldSql } from './decision-log-world.ts';
import type { Keys } from './keys.ts';

/** What was folded in one transaction. */
export interface FoldToLog {
  results: readonly {
    result: Pick<FoldInput, 'verdict' | 'durationMs' | 'failure' | 'findings'>;
    row: { check: string; location: string; slotMs: number; ask: number };
  }[];
  gaps: readonly { row: Omit<FoldGap, 'reason'> & { check: string }; reason: string }[];
  stale?: readonly string[];
}

/** What of a fold stands in `inputs`. */
export interface FoldInputs {
  distrusted?: string[];
  disbelieved?: [location: string, fromMs: number, untilMs: number][];
  /** In their order: the reason, and the runs as in core/replay/code.ts. */
  gaps?: [reason: string, runs: string][];
  stale?: Ref[];
}

/** Logs a fold. */
export async function logFold(db: Db, keys: Keys, time: Moment, { results, gaps, stale = [] }: FoldToLog): Promise<void> {
  const refOf = (kind: 'check' | 'location', name: string): Ref => keys.seen(kind, name) ?? name;
  const placeOf = ({ check, location }: { check: string; location: string }) => ({
    check: refOf('check', check),
    location: refOf('location', location),
  });
  const runs = results.map(({ result, row }) => ({ ...placeOf(row), slotMs: row.slotMs, ask: row.ask, mark: markOf(result) }));
  const missing = gaps.map(({ row, reason }) => ({ reason, run: { ...placeOf(row), slotMs: row.plannedAtMs, ask: 0, mark: '' } }));
  const inputs: FoldInputs = {
    ...(time.distrusted.size > 0 ? { distrusted: [...time.distrusted] } : {}),
    ...(time.disbelieved?.size ? { disbelieved: [...time.disbelieved].map(([id, { fromMs, untilMs }]) => [id, fromMs, untilMs]) } : {}),
    ...(missing.length > 0 ? { gaps: gapTexts(missing, time.nowMs) } : {}),
    ...(stale.length > 0 ? { stale: stale.map((check) => refOf('check', check)) } : {}),
  };
  await db.query({
    name: 'log-fold',
    text: `insert into decision_log (at_ms, planning_since_ms, kind, runs, inputs) values ($1, $2, 'fold', $3, $4)`,
    values: [time.nowMs, time.planningSinceMs, packRuns(runs, time.nowMs), Object.keys(inputs).length > 0 ? JSON.stringify(inputs) : null],
  });
}

/** Neighbours with one reason share it. */
function gapTexts(missing: readonly { reason: string; run: CodedRun }[], baseMs: number): [string, string][] {
  const groups: { reason: string; runs: CodedRun[] }[] = [];
  for (const { reason, run } of missing) {
    const last = groups.at(-1);
    if (last?.reason === reason) last.runs.push(run);
    else groups.push({ reason, runs: [run] });
  }
  return groups.map(({ reason, runs }) => [reason, packRuns(runs, baseMs)]);
}

export interface JudgementToLog {
  scope: string;
  nowMs: number;
  /** What was to be seen when the states of its checks were read. */
  snapshot: string;
  inputs: JudgeInputs;
  /** Numbers of the incidents that it opened, in its order. */
  opened: readonly number[];
}

/** Logs a judgement: of its inputs only what is other than at the one of the scope before. Called under the scope's lock. */
export async function logJudgement(db: Db, { scope, nowMs, snapshot, inputs, opened }: JudgementToLog): Promise<void> {
  await db.query({
    name: 'log-judgement',
    text: `with one as (select logged, $5::jsonb as inputs from scope where id = $1),
       changed as (
         select jsonb_object_agg(key, inputs->key) as parts from one, jsonb_object_keys(logged || inputs) as key
         where logged->key is distinct from inputs->key),
       kept as (update scope set logged = $5::jsonb from changed where id = $1 and changed.parts is not null)
     insert into decision_log (at_ms, planning_since_ms, kind, scope, snapshot, inputs)
     select $2, (select round(extract(epoch from planning_since) * 1000)::bigint from planner), 'judge', $1, $3::pg_snapshot,
       nullif(jsonb_strip_nulls(jsonb_build_object('opened', $4::jsonb)) || jsonb_build_object('read', parts), '{"read": null}')::json
     from changed`,
    values: [scope, nowMs, snapshot, opened.length > 0 ? JSON.stringify(opened) : null, JSON.stringify(inputs)],
  });
}

/** Logs that a configuration is in force from here on, or is fitted to anew, and keeps it. */
export async function logConfig(db: Db, config: Config, atMs: number): Promise<void> {
  await makeLogPartitions(db);
  await keepConfig(db, config);
  const inputs = JSON.stringify({ revision: config.revision, version: VERSION });
  await db.query(`insert into decision_log (at_ms, kind, inputs) values ($1, 'config', $2)`, [atMs, inputs]);
}

/** Keeps a configuration under its revision, with its keys in their order. */
async function keepConfig(db: Db, config: Config): Promise<void> {
  await db.query(
    `insert into config_revision (revision, config) values ($1, $2) on conflict (revision) do update set config = excluded.config
     where config_revision.config::text <> excluded.config::text`,
    [config.revision, JSON.stringify(config)],
  );
}

/** Logs that somebody did something: in the transaction that did it. */
export async function logPress(db: Db, press: { verb: string; subject: string; by: string }, atMs: number): Promise<void> {
  await db.query(`insert into decision_log (at_ms, kind, inputs) values ($1, 'press', $2)`, [atMs, JSON.stringify(press)]);
}

/** Makes the partitions of the next 30 days. Called before anybody decides, and now and then. */
export async function makeLogPartitions(db: Db): Promise<void> {
  await db.query(`select make_decision_log_partitions(now(), now() + interval '30 days')`);
}

/** Nobody who folds waits longer for a partition that goes; what somebody reads at the moment goes the next time. */
const DROP_WAITS_MS = 500;
/** PostgreSQL's code for a lock that was not to be had in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Drops what was logged longer ago than that, day by day, and the checkpoints of it. Returns the names of the partitions. */
export async function dropLog(pool: Pool, keptMs: number): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class
     where relkind = 'r' and relname ~ '^decision_log_[0-9]{8}$' and relnamespace = (select relnamespace from pg_class where oid = 'decision_log'::regclass)
       and to_timestamp(substr(relname, 14) || ' +00', 'YYYYMMDD TZH') + interval '1 day' <= now() - $1 * interval '1 ms' order by 1`,
    [keptMs],
  );
  await pool.query(`delete from decision_checkpoint where taken_at < now() - $1 * interval '1 ms'`, [keptMs]);
  const dropped: string[] = [];
  for (const { name } of rows) if (await dropOne(pool, name)) dropped.push(name);
  return dropped;
}

async function dropOne(pool: Pool, name: string): Promise<boolean> {
  try {
    await inTransaction(pool, async (db) => {
      await db.query(`set local lock_timeout = ${DROP_WAITS_MS}`);
      // The name comes from the catalogue, by a pattern that needs no quotes.
      await db.query(`drop table if exists ${name}`);
    });
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

/** How long ago this version of Rounds took a checkpoint after all others, milliseconds; `undefined` when it did not. */
export async function checkpointAgeMs(db: Db): Promise<number | undefined> {
  const { rows } = await db.query<{ age_ms: number }>(
    `select (extract(epoch from now() - taken_at) * 1000)::float8 as age_ms
     from (select taken_at, version from decision_checkpoint order by id desc limit 1) as last where version = $1`,
    [VERSION],
  );
  return rows[0]?.age_ms;
}

/**
 * Takes a checkpoint. The transaction must be one in which every statement sees the same (repeatable read): what it sees is what the
 * snapshot says.
 */
export async function takeCheckpoint(db: Db, config: Config, atMs: number): Promise<void> {
  await db.query(
    `insert into decision_checkpoint (at_ms, snapshot, revision, version, content)
     select $1, pg_current_snapshot(), coalesce((select revision from config_in_force), $2), $3, ${worldSql(`state = 'open'`)}`,
    [atMs, config.revision, VERSION],
  );
  await db.query(`insert into config_revision (revision, config) values ($1, $2) on conflict do nothing`, [
    config.revision,
    JSON.stringify(config),
  ]);
  await db.query(
    `insert into decision_log (at_ms, kind, snapshot, inputs)
     select $1, 'checkpoint', snapshot, json_build_object('id', id) from decision_checkpoint order by id desc limit 1`,
    [atMs],
  );
}

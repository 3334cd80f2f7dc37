/** How far the making of rollups has come, who is at it, and for how long what is kept. */
import { at, type Db } from './db.ts';

export interface Progress {
  /** Runs that were told before are counted. */
  receivedUntilMs: number;
  /** In minutes since 1970. */
  hoursUntil: number;
  daysUntil: number;
  /** Rises with whatever is counted. */
  turn: number;
}

interface ProgressRow {
  received_ms: number;
  hours_until: number;
  days_until: number;
  turn: number;
}

const PROGRESS =
  'select extract(epoch from received_until)::float8 * 1000 as received_ms, hours_until, days_until, turn from rollup_progress';

/** How far it has come, held until the transaction ends; `undefined` when another worker is at it. */
export async function lockProgress(db: Db): Promise<Progress | undefined> {
  const { rows } = await db.query<ProgressRow>(`${PROGRESS} for update skip locked`);
  return rows[0] && progressOf(rows[0]);
}

/** How far it has come. */
export async function readProgress(db: Db): Promise<Progress> {
  const { rows } = await db.query<ProgressRow>(PROGRESS);
  if (!rows[0])
    throw new Error('the table rollup_progress is empty; restore its one row from a backup, or run the migrations on a fresh database');
  return progressOf(rows[0]);
}

function progressOf({ received_ms, hours_until, days_until, turn }: ProgressRow): Progress {
  return { receivedUntilMs: received_ms, hoursUntil: hours_until, daysUntil: days_until, turn };
}

/** Notes how far it has come; `turn` rises when something was counted. */
export async function writeProgress(db: Db, progress: Omit<Progress, 'turn'>, counted: boolean): Promise<void> {
  await db.query(
    `update rollup_progress set received_until = $1, hours_until = $2, days_until = $3, turn = turn + $4
     where (received_until, hours_until, days_until) is distinct from ($1, $2, $3) or $4 > 0`,
    [at(progress.receivedUntilMs), progress.hoursUntil, progress.daysUntil, counted ? 1 : 0],
  );
}

/** A transaction that has been open for longer than a statement may take writes nothing any more: it must not hold up the rest. */
const LONGEST_TRANSACTION = '60 s';

/**
 * Until when all that was told is there to be read, by the database's clock. A run bears the time at which its transaction began, so
 * whatever is under way may still bring older ones.
 */
export async function toldUntil(db: Db): Promise<number> {
  const { rows } = await db.query<{ until_ms: number }>(
    `select extract(epoch from greatest(
       least(clock_timestamp(), (select min(xact_start) from pg_stat_activity
         where datname = current_database() and application_name like 'rounds%' and pid <> pg_backend_pid())) - interval '50 ms',
       clock_timestamp() - $1::interval))::float8 * 1000 as until_ms`,
    [LONGEST_TRANSACTION],
  );
  return Math.floor(rows[0]?.until_ms ?? 0);
}

export interface MinuteRange {
  /** Minutes since 1970, without the last. */
  from: number;
  until: number;
}

/** Sees to it that minutes of that time can be stored. */
export async function makeRollupPartitions(db: Db, { from, until }: MinuteRange): Promise<void> {
  await db.query('select make_rollup_partitions($1, $2)', [from, until]);
}

/** What is kept: rollups that begin before are removed. In minutes since 1970. */
export interface KeepFrom {
  minutes: number;
  hours: number;
  days: number;
}

/** Removes what is older: minutes by whole partitions. Returns how many partitions and rows went. */
export async function forgetRollups(db: Db, keep: KeepFrom): Promise<{ partitions: number; rows: number }> {
  const { rows } = await db.query<{ dropped: number }>('select drop_rollup_partitions($1) as dropped', [keep.minutes]);
  const hours = await db.query('delete from rollup_hour where at < $1', [Math.floor(keep.hours / 60)]);
  const days = await db.query('delete from rollup_day where at < $1', [Math.floor(keep.days / 1440)]);
  return { partitions: rows[0]?.dropped ?? 0, rows: (hours.rowCount ?? 0) + (days.rowCount ?? 0) };
}

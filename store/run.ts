/** The ledger: every run that was due, and how it ended: run, late, fault, or missed and why. */
import type { Purpose } from '../core/check.ts';
import { numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';

export interface LedgerRow {
  name: string;
  check: string;
  location: string;
  slotMs: number;
  purpose: Purpose;
  ask: number;
  revision: string;
  plannedAtMs: number;
  notAfterMs: number;
}

interface RunRow {
  name: string;
  check_id: string;
  location: string;
  slot: Date;
  purpose: Purpose;
  ask_id: number;
  revision: string;
  planned_at: Date;
  not_after: Date;
}

/** Of what a dead planner left, so much is queued in one turn. */
const BATCHES_AT_ONCE = 20;

const COLUMNS = 'name, check_id, location, slot, purpose, ask_id, revision, planned_at, not_after';

function fromRow(row: RunRow): LedgerRow {
  return {
    name: row.name,
    check: row.check_id,
    location: row.location,
    slotMs: row.slot.getTime(),
    purpose: row.purpose,
    ask: row.ask_id,
    revision: row.revision,
    plannedAtMs: row.planned_at.getTime(),
    notAfterMs: row.not_after.getTime(),
  };
}

/** A run with the batch in which it was entered: what one planner entered for one location in one turn. */
export interface EnteredRun extends LedgerRow {
  batch: number;
}

/** Enters due runs and returns those that were new: whoever entered a run queues it, and then closes its batch. */
export async function enterRuns(db: Db, rows: readonly LedgerRow[]): Promise<EnteredRun[]> {
  if (rows.length === 0) return [];
  const { rows: entered } = await db.query<{ name: string; batch_id: number }>(
    `with due as (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::text[], $6::bigint[], $7::text[], $8::float8[], $9::float8[])
         as due (name, check_id, location, slot_ms, purpose, ask_id, revision, planned_ms, not_after_ms)
     ), batch as (
       insert into run_batch (location) select distinct location from due returning id, location
     )
     insert into run (${COLUMNS}, batch_id)
     select name, check_id, location, to_timestamp(slot_ms / 1000), purpose, ask_id, revision, to_timestamp(planned_ms / 1000),
       to_timestamp(not_after_ms / 1000), batch.id
     from due join batch using (location)
     on conflict (name) do nothing returning name, batch_id`,
    [
      textArray(rows.map((row) => row.name)),
      textArray(rows.map((row) => row.check)),
      textArray(rows.map((row) => row.location)),
      numberArray(rows.map((row) => row.slotMs)),
      textArray(rows.map((row) => row.purpose)),
      numberArray(rows.map((row) => row.ask)),
      textArray(rows.map((row) => row.revision)),
      numberArray(rows.map((row) => row.plannedAtMs)),
      numberArray(rows.map((row) => row.notAfterMs)),
    ],
  );
  const batches = new Map(entered.map((row) => [row.name, row.batch_id]));
  return rows.flatMap((row) => {
    const batch = batches.get(row.name);
    return batch === undefined ? [] : [{ ...row, batch }];
  });
}

/** Notes that the runs of these batches are on their queue. */
export async function closeBatches(db: Db, batches: readonly number[]): Promise<void> {
  if (batches.length > 0) await db.query('delete from run_batch where id = any($1)', [batches]);
}

/**
 * Runs that were entered more than `graceMs` ago and never queued, since their planner died or the queue was away; they can still be
 * run. Always whole batches. Those of which no run is due any more are forgotten.
 */
export async function unqueuedRuns(db: Db, nowMs: number, graceMs: number): Promise<EnteredRun[]> {
  const { rows: open } = await db.query<{ id: number }>("select id from run_batch where entered_at < now() - $1 * interval '1 ms'", [
    graceMs,
  ]);
  if (open.length === 0) return [];
  const batches = open.map(({ id }) => id);
  await db.query(
    `delete from run_batch where id = any($1) and not exists (select from run where state = 'due' and batch_id = run_batch.id)`,
    [batches],
  );
  const { rows } = await db.query<RunRow & { batch_id: number }>(
    `select ${COLUMNS}, batch_id from run where state = 'due' and not_after > $1 and batch_id in (
       select batch_id from run where state = 'due' and not_after > $1 and batch_id = any($2) group by batch_id order by batch_id limit $3)
     order by batch_id, planned_at`,
    [at(nowMs), batches, BATCHES_AT_ONCE],
  );
  return rows.map((row) => ({ ...fromRow(row), batch: row.batch_id }));
}

/** A run that brought nothing. */
export interface MissedRun extends LedgerRow {
  /** `no-result`, or `never-queued`. */
  reason: string;
}

/**
 * Due runs whose time is up, ended as missed and returned: a run may begin at its last moment, then takes what its check may take,
 * and its report gets `graceMs` to arrive. `tookMs` is that time by check.
 */
export async function missRuns(
  db: Db,
  nowMs: number,
  graceMs: number,
  tookMs: (check: string) => number,
  limit = 500,
): Promise<MissedRun[]> {
  const beforeMs = at(nowMs - graceMs);
  const { rows: overdue } = await db.query<{ check_id: string }>(
    `select distinct check_id from run where state = 'due' and not_after < $1`,
    [beforeMs],
  );
  if (overdue.length === 0) return [];
  const checks = overdue.map((row) => row.check_id);
  const { rows } = await db.query<RunRow & { reason: string }>(
    `update run set state = 'missed', ended_at = now(),
       reason = case when exists (select from run_batch where id = run.batch_id) then 'never-queued' else 'no-result' end
     where name in (
       select due.name from run due join unnest($3::text[], $4::float8[]) as own (check_id, took_ms) using (check_id)
       where due.state = 'due' and due.not_after < $1 and due.not_after + own.took_ms * interval '1 ms' < $1
       order by due.not_after limit $2 for update of due skip locked)
     returning ${COLUMNS}, reason`,
    [beforeMs, limit, checks, checks.map((check) => tookMs(check))],
  );
  return rows.map((row) => ({ ...fromRow(row), reason: row.reason }));
}

/** Ends due runs of checks and locations that the configuration no longer has. `known` are those that it has. Returns how many. */
export async function retireRuns(db: Db, known: readonly { check: string; location: string }[]): Promise<number> {
  const { rowCount } = await db.query(
    `update run set state = 'missed', reason = 'retired', ended_at = now()
     where name in (
       select name from run due where state = 'due' and not exists (
         select from unnest($1::text[], $2::text[]) as one (check_id, location)
         where one.check_id = due.check_id and one.location = due.location)
       -- In the order in which others lock them, such as who notes what is queued.
       order by name for update)`,
    [known.map((one) => one.check), known.map((one) => one.location)],
  );
  return rowCount ?? 0;
}

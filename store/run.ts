/** The ledger: every run that was due, and how it ended: run, late, fault, or missed and why. */
import type { Purpose } from '../core/check.ts';
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

/** Enters due runs and returns the names that were new: whoever entered a run queues it. */
export async function enterRuns(db: Db, rows: readonly LedgerRow[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const { rows: entered } = await db.query<{ name: string }>(
    `insert into run (${COLUMNS})
     select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[], $7::text[], $8::timestamptz[], $9::timestamptz[])
     on conflict (name) do nothing returning name`,
    [
      rows.map((row) => row.name),
      rows.map((row) => row.check),
      rows.map((row) => row.location),
      rows.map((row) => at(row.slotMs)),
      rows.map((row) => row.purpose),
      rows.map((row) => row.ask),
      rows.map((row) => row.revision),
      rows.map((row) => at(row.plannedAtMs)),
      rows.map((row) => at(row.notAfterMs)),
    ],
  );
  return new Set(entered.map((row) => row.name));
}

/** Notes that the runs are on their queue. */
export async function markQueued(db: Db, names: readonly string[]): Promise<void> {
  await db.query('update run set queued_at = now() where name = any($1)', [names]);
}

/** Runs that were entered more than `graceMs` ago and never queued, since their planner died; they can still be run. */
export async function unqueuedRuns(db: Db, nowMs: number, graceMs: number, limit = 500): Promise<LedgerRow[]> {
  const { rows } = await db.query<RunRow>(
    `select ${COLUMNS} from run
     where state = 'due' and queued_at is null and not_after > $1 and entered_at < now() - $2 * interval '1 ms'
     order by planned_at limit $3`,
    [at(nowMs), graceMs, limit],
  );
  return rows.map(fromRow);
}

/** The ledger's rows of these names at that location; others are not known and their results are not taken. */
export async function knownRuns(db: Db, names: readonly string[], location: string): Promise<Map<string, LedgerRow>> {
  const { rows } = await db.query<RunRow>(`select ${COLUMNS} from run where name = any($1) and location = $2`, [names, location]);
  return new Map(rows.map((row) => [row.name, fromRow(row)]));
}

export interface RunEnd {
  name: string;
  state: 'run' | 'late' | 'fault' | 'missed';
  reason: string | null;
}

/** Ends runs. A run that was given up as missed and comes in after all becomes `late`; one that was retired is nobody's any more. */
export async function endRuns(db: Db, ends: readonly RunEnd[]): Promise<void> {
  if (ends.length === 0) return;
  await db.query(
    `update run set
       state = case when run.state = 'missed' and ended.state = 'run' then 'late' else ended.state end,
       reason = ended.reason, ended_at = now()
     from unnest($1::text[], $2::text[], $3::text[]) as ended (name, state, reason)
     where run.name = ended.name and run.state in ('due', 'missed') and run.reason is distinct from 'retired'`,
    [ends.map((end) => end.name), ends.map((end) => end.state), ends.map((end) => end.reason)],
  );
}

/**
 * Due runs whose time is up, ended as missed and returned: a run may begin at its last moment, then takes what its check may take,
 * and its report gets `graceMs` to arrive. `tookMs` is that time by check.
 */
export async function missRuns(
  db: Db,
  nowMs: number,
  graceMs: number,
  tookMs: ReadonlyMap<string, number>,
  limit = 500,
): Promise<LedgerRow[]> {
  const { rows } = await db.query<RunRow>(
    `update run set state = 'missed', ended_at = now(),
       reason = case when queued_at is null then 'never-queued' else 'no-result' end
     where name in (
       select due.name from run due left join unnest($3::text[], $4::float8[]) as own (check_id, took_ms) using (check_id)
       where due.state = 'due' and due.not_after < $1 and due.not_after + coalesce(own.took_ms, 0) * interval '1 ms' < $1
       order by due.not_after limit $2 for update of due skip locked)
     returning ${COLUMNS}`,
    [at(nowMs - graceMs), limit, [...tookMs.keys()], [...tookMs.values()]],
  );
  return rows.map(fromRow);
}

/** Ends due runs of checks and locations that the configuration no longer has. `known` are those that it has. Returns how many. */
export async function retireRuns(db: Db, known: readonly { check: string; location: string }[]): Promise<number> {
  const { rowCount } = await db.query(
    `update run set state = 'missed', reason = 'retired', ended_at = now()
     where state = 'due' and not exists (
       select from unnest($1::text[], $2::text[]) as one (check_id, location)
       where one.check_id = run.check_id and one.location = run.location)`,
    [known.map((one) => one.check), known.map((one) => one.location)],
  );
  return rowCount ?? 0;
}

/**
 * The ledger. What is due is entered as batches (`due`), one for what is planned for a location in one second; a run has a row of its own
 * (`run`) once it has ended: run, late, fault, or missed and why. A run is due while its batch is there and its row is not.
 */
import type { Purpose } from '../core/check.ts';
import { numberArray, textArray } from './arrays.ts';
import { at, type Db, type Pool } from './db.ts';
import { keysOf } from './keys.ts';

export interface LedgerRow {
  name: string;
  check: string;
  location: string;
  slotMs: number;
  purpose: Purpose;
  ask: number;
  revision: string;
  plannedAtMs: number;
  /** A run may begin until then. */
  notAfterMs: number;
  /** What it may take from its beginning, with all attempts. */
  tookMs: number;
}

/** A run with the batch in which it was entered. */
export interface EnteredRun extends LedgerRow {
  batch: number;
}

/** Of what a dead planner left, so much is queued in one turn; and of what brought nothing, so much is ended. */
const BATCHES_AT_ONCE = 20;

/** Runs that stand in one row of `due`. */
interface Batch {
  location: string;
  secondMs: number;
  ask: number;
  lastsMs: number;
  endsAtMs: number;
  rows: LedgerRow[];
}

function batchesOf(rows: readonly LedgerRow[]): Batch[] {
  const batches = new Map<string, Batch>();
  for (const row of rows) {
    const secondMs = secondOf(row.slotMs);
    const lastsMs = row.notAfterMs - row.plannedAtMs;
    // Of what is planned by its slot, that of the last moment of the second.
    const endsAtMs = (row.ask === 0 ? secondMs + 1000 : row.plannedAtMs) + lastsMs + row.tookMs;
    const key = [row.location, secondMs, row.ask, lastsMs, endsAtMs].join('@');
    const batch = batches.get(key) ?? { location: row.location, secondMs, ask: row.ask, lastsMs, endsAtMs, rows: [] };
    batch.rows.push(row);
    batches.set(key, batch);
  }
  return [...batches.values()];
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

/** The numbers of names that stand in the rows of the ledger. */
export interface LedgerKeys {
  checks: ReadonlyMap<string, number>;
  locations: ReadonlyMap<string, number>;
  revisions: ReadonlyMap<string, number>;
}

/** What {@link enterRuns} needs to know of the names in its runs, made where it is not there. Not to be called in a transaction. */
export async function ledgerKeys(pool: Pool, names: Record<keyof LedgerKeys, readonly string[]>): Promise<LedgerKeys> {
  const keys = keysOf(pool);
  return {
    checks: await keys.made('check', names.checks),
    locations: await keys.made('location', names.locations),
    revisions: await keys.made('revision', [...names.revisions]),
  };
}

/** Enters due runs and returns those that were neither due nor ended: whoever entered them queues them, and then closes their batches. */
export async function enterRuns(db: Db, keys: LedgerKeys, rows: readonly LedgerRow[]): Promise<EnteredRun[]> {
  if (rows.length === 0) return [];
  const list = batchesOf(rows);
  const first = (pick: (row: LedgerRow) => string) => textArray(list.map(({ rows: [row] }) => (row ? pick(row) : null)));
  const { rows: entered } = await db.query<{
    id: number;
    location_key: number;
    second_ms: number;
    ask_id: number;
    checks: number[];
    offsets_ms: number[];
  }>(
    `with wanted as (
       select place, location_key, to_timestamp(second_ms / 1000) as second, ask_id, purpose, revision_key, to_timestamp(planned_ms / 1000) as planned_at,
         lasts_ms, to_timestamp(ends_ms / 1000) as ends_at, checks::int[], offsets_ms::smallint[]
       from unnest($1::smallint[], $2::float8[], $3::int[], $4::purpose[], $5::int[], $6::float8[], $7::int[], $8::float8[], $9::text[], $10::text[])
         with ordinality as one (location_key, second_ms, ask_id, purpose, revision_key, planned_ms, lasts_ms, ends_ms, checks, offsets_ms, place)
     )
     insert into due (location_key, second, ask_id, purpose, revision_key, planned_at, lasts_ms, ends_at, checks, offsets_ms)
     select location_key, second, ask_id, purpose, revision_key, planned_at, lasts_ms, ends_at, array_agg(check_key), array_agg(offset_ms)
     from wanted cross join lateral unnest(wanted.checks, wanted.offsets_ms) as one (check_key, offset_ms)
     where not exists (
         select from due cross join lateral unnest(due.checks, due.offsets_ms) as there (check_key, offset_ms)
         where due.location_key = wanted.location_key and due.second = wanted.second and due.ask_id = wanted.ask_id
           and there.check_key = one.check_key and there.offset_ms = one.offset_ms)
       and not exists (
         select from run where run.check_key = one.check_key and run.slot = wanted.second + one.offset_ms * interval '1 ms'
           and run.location_key = wanted.location_key and run.ask_id = wanted.ask_id)
     group by place, 1, 2, 3, 4, 5, 6, 7, 8
     returning id, location_key, extract(epoch from second)::float8 * 1000 as second_ms, ask_id, checks, offsets_ms`,
    [
      numberArray(list.map(({ location }) => numberOf(keys.locations, location))),
      numberArray(list.map(({ secondMs }) => secondMs)),
      numberArray(list.map(({ ask }) => ask)),
      first((row) => row.purpose),
      first((row) => String(numberOf(keys.revisions, row.revision))),
      numberArray(list.map(({ ask, rows: [row] }) => (ask === 0 || !row ? null : row.plannedAtMs))),
      numberArray(list.map(({ lastsMs }) => lastsMs)),
      numberArray(list.map(({ endsAtMs }) => endsAtMs)),
      textArray(list.map((batch) => numberArray(batch.rows.map((row) => numberOf(keys.checks, row.check))))),
      textArray(list.map((batch) => numberArray(batch.rows.map((row) => row.slotMs - batch.secondMs)))),
    ],
  );
  const byRun = new Map(
    rows.map((row) => [runKey(numberOf(keys.checks, row.check), numberOf(keys.locations, row.location), row.slotMs, row.ask), row]),
  );
  return entered.flatMap((batch) =>
    batch.checks.flatMap((check, index) => {
      const slotMs = Math.round(batch.second_ms) + (batch.offsets_ms[index] ?? 0);
      const row = byRun.get(runKey(check, batch.location_key, slotMs, batch.ask_id));
      return row ? [{ ...row, batch: batch.id }] : [];
    }),
  );
}

function runKey(...parts: number[]): string {
  return parts.join('@');
}

function numberOf(keys: ReadonlyMap<string, number>, name: string): number {
  const key = keys.get(name);
  if (key === undefined) throw new Error(`"${name}" has no number in the ledger`);
  return key;
}

/** Notes that the runs of these batches are on their queue. */
export async function closeBatches(db: Db, batches: readonly number[]): Promise<void> {
  if (batches.length > 0) await db.query('update due set queued = true where id = any($1) and not queued', [batches]);
}

interface DueRow {
  name: string;
  check_id: string;
  location: string;
  slot: Date;
  purpose: Purpose;
  ask_id: number;
  revision: string;
  planned_at: Date;
  lasts_ms: number;
  batch: number;
}

function fromRow(row: DueRow): EnteredRun {
  const plannedAtMs = row.planned_at.getTime();
  return {
    name: row.name,
    check: row.check_id,
    location: row.location,
    slotMs: row.slot.getTime(),
    purpose: row.purpose,
    ask: row.ask_id,
    revision: row.revision,
    plannedAtMs,
    notAfterMs: plannedAtMs + row.lasts_ms,
    tookMs: 0,
    batch: row.batch,
  };
}

/** The runs of batches `batch`, each with the number of its check and its slot. */
const RUNS_OF_SOME = `batch cross join lateral (
    select check_key, batch.second + offset_ms * interval '1 ms' as slot from unnest(batch.checks, batch.offsets_ms) as one (check_key, offset_ms)) as one`;

const NOT_ENDED = `not exists (
    select from run where run.check_key = one.check_key and run.slot = one.slot and run.location_key = batch.location_key and run.ask_id = batch.ask_id)`;

/**
 * Runs that were entered more than `graceMs` ago and never queued, since their planner died or the queue was away; they can still be
 * run. Always whole batches.
 */
export async function unqueuedRuns(db: Db, nowMs: number, graceMs: number): Promise<EnteredRun[]> {
  const { rows } = await db.query<DueRow>(
    `with batch as (
       select * from due where not queued and entered_at < now() - $2 * interval '1 ms'
         and coalesce(planned_at, second + interval '1 s') + lasts_ms * interval '1 ms' > $1
       order by id limit $3)
     select run_name(check_id, location, slot, purpose, ask_id) as name, check_id, location, slot, purpose, ask_id, revision,
       coalesce(planned_at, slot) as planned_at, lasts_ms, id as batch
     from ${RUNS_OF_SOME}
     join check_key c on c.key = one.check_key join location_key l on l.key = batch.location_key join revision_key r on r.key = batch.revision_key
     where ${NOT_ENDED} and coalesce(planned_at, slot) + lasts_ms * interval '1 ms' > $1 order by id, planned_at, slot`,
    [at(nowMs), graceMs, BATCHES_AT_ONCE],
  );
  return rows.map(fromRow);
}

/** A run that brought nothing. */
export interface MissedRun {
  name: string;
  check: string;
  location: string;
  plannedAtMs: number;
  /** `no-result`, or `never-queued`. */
  reason: string;
}

/**
 * Ends what is left of batches whose time is over as missed, and returns it: a run may begin at its last moment, then takes what its check
 * may take, and its report gets `graceMs` to arrive.
 */
export async function missRuns(db: Db, nowMs: number, graceMs: number): Promise<MissedRun[]> {
  const { rows } = await db.query<{ name: string; check_id: string; location: string; planned_at: Date; reason: string }>(
    `with batch as materialized (
       select * from due where ends_at < $1 order by ends_at limit $2 for update skip locked
     ), missed as (
       insert into run (check_key, slot, location_key, ask_id, revision_key, planned_at, asked, state, reason)
       select one.check_key, one.slot, location_key, ask_id, revision_key, nullif(planned_at, one.slot), nullif(purpose, 'scheduled'), 'missed',
         case when queued then 'no-result' else 'never-queued' end
       from ${RUNS_OF_SOME} where ${NOT_ENDED}
       on conflict do nothing returning *
     ), gone as (
       delete from due using batch where due.id = batch.id
     )
     select run_name(check_id, location, slot, coalesce(asked, 'scheduled'), ask_id) as name, check_id, location,
       coalesce(planned_at, slot) as planned_at, reason
     from missed join check_key c on c.key = check_key join location_key l on l.key = location_key`,
    [at(nowMs - graceMs), BATCHES_AT_ONCE],
  );
  return rows.map((row) => ({
    name: row.name,
    check: row.check_id,
    location: row.location,
    plannedAtMs: row.planned_at.getTime(),
    reason: row.reason,
  }));
}

/** Ends due runs of checks and locations that the configuration no longer has. `known` are those that it has. Returns how many. */
export async function retireRuns(db: Db, known: readonly { check: string; location: string }[]): Promise<number> {
  const { rowCount } = await db.query(
    `insert into run (check_key, slot, location_key, ask_id, revision_key, planned_at, asked, state, reason)
     select one.check_key, one.slot, location_key, ask_id, revision_key, nullif(planned_at, one.slot), nullif(purpose, 'scheduled'), 'missed', 'retired'
     from due ${RUNS_OF_SOME}
     join check_key c on c.key = one.check_key join location_key l on l.key = batch.location_key
     where ${NOT_ENDED} and not exists (
       select from unnest($1::text[], $2::text[]) as pair (check_id, location) where pair.check_id = c.check_id and pair.location = l.location)
     on conflict do nothing`,
    [textArray(known.map((one) => one.check)), textArray(known.map((one) => one.location))],
  );
  return rowCount ?? 0;
}

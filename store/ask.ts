/** Asks: runs that somebody wants outside the slots. Rows, claimed by whoever comes first; a job only wakes. */
import type { Purpose } from '../core/check.ts';
import { jsonArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';

export type AskPurpose = Exclude<Purpose, 'scheduled'>;

/** Which check is to be run from which locations. */
export interface AskTarget {
  check: string;
  locations: string[];
}

export interface NewAsk {
  purpose: AskPurpose;
  /** Two asks with one key are one. */
  key: string;
  targets: AskTarget[];
  /** The slot that failed, for a confirmation. */
  slotMs?: number;
  incidentId?: number;
  executionId?: string;
  /** Where the answer goes: `{responseUrl, user}`. */
  answerTo?: Record<string, unknown>;
}

export interface Ask extends NewAsk {
  id: number;
  state: 'wanted' | 'planned' | 'done';
}

interface AskRow {
  id: number;
  purpose: AskPurpose;
  key: string;
  checks: { targets: AskTarget[]; slotMs?: number };
  incident_id: number | null;
  execution_id: string | null;
  answer_to: Record<string, unknown> | null;
  state: Ask['state'];
}

function fromRow(row: AskRow): Ask {
  return {
    id: row.id,
    purpose: row.purpose,
    key: row.key,
    targets: row.checks.targets,
    state: row.state,
    ...(row.checks.slotMs === undefined ? {} : { slotMs: row.checks.slotMs }),
    ...(row.incident_id === null ? {} : { incidentId: row.incident_id }),
    ...(row.execution_id === null ? {} : { executionId: row.execution_id }),
    ...(row.answer_to === null ? {} : { answerTo: row.answer_to }),
  };
}

/** Adds an ask; `undefined` when one with its key is there already. */
export async function insertAsk(db: Db, ask: NewAsk): Promise<number | undefined> {
  const { rows } = await db.query<{ id: number }>(
    `insert into ask (purpose, key, checks, incident_id, execution_id, answer_to) values ($1, $2, $3, $4, $5, $6)
     on conflict (key) do nothing returning id`,
    [
      ask.purpose,
      ask.key,
      JSON.stringify({ targets: ask.targets, ...(ask.slotMs === undefined ? {} : { slotMs: ask.slotMs }) }),
      ask.incidentId ?? null,
      ask.executionId ?? null,
      ask.answerTo ? JSON.stringify(ask.answerTo) : null,
    ],
  );
  return rows[0]?.id;
}

/** Adds asks that stand for nothing but their runs, each once. Returns the keys of those that were not there. */
export async function insertAsks(db: Db, asks: readonly Pick<NewAsk, 'purpose' | 'key' | 'targets' | 'slotMs'>[]): Promise<Set<string>> {
  if (asks.length === 0) return new Set();
  const { rows } = await db.query<{ key: string }>(
    `insert into ask (purpose, key, checks) select * from unnest($1::text[], $2::text[], $3::jsonb[]) as one (purpose, key, checks) order by key
     on conflict (key) do nothing returning key`,
    [
      textArray(asks.map((ask) => ask.purpose)),
      textArray(asks.map((ask) => ask.key)),
      jsonArray(asks.map(({ targets, slotMs }) => ({ targets, ...(slotMs === undefined ? {} : { slotMs }) }))),
    ],
  );
  return new Set(rows.map((row) => row.key));
}

/** Whether any ask is wanted: looked at once a second, and mostly there is none. */
export async function anyAsk(db: Db): Promise<boolean> {
  const { rows } = await db.query(`select 1 from ask where state = 'wanted' limit 1`);
  return rows.length > 0;
}

/** Asks that are wanted, locked for this transaction; those that another worker holds are left to it. */
export async function claimAsks(db: Db, limit = 50): Promise<Ask[]> {
  const { rows } = await db.query<AskRow>(`select * from ask where state = 'wanted' order by id limit $1 for update skip locked`, [limit]);
  return rows.map(fromRow);
}

/** Notes that the ask's runs are in the ledger. */
export async function markPlanned(db: Db, id: number, endsAtMs: number): Promise<void> {
  await db.query(`update ask set state = 'planned', ends_at = $2 where id = $1`, [id, at(endsAtMs)]);
}

/** Planned asks all of whose runs have ended, locked for this transaction. */
export async function claimEndedAsks(db: Db, limit = 50): Promise<Ask[]> {
  const { rows } = await db.query<AskRow>(
    `select * from ask where state = 'planned'
       and not exists (
         select from due cross join lateral unnest(due.checks, due.offsets_ms) as one (check_key, offset_ms)
         where due.ask_id = ask.id and not exists (
           select from run where run.check_key = one.check_key and run.slot = due.second + one.offset_ms * interval '1 ms'
             and run.location_key = due.location_key and run.ask_id = due.ask_id))
     order by id limit $1 for update skip locked`,
    [limit],
  );
  return rows.map(fromRow);
}

/** Notes that what came of the ask was told. */
export async function markDone(db: Db, id: number): Promise<void> {
  await db.query(`update ask set state = 'done' where id = $1`, [id]);
}

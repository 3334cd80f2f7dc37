/** Silences: what somebody keeps quiet, with a reason and an end. */
import type { Covers, Quiet } from '../core/quiet.ts';
import { at, type Db } from './db.ts';

/** Longer is no silence any more: what is out of use for longer is better taken out of the configuration. */
export const LONGEST_SILENCE_MS = 7 * 86_400_000;

export interface NewSilence extends Covers {
  /** What it covers, in words. */
  title: string;
  reason: string;
  /** A person's id. */
  madeBy: string;
  madeAtMs: number;
  /** At most {@link LONGEST_SILENCE_MS} later. */
  endsAtMs: number;
  incidentId?: number;
}

export interface Silence extends NewSilence {
  id: number;
  endedAtMs?: number;
  endedBy?: string;
}

/** Begins a silence and returns its number. Throws when it covers nothing, has no reason or no end in time. */
export async function insertSilence(db: Db, silence: NewSilence): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `insert into silence (title, reason, made_by, made_at, ends_at, services, components, tenants, checks, incident_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
    [
      silence.title,
      silence.reason,
      silence.madeBy,
      at(silence.madeAtMs),
      at(silence.endsAtMs),
      silence.services,
      silence.components,
      silence.tenants,
      silence.checks,
      silence.incidentId ?? null,
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the silence');
  return id;
}

interface Row extends Covers {
  id: number;
  title: string;
  reason: string;
  made_by: string;
  made_at: Date;
  ends_at: Date;
  incident_id: number | null;
  ended_at: Date | null;
  ended_by: string | null;
}

function fromRow(row: Row): Silence {
  const { id, title, reason, services, components, tenants, checks } = row;
  return {
    ...{ id, title, reason, services, components, tenants, checks },
    madeBy: row.made_by,
    madeAtMs: row.made_at.getTime(),
    endsAtMs: row.ends_at.getTime(),
    ...(row.incident_id === null ? {} : { incidentId: row.incident_id }),
    ...(row.ended_at ? { endedAtMs: row.ended_at.getTime() } : {}),
    ...(row.ended_by ? { endedBy: row.ended_by } : {}),
  };
}

/** The silences that are on, the one that ends first, first. By their end alone: whoever made one may have a clock ahead of ours. */
export async function openSilences(db: Db, nowMs: number): Promise<Silence[]> {
  const { rows } = await db.query<Row>(
    'select * from silence where settled_at is null and ended_at is null and ends_at > $1 order by ends_at, id',
    [at(nowMs)],
  );
  return rows.map(fromRow);
}

/** The same, as judgement takes them. */
export async function activeSilences(db: Db, nowMs: number): Promise<Quiet[]> {
  return (await openSilences(db, nowMs)).map(quietOfSilence);
}

/** A silence as judgement takes it. */
export function quietOfSilence(silence: Silence): Quiet {
  const { id, title, reason, madeBy, madeAtMs, endsAtMs, services, components, tenants, checks } = silence;
  const covered = { services, components, tenants, checks };
  return { kind: 'silence', id: String(id), title, reason, by: madeBy, fromMs: madeAtMs, untilMs: endsAtMs, ...covered };
}

/** One silence by its number. */
export async function silenceById(db: Db, id: number): Promise<Silence | undefined> {
  const { rows } = await db.query<Row>('select * from silence where id = $1', [id]);
  return rows[0] && fromRow(rows[0]);
}

/** Ends a silence before its time. Returns whether this call did it. */
export async function endSilence(db: Db, id: number, by: string, atMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    'update silence set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null and settled_at is null and ends_at > $2',
    [id, at(atMs), by],
  );
  return rowCount === 1;
}

/** Silences that are over and whose end was not acted upon yet. */
export async function silencesToSettle(db: Db, nowMs: number): Promise<Silence[]> {
  const { rows } = await db.query<Row>('select * from silence where settled_at is null and (ended_at is not null or ends_at <= $1)', [
    at(nowMs),
  ]);
  return rows.map(fromRow);
}

/** Takes the ends of these silences in hand, until the transaction ends. Returns those that no other has taken. */
export async function settleSilences(db: Db, ids: readonly number[], atMs: number): Promise<Silence[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<Row>(
    `update silence set settled_at = $2 from (select id from silence where id = any($1) and settled_at is null order by id for update) as mine
     where silence.id = mine.id returning silence.*`,
    [ids, at(atMs)],
  );
  return rows.map(fromRow);
}

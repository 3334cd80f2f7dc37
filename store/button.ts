/** What a button means. Its value in Slack is an opaque id and nothing else, so nothing in it can be forged or changed. */
import { randomBytes } from 'node:crypto';
import type { Db } from './db.ts';

/** 128 bits: not to be guessed. */
const ID_BYTES = 16;

export interface Button {
  id: string;
  incidentId: number;
  incidentRevision: number;
  verb: string;
  params: Record<string, unknown>;
  madeAtMs: number;
  expired: boolean;
  usedBy?: string;
}

export interface NewButton {
  incidentId: number;
  incidentRevision: number;
  verb: string;
  params: Record<string, unknown>;
  expiresInMs: number;
}

/** The id of a button for exactly that; shown again at the same revision it keeps its id and lives on. */
export async function mintButton(db: Db, button: NewButton): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into button (id, incident_id, incident_revision, verb, params, expires_at)
     values ($1, $2, $3, $4, $5, now() + $6 * interval '1 millisecond')
     on conflict (incident_id, incident_revision, verb, params) do update set expires_at = excluded.expires_at
     returning id`,
    [
      randomBytes(ID_BYTES).toString('base64url'),
      button.incidentId,
      button.incidentRevision,
      button.verb,
      JSON.stringify(button.params),
      button.expiresInMs,
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no id for the button');
  return id;
}

interface ButtonRow {
  id: string;
  incident_id: number;
  incident_revision: number;
  verb: string;
  params: Record<string, unknown>;
  made_at: Date;
  expired: boolean;
  used_by: string | null;
}

/** What the button means, or `undefined` for an id that was never given out. */
export async function buttonById(db: Db, id: string): Promise<Button | undefined> {
  const { rows } = await db.query<ButtonRow>('select *, expires_at <= now() as expired from button where id = $1', [id]);
  const row = rows[0];
  if (!row) return undefined;
  return {
    id: row.id,
    incidentId: row.incident_id,
    incidentRevision: row.incident_revision,
    verb: row.verb,
    params: row.params,
    madeAtMs: row.made_at.getTime(),
    expired: row.expired,
    ...(row.used_by ? { usedBy: row.used_by } : {}),
  };
}

/** Uses the button up. Returns whether this call did it: of two presses one does. */
export async function useButton(db: Db, id: string, person: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'update button set used_at = now(), used_by = $2 where id = $1 and used_at is null and expires_at > now()',
    [id, person],
  );
  return rowCount === 1;
}

/** What a form means that somebody has open. Its `private_metadata` in Slack is an opaque id, so nothing in it can be forged or changed. */
import { randomBytes } from 'node:crypto';
import type { Db } from './db.ts';

/** 128 bits: not to be guessed. */
const ID_BYTES = 16;

/** Where the answer to a form goes. Without an address: a direct message. */
export interface AnswerTo {
  responseUrl?: string;
  channel?: string;
}

export interface NewModal {
  verb: string;
  params: Record<string, unknown>;
  /** The button that opened it; the form then expires with it, if not before. */
  button?: { id: string; incidentId: number; incidentRevision: number };
  /** Slack's user id. */
  openedBy: string;
  answerTo: AnswerTo;
  expiresInMs: number;
}

export interface Modal {
  id: string;
  verb: string;
  params: Record<string, unknown>;
  button?: { id: string; incidentId: number; incidentRevision: number };
  openedBy: string;
  answerTo: AnswerTo;
  madeAtMs: number;
  expired: boolean;
  used: boolean;
}

/** Writes down what a form will mean, and returns its id. */
export async function mintModal(db: Db, modal: NewModal): Promise<string> {
  const id = randomBytes(ID_BYTES).toString('base64url');
  await db.query(
    `insert into modal (id, verb, params, button_id, incident_id, incident_revision, opened_by, answer_to, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8,
       least(now() + $9 * interval '1 millisecond', (select expires_at from button where button.id = $4)))`,
    [
      id,
      modal.verb,
      JSON.stringify(modal.params),
      modal.button?.id ?? null,
      modal.button?.incidentId ?? null,
      modal.button?.incidentRevision ?? null,
      modal.openedBy,
      JSON.stringify(modal.answerTo),
      modal.expiresInMs,
    ],
  );
  return id;
}

interface ModalRow {
  id: string;
  verb: string;
  params: Record<string, unknown>;
  button_id: string | null;
  incident_id: number | null;
  incident_revision: number | null;
  opened_by: string;
  answer_to: AnswerTo;
  made_at: Date;
  expired: boolean;
  used: boolean;
}

/** What the form means, or `undefined` for an id that was never given out or is long forgotten. */
export async function modalById(db: Db, id: string): Promise<Modal | undefined> {
  const { rows } = await db.query<ModalRow>(
    'select *, expires_at <= now() as expired, used_at is not null as used from modal where id = $1',
    [id],
  );
  const row = rows[0];
  if (!row) return undefined;
  const { button_id: buttonId, incident_id: incidentId, incident_revision: incidentRevision } = row;
  return {
    id: row.id,
    verb: row.verb,
    params: row.params,
    ...(buttonId !== null && incidentId !== null && incidentRevision !== null
      ? { button: { id: buttonId, incidentId, incidentRevision } }
      : {}),
    openedBy: row.opened_by,
    answerTo: row.answer_to,
    madeAtMs: row.made_at.getTime(),
    expired: row.expired,
    used: row.used,
  };
}

/** Uses the form up. Returns whether this call did it: of two submissions one does. */
export async function useModal(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query('update modal set used_at = now() where id = $1 and used_at is null and expires_at > now()', [id]);
  return rowCount === 1;
}

/** The person has closed it: it can no longer be sent. */
export async function closeModal(db: Db, id: string, openedBy: string): Promise<void> {
  await db.query('update modal set expires_at = now() where id = $1 and opened_by = $2 and expires_at > now()', [id, openedBy]);
}

/** Forgets forms that ran out more than a day ago; the audit log keeps what was asked for. */
export async function forgetModals(db: Db): Promise<void> {
  await db.query(`delete from modal where expires_at < now() - interval '1 day'`);
}

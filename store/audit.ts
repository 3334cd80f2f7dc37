/** Who did or tried what. Rows are only ever added. */
import { Counter } from 'prom-client';
import type { Db } from './db.ts';
import { logPress } from './decision-log.ts';

/** Verbs and reasons are words of the source, so they are few. */
export const entries = new Counter({
  name: 'rounds_audit_entries_total',
  help: 'Entries of the audit log, by what was tried, whether it was done or refused, and why.',
  labelNames: ['verb', 'outcome', 'reason'],
});

export interface AuditRow {
  /** A person's id of the configuration, or `slack:U0123` for somebody unknown. */
  actor: string;
  /** `acknowledge`, `runbook`, `run` … */
  verb: string;
  /** `INC-12`, or a check's id. */
  subject: string;
  outcome: 'done' | 'refused';
  /** By name: `allowed`, `unknown-person`, `lacks-role`, `stale-button` … */
  reason: string;
  data?: Record<string, unknown>;
}

/** Adds a row, in the transaction of what it tells of. */
export async function audit(db: Db, row: AuditRow): Promise<void> {
  await db.query('insert into audit (actor, verb, subject, outcome, reason, data) values ($1, $2, $3, $4, $5, $6)', [
    row.actor,
    row.verb,
    row.subject,
    row.outcome,
    row.reason,
    JSON.stringify(row.data ?? {}),
  ]);
  if (row.outcome === 'done') await logPress(db, { verb: row.verb, subject: row.subject, by: row.actor }, Date.now());
  entries.inc({ verb: row.verb, outcome: row.outcome, reason: row.reason });
}

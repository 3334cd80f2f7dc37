/** Who did or tried what. Rows are only ever added. */
import type { Db } from './db.ts';

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
}

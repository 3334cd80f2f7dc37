/** Executions of runbooks: asked for by a press, claimed and sent by the worker, ended by the agent's report. */
import type { Db } from './db.ts';

export interface NewExecution {
  incidentId: number;
  runbook: string;
  title: string;
  /** The action's type. */
  action: string;
  location: string;
  params: Record<string, unknown>;
  target: Record<string, string | number>;
  /** A person's id of the configuration. */
  askedBy: string;
  /** From now; refused afterwards. */
  notAfterMs: number;
  /** Templates of checks that tell whether it helped. */
  verify: string[];
}

/** Writes down that an execution is wanted, and returns its id. */
export async function insertExecution(db: Db, execution: NewExecution): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `insert into execution (incident_id, runbook, title, action, location, params, target, asked_by, not_after, verify)
     values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 millisecond', $10) returning id`,
    [
      execution.incidentId,
      execution.runbook,
      execution.title,
      execution.action,
      execution.location,
      JSON.stringify(execution.params),
      JSON.stringify(execution.target),
      execution.askedBy,
      execution.notAfterMs,
      JSON.stringify(execution.verify),
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no id for the execution');
  return id;
}

/** The execution of that runbook in that incident that has not ended yet. */
export async function executionUnderWay(
  db: Db,
  incidentId: number,
  runbook: string,
): Promise<{ askedBy: string; askedAtMs: number } | undefined> {
  const { rows } = await db.query<{ asked_by: string; asked_at: Date }>(
    `select asked_by, asked_at from execution where incident_id = $1 and runbook = $2 and state in ('wanted', 'sent') limit 1`,
    [incidentId, runbook],
  );
  return rows[0] && { askedBy: rows[0].asked_by, askedAtMs: rows[0].asked_at.getTime() };
}

/** How often each runbook was asked for in an incident: the next button is another than the last. */
export async function executionCounts(db: Db, incidentId: number): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ runbook: string; times: number }>(
    'select runbook, count(*) as times from execution where incident_id = $1 group by runbook',
    [incidentId],
  );
  return new Map(rows.map((row) => [row.runbook, row.times]));
}

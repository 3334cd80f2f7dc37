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

/** An execution on its way to an agent. */
export interface ClaimedExecution {
  id: string;
  incidentId: number;
  title: string;
  action: string;
  location: string;
  params: Record<string, unknown>;
  target: Record<string, string | number>;
  /** Refused after so long, from now on. */
  leftMs: number;
  /** Fencing: only an answer that carries it is taken. */
  token: number;
}

/** Claims wanted executions: each is sent once, and never again by anybody. */
export async function claimExecutions(db: Db, limit = 10): Promise<ClaimedExecution[]> {
  const { rows } = await db.query<{
    id: string;
    incident_id: number;
    title: string;
    action: string;
    location: string;
    params: Record<string, unknown>;
    target: Record<string, string | number>;
    left_ms: number;
    token: number;
  }>(
    `update execution set state = 'sent', token = token + 1
     where id in (select id from execution where state = 'wanted' order by asked_at limit $1 for update skip locked)
     returning id, incident_id, title, action, location, params, target, extract(epoch from not_after - clock_timestamp())::float8 * 1000 as left_ms, token`,
    [limit],
  );
  return rows.map((row) => ({
    id: row.id,
    incidentId: row.incident_id,
    title: row.title,
    action: row.action,
    location: row.location,
    params: row.params,
    target: row.target,
    leftMs: row.left_ms,
    token: row.token,
  }));
}

export interface EndedExecution {
  id: string;
  incidentId: number;
  title: string;
  /** Its type: `http.request`. */
  action: string;
  askedBy: string;
  verify: string[];
}

interface EndedRow {
  id: string;
  incident_id: number;
  title: string;
  action: string;
  asked_by: string;
  verify: string[];
}

function endedFromRow(row: EndedRow): EndedExecution {
  return { id: row.id, incidentId: row.incident_id, title: row.title, action: row.action, askedBy: row.asked_by, verify: row.verify };
}

/**
 * Ends an execution by its agent's report, also one that was given up as unclear meanwhile; `undefined` when it has ended before or
 * the token is an older one.
 */
export async function endExecution(
  db: Db,
  report: { execution: string; token: number; outcome: 'done' | 'failed' | 'refused'; summary: string; durationMs: number },
  location: string,
): Promise<EndedExecution | undefined> {
  const { rows } = await db.query<EndedRow>(
    `update execution set state = $3, summary = $4, duration_ms = $5, ended_at = now()
     where id::text = $1 and token = $2 and state in ('sent', 'unclear') and location = $6
     returning id, incident_id, title, action, asked_by, verify`,
    [report.execution, report.token, report.outcome, report.summary, report.durationMs, location],
  );
  return rows[0] && endedFromRow(rows[0]);
}

/** Executions whose agent has not answered in time: whether they took effect is not known. Ended as `unclear`. */
export async function giveUpExecutions(db: Db, graceMs: number): Promise<EndedExecution[]> {
  const { rows } = await db.query<EndedRow>(
    `update execution set state = 'unclear', ended_at = now(), summary = 'The agent did not answer.'
     where state = 'sent' and not_after < now() - $1 * interval '1 millisecond'
     returning id, incident_id, title, action, asked_by, verify`,
    [graceMs],
  );
  return rows.map(endedFromRow);
}

/** The last action of an incident that was done, and the id of who asked for it. */
export async function lastRepair(db: Db, incidentId: number): Promise<{ title: string; by: string } | undefined> {
  const { rows } = await db.query<{ title: string; asked_by: string }>(
    `select title, asked_by from execution where incident_id = $1 and state = 'done' order by ended_at desc limit 1`,
    [incidentId],
  );
  return rows[0] && { title: rows[0].title, by: rows[0].asked_by };
}

/**
 * Runbook actions: rows that a press wrote are claimed once and sent once to the agent of their location. An agent that dies in
 * the middle is not asked again, since nobody knows what it did; the verification tells.
 */
import type { Incident } from '../core/incident.ts';
import { insertAsk } from '../store/ask.ts';
import { type Db, inTransaction } from '../store/db.ts';
import { type ClaimedExecution, claimExecutions, type EndedExecution, endExecution, giveUpExecutions } from '../store/execution.ts';
import { incidentById } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { showIncident, tellStory } from '../store/story.ts';
import { type ActionReport, QUEUES } from './contract.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

/** An agent may begin at `notAfter`, be at work for as long as an action may take (5 min, agents/actions.ts), and then report. */
const ANSWER_GRACE_MS = 330_000;

/** Sends wanted executions to their agents. A crash between the claim and the queue ends them as `unclear`, never as twice. */
export async function sendExecutions(deps: JobsDeps): Promise<number> {
  const claimed = await claimExecutions(deps.pool);
  await Promise.all(claimed.map((execution) => send(deps, execution)));
  return claimed.length;
}

/** One that could not be sent ends as `unclear`: whether the queue took it is not known, and the others must not wait for it. */
async function send(deps: JobsDeps, execution: ClaimedExecution): Promise<void> {
  const { id, token, action: type, params, target, leftMs, location } = execution;
  const fields = { execution: id, incident: execution.incidentId, action: type, location };
  try {
    const serverMs = await deps.queues.serverNow();
    const nowMs = deps.clock.now();
    const times = { notAfterMs: nowMs + leftMs, serverAheadMs: serverMs - nowMs };
    const data = { v: 1, execution: id, token, type, params, target, ...times };
    await deps.queues.add(QUEUES.action(location), [{ id: `${id}@${token}`, data }], 'once');
    deps.log.info(fields, 'a runbook action is sent');
  } catch (error) {
    deps.log.error({ ...fields, error: (error as Error).message }, 'a runbook action could not be sent');
  }
}

/** Takes an agent's report of an action: ends the execution, tells the thread, and asks for the verification. */
export async function endAction(deps: JobsDeps, location: string, report: ActionReport): Promise<boolean> {
  const action = await inTransaction(deps.pool, async (db) => {
    const ended = await endExecution(db, report, location);
    if (ended) await tell(deps, db, ended, report.outcome, report.summary);
    return ended?.action;
  });
  if (action === undefined) return false;
  metrics.actions.inc({ action, outcome: report.outcome });
  return true;
}

/** Ends executions whose agent never answered. */
export async function giveUpActions(deps: JobsDeps): Promise<number> {
  const lost = await inTransaction(deps.pool, async (db) => {
    const lost = await giveUpExecutions(db, ANSWER_GRACE_MS);
    for (const ended of lost) {
      await tell(deps, db, ended, 'unclear', 'The agent did not answer. Whether it took effect is not known; checking.');
    }
    return lost;
  });
  for (const { action } of lost) metrics.actions.inc({ action, outcome: 'unclear' });
  return lost.length;
}

async function tell(
  deps: JobsDeps,
  db: Db,
  ended: EndedExecution,
  outcome: 'done' | 'failed' | 'refused' | 'unclear',
  summary: string,
): Promise<void> {
  const incident = await incidentById(db, ended.incidentId);
  if (!incident) return;
  await tellStory(db, incident, deps.clock.now(), { kind: 'acted', outcome, title: ended.title, summary });
  // The buttons change with every action that ended.
  await showIncident(db, incident, { priority: PRIORITY.outage, reason: 'acted' });
  if (outcome === 'done' || outcome === 'unclear') await askVerification(deps, db, ended, incident);
}

/** The journeys that tell whether it helped: of the tenants that were hit, or of all when none is named. */
async function askVerification(deps: JobsDeps, db: Db, ended: EndedExecution, incident: Incident): Promise<void> {
  const hit = new Set(incident.facts.tenants.map((tenant) => tenant.id));
  const checks = Object.values(deps.config.checks).filter((check) => ended.verify.includes(check.template));
  const fitting = checks.filter((check) => !check.tenant || hit.size === 0 || hit.has(check.tenant));
  if (fitting.length === 0) return;
  await insertAsk(db, {
    purpose: 'verify',
    key: `verify/${ended.id}`,
    targets: fitting.map((check) => ({ check: check.id, locations: check.locations })),
    incidentId: incident.id,
    executionId: ended.id,
  });
}

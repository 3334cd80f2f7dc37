/** Runs the action of a runbook: once, in its time, and tells what came of it. */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import type { ActionJob, ActionReport } from '../jobs/contract.ts';
import { AgentFault } from '../probes/probe.ts';
import type { Action, ActionContext, ActionOutcome } from '../runbooks/action.ts';
import { redactor } from './redact.ts';
import type { Secrets } from './secrets.ts';

/** The bound of every action, whatever its own says: the people who pressed the button wait for it. */
const ACTION_MS = 300_000;
/** Executions remembered, so that one that is delivered twice is not done twice. */
const REMEMBERED = 1_000;

export interface ActionDeps {
  actions: ReadonlyMap<string, Action>;
  secrets: Secrets;
  log: Log;
}

/** Runs one execution, whose times are told by that clock; resolves to its report, or to `undefined` for one that this agent has begun before. */
export type RunAction = (job: ActionJob, clock: Clock, stop: AbortSignal) => Promise<ActionReport | undefined>;

/** The actions of one agent. */
export function actionRunner(deps: ActionDeps): RunAction {
  const begun = new Set<string>();
  return async (job, clock, stop) => {
    if (begun.has(job.execution)) {
      deps.log.warn({ execution: job.execution }, 'an execution was delivered again and not repeated');
      return undefined;
    }
    begun.add(job.execution);
    for (const oldest of begun) if (begun.size > REMEMBERED) begun.delete(oldest);
    const startedMs = clock.monotonic();
    const outcome = await outcomeOf(job, { ...deps, clock }, stop);
    deps.log.info({ execution: job.execution, type: job.type, outcome: outcome.outcome }, 'an action has run');
    return { execution: job.execution, token: job.token, ...outcome, durationMs: clock.monotonic() - startedMs };
  };
}

async function outcomeOf(job: ActionJob, deps: ActionDeps & { clock: Clock }, stop: AbortSignal): Promise<ActionOutcome> {
  const refused = (summary: string): ActionOutcome => ({ outcome: 'refused', summary });
  if (stop.aborted) return refused('The agent is stopping. Nothing was done.');
  if (deps.clock.now() > job.notAfterMs) return refused('It reached the agent too late. Nothing was done.');
  const action = deps.actions.get(job.type);
  if (!action) return refused(`This agent knows no action "${job.type}". Nothing was done.`);
  let redact = redactor([]);
  try {
    const { params, secrets } = await deps.secrets.resolve(job.params);
    redact = redactor(secrets);
    const outcome = await action.run(params as never, contextOf(job, deps, stop));
    return { outcome: outcome.outcome, summary: redact(outcome.summary) };
  } catch (error) {
    if (error instanceof AgentFault) return refused(`${redact(error.message)} Nothing was done.`);
    deps.log.error({ execution: job.execution, type: job.type, error: redact(String(error)) }, 'an action failed by its own fault');
    return { outcome: 'failed', summary: `The action "${job.type}" failed by its own fault; the log of the agent says how.` };
  }
}

function contextOf(job: ActionJob, deps: ActionDeps & { clock: Clock }, stop: AbortSignal): ActionContext {
  return {
    signal: AbortSignal.any([stop, AbortSignal.timeout(ACTION_MS)]),
    execution: job.execution,
    monotonic: () => deps.clock.monotonic(),
    log: deps.log.child({ execution: job.execution }),
    target: job.target,
  };
}

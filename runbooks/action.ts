/**
 * An action is one typed, bounded operation that a runbook may run, on the agent of a location. A file in `actions/`
 * describes itself here; the registry finds it.
 */
import type * as z from 'zod';
import type { Log } from '../core/process.ts';

export interface ActionContext {
  signal: AbortSignal;
  /** Unique to this execution: sent along as an idempotency key where the target takes one. */
  execution: string;
  monotonic(): number;
  log: Log;
  /** What the incident's finding says the action is bound to, such as `{pid, backendStart}`; empty when there is none. */
  target: Readonly<Record<string, string | number>>;
}

/** What came of it. `refused`: the target is not what it was when the button was shown, so nothing was done. */
export interface ActionOutcome {
  outcome: 'done' | 'failed' | 'refused';
  /** One sentence for the thread: "Cancelled in 0.2 s. 23 sessions go on." */
  summary: string;
}

export interface Action<S extends z.ZodObject = z.ZodObject> {
  /** The key in `rounds.yaml` under `action:`, such as `postgres.cancel`. */
  type: string;
  summary: string;
  schema: S;
  /** The finding it needs to know its target; without one in the incident the runbook is not offered. */
  needsFinding?: string;
  /** One sentence said before it runs: what will be done, to what. No secret in it. */
  preview(params: z.infer<S>, target: ActionContext['target']): string;
  examples: readonly string[];
  run(params: z.infer<S>, context: ActionContext): Promise<ActionOutcome>;
}

/** Declares an action. Returns it unchanged; the types do the work. */
export function defineAction<S extends z.ZodObject>(action: Action<S>): Action<S> {
  return action;
}

/**
 * What travels on the queue, and nothing else does: names, payloads, and how often a job is tried.
 *
 * | queue              | from → to          | payload          | tried |
 * |--------------------|--------------------|------------------|-------|
 * | `round.<location>`   | planner → agent    | {@link roundSchema}  | once: a slot that is lost is in the ledger |
 * | `journey.<location>` | planner → agent    | {@link roundSchema}, one order | once |
 * | `action.<location>`  | worker → agent     | {@link actionJobSchema} | once, never redelivered: see `actionQueue` |
 * | `results.<location>` | agent → worker     | {@link reportSchema} | until it is stored |
 * | `notify`           | worker → bot       | nothing: it only wakes | once: the bot polls as well |
 */
import * as z from 'zod';
import { resultSchema } from '../core/result.ts';
import { orderSchema } from '../core/run.ts';

/**
 * What the clock of the queue's server was ahead of the clock by which the job's times are told, when it was added. Whoever takes the job up
 * knows by it what that clock shows now, without trusting its own. Absent from workers that did not tell it yet: taken as 0.
 */
const serverAheadMs = z.number().optional();

/** Light checks due in one second at one location, or one journey. */
export const roundSchema = z.object({ v: z.literal(1), serverAheadMs, orders: z.array(orderSchema).min(1).max(500) });

/** One execution of a runbook's action. `token` is the fencing token: an answer with an older one is not taken. */
export const actionJobSchema = z.object({
  v: z.literal(1),
  execution: z.string().max(80),
  token: z.number().int(),
  type: z.string().max(60),
  params: z.record(z.string(), z.unknown()),
  target: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Refused after this, by the worker's clock. */
  notAfterMs: z.number(),
  serverAheadMs,
});
export type ActionJob = z.infer<typeof actionJobSchema>;

/** What an agent says of a run that it did not run. */
export const refusalSchema = z.object({ run: z.string().max(400), reason: z.enum(['stale', 'stopping', 'unknown-type']) });

export const actionReportSchema = z.object({
  execution: z.string().max(80),
  token: z.number().int(),
  outcome: z.enum(['done', 'failed', 'refused']),
  summary: z.string().max(500),
  durationMs: z.number().min(0),
});
export type ActionReport = z.infer<typeof actionReportSchema>;

/** What an agent sends back. The location is the queue's, never the payload's. */
export const reportSchema = z.object({
  v: z.literal(1),
  agent: z.string().max(80),
  /** The agent's wall clock when it sent this: its skew is measured with it, nothing else. */
  sentAtMs: z.number(),
  /** Reports that wait on the agent's disk after this one. */
  spooled: z.number().int().min(0).max(1_000_000).optional(),
  /** The version of Rounds that the agent runs. */
  version: z.string().max(40).optional(),
  results: z.array(resultSchema).max(500),
  refusals: z.array(refusalSchema).max(500),
  actions: z.array(actionReportSchema).max(10),
});
export type Report = z.infer<typeof reportSchema>;

/** A queue, and the place where it stands: that of a location, where its agents may go, or the one that is nobody's but ours. */
export interface QueueRef {
  location?: string;
  name: string;
}

export const QUEUES = {
  round: (location: string): QueueRef => ({ location, name: `round.${location}` }),
  journey: (location: string): QueueRef => ({ location, name: `journey.${location}` }),
  action: (location: string): QueueRef => ({ location, name: `action.${location}` }),
  results: (location: string): QueueRef => ({ location, name: `results.${location}` }),
  notify: { name: 'notify' } as QueueRef,
} as const;

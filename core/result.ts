/**
 * One run as an agent reports it. Level-triggered: it says the whole verdict, so a lost result heals with the next one.
 * The schema reads hostile input: an agent is the least trusted process, so every text and list has a limit.
 */
import * as z from 'zod';
import { VERDICTS } from './check.ts';

/** Failure kinds are kebab-case, declared by the probe: `timeout`, `lock-wait`, `status`. */
export const failureSchema = z.object({
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  /** One sentence with the value seen and the value expected. Redacted before it leaves the agent. */
  message: z.string().max(500),
  /** The journey's step, in the words of its author: "confirm the invoice". */
  step: z.string().max(120).optional(),
});
export type Failure = z.infer<typeof failureSchema>;

export const stepSchema = z.object({
  name: z.string().max(120),
  durationMs: z.number().min(0),
  outcome: z.enum(['passed', 'failed', 'skipped']),
});
export type StepResult = z.infer<typeof stepSchema>;

export const attemptSchema = z.object({
  verdict: z.enum(VERDICTS),
  /** The probe's own time, monotonic; evidence is not in it. */
  durationMs: z.number().min(0),
  failure: failureSchema.optional(),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const pictureSchema = z.object({ mime: z.enum(['image/jpeg', 'image/png']), base64: z.string().max(1_000_000) });
export type Picture = z.infer<typeof pictureSchema>;

/** Something a runbook can act on, such as the query that blocks the others. Values are plain and redacted. */
export const findingSchema = z.object({
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  /** Said to people: "hillcrest month-end report (pid 4121, running 7 min) blocks 23 sessions". */
  text: z.string().max(500),
  /** What an action is bound to: `{pid, backendStart}`. */
  target: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])),
});
export type Finding = z.infer<typeof findingSchema>;

export const resultSchema = z.object({
  run: z.string().max(400),
  revision: z.string().max(80),
  verdict: z.enum(VERDICTS),
  failure: failureSchema.optional(),
  /** Of the last attempt. */
  durationMs: z.number().min(0),
  /** How much later than `notBefore` it began, by the agent's clock: a hint, never used to judge. */
  startLatenessMs: z.number(),
  steps: z.array(stepSchema).max(100),
  /** Named with their unit last: `connect_ms`, `connections_ratio`. */
  measurements: z.record(z.string().max(60), z.number()),
  attempts: z.array(attemptSchema).min(1).max(6),
  findings: z.array(findingSchema).max(10),
  picture: pictureSchema.optional(),
});
export type Result = z.infer<typeof resultSchema>;

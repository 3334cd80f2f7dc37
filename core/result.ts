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

/** Of a role, a database or a queue, as its server has it. PostgreSQL's are at most 63 bytes long. */
const serverName = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[^\p{Cc}\p{Cs}]+$/u);

export const whoseSchema = z.object({ database: serverName.optional(), role: serverName.optional(), queue: serverName.optional() });

/** Something a runbook can act on, such as the query that blocks the others. Values are plain and redacted. */
export const findingSchema = z.object({
  kind: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  /** Said to people: "hillcrest month-end report (pid 4121, running 7 min) blocks 23 sessions". */
  text: z.string().max(500),
  /** What an action is bound to: `{pid, backendStart}`. */
  target: z.record(z.string().max(40), z.union([z.string().max(200), z.number()])),
  /** Whose it is, as its server calls them: the worker makes a tenant of it. */
  whose: whoseSchema.optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** Of more than this many roles, databases or queues, those with the least load are left out. */
export const MOST_LOADS = 200;

/** A sum since `countingSinceMs`, or how much there is now. Larger numbers are none of a server's. */
const amount = z.number().min(0).max(1e18).optional();

export const loadSchema = z.object({
  by: z.enum(['database', 'role', 'queue']),
  name: serverName,
  /** Tells one life of the counters from the next: after a reset, a restart or a failover it is another. By the server's clock. */
  countingSinceMs: z.number(),
  /** They rise, and begin anew with a life. */
  counters: z.object({
    statementMs: amount,
    /** Of 8 kB. */
    blocksRead: amount,
    tempBytes: amount,
    rowsInserted: amount,
    rowsDeleted: amount,
  }),
  /** Of this moment. */
  levels: z.object({
    connections: amount,
    /** Connections that wait for a lock, and those of them that wait for the lock of another owner. */
    waiting: amount,
    held: amount,
    /** Connections that run a statement and wait for nobody, and for how long these statements have run, together. */
    running: amount,
    runningMs: amount,
    locks: amount,
    /** Connections of other owners that wait for its locks. */
    blocks: amount,
    sizeBytes: amount,
    jobs: amount,
  }),
});
export type Load = z.infer<typeof loadSchema>;
export type LoadCounters = Load['counters'];
export type LoadLevels = Load['levels'];

/** The load that each role, database or queue puts on a server. What could not be read is absent, and never zero. */
export const loadsSchema = z.object({
  /** By the server's own clock. */
  atMs: z.number(),
  loads: z.array(loadSchema).max(MOST_LOADS),
  /** What could not be read, and why, one sentence each. */
  unreadable: z.array(z.string().max(200)).max(8),
});
export type Loads = z.infer<typeof loadsSchema>;

export const resultSchema = z.object({
  run: z.string().max(400),
  revision: z.string().max(80),
  verdict: z.enum(VERDICTS),
  failure: failureSchema.optional(),
  /** Of the last attempt. */
  durationMs: z.number().min(0),
  /** How much later than `notBefore` it began, by the planner's clock as the agent knows it: a hint, never used to judge. */
  startLatenessMs: z.number(),
  steps: z.array(stepSchema).max(100),
  /** Named with their unit last: `connect_ms`, `connections_ratio`. */
  measurements: z.record(z.string().max(60), z.number()),
  attempts: z.array(attemptSchema).min(1).max(6),
  findings: z.array(findingSchema).max(10),
  loads: loadsSchema.optional(),
  picture: pictureSchema.optional(),
});
export type Result = z.infer<typeof resultSchema>;

/**
 * A probe runs one type of check once and returns what it saw. It never decides about alerts, never throws for a target
 * that is down, and knows nothing of slots, queues or Slack. A file in `types/` describes itself here; the registry finds it.
 */
import type * as z from 'zod';
import type { Log } from '../core/process.ts';
import type { Failure, Finding, Load, Loads, Picture, StepResult } from '../core/result.ts';

/** What one attempt came to. A target's trouble is `down` or `degraded`; the agent's own is `fault`. */
export interface Outcome {
  verdict: 'up' | 'degraded' | 'down' | 'fault';
  failure?: Failure;
  /** The probe's own time, monotonic. Evidence is taken after this clock has stopped. */
  durationMs: number;
  steps?: StepResult[];
  measurements?: Record<string, number>;
  findings?: Finding[];
  /** Who puts how much load on the target, as the target counts it. */
  loads?: Loads;
  picture?: Picture;
}

/** What a probe is handed for one attempt. */
export interface ProbeContext {
  /** Aborted when the check's time is up or the agent stops. */
  signal: AbortSignal;
  timeoutMs: number;
  monotonic(): number;
  log: Log;
  tenant?: string;
  /** The browser of the agent; only journeys ask for it. */
  browser?: BrowserSource;
  /** Where journeys are, when the agent was confined to a folder: relative files start there, and nothing outside it is loaded. */
  filesFolder?: string;
  /** Every secret that was resolved into the parameters, for masking pictures. Never to be logged or returned. */
  secrets: readonly string[];
  /** The `traceparent` of this run (W3C Trace Context), to be sent along where the protocol has a place for it. */
  traceparent: string;
}

/** A warm browser that lends contexts. Typed loosely here so that only journeys know Playwright. */
export interface BrowserSource {
  /** Lends a fresh context; `fault` errors say why no browser could be had. The lender closes it when `use` settles. */
  withContext<T>(use: (context: import('playwright').BrowserContext) => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** One way to fail, in words for the table in the documentation. */
export interface FailureKind {
  kind: string;
  means: string;
}

export interface Probe<S extends z.ZodObject = z.ZodObject> {
  /** The key in `rounds.yaml` under which its options stand. */
  type: string;
  summary: string;
  /** Options with units, defaults and descriptions; secrets arrive resolved. */
  schema: S;
  failures: readonly FailureKind[];
  /** Measurements it returns, with their unit in the name. */
  measurements: Readonly<Record<string, string>>;
  /** Complete checks as they would stand in `rounds.yaml`, YAML text. The contract suite parses each. */
  examples: readonly string[];
  /** By which names it tells the load of tenants. With an option `load`, which is set where a tenant has such a name, only when asked. */
  loads?: readonly Load['by'][];
  /** Needs a browser: travels alone, not in a round. */
  browser?: boolean;
  run(params: z.infer<S>, context: ProbeContext): Promise<Outcome>;
}

/** Declares a probe. Returns it unchanged; the types do the work. */
export function defineProbe<S extends z.ZodObject>(probe: Probe<S>): Probe<S> {
  return probe;
}

/** The agent's own trouble (no browser, a secret that is missing): never the target's. */
export class AgentFault extends Error {
  readonly kind: string;
  constructor(kind: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentFault';
    this.kind = kind;
  }
}

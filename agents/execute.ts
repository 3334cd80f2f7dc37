/** From an order to a result: resolves secrets, runs the probe in its time, once more at once when it is down, and cleans what it said. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import {
  type Attempt,
  type Failure,
  type Finding,
  type Loads,
  loadSchema,
  loadsSchema,
  MOST_LOADS,
  type Result,
  type StepResult,
  whoseSchema,
} from '../core/result.ts';
import type { Order } from '../core/run.ts';
import { AgentFault, type BrowserSource, type Outcome, type Probe, type ProbeContext } from '../probes/probe.ts';
import { deadline, Overdue } from './deadline.ts';
import { type Redact, redactor, shownForms } from './redact.ts';
import type { Secrets } from './secrets.ts';

/** What a probe gets to settle after its time: a picture takes up to 3 s and closing its context another moment. */
const GRACE_MS = 5_000;
/** A browser that is not free by then is the agent's trouble. */
const BROWSER_WAIT_MS = 60_000;

export interface ExecuteDeps {
  probes: ReadonlyMap<string, Probe>;
  secrets: Secrets;
  browser?: BrowserSource;
  /** Where journeys are. */
  filesFolder?: string;
  /** Its wall clock is that of whoever told the order's time. */
  clock: Clock;
  log: Log;
  graceMs?: number;
}

const redactWithoutSecrets = redactor([]);

/** The agent stops before the run has ended: there is no result, and the run is handed back. */
export class Stopping extends Error {}

/**
 * Runs an order to its result. Never throws for a target or for an agent that is in trouble: the first is `down`, the second
 * `fault`. Throws {@link Stopping} when `stop` aborts first.
 */
export async function execute(order: Order, deps: ExecuteDeps, stop: AbortSignal): Promise<Result> {
  const startLatenessMs = deps.clock.now() - order.notBeforeMs;
  const attempts: Attempt[] = [];
  let last: Outcome;
  do {
    last = await attempt(order, deps, stop);
    attempts.push({ verdict: last.verdict, durationMs: last.durationMs, ...(last.failure ? { failure: last.failure } : {}) });
  } while (last.verdict === 'down' && attempts.length <= order.retries);
  return {
    run: order.run,
    revision: order.revision,
    verdict: last.verdict,
    ...(last.failure ? { failure: last.failure } : {}),
    durationMs: last.durationMs,
    startLatenessMs,
    steps: last.steps ?? [],
    measurements: last.measurements ?? {},
    attempts,
    findings: last.findings ?? [],
    ...(last.loads ? { loads: last.loads } : {}),
    ...(last.picture ? { picture: last.picture } : {}),
  };
}

async function attempt(order: Order, deps: ExecuteDeps, stop: AbortSignal): Promise<Outcome> {
  if (stop.aborted) throw new Stopping();
  const startedMs = deps.clock.monotonic();
  let redact: Redact = redactWithoutSecrets;
  try {
    const probe = deps.probes.get(order.type);
    if (!probe) throw new AgentFault('unknown-type', `This agent knows no probe "${order.type}".`);
    const resolved = await deps.secrets.resolve(order.params);
    if (resolved.secrets.length > 0) redact = redactor(resolved.secrets);
    const outcome = await inTime(probe, resolved.params, shownForms(resolved.secrets), order, deps, stop);
    return cleaned(withSlowness(outcome, order.degradedAboveMs), redact);
  } catch (error) {
    if (stop.aborted) throw new Stopping();
    return cleaned(
      { verdict: 'fault', durationMs: deps.clock.monotonic() - startedMs, failure: faultOf(error, order, deps.log, redact) },
      redact,
    );
  }
}

async function inTime(
  probe: Probe,
  params: Record<string, unknown>,
  secrets: string[],
  order: Order,
  deps: ExecuteDeps,
  stop: AbortSignal,
): Promise<Outcome> {
  const time = deadline(order.timeoutMs, deps.graceMs ?? GRACE_MS, stop);
  const startedMs = deps.clock.monotonic();
  const context: ProbeContext = {
    signal: time.signal,
    timeoutMs: order.timeoutMs,
    monotonic: () => deps.clock.monotonic(),
    log: logOf(order.run, deps.log),
    secrets,
    traceparent: newTraceparent(),
    ...(order.tenant === undefined ? {} : { tenant: order.tenant }),
    ...(deps.filesFolder === undefined ? {} : { filesFolder: deps.filesFolder }),
    ...(deps.browser && probe.browser ? { browser: startingOnLoan(deps.browser, time.start) } : {}),
  };
  if (!probe.browser) time.start();
  const running = probe.run(params as never, context);
  running.catch(() => {});
  try {
    return await Promise.race([running, time.overdue]);
  } catch (error) {
    if (!(error instanceof Overdue) || stop.aborted) throw error;
    deps.log.warn({ run: order.run }, 'the probe did not end in its time and was abandoned');
    return { verdict: 'down', durationMs: deps.clock.monotonic() - startedMs, failure: { kind: 'timeout', message: 'no answer in time' } };
  } finally {
    time.close();
  }
}

/** The check's time begins when the browser is there: waiting for it is the agent's, not the target's. */
function startingOnLoan(browser: BrowserSource, start: () => void): BrowserSource {
  return {
    async withContext(use, signal) {
      const tooLong = new AbortController();
      const timer = setTimeout(
        () => tooLong.abort(new AgentFault('no-browser', 'No browser of this agent was free within 60 s.')),
        BROWSER_WAIT_MS,
      );
      try {
        return await browser.withContext(
          (context) => {
            clearTimeout(timer);
            start();
            return use(context);
          },
          AbortSignal.any([signal, tooLong.signal]),
        );
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** From UUIDs, which Node makes in advance: asking the system for each takes as long as reading the answer. */
function newTraceparent(): string {
  const span = randomUUID();
  return `00-${randomUUID().replaceAll('-', '')}-${span.slice(0, 8)}${span.slice(24, 32)}-01`;
}

/** Most runs have nothing to say. */
function logOf(run: string, log: Log): Log {
  let own: Log | undefined;
  const child = () => (own ??= log.child({ run }));
  return {
    debug: (data, message) => child().debug(data, message),
    info: (data, message) => child().info(data, message),
    warn: (data, message) => child().warn(data, message),
    error: (data, message) => child().error(data, message),
    child: (bindings) => child().child(bindings),
  };
}

/** Up, but slower than the check allows, is degraded. */
function withSlowness(outcome: Outcome, degradedAboveMs: number | undefined): Outcome {
  if (outcome.verdict !== 'up' || degradedAboveMs === undefined || outcome.durationMs <= degradedAboveMs) return outcome;
  const seconds = (ms: number) => `${Number((ms / 1000).toFixed(2))} s`;
  const failure = { kind: 'slow', message: `took ${seconds(outcome.durationMs)}, expected at most ${seconds(degradedAboveMs)}` };
  return { ...outcome, verdict: 'degraded', failure };
}

function faultOf(error: unknown, order: Order, log: Log, redact: Redact): Failure {
  if (error instanceof AgentFault) return { kind: error.kind, message: error.message };
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  log.error({ run: order.run, type: order.type, error: redact(words) }, 'a probe failed by its own fault');
  return { kind: 'probe-error', message: `The probe "${order.type}" failed by its own fault; the log of the agent says how.` };
}

function cleaned(outcome: Outcome, redact: Redact): Outcome {
  const { failure, steps, findings, measurements, loads, ...rest } = outcome;
  const cleanedLoads = loads && cleanLoads(loads, redact);
  return {
    ...rest,
    durationMs: rounded(Math.max(0, outcome.durationMs), 1_000),
    ...(failure ? { failure: cleanFailure(failure, redact) } : {}),
    ...(steps ? { steps: steps.slice(0, 100).map((step) => cleanStep(step, redact)) } : {}),
    ...(findings ? { findings: findings.slice(0, 10).map((finding) => cleanFinding(finding, redact)) } : {}),
    ...(measurements ? { measurements: cleanNumbers(measurements) } : {}),
    ...(cleanedLoads ? { loads: cleanedLoads } : {}),
  };
}

function cleanFailure({ kind, message, step }: Failure, redact: Redact): Failure {
  return { kind, message: redact(message), ...(step === undefined ? {} : { step: redact(step, 120) }) };
}

function cleanStep(step: StepResult, redact: Redact): StepResult {
  return { ...step, name: redact(step.name, 120), durationMs: rounded(step.durationMs, 1_000) };
}

function cleanFinding({ whose, ...finding }: Finding, redact: Redact): Finding {
  const target = Object.entries(finding.target).map(([key, value]) => [key, typeof value === 'string' ? redact(value, 200) : value]);
  // Names stay as they are, for the worker knows tenants by them; what is none would have the whole report refused.
  const named = whoseSchema.safeParse(whose).data;
  return { ...finding, text: redact(finding.text), target: Object.fromEntries(target), ...(named ? { whose: named } : {}) };
}

/** Of names that the report's schema would refuse nothing is told; nor of anything when there is no time to tell it by. */
function cleanLoads({ atMs, loads, unreadable }: Loads, redact: Redact): Loads | undefined {
  const clean = loads.flatMap((load) => {
    const whole = { ...load, counters: cleanNumbers(load.counters), levels: cleanNumbers(load.levels) };
    return loadSchema.safeParse(whole).data ?? [];
  });
  const told = { atMs, loads: clean.slice(0, MOST_LOADS), unreadable: unreadable.slice(0, 8).map((why) => redact(why, 200)) };
  return loadsSchema.safeParse(told).data;
}

/** NaN and Infinity do not survive JSON. */
function cleanNumbers(measurements: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const clean: Record<string, number> = {};
  for (const [name, value] of Object.entries(measurements))
    if (value !== undefined && Number.isFinite(value)) clean[name] = rounded(value, name.endsWith('_ms') ? 1_000 : 1_000_000);
  return clean;
}

/** To so many parts of one: a difference of two clocks has digits that nobody measured, and each travels and is stored. */
function rounded(value: number, parts: number): number {
  return Number.isInteger(value) ? value : Math.round(value * parts) / parts;
}

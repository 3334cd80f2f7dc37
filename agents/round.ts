/** Runs the orders of one round: at their time, side by side, and tells their results. */
import type { Clock } from '../core/clock.ts';
import type { Result } from '../core/result.ts';
import type { Order } from '../core/run.ts';
import type { Report } from '../jobs/contract.ts';
import { type ExecuteDeps, execute, Stopping } from './execute.ts';
import type { Limiter } from './limiter.ts';
import * as metrics from './metrics.ts';
import type { Reporter } from './reporter.ts';

type Refusal = Report['refusals'][number];

/** The queue holds orders until they are due, so what is left to wait is short; whatever a clock shows, no more is waited. */
const MAX_WAIT_MS = 5_000;
/** Good results wait this long for the others of their round. */
const GATHER_MS = 1_000;

export interface RoundDeps extends ExecuteDeps {
  /** By which the times of the orders are told: their planner's, never our own. */
  clock: Clock;
  reporter: Reporter;
  limiter: Limiter;
}

export interface StopSignals {
  /** No new run is begun. */
  draining: AbortSignal;
  /** Runs that have begun are given up. */
  stopping: AbortSignal;
}

/** Resolves when every order has ended in a result or in a refusal, and the queue or the disk has them. */
export async function runRound(orders: readonly Order[], deps: RoundDeps, stop: StopSignals): Promise<void> {
  const gathered = gatherer(deps);
  const run = async (order: Order, isDue: boolean) => {
    const ended: Result | Refusal = isDue ? await runOrder(order, deps, stop) : { run: order.run, reason: 'stopping' };
    if ('reason' in ended) metrics.refusals.inc({ reason: ended.reason });
    else count(order, ended);
    await gathered.add(ended);
  };
  // Many are due in the same moment: one timer for all of them.
  const moments = [...Map.groupBy(orders, ({ notBeforeMs }) => notBeforeMs)].map(async ([notBeforeMs, together]) => {
    const isDue = await due(notBeforeMs, deps, stop.draining);
    await Promise.all(together.map((order) => run(order, isDue)));
  });
  await Promise.all(moments);
  await gathered.flush();
}

async function runOrder(order: Order, deps: RoundDeps, stop: StopSignals): Promise<Result | Refusal> {
  const refused = (reason: Refusal['reason']): Refusal => ({ run: order.run, reason });
  if (!deps.probes.has(order.type)) return refused('unknown-type');
  let leave: () => void;
  try {
    leave = await deps.limiter.enter(stop.draining);
  } catch {
    return refused('stopping');
  }
  try {
    if (deps.clock.now() > order.notAfterMs) return refused('stale');
    return await execute(order, deps, stop.stopping);
  } catch (error) {
    if (error instanceof Stopping) return refused('stopping');
    throw error;
  } finally {
    leave();
  }
}

/** Waits for the orders' time. False when the agent drains first. */
async function due(notBeforeMs: number, deps: RoundDeps, draining: AbortSignal): Promise<boolean> {
  const waitMs = Math.min(notBeforeMs - deps.clock.now(), MAX_WAIT_MS);
  if (waitMs > 0 && !draining.aborted) {
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        draining.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      draining.addEventListener('abort', done, { once: true });
    });
  }
  return !draining.aborted;
}

function count(order: Order, result: Result): void {
  metrics.runs.inc({ type: order.type, verdict: result.verdict });
  metrics.runSeconds.observe({ type: order.type }, result.durationMs / 1000);
  metrics.latenessSeconds.observe(Math.max(0, result.startLatenessMs) / 1000);
  metrics.lastRun.setToCurrentTime();
}

/** Good news travels together; what is wrong is told at once. */
function gatherer({ reporter }: RoundDeps) {
  let results: Result[] = [];
  let refusals: Refusal[] = [];
  let timer: NodeJS.Timeout | undefined;
  let background: Promise<void> = Promise.resolve();
  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    const body = { results, refusals };
    results = [];
    refusals = [];
    if (body.results.length + body.refusals.length > 0) await reporter.send(body);
  };
  return {
    async add(ended: Result | Refusal): Promise<void> {
      if ('reason' in ended) refusals.push(ended);
      else if (ended.verdict === 'down' || ended.verdict === 'fault') await reporter.send({ results: [ended] });
      else results.push(ended);
      timer ??= setTimeout(() => {
        background = flush();
        // Told to whoever waits for the round.
        background.catch(() => {});
      }, GATHER_MS);
    },
    async flush(): Promise<void> {
      await background;
      await flush();
    },
  };
}

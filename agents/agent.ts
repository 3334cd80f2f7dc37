/**
 * An agent: works the queues of its location, and nothing else. A target that is down is a job done well; a job fails only when
 * the agent is broken.
 *
 * working ──stop──► draining (nothing is begun, what waits is handed back) ──8 s──► stopping (what runs is handed back) ──► closed
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import { actionJobSchema, QUEUES, roundSchema } from '../jobs/contract.ts';
import { Malformed, type Queues } from '../jobs/queue.ts';
import type { Probe } from '../probes/probe.ts';
import type { Action } from '../runbooks/action.ts';
import { actionRunner } from './actions.ts';
import { addersClock } from './adders-clock.ts';
import type { WarmBrowser } from './browser.ts';
import { limiter } from './limiter.ts';
import * as metrics from './metrics.ts';
import type { Reporter } from './reporter.ts';
import { type RoundDeps, runRound } from './round.ts';
import type { Secrets } from './secrets.ts';

/** Light checks at once, over all rounds: each is a socket or two. */
const MAX_LIGHT_RUNS = 50;
/** Rounds at once: one for each second that a slow check may hold its round up. */
const MAX_ROUNDS = 20;
/** What runs gets so long to end when the agent is told to stop; with the next, less than the 10 s that a process has. */
const DRAIN_MS = 6_000;
/** And this long to hand back what did not. */
const HAND_BACK_MS = 2_000;

export interface AgentDeps {
  location: string;
  queues: Pick<Queues, 'work' | 'serverNow'>;
  probes: ReadonlyMap<string, Probe>;
  actions: ReadonlyMap<string, Action>;
  secrets: Secrets;
  browser: WarmBrowser;
  reporter: Reporter;
  /** Our own. What its wall clock shows decides nothing. */
  clock: Clock;
  log: Log;
  /** Where journeys are. */
  filesFolder?: string;
  /** Journeys at once; each takes a context of the browser and most of a core. */
  maxJourneys?: number;
  drainMs?: number;
}

export interface Agent {
  /** Finishes what runs, at most 6 s, and hands back the rest. */
  stop(): Promise<void>;
}

/** Starts to work the location's queues. */
export function startAgent(deps: AgentDeps): Agent {
  const { location, queues, log } = deps;
  const draining = new AbortController();
  const stopping = new AbortController();
  const stop = { draining: draining.signal, stopping: stopping.signal };
  const maxJourneys = deps.maxJourneys ?? 2;

  const rounds = (maxAtOnce: number) => {
    const places = limiter(maxAtOnce);
    return async (job: { data: unknown }) => {
      const round = parsed(roundSchema, job.data);
      const own: RoundDeps = { ...deps, limiter: places, clock: await addersClock(round, deps) };
      await runRound(round.orders, own, stop);
    };
  };
  const runAction = actionRunner(deps);
  const act = async (job: { data: unknown }) => {
    const action = parsed(actionJobSchema, job.data);
    const report = await runAction(action, await addersClock(action, deps), stopping.signal);
    if (!report) return;
    metrics.actionsRun.inc({ type: action.type, outcome: report.outcome });
    await deps.reporter.send({ actions: [report] });
  };

  const working = [
    queues.work(QUEUES.round(location), { concurrency: MAX_ROUNDS, policy: 'once' }, rounds(MAX_LIGHT_RUNS)),
    queues.work(QUEUES.journey(location), { concurrency: maxJourneys, policy: 'once' }, rounds(maxJourneys)),
    queues.work(QUEUES.action(location), { concurrency: 2, policy: 'once' }, act),
  ];
  log.info({ location, probes: [...deps.probes.keys()] }, `makes the rounds at ${location}`);

  return {
    async stop() {
      draining.abort();
      const drainMs = deps.drainMs ?? DRAIN_MS;
      const timer = setTimeout(() => stopping.abort(new Error('the agent stops')), drainMs);
      await Promise.all(working.map((one) => one.close(drainMs + HAND_BACK_MS)));
      clearTimeout(timer);
    },
  };
}

function parsed<T>(schema: { safeParse(data: unknown): { success: true; data: T } | { success: false } }, data: unknown): T {
  const result = schema.safeParse(data);
  if (!result.success) throw new Malformed('the job is not what the contract says');
  return result.data;
}

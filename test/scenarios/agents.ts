/**
 * Agents in simulated time: what `agents/round.ts` and `agents/execute.ts` do with an order, and when its report is there. All that happens
 * in a scenario is known from the beginning, so an order's whole fate is worked out when it is given.
 */
import type { Check, Purpose } from '../../core/check.ts';
import type { Failure, Finding } from '../../core/result.ts';
import type { Found, Timeline } from './timeline.ts';

/** From the worker to an agent, and back. */
const TRANSIT_MS = 100;
/** Good results wait this long for others of their round: `GATHER_MS` of agents/round.ts. */
const GATHER_MS = 1_000;
/** What an agent waits at most for an order's time: `MAX_WAIT_MS` of agents/round.ts. */
const MAX_WAIT_MS = 5_000;

/** A run that was entered in the ledger. */
export interface Run {
  check: Check;
  location: string;
  slotMs: number;
  purpose: Purpose;
  ask: number;
  /** By the workers' clock. */
  plannedAtMs: number;
  notAfterMs: number;
  /** `due` until its report is there, or until it is missed. A report that comes later is folded all the same. */
  state: 'due' | 'missed' | 'ended';
}

/** What an agent tells of a run, and when it is there, as often as it arrives. */
export interface Told {
  run: Run;
  arrivesAtMs: number[];
  result?: { verdict: Found['verdict']; durationMs: number; failure?: Failure; findings: Finding[]; attempts: number };
  /** Why there is no result. */
  refused?: 'stale';
}

export interface AgentWorld {
  timeline: Timeline;
  /** The workers' wall clock, at that moment of the scenario. */
  workersWallMs(atMs: number): number;
}

/**
 * What becomes of an order that is put on the agent's queue at `atMs` for `inMs` later. `undefined`: nothing comes of it, ever. The agent
 * knows what the planner's clock showed when the order was added and how long ago that is, by the queue's server (agents/adders-clock.ts). So
 * the agent's own wall clock has no say here, and that it has none in the product is shown by test/agents/clock.test.ts.
 */
export function obey(run: Run, atMs: number, inMs: number, world: AgentWorld): Told | undefined {
  const takenAtMs = takenUp(run.location, atMs + Math.max(0, inMs) + TRANSIT_MS, world);
  const plannersMs = (ms: number) => world.workersWallMs(atMs) + ms - atMs;
  const waitMs = Math.max(0, Math.min(run.plannedAtMs - plannersMs(takenAtMs), MAX_WAIT_MS));
  const beginsAtMs = takenAtMs + waitMs;
  if (!Number.isFinite(beginsAtMs)) return undefined;
  if (plannersMs(beginsAtMs) > run.notAfterMs) return { run, refused: 'stale', arrivesAtMs: arrivals(run, beginsAtMs + GATHER_MS, world) };
  const { endsAtMs, result } = execute(run, beginsAtMs, world.timeline);
  // An agent that is gone before the run has ended tells nothing of it.
  if (world.timeline.backAtMs(run.location, endsAtMs) > 0) return undefined;
  const isNews = result.verdict === 'down' || result.verdict === 'fault';
  return { run, result, arrivesAtMs: arrivals(run, endsAtMs + (isNews ? 0 : GATHER_MS), world) };
}

function takenUp(location: string, atMs: number, { timeline }: AgentWorld): number {
  return Math.max(atMs, timeline.backAtMs(location, atMs));
}

/** Reports wait in the queue while the workers are stopped. */
function arrivals(run: Run, sentAtMs: number, { timeline }: AgentWorld): number[] {
  return timeline.arrivals(run.location, sentAtMs, TRANSIT_MS).map((atMs) => Math.max(atMs, timeline.startsAtMs(atMs)));
}

/** The attempts of one run: once more at once while the target is down, as often as the check allows. */
function execute(run: Run, beginsAtMs: number, timeline: Timeline): { endsAtMs: number; result: NonNullable<Told['result']> } {
  const { check, location, slotMs, purpose } = run;
  let atMs = beginsAtMs;
  let attempt = 0;
  let found: Found;
  do {
    found = timeline.found({ check, location, slotMs, purpose, attempt, atMs });
    atMs += found.takesMs;
    attempt++;
  } while (found.verdict === 'down' && attempt <= check.retries);
  const findings = found.verdict === 'up' ? [] : timeline.findingsOf(check.id, atMs);
  const failure = found.failure ? { failure: found.failure } : {};
  return { endsAtMs: atMs, result: { verdict: found.verdict, durationMs: found.takesMs, findings, attempts: attempt, ...failure } };
}

/**
 * The first step of evaluation: results are folded into the state of their check, one row, and a verdict follows.
 *
 * A location's latest result speaks for it while it is fresh (1.5 intervals and the time a run takes). Of the fresh ones:
 *
 *   down       more than half of all locations say down
 *   degraded   more than half say down or degraded; or one location alone fails for three slots (`lone`)
 *   up         more than half say up
 *   blind      fewer than half speak, and of the others two runs in a row that were due brought nothing
 *   waiting    fewer than half speak, but little that was due is missing: Rounds has just begun, or was stopped
 *   undecided  enough speak, but no half agrees
 *
 * That is the verdict of the moment. What incidents are judged by is the *held* verdict: worse counts at once, `blind`,
 * `waiting` and `undecided` change nothing of what is held, and better counts only once a quorum of locations has been up for
 * `resolveAfter` rounds in a row. So one good round between two bad ones neither closes an incident nor opens a second. Slow is
 * not broken: a quorum must have been slow for two rounds in a row before `degraded` is held. What was down becomes `degraded` when it has
 * worked for `resolveAfter` rounds and is still slow, or still fails from some locations.
 *
 * A result of the agent's own fault says nothing of the target: it is neither up nor down and counts as missing.
 * Results are ordered by the planner's clock; one that is older than what is folded never steps backwards.
 */
import { type Check, freshForMs, quorumOf, type Verdict } from './check.ts';
import type { Failure, Finding } from './result.ts';

export type MomentVerdict = 'up' | 'degraded' | 'down' | 'blind' | 'waiting' | 'undecided';
export type HeldVerdict = 'up' | 'degraded' | 'down' | 'unknown';

/** What one location last said. */
export interface LocationState {
  /** When the run was planned, by the planner's clock. */
  plannedAtMs: number;
  run: string;
  verdict: 'up' | 'degraded' | 'down';
  /** Since when it has said this, by the planner's clock. */
  sinceMs: number;
  /** Rounds in a row that were up. */
  upStreak: number;
  /** Rounds in a row that were not up. */
  badStreak: number;
  /** Rounds in a row that were not down: up, or merely slow. */
  worksStreak: number;
  durationMs: number;
  failure?: Failure;
  findings: Finding[];
  pictureId?: number;
}

/** The latest run of a location that brought no verdict. */
export interface Gap {
  plannedAtMs: number;
  reason: string;
  /** How many in a row. */
  runs: number;
}

export interface CheckState {
  locations: Record<string, LocationState>;
  gaps: Record<string, Gap>;
  moment: MomentVerdict;
  held: HeldVerdict;
  /** One location, or some below the quorum, have failed for three slots. */
  lone: boolean;
  /** Two or more locations fail, but no quorum. */
  split: boolean;
  /** Since when it is well, or not well, by the planner's clock. */
  heldSinceMs: number;
  /** The slot for which confirmations were asked last. */
  confirmedSlotMs?: number;
}

export const EMPTY_STATE: CheckState = {
  locations: {},
  gaps: {},
  moment: 'waiting',
  held: 'unknown',
  lone: false,
  split: false,
  heldSinceMs: 0,
};

/** What is folded: a result with its place in the planner's time. */
export interface FoldInput {
  run: string;
  location: string;
  plannedAtMs: number;
  verdict: Verdict;
  durationMs: number;
  failure?: Failure;
  findings: Finding[];
  pictureId?: number;
  /** Run outside the slots: it says how things are, but three presses in ten seconds are not three rounds. */
  extra?: boolean;
}

/** Slots in a row after which a single failing location counts as degradation. */
const LONE_AFTER_SLOTS = 3;
/** One slow round is no degradation: a backup, a cold cache, a busy minute. */
const SLOW_AFTER_SLOTS = 2;
/** A result planned so much later than now comes from a planner whose clock had jumped: it says nothing and is in nobody's way. */
const FUTURE_MS = 15 * 60_000;
/** One run may be lost; a location that loses two in a row has gone blind. */
const BLIND_AFTER_RUNS = 2;

/** A streak counts rounds; a run between them neither begins one nor makes it longer, but one that says otherwise ends it. */
function longer(streak: number | undefined, input: FoldInput): number {
  return (streak ?? 0) + (input.extra ? 0 : 1);
}

/** Folds one result in. Returns the same object when it is older than what is known of its location. */
export function foldResult(state: CheckState, input: FoldInput): CheckState {
  const known = state.locations[input.location];
  if (known && known.plannedAtMs >= input.plannedAtMs && known.plannedAtMs - input.plannedAtMs <= FUTURE_MS) return state;
  if (input.verdict === 'fault') {
    return foldGap(state, input.location, { plannedAtMs: input.plannedAtMs, reason: input.failure?.kind ?? 'fault' });
  }
  const same = known?.verdict === input.verdict;
  const up = input.verdict === 'up';
  const next: LocationState = {
    plannedAtMs: input.plannedAtMs,
    run: input.run,
    verdict: input.verdict,
    sinceMs: same && known ? known.sinceMs : input.plannedAtMs,
    upStreak: up ? longer(known?.upStreak, input) : 0,
    badStreak: up ? 0 : longer(known?.badStreak, input),
    worksStreak: input.verdict === 'down' ? 0 : longer(known?.worksStreak, input),
    durationMs: input.durationMs,
    findings: input.findings,
    ...(input.failure ? { failure: input.failure } : {}),
    ...(input.pictureId ? { pictureId: input.pictureId } : {}),
  };
  return { ...state, locations: { ...state.locations, [input.location]: next } };
}

/** Notes that a run which was due brought no verdict. */
export function foldGap(state: CheckState, location: string, gap: Omit<Gap, 'runs'>): CheckState {
  const known = state.gaps[location];
  if (known && known.plannedAtMs >= gap.plannedAtMs) return state;
  const inARow = known && known.plannedAtMs > (state.locations[location]?.plannedAtMs ?? 0) ? known.runs + 1 : 1;
  return { ...state, gaps: { ...state.gaps, [location]: { ...gap, runs: inARow } } };
}

export interface Count {
  quorum: number;
  total: number;
  fresh: string[];
  down: string[];
  /** Down or degraded. */
  bad: string[];
  up: string[];
  /** Not fresh, and the runs that were due since brought nothing. */
  missing: string[];
}

/** When and under what a verdict is drawn. */
export interface Moment {
  nowMs: number;
  /** What was due before was due to nobody. */
  planningSinceMs: number;
  /** Locations whose agents are at fault: what they say counts as missing. */
  distrusted: ReadonlySet<string>;
  /** Times that are over, in which what a location said was not to be believed. */
  disbelieved?: ReadonlyMap<string, { fromMs: number; untilMs: number }>;
}

/** Counts what the check's locations say at that moment. */
export function count(check: Check, state: CheckState, { nowMs, planningSinceMs, distrusted }: Moment): Count {
  const freshMs = freshForMs(check);
  const result: Count = { quorum: quorumOf(check), total: check.locations.length, fresh: [], down: [], bad: [], up: [], missing: [] };
  for (const location of check.locations) {
    const known = state.locations[location];
    const gap = state.gaps[location];
    if (distrusted.has(location)) result.missing.push(location);
    else if (known && nowMs - known.plannedAtMs <= freshMs && known.plannedAtMs - nowMs <= FUTURE_MS) {
      result.fresh.push(location);
      if (known.verdict === 'down') result.down.push(location);
      (known.verdict === 'up' ? result.up : result.bad).push(location);
    } else if (gap && gap.runs >= BLIND_AFTER_RUNS && gap.plannedAtMs > (known?.plannedAtMs ?? 0) && gap.plannedAtMs >= planningSinceMs) {
      result.missing.push(location);
    }
  }
  return result;
}

function momentOf(counted: Count): MomentVerdict {
  const { quorum } = counted;
  if (counted.down.length >= quorum) return 'down';
  if (counted.bad.length >= quorum) return 'degraded';
  if (counted.up.length >= quorum) return 'up';
  if (counted.fresh.length >= quorum) return 'undecided';
  return counted.missing.length > counted.total - quorum ? 'blind' : 'waiting';
}

const SEVERITY: Record<HeldVerdict, number> = { unknown: 0, up: 0, degraded: 1, down: 2 };

/** A quorum of fresh locations has been up for `resolveAfter` rounds, and none that is fresh fails for as long. */
function settled(check: Check, state: CheckState, counted: Count): boolean {
  const steady = counted.up.filter((location) => (state.locations[location]?.upStreak ?? 0) >= check.resolveAfter);
  return steady.length >= counted.quorum;
}

/** What was down works again by quorum, if slowly, and has for as long as it must be well to be resolved. */
function worksAgain(check: Check, state: CheckState, counted: Count): boolean {
  const working = counted.fresh.filter((location) => (state.locations[location]?.worksStreak ?? 0) >= check.resolveAfter);
  return working.length >= counted.quorum;
}

function holdNext(check: Check, state: CheckState, counted: Count, moment: MomentVerdict, troubled: HeldVerdict): HeldVerdict {
  if (SEVERITY[troubled] > SEVERITY[state.held]) return troubled;
  if (moment === 'blind' || moment === 'waiting' || moment === 'undecided') return state.held;
  if (state.held === 'up' || state.held === 'unknown') return moment === 'up' ? 'up' : state.held;
  if (troubled === 'up' && settled(check, state, counted)) return 'up';
  const isSlow = troubled === 'degraded' || moment === 'degraded';
  return state.held === 'down' && isSlow && worksAgain(check, state, counted) ? 'degraded' : state.held;
}

/** The check's verdict at that moment, and what is held. Pure: the same state and time give the same answer. */
export function decide(check: Check, state: CheckState, time: Moment): { state: CheckState; counted: Count } {
  const counted = count(check, state, time);
  const seen = momentOf(counted);
  // Blindness ends when a quorum sees again, not when what was due has been forgotten.
  const moment = seen === 'waiting' && state.moment === 'blind' ? 'blind' : seen;
  // While too few others speak, nobody can say that it is alone.
  const lone =
    check.locations.length > 1 &&
    counted.fresh.length >= counted.quorum &&
    counted.bad.length < counted.quorum &&
    counted.bad.some((location) => (state.locations[location]?.badStreak ?? 0) >= LONE_AFTER_SLOTS);
  const split = counted.down.length >= 2 && counted.down.length < counted.quorum;
  const slow = counted.bad.filter((location) => (state.locations[location]?.badStreak ?? 0) >= SLOW_AFTER_SLOTS);
  const degraded = lone || split || (moment === 'degraded' && slow.length >= counted.quorum);
  const troubled: HeldVerdict = moment === 'down' ? 'down' : degraded ? 'degraded' : 'up';
  const held = holdNext(check, state, counted, moment, troubled);
  // Slow first and then down is one trouble: it began when it was well no more.
  const goesOn = held === state.held || (SEVERITY[held] > 0 && SEVERITY[state.held] > 0);
  const heldSinceMs = goesOn ? state.heldSinceMs : beganAt(state, counted, held, time.nowMs);
  return { state: { ...state, moment, held, lone, split, heldSinceMs }, counted };
}

/** A failure began with the first of the runs that show it, not when enough of them had agreed. */
function beganAt(state: CheckState, counted: Count, held: HeldVerdict, nowMs: number): number {
  const shown = held === 'up' ? counted.up : counted.bad;
  return Math.min(nowMs, ...shown.map((location) => state.locations[location]?.sinceMs ?? nowMs));
}

/** When the next location falls silent if nothing more comes: the sweeper looks at the check then. */
export function staleAtMs(check: Check, state: CheckState, nowMs: number): number | undefined {
  const freshMs = freshForMs(check);
  const ends = check.locations.map((location) => (state.locations[location]?.plannedAtMs ?? 0) + freshMs).filter((end) => end > nowMs);
  return ends.length === 0 ? undefined : Math.min(...ends) + 1;
}

/**
 * The locations that should confirm at once: when a location has just begun to fail and no quorum has spoken since. Asked once
 * for each slot that begins to fail.
 */
export function confirmFrom(check: Check, state: CheckState, failed: FoldInput): string[] {
  if (failed.verdict !== 'down' || check.locations.length < 2) return [];
  if (state.held === 'down' || (state.locations[failed.location]?.badStreak ?? 0) > LONE_AFTER_SLOTS) return [];
  return check.locations.filter((location) => {
    const known = state.locations[location];
    return location !== failed.location && (!known || known.plannedAtMs < failed.plannedAtMs || known.verdict === 'up');
  });
}

/** Rounds that a check still has to be up for, by quorum; 0 when it has settled. */
export function roundsLeft(check: Check, state: CheckState): number {
  const streaks = check.locations.map((location) => state.locations[location]?.upStreak ?? 0).sort((a, b) => b - a);
  return Math.max(0, check.resolveAfter - (streaks[quorumOf(check) - 1] ?? 0));
}

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
 * worked for `resolveAfter` rounds, if slowly in some of them, or still fails from some locations.
 *
 * A result of the agent's own fault says nothing of the target: it is neither up nor down and counts as missing.
 * Results are ordered by the planner's clock, in whatever order they come (`core/recent.ts`); one that is older than the latest word of its
 * location never steps backwards, and counts for the streaks.
 */
import { type Check, freshForMs, quorumOf, type Verdict } from './check.ts';
import { type Gap, insertRound, irregular, type Keeping, type Recent, type Round, regular, type Streaks, sumOf } from './recent.ts';
import type { Failure, Finding } from './result.ts';

export type MomentVerdict = 'up' | 'degraded' | 'down' | 'blind' | 'waiting' | 'undecided';
export type HeldVerdict = 'up' | 'degraded' | 'down' | 'unknown';

export type { Gap } from './recent.ts';

/** What one location last said: when that was planned by the planner's clock, since when it has said so, and for how many rounds. */
export interface LocationState extends Streaks {
  run: string;
  durationMs: number;
  failure?: Failure;
  findings: Finding[];
  pictureId?: number;
}

export interface CheckState {
  locations: Record<string, LocationState>;
  gaps: Record<string, Gap>;
  /** By location: its latest runs, so that one that is told late is counted in its place. Without, all of them were up. */
  recent?: Record<string, Recent>;
  moment: MomentVerdict;
  held: HeldVerdict;
  /** One location, or some below the quorum, have failed for three slots. */
  lone: boolean;
  /** Two or more locations fail, but no quorum. */
  split: boolean;
  /** Since when it is well, or not well, by the planner's clock. */
  heldSinceMs: number;
  /** When it last got worse, while it is not well: slow for an hour, and then down, may have two causes. */
  worseSinceMs?: number;
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

/** The state without what was said of locations from which the check no longer runs. */
export function ofLocations(state: CheckState, locations: readonly string[]): CheckState {
  const kept = <T>(all: Record<string, T>) => Object.fromEntries(Object.entries(all).filter(([id]) => locations.includes(id)));
  return { ...state, locations: kept(state.locations), gaps: kept(state.gaps), recent: kept(state.recent ?? {}) };
}

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
export const LONE_AFTER_SLOTS = 3;
/** One slow round is no degradation: a backup, a cold cache, a busy minute. */
export const SLOW_AFTER_SLOTS = 2;
/** A result planned so much later than now comes from a planner whose clock had jumped: it says nothing and is in nobody's way. */
export const FUTURE_MS = 2 * 60_000;
/** One run may be lost; a location that loses two in a row has gone blind. */
const BLIND_AFTER_RUNS = 2;

type Counting = Pick<Check, 'everyMs' | 'resolveAfter'>;

/** So many verdicts of a location are kept in their order: as many as anything is counted by. */
function keepingOf({ everyMs, resolveAfter }: Counting): Keeping {
  return { everyMs, keep: Math.max(resolveAfter, LONE_AFTER_SLOTS) + 1 };
}

/**
 * Folds one result in, where it belongs by its planning: what is told late still counts for the streaks, and speaks for its location only
 * when it is the latest. Returns the same object when it says nothing new.
 */
export function foldResult(check: Counting, state: CheckState, input: FoldInput): CheckState {
  const { location, plannedAtMs, verdict } = input;
  if (verdict === 'fault') return foldGap(check, state, location, { plannedAtMs, reason: input.failure?.kind ?? 'fault' });
  const known = state.locations[location];
  if (known?.run === input.run && known.plannedAtMs === plannedAtMs) return state;
  const round: Round = { plannedAtMs, word: verdict, ...(input.extra ? { extra: true } : {}) };
  const next = withRound(keepingOf(check), state, location, round);
  if (next.state === state || !next.said) return state;
  const details = next.said.plannedAtMs === plannedAtMs || !known ? detailsOf(input) : known;
  return { ...next.state, locations: { ...state.locations, [location]: { ...details, ...next.said } } };
}

/** Notes that a run which was due brought no verdict. */
export function foldGap(check: Counting, state: CheckState, location: string, gap: Omit<Gap, 'runs' | 'sinceMs'>): CheckState {
  return withRound(keepingOf(check), state, location, { plannedAtMs: gap.plannedAtMs, word: 'none', reason: gap.reason }).state;
}

function withRound(by: Keeping, state: CheckState, location: string, round: Round): { state: CheckState; said?: Streaks } {
  const before = recentOf(by, state, location);
  const recent = insertRound(before, round, by);
  if (recent === before) return { state };
  const { said, gap } = sumOf(recent, by);
  const kept = irregular(recent, by);
  const next = { ...state, gaps: put(state.gaps, location, gap), recent: put(state.recent ?? {}, location, kept) };
  return { state: next, ...(said ? { said } : {}) };
}

function put<T>(all: Record<string, T>, location: string, one: T | undefined): Record<string, T> {
  if (one !== undefined) return { ...all, [location]: one };
  const { [location]: _gone, ...others } = all;
  return others;
}

function recentOf(by: Keeping, state: CheckState, location: string): Recent {
  const known = state.recent?.[location];
  if (known) return known;
  const [said, gap] = [state.locations[location], state.gaps[location]];
  return regular({ ...(said ? { said: streaksOf(said) } : {}), ...(gap ? { gap } : {}) }, by);
}

function streaksOf({ plannedAtMs, verdict, sinceMs, upStreak, badStreak, worksStreak }: LocationState): Streaks {
  return { plannedAtMs, verdict, sinceMs, upStreak, badStreak, worksStreak };
}

function detailsOf({ run, durationMs, findings, failure, pictureId }: FoldInput): Omit<LocationState, keyof Streaks> {
  return { run, durationMs, findings, ...(failure ? { failure } : {}), ...(pictureId ? { pictureId } : {}) };
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
  if (state.held === 'up' || state.held === 'unknown') return moment === 'up' ? 'up' : state.held;
  // Both need a quorum that speaks: who sees nothing gets nothing better.
  if (troubled === 'up' && settled(check, state, counted)) return 'up';
  return state.held === 'down' && worksAgain(check, state, counted) ? 'degraded' : state.held;
}

/** The check's verdict at that moment, and what is held. Pure: the same state and time give the same answer. */
export function decide(check: Check, state: CheckState, time: Moment): { state: CheckState; counted: Count } {
  const counted = count(check, state, time);
  const seen = momentOf(counted);
  // Blindness ends when a quorum sees again, not when what was due has been forgotten.
  const moment = seen === 'waiting' && state.moment === 'blind' ? 'blind' : seen;
  // What failed for some and fell silent has not become well by that.
  const silent = state.held === 'degraded' && (state.lone || state.split) ? silentOf(check, state, counted, time) : [];
  // While too few others speak, nobody can say that it is alone.
  const alone = counted.fresh.length >= counted.quorum && hasFailed(state, counted.bad);
  const lone = check.locations.length > 1 && counted.bad.length < counted.quorum && (alone || hasFailed(state, silent));
  const down = [...counted.down, ...silent.filter((location) => state.locations[location]?.verdict === 'down')];
  const split = down.length >= 2 && counted.down.length < counted.quorum;
  const slow = counted.bad.filter((location) => (state.locations[location]?.badStreak ?? 0) >= SLOW_AFTER_SLOTS);
  // One alone for three slots is enough; that others are slow now for the first time makes it no better.
  const lasts = slow.length >= counted.quorum || hasFailed(state, counted.bad);
  const degraded = lone || split || (moment === 'degraded' && lasts);
  const troubled: HeldVerdict = moment === 'down' ? 'down' : degraded ? 'degraded' : 'up';
  const held = holdNext(check, state, counted, moment, troubled);
  const { worseSinceMs: _before, ...rest } = state;
  return { state: { ...rest, ...sinceWhen(state, counted, held, time.nowMs), moment, held, lone, split }, counted };
}

/** Since when it is well or not, and since when it is so bad. Slow first and then down is one trouble: it began when it was well no more. */
function sinceWhen(state: CheckState, counted: Count, held: HeldVerdict, nowMs: number): Pick<CheckState, 'heldSinceMs' | 'worseSinceMs'> {
  if (held === state.held) return onsetsOf(state);
  const beganMs = beganAt(state, counted, held, nowMs);
  if (SEVERITY[held] === 0) return { heldSinceMs: beganMs };
  const goesOn = SEVERITY[state.held] > 0;
  if (SEVERITY[held] < SEVERITY[state.held]) return onsetsOf(state);
  const saying = held === 'down' ? counted.down : counted.bad;
  return { heldSinceMs: goesOn ? state.heldSinceMs : beganMs, worseSinceMs: earliest(state, saying, nowMs) };
}

function onsetsOf({ heldSinceMs, worseSinceMs }: CheckState): Pick<CheckState, 'heldSinceMs' | 'worseSinceMs'> {
  return { heldSinceMs, ...(worseSinceMs === undefined ? {} : { worseSinceMs }) };
}

/** Whether one of these has failed for three slots. */
function hasFailed(state: CheckState, locations: readonly string[]): boolean {
  return locations.some((location) => (state.locations[location]?.badStreak ?? 0) >= LONE_AFTER_SLOTS);
}

/** Locations of which the last word was no good one, and that say nothing more. What is not believed has said nothing. */
function silentOf(check: Check, state: CheckState, { fresh }: Count, { distrusted }: Moment): string[] {
  const isBad = (location: string) => (state.locations[location]?.verdict ?? 'up') !== 'up';
  return check.locations.filter((location) => isBad(location) && !fresh.includes(location) && !distrusted.has(location));
}

/** A failure began with the first of the runs that show it, not when enough of them had agreed. */
function beganAt(state: CheckState, counted: Count, held: HeldVerdict, nowMs: number): number {
  return earliest(state, held === 'up' ? counted.up : counted.bad, nowMs);
}

function earliest(state: CheckState, locations: readonly string[], nowMs: number): number {
  return Math.min(nowMs, ...locations.map((location) => state.locations[location]?.sinceMs ?? nowMs));
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

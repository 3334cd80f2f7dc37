/**
 * Folding, as every process does it: the worker, the replay of what was logged, and simulated days. What came of a check's runs is
 * folded in the order of their planning, the verdict is drawn at one moment, and what follows is told: decisions, confirmations to ask
 * for, and whether its scope is to be judged.
 */
import type { Check } from './check.ts';
import {
  type CheckState,
  type Count,
  confirmFrom,
  decide,
  type FoldInput,
  FUTURE_MS,
  foldGap,
  foldResult,
  type Moment,
  staleAtMs,
} from './evaluate.ts';
import type { Reasoned } from './facts.ts';
import { showsLocationTrouble } from './location.ts';
import type { Recent, Sum } from './recent.ts';

export interface FoldGap {
  location: string;
  plannedAtMs: number;
  reason: string;
}

/** What came of a check's runs. */
export interface FoldWork {
  results: readonly FoldInput[];
  gaps: readonly FoldGap[];
}

/** Locations that are to run the check at once, for the slot that began to fail. */
export interface Confirmation {
  slotMs: number;
  /** Whose failure it was. */
  failed: string;
  locations: string[];
}

export interface Folded {
  state: CheckState;
  decisions: Reasoned[];
  confirmations: Confirmation[];
  /** When to look again if nothing comes. */
  staleAtMs?: number;
  /** There is something to judge. */
  dirty: boolean;
  /** It may change what is thought of a location. */
  watched: boolean;
}

/** Folds what came of one check's runs, in any order, and draws its verdict. */
export function foldCheck(check: Check, before: CheckState, work: FoldWork, time: Moment): Folded {
  // What comes late from a location that the check no longer runs from says nothing any more.
  const own = (one: { location: string; plannedAtMs: number }) => check.locations.includes(one.location) && !isAhead(one, time);
  const inOrder = (a: { plannedAtMs: number }, b: { plannedAtMs: number }) => a.plannedAtMs - b.plannedAtMs;
  let folded = withoutUnbelievable(before, time);
  const confirmations: Confirmation[] = [];
  for (const input of work.results.filter(own).sort(inOrder)) {
    if (isDisbelieved(input.location, input, time)) continue;
    const next = foldResult(check, folded, input);
    if (next === folded) continue;
    folded = next;
    // What was told late is no news of its location.
    if (folded.locations[input.location]?.run !== input.run) continue;
    const locations = input.extra || time.distrusted.has(input.location) ? [] : confirmFrom(check, folded, input);
    if (locations.length > 0) confirmations.push({ slotMs: input.plannedAtMs, failed: input.location, locations });
  }
  for (const { location, ...gap } of work.gaps.filter(own).sort(inOrder)) folded = foldGap(check, folded, location, gap);
  const { state, counted } = decide(check, folded, time);
  const stale = staleAtMs(check, state, time.nowMs);
  return {
    state,
    decisions: verdictDecisions(check, before, state, counted),
    confirmations,
    dirty: !isQuiet(before) || !isQuiet(state),
    watched: showsLocationTrouble(check, state) || showsLocationTrouble(check, before),
    ...(stale === undefined ? {} : { staleAtMs: stale }),
  };
}

type Planned = { plannedAtMs: number };

/** Planned so far ahead of now that the planner's clock must have jumped. */
function isAhead({ plannedAtMs }: Planned, { nowMs }: Moment): boolean {
  return plannedAtMs - nowMs > FUTURE_MS;
}

/** What a location said while it was cut off says nothing, also once it is believed again. */
function isDisbelieved(location: string, { plannedAtMs }: Planned, { disbelieved }: Moment): boolean {
  const span = disbelieved?.get(location);
  return span !== undefined && plannedAtMs >= span.fromMs && plannedAtMs < span.untilMs;
}

/** The state without the word of locations that is not to be believed, and without what was planned by a clock that had jumped ahead. */
function withoutUnbelievable(state: CheckState, time: Moment): CheckState {
  const said = new Set(Object.keys(state.locations).filter((location) => isGone(state.locations[location], location, time)));
  const gaps = new Set(Object.keys(state.gaps).filter((location) => isAhead(state.gaps[location] as Planned, time)));
  if (said.size + gaps.size === 0) return state;
  const recent = Object.entries(state.recent ?? {}).map(([location, { before, rounds }]): [string, Recent] => {
    const left = { ...(said.has(location) ? {} : { said: before.said }), ...(gaps.has(location) ? {} : { gap: before.gap }) };
    const kept = rounds.filter(({ word }) => !(word === 'none' ? gaps : said).has(location));
    return [location, { before: left as Sum, rounds: kept }];
  });
  return { ...state, locations: without(state.locations, said), gaps: without(state.gaps, gaps), recent: Object.fromEntries(recent) };
}

function isGone(said: Planned | undefined, location: string, time: Moment): boolean {
  return said !== undefined && (isAhead(said, time) || isDisbelieved(location, said, time));
}

function without<T>(all: Record<string, T>, keys: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(all).filter(([key]) => !keys.has(key)));
}

/** All well and nothing new: no need to judge. */
function isQuiet(state: CheckState): boolean {
  return (state.held === 'up' || state.held === 'unknown') && (state.moment === 'up' || state.moment === 'waiting');
}

/** What changed of a check's verdict, and from what. The first good verdict of a new check is no news. */
function verdictDecisions(check: Check, before: CheckState, after: CheckState, counted: Count): Reasoned[] {
  const locations = Object.fromEntries(Object.entries(after.locations).map(([location, said]) => [location, said.verdict]));
  const { quorum, total, fresh, missing } = counted;
  const inputs = { check: check.id, locations, quorum, total, fresh, missing };
  const subject = `verdict ${check.id}`;
  const decisions: Reasoned[] = [];
  if (after.moment === 'blind' && before.moment !== 'blind') decisions.push({ subject, reason: 'blind', inputs });
  const isNews = after.held !== before.held && !(before.held === 'unknown' && after.held === 'up');
  if (isNews) decisions.push({ subject, reason: heldReason(after), inputs: { ...inputs, since: after.heldSinceMs } });
  return decisions;
}

function heldReason(state: CheckState): string {
  if (state.held === 'up') return 'settled';
  if (state.held === 'degraded' && state.lone) return 'one-location-alone';
  if (state.held === 'degraded' && state.split) return 'some-locations';
  return `quorum-${state.held}`;
}

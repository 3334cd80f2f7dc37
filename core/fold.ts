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
  foldGap,
  foldResult,
  type Moment,
  staleAtMs,
} from './evaluate.ts';
import type { Reasoned } from './facts.ts';
import { showsLocationTrouble } from './location.ts';

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
  const own = (one: { location: string }) => check.locations.includes(one.location);
  const inOrder = (a: { plannedAtMs: number }, b: { plannedAtMs: number }) => a.plannedAtMs - b.plannedAtMs;
  let folded = withoutDisbelieved(before, time);
  const confirmations: Confirmation[] = [];
  for (const input of work.results.filter(own).sort(inOrder)) {
    const next = foldResult(folded, input);
    if (next === folded) continue;
    folded = next;
    const locations = input.extra || time.distrusted.has(input.location) ? [] : confirmFrom(check, folded, input);
    if (locations.length > 0) confirmations.push({ slotMs: input.plannedAtMs, failed: input.location, locations });
  }
  // Folding never steps backwards, so an older gap after a newer one would be lost.
  for (const { location, ...gap } of work.gaps.filter(own).sort(inOrder)) folded = foldGap(folded, location, gap);
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

/** What a location said while it was cut off says nothing, also once it is believed again. */
function withoutDisbelieved(state: CheckState, { disbelieved }: Moment): CheckState {
  const isGone = ([location, said]: [string, { plannedAtMs: number }]) => {
    const span = disbelieved?.get(location);
    return span !== undefined && said.plannedAtMs >= span.fromMs && said.plannedAtMs < span.untilMs;
  };
  if (!disbelieved?.size || !Object.entries(state.locations).some(isGone)) return state;
  return { ...state, locations: Object.fromEntries(Object.entries(state.locations).filter((entry) => !isGone(entry))) };
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

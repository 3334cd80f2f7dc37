/**
 * Why nothing is posted of a check at this moment, by name: what `core/evaluate.ts` and `core/judge.ts` would say of it, said as a reason.
 *
 *   told            it belongs to an open incident
 *   quiet           maintenance or a silence keeps it back
 *   coming-back     it is held as not well, is up again, and not yet for enough rounds
 *   judging         it is held as not well, and is judged within a second
 *   few-locations   it fails, from too few locations for a quorum, and from none for long enough
 *   slow-once       a quorum finds it slow, not for enough rounds
 *   distrusted      it fails from a location that is not believed, since everything fails there
 *   unseen          a location brings nothing: that is told, not each check
 *   blind           nobody sees it
 *   waiting         little that was due is missing, and little is known: Rounds has just begun
 *   well
 */
import type { CheckView } from './classify.ts';
import { isBad } from './classify.ts';
import type { Config } from './config/model.ts';
import { count, LONE_AFTER_SLOTS, roundsLeft, SLOW_AFTER_SLOTS } from './evaluate.ts';
import type { Incident } from './incident.ts';
import { blindsBy, disbelieved, distrusted, type LocationTrouble } from './location.ts';
import { type Quiet, quietOf } from './quiet.ts';

export type Untold =
  | { kind: 'told'; incident: Incident }
  | { kind: 'quiet'; quiet: Quiet }
  | { kind: 'coming-back'; roundsLeft: number }
  | { kind: 'judging' | 'blind' | 'waiting' | 'well' }
  | { kind: 'few-locations' | 'slow-once'; locations: string[]; rounds: number; neededRounds: number; quorum: number; total: number }
  | { kind: 'distrusted' | 'unseen'; location: LocationTrouble };

export interface UntoldInput {
  config: Config;
  open: readonly Incident[];
  quiets: readonly Quiet[];
  troubles: readonly LocationTrouble[];
  nowMs: number;
  planningSinceMs: number;
}

/** Why nothing more is posted of the check. */
export function whyUntold(view: CheckView, input: UntoldInput): Untold {
  const { check, state } = view;
  const incident = input.open.find(({ facts }) => facts.members.includes(check.id) || facts.blind.some((one) => one.id === check.id));
  if (incident) return { kind: 'told', incident };
  const quiet = quietOf(check, input.quiets, input.config);
  if (isBad(view)) {
    if (quiet) return { kind: 'quiet', quiet };
    const isBack = state.moment === 'up' && !state.lone && !state.split;
    return isBack ? { kind: 'coming-back', roundsLeft: roundsLeft(check, state) } : { kind: 'judging' };
  }
  const unbelieved = distrusted(input.troubles);
  const suspect = input.troubles.find(
    ({ id }) => unbelieved.has(id) && (state.locations[id]?.verdict ?? 'up') !== 'up' && check.locations.includes(id),
  );
  return tooLittle(view, input) ?? (suspect ? { kind: 'distrusted', location: suspect } : unseen(view, input));
}

/** It fails, but not for enough. */
function tooLittle({ check, state }: CheckView, { nowMs, planningSinceMs, troubles }: UntoldInput): Untold | undefined {
  const time = { nowMs, planningSinceMs, distrusted: distrusted(troubles), disbelieved: disbelieved(troubles) };
  const { bad, quorum, total } = count(check, state, time);
  if (bad.length === 0) return undefined;
  const rounds = Math.max(...bad.map((location) => state.locations[location]?.badStreak ?? 0));
  const isSlow = bad.length >= quorum;
  const neededRounds = isSlow ? SLOW_AFTER_SLOTS : LONE_AFTER_SLOTS;
  return { kind: isSlow ? 'slow-once' : 'few-locations', locations: bad, rounds, neededRounds, quorum, total };
}

function unseen({ check, state }: CheckView, { troubles, nowMs }: UntoldInput): Untold {
  if (state.moment === 'waiting') return { kind: 'waiting' };
  if (state.moment !== 'blind') return { kind: 'well' };
  const [location] = blindsBy(troubles, check, nowMs);
  return location ? { kind: 'unseen', location } : { kind: 'blind' };
}

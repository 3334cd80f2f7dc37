/**
 * Whether a location's agent can be believed. One that fails at everything at once, while other locations see all of it well, is itself
 * at fault; so is one that brings nothing. Neither says anything of the targets.
 *
 *              the last results of 3 checks all fail,            half of its checks, or 2 min,
 *              and others see them well                          and nothing was well since
 *   believed ─────────────────────────────────► suspected ─────────────────────────────► cut-off
 *      ▲                  anything is well            │         half of its checks are well   │
 *      └───────────────────────────────────────────────┴───────────────────────────────────────┘
 *
 *             a check brought nothing twice,          half of its
 *             and nothing came since                  checks did
 *   believed ────────────────────────────► unheard ─────────────► silent, or fault when its agent says why
 *      ▲          anything comes               │                        │  half of it comes
 *      └───────────────────────────────────────┴────────────────────────┘
 *
 * What a suspected or cut-off location says counts as missing (`core/evaluate.ts`). Suspicion is told to nobody: it only keeps a path
 * that is broken from being told as three broken services, and an agent that is gone from being told check by check.
 */
import { type Check, freshForMs } from './check.ts';
import type { Config } from './config/model.ts';
import type { CheckState, LocationState, Moment } from './evaluate.ts';
import type { Reasoned } from './facts.ts';
import { gapBegan } from './recent.ts';

export interface LocationTrouble {
  id: string;
  title: string;
  kind: 'suspected' | 'unheard' | 'cut-off' | 'silent' | 'fault' | 'over';
  sinceMs: number;
  /** When it was over: what was unseen until then is still to be seen. */
  untilMs?: number;
  /** Of what is over: what came from it was not to be believed. */
  wasCut?: boolean;
  /** Checks that show it, of those that run there. */
  checks: number;
  total: number;
  /** What its agent says, or why nothing came. */
  reason: string;
}

/** Fewer in a row may be chance. */
const SUSPECTED_AFTER_CHECKS = 3;
const CUT_OFF_AFTER_MS = 2 * 60_000;
const SILENT_AFTER_RUNS = 2;
/** A check that is looked at once a day still knows what was said in between. */
const REMEMBERED_MS = 86_400_000;
/** Reasons of the queue and the planner; all others come from an agent. */
const NOTHING_CAME: ReadonlySet<string> = new Set(['no-result', 'never-queued', 'stale', 'refused']);

/** What one check shows of a location. */
interface Sign {
  check: Check;
  said?: LocationState;
  /** `well`: it is up. `alone`: it fails here and is well elsewhere. `shared`: it fails elsewhere too. */
  shows: 'well' | 'alone' | 'shared' | 'missing' | 'nothing';
  gapSinceMs?: number;
  reason?: string;
}

/** The locations that are not to be believed at that moment. `before`: what was found the last time. */
export function locationTroubles(
  config: Pick<Config, 'locations' | 'checks'>,
  states: ReadonlyMap<string, CheckState>,
  moment: Pick<Moment, 'nowMs' | 'planningSinceMs'>,
  before: readonly LocationTrouble[],
): LocationTrouble[] {
  const unbelieved = distrusted(before);
  const byLocation = new Map<string, Sign[]>(Object.keys(config.locations).map((id) => [id, []]));
  for (const check of Object.values(config.checks)) {
    const state = states.get(check.id);
    if (!state) continue;
    for (const location of check.locations) byLocation.get(location)?.push(signOf(check, state, location, moment, unbelieved));
  }
  return [...byLocation].flatMap(([id, signs]) => {
    const last = before.find((one) => one.id === id);
    const known = last?.kind === 'over' ? undefined : last;
    const found = silence(signs, known) ?? cut(signs, known, moment.nowMs);
    const title = config.locations[id]?.title ?? id;
    if (found) return [{ ...found, id, title, sinceMs: known ? Math.min(known.sinceMs, found.sinceMs) : found.sinceMs }];
    const wasCut = known?.kind === 'suspected' || known?.kind === 'cut-off';
    if (known) return [{ ...known, kind: 'over' as const, wasCut, untilMs: moment.nowMs }];
    return last && moment.nowMs - (last.untilMs ?? 0) < REMEMBERED_MS ? [last] : [];
  });
}

/** What is thought otherwise of locations than before, each with what it rests on. */
export function troubleDecisions(before: readonly LocationTrouble[], now: readonly LocationTrouble[]): Reasoned[] {
  return now.flatMap(({ id, kind, sinceMs, checks, total, reason }) => {
    const isKnown = before.some((one) => one.id === id && one.kind === kind);
    return isKnown ? [] : [{ subject: `location ${id}`, reason: kind, inputs: { since: sinceMs, checks, total, reason } }];
  });
}

/** Times that are over, in which a location was cut off, or may have been. */
export function disbelieved(troubles: readonly LocationTrouble[]): Map<string, { fromMs: number; untilMs: number }> {
  const over = troubles.filter((one) => one.kind === 'over' && one.wasCut && one.untilMs !== undefined);
  return new Map(over.map((one) => [one.id, { fromMs: one.sinceMs, untilMs: one.untilMs ?? 0 }]));
}

/** Locations through which the check may be unseen: in trouble, or until it has been due once more since. */
export function blindsBy(troubles: readonly LocationTrouble[], check: Check, nowMs: number): LocationTrouble[] {
  return troubles.filter((one) => {
    if (!check.locations.includes(one.id)) return false;
    return one.kind !== 'over' || nowMs - (one.untilMs ?? 0) <= freshForMs(check) + check.everyMs;
  });
}

/** Locations whose results count as missing. */
export function distrusted(troubles: readonly LocationTrouble[]): Set<string> {
  return new Set(troubles.filter((one) => one.kind === 'suspected' || one.kind === 'cut-off').map((one) => one.id));
}

/** Locations that people are told of. */
export function told(troubles: readonly LocationTrouble[]): LocationTrouble[] {
  return troubles.filter((one) => one.kind === 'cut-off' || one.kind === 'silent' || one.kind === 'fault');
}

/** Whether a check's state could change what is thought of a location: else nobody needs to look. */
export function showsLocationTrouble(check: Check, state: CheckState): boolean {
  if (Object.values(state.gaps).some((gap) => gap.runs >= SILENT_AFTER_RUNS)) return true;
  const verdicts = check.locations.map((location) => state.locations[location]?.verdict);
  return verdicts.includes('up') && verdicts.some((verdict) => verdict === 'down' || verdict === 'degraded');
}

function signOf(
  check: Check,
  state: CheckState,
  location: string,
  moment: Pick<Moment, 'nowMs' | 'planningSinceMs'>,
  unbelieved: ReadonlySet<string>,
): Sign {
  const said = state.locations[location];
  const gap = state.gaps[location];
  if (gap && gap.runs >= SILENT_AFTER_RUNS && gap.plannedAtMs > (said?.plannedAtMs ?? 0) && gap.plannedAtMs >= moment.planningSinceMs) {
    return { check, shows: 'missing', gapSinceMs: gapBegan(gap), reason: gap.reason };
  }
  const isFresh = (one: LocationState | undefined) => one !== undefined && moment.nowMs - one.plannedAtMs <= freshForMs(check);
  if (!said || !isFresh(said)) return { check, shows: 'nothing' };
  if (said.verdict === 'up') return { check, said, shows: 'well' };
  const others = check.locations.filter((id) => id !== location && !unbelieved.has(id)).map((id) => state.locations[id]);
  const fresh = others.filter((one) => one !== undefined).filter(isFresh);
  if (others.length === 0) return { check, said, shows: 'nothing' };
  if (fresh.some((one) => one.verdict !== 'up')) return { check, said, shows: 'shared' };
  // What others saw before it failed here says nothing: they are being asked.
  const after = fresh.filter((one) => one.plannedAtMs >= said.sinceMs);
  return { check, said, shows: after.length > 0 && after.length * 2 >= others.length ? 'alone' : 'nothing' };
}

type Found = Omit<LocationTrouble, 'id' | 'title'>;

/** Nothing came of what was due there, all of it or all of one type, and nothing else has come since. */
function silence(signs: readonly Sign[], known: LocationTrouble | undefined): Found | undefined {
  const whole = silentPart(signs, known);
  if (whole) return whole;
  for (const group of Map.groupBy(signs, (sign) => sign.check.type).values()) {
    const part = group.length > 1 ? silentPart(group, known) : undefined;
    if (part?.kind === 'fault') return part;
  }
  return undefined;
}

function silentPart(signs: readonly Sign[], known: LocationTrouble | undefined): Found | undefined {
  const missing = signs.filter((sign) => sign.shows === 'missing');
  if (missing.length === 0) return undefined;
  const sinceMs = Math.min(...missing.map((sign) => sign.gapSinceMs ?? 0));
  const reasons = Map.groupBy(missing, (sign) => sign.reason ?? '');
  const reason = [...reasons].sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? '';
  const found = { sinceMs, checks: missing.length, total: signs.length, reason };
  const kind = NOTHING_CAME.has(reason) ? 'silent' : 'fault';
  if (known?.kind === 'silent' || known?.kind === 'fault') return missing.length * 2 >= signs.length ? { kind, ...found } : undefined;
  if (signs.some((sign) => sign.said && sign.said.plannedAtMs > sinceMs)) return undefined;
  // What is looked at once an hour has not been due yet.
  const slowestMs = Math.max(...missing.map((sign) => sign.check.everyMs));
  const due = signs.filter((sign) => sign.check.everyMs <= slowestMs);
  return { kind: missing.length * 2 >= due.length ? kind : 'unheard', ...found };
}

/** Everything that it does fails, while others see it well. */
function cut(signs: readonly Sign[], known: LocationTrouble | undefined, nowMs: number): Found | undefined {
  const well = signs.filter((sign) => sign.shows === 'well');
  const alone = signs.filter((sign) => sign.shows === 'alone');
  const lastWellMs = Math.max(0, ...well.map((sign) => sign.said?.plannedAtMs ?? 0));
  const since = alone.filter((sign) => (sign.said?.plannedAtMs ?? 0) > lastWellMs);
  const comparable = signs.filter((sign) => sign.check.locations.length > 1 && sign.shows !== 'shared');
  const sinceMs = Math.min(nowMs, ...alone.map((sign) => sign.said?.sinceMs ?? nowMs));
  const found = { sinceMs, checks: alone.length, total: signs.length, reason: alone[0]?.said?.failure?.kind ?? '' };
  const bad = signs.filter((sign) => sign.said && sign.said.verdict !== 'up' && sign.shows !== 'missing');
  if (known?.kind === 'cut-off') return well.length < bad.length ? { kind: 'cut-off', ...found, checks: bad.length } : undefined;
  const enough = Math.min(SUSPECTED_AFTER_CHECKS, comparable.length);
  if (enough < 2 || since.length < enough) return undefined;
  const lasts = nowMs - Math.min(...since.map((sign) => sign.said?.sinceMs ?? nowMs)) >= CUT_OFF_AFTER_MS;
  return { kind: lasts || since.length * 2 >= comparable.length ? 'cut-off' : 'suspected', ...found };
}

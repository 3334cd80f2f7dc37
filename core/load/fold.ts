/**
 * Folds what one agent samples of one server, in the order of planning: who did how much since the sample before, what of it is unusual,
 * and what is usual from now on. Pure; the state is stored as it is.
 *
 * A tenant is noisy when it does far more than it usually does, a large share of what all do, and more than nothing worth speaking of,
 * in two samples one after the other. One that only waits for the lock of another is a victim, and never noisy: its statements, locks and
 * connections pile up by themselves. A sample that comes late changes nothing: the counters of the next one have it in them.
 */
import type { LoadMeasure, NoisyTenant } from '../load.ts';
import type { Loads } from '../result.ts';
import type { OwnerKey, Owners } from './owners.ts';
import { type KnownSize, LEAST_MS, type OwnerRates, ratesBetween, sizesAfter } from './rates.ts';
import { afterForgetting, faded, NOTHING_USUAL, stepsOfForgetting, type Usual, usualOf, withSample } from './usual.ts';
import { loadInWords } from './words.ts';

/** What is known of one measure of one tenant. */
export interface Seen {
  history: Usual;
  /** Of the last sample, when it told it. */
  now?: { value: number; total: number; usual?: number; blocks?: number };
  /** Samples in a row that are far beyond what is usual. */
  beyond?: { samples: number; sinceMs: number };
}

export type SeenOfTenant = Partial<Record<LoadMeasure, Seen>>;

export interface LoadState {
  /** When the last sample was planned. */
  plannedAtMs: number;
  last?: Loads;
  sizes: Record<string, KnownSize>;
  fadedAtMs: number;
  tenants: Record<string, SeenOfTenant>;
  unreadable: string[];
}

export interface LoadSample {
  loads: Loads;
  plannedAtMs: number;
}

/** What one tenant did since the sample before. */
export interface TenantRate {
  tenant: string;
  measure: LoadMeasure;
  value: number;
  /** Of all owners together, those that are no tenant's too. */
  total: number;
  isNoisy: boolean;
  /** For how long it speaks. */
  seconds: number;
}

export interface FoldedLoads {
  state: LoadState;
  rates: TenantRate[];
}

/** Far beyond what is usual. */
const FACTOR = 3;
const LARGE_SHARE = 0.4;
const NOISY_SAMPLES = 2;
/** A gap longer than this was not looked at. */
const MOST_SECONDS = 600;

/** Below this nobody is hurt, however unusual it is: a second; of locks, connections and jobs at a time. */
const FLOORS: Readonly<Record<LoadMeasure, number>> = {
  'statement-time': 0.2,
  'blocks-read': 128,
  'temp-bytes': 1_000_000,
  'locks-held': 20,
  connections: 5,
  'rows-grown': 100,
  'bytes-grown': 100_000,
  'jobs-queued': 50,
};

/** What piles up by itself while a tenant waits for a lock. */
const PILE_UP: ReadonlySet<LoadMeasure> = new Set(['statement-time', 'locks-held', 'connections']);

/** A database tells more of a tenant than its role. */
const BEST_FIRST: readonly OwnerKey[] = ['database', 'role', 'queue'];

export const NO_LOAD: LoadState = { plannedAtMs: 0, sizes: {}, fadedAtMs: 0, tenants: {}, unreadable: [] };

/** The state with one more sample. The same state comes back when the sample is late, or too close to the one before. */
export function foldLoads(state: LoadState, { loads, plannedAtMs }: LoadSample, owners: Owners): FoldedLoads {
  if (plannedAtMs <= state.plannedAtMs || isTooClose(state.last, loads)) return { state, rates: [] };
  const sizes = new Map(Object.entries(state.sizes));
  const done = byTenant(ratesBetween(state.last, loads, sizes), owners);
  const steps = state.fadedAtMs === 0 ? 0 : stepsOfForgetting(state.fadedAtMs, plannedAtMs);
  const sample = { plannedAtMs, seconds: state.last ? Math.min(MOST_SECONDS, (plannedAtMs - state.plannedAtMs) / 1000) : 0, steps };
  const tenants: Record<string, SeenOfTenant> = {};
  for (const tenant of new Set([...Object.keys(state.tenants), ...done.keys()])) {
    if (owners.tenants.has(tenant)) tenants[tenant] = seenOf(state.tenants[tenant] ?? {}, done.get(tenant) ?? new Map(), sample);
  }
  return {
    state: {
      plannedAtMs,
      last: loads,
      sizes: Object.fromEntries(sizesAfter(sizes, loads)),
      fadedAtMs: state.fadedAtMs === 0 ? plannedAtMs : afterForgetting(state.fadedAtMs, steps),
      tenants,
      unreadable: loads.unreadable,
    },
    rates: sample.seconds > 0 ? ratesIn(tenants, sample.seconds) : [],
  };
}

/** A clock that went back is no such case: from there on everything begins anew. */
function isTooClose(last: Loads | undefined, loads: Loads): boolean {
  return last !== undefined && loads.atMs >= last.atMs && loads.atMs - last.atMs < LEAST_MS;
}

interface SampleTime {
  plannedAtMs: number;
  seconds: number;
  /** Of forgetting, since the sample before. */
  steps: number;
}

function seenOf(before: SeenOfTenant, did: ReadonlyMap<LoadMeasure, Did>, sample: SampleTime): SeenOfTenant {
  const seen: SeenOfTenant = {};
  for (const measure of new Set([...(Object.keys(before) as LoadMeasure[]), ...did.keys()])) {
    const earlier = before[measure] ?? { history: NOTHING_USUAL };
    const history = sample.steps > 0 ? faded(earlier.history, sample.steps) : earlier.history;
    const own = did.get(measure);
    seen[measure] = own ? withRate({ ...earlier, history }, measure, own, sample) : { history };
  }
  return seen;
}

function ratesIn(tenants: Readonly<Record<string, SeenOfTenant>>, seconds: number): TenantRate[] {
  return Object.entries(tenants).flatMap(([tenant, measures]) =>
    (Object.entries(measures) as [LoadMeasure, Seen][]).flatMap(([measure, seen]) =>
      seen.now ? [{ tenant, measure, value: seen.now.value, total: seen.now.total, isNoisy: isNoisy(seen), seconds }] : [],
    ),
  );
}

interface Did {
  value: number;
  total: number;
  held: boolean;
  blocks: number;
  runningForMs: number;
}

/** What each tenant did by each measure, from the best owner that tells it. A tenant that the sample does not name is not there. */
function byTenant(all: readonly OwnerRates[], owners: Owners): Map<string, Map<LoadMeasure, Did>> {
  const done = new Map<string, Map<LoadMeasure, Did>>();
  for (const by of BEST_FIRST) {
    const ofKind = all.filter((one) => one.by === by);
    const totals = totalsOf(ofKind);
    const own = Map.groupBy(ofKind, ({ name }) => owners.tenantOf(by, name));
    for (const [tenant, list] of own) {
      if (tenant === undefined) continue;
      const measures = done.get(tenant) ?? new Map<LoadMeasure, Did>();
      done.set(tenant, measures);
      for (const [measure, value] of totalsOf(list)) {
        if (measures.has(measure)) continue;
        const blocks = list.reduce((sum, one) => sum + one.blocks, 0);
        const runningForMs = Math.max(...list.map((one) => one.runningForMs));
        const held = blocks === 0 && list.some((one) => one.held);
        measures.set(measure, { value, total: totals.get(measure) ?? value, blocks, held, runningForMs });
      }
    }
  }
  return done;
}

function totalsOf(list: readonly OwnerRates[]): Map<LoadMeasure, number> {
  const totals = new Map<LoadMeasure, number>();
  for (const { rates } of list) {
    for (const [measure, value] of Object.entries(rates) as [LoadMeasure, number][])
      totals.set(measure, (totals.get(measure) ?? 0) + value);
  }
  return totals;
}

function withRate(earlier: Seen, measure: LoadMeasure, did: Did, { plannedAtMs, seconds }: SampleTime): Seen {
  const { value, total, held, blocks } = did;
  const usual = usualOf(earlier.history);
  const now = { value, total, ...(usual === undefined ? {} : { usual }), ...(blocks > 0 ? { blocks } : {}) };
  if (held && PILE_UP.has(measure)) return { history: earlier.history, now };
  const isFar = usual !== undefined && value >= FACTOR * usual && value >= floorOf(measure, did);
  const history = seconds > 0 ? withSample(earlier.history, value, seconds, isFar) : earlier.history;
  if (!isFar || value < LARGE_SHARE * total) return { history, now };
  // What runs has begun between the two samples, and tells when.
  const beganMs = plannedAtMs - (PILE_UP.has(measure) ? Math.min(did.runningForMs, seconds * 1000) : 0);
  const { samples, sinceMs } = earlier.beyond ?? { samples: 0, sinceMs: beganMs };
  return { history, now, beyond: { samples: samples + 1, sinceMs } };
}

/** A single lock is enough when others wait for it. */
function floorOf(measure: LoadMeasure, { blocks }: Did): number {
  return measure === 'locks-held' && blocks > 0 ? 1 : FLOORS[measure];
}

function isNoisy({ beyond, now }: Seen): boolean {
  return now !== undefined && (beyond?.samples ?? 0) >= NOISY_SAMPLES;
}

/** Who is noisy in this state, the worst first. `titleOf`: how people call a tenant. */
export function noisyIn(state: LoadState, component: string, titleOf: (tenant: string) => string): NoisyTenant[] {
  const found = Object.entries(state.tenants).flatMap(([tenant, measures]) =>
    (Object.entries(measures) as [LoadMeasure, Seen][]).flatMap(([measure, seen]) => {
      const { now, beyond } = seen;
      if (!now || !beyond || !isNoisy(seen)) return [];
      const { value, total, usual = 0, blocks } = now;
      const share = total > 0 ? Math.min(1, value / total) : 0;
      const text = `${titleOf(tenant)}: ${loadInWords({ measure, ...now })}`;
      return [
        { tenant, component, measure, value, usual, share, sinceMs: beyond.sinceMs, ...(blocks === undefined ? {} : { blocks }), text },
      ];
    }),
  );
  return found.sort(worstFirst);
}

/** Whoever others wait for comes first; then by the share and by how unusual it is. */
export function worstFirst(a: NoisyTenant, b: NoisyTenant): number {
  return (b.blocks ?? 0) - (a.blocks ?? 0) || weightOf(b) - weightOf(a) || (a.tenant < b.tenant ? -1 : 1);
}

function weightOf({ measure, value, usual, share }: NoisyTenant): number {
  const times = value / Math.max(usual, FLOORS[measure] / FACTOR);
  return share * Math.log2(1 + Math.min(times, 1_000));
}

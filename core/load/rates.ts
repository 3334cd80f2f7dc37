/** From two samples of a server's counters to what each owner did in between. */
import type { LoadMeasure } from '../load.ts';
import type { Load, Loads } from '../result.ts';

/** What one owner does: a second, or at this moment. What is not known is absent. */
export type Rates = Partial<Record<LoadMeasure, number>>;

export interface OwnerRates {
  by: Load['by'];
  name: string;
  rates: Rates;
  /** It waits for the lock of another and holds no other up itself: what it does more than usual is not its own doing. */
  held: boolean;
  /** Sessions of others that wait for its locks. */
  blocks: number;
  /** How long its statements that run now have run, each. */
  runningForMs: number;
}

/** The size of a database when it was last asked: not each sample asks each. */
export interface KnownSize {
  bytes: number;
  atMs: number;
}

/** Samples closer together than this say nothing of a rate; further apart, nothing of now. */
export const LEAST_MS = 900;
const MOST_MS = 3_600_000;
/** Files grow in leaps. */
const GROWTH_LEAST_MS = 60_000;

/** Whether a rate can be told from these two samples. */
function areComparable(before: Pick<Loads, 'atMs'>, now: Pick<Loads, 'atMs'>): boolean {
  const elapsedMs = now.atMs - before.atMs;
  return elapsedMs >= LEAST_MS && elapsedMs <= MOST_MS;
}

/** What every owner of the later sample did. Levels are told without an earlier one. */
export function ratesBetween(before: Loads | undefined, now: Loads, sizes: ReadonlyMap<string, KnownSize> = new Map()): OwnerRates[] {
  const known = new Map((before?.loads ?? []).map((load) => [keyOf(load), load]));
  const elapsedS = before && areComparable(before, now) ? (now.atMs - before.atMs) / 1000 : 0;
  return now.loads.map((load) => {
    const earlier = elapsedS > 0 ? known.get(keyOf(load)) : undefined;
    const { blocks = 0, held = 0, running = 0, runningMs = 0 } = load.levels;
    return {
      by: load.by,
      name: load.name,
      rates: defined({
        ...levelsOf(load),
        ...(earlier?.countingSinceMs === load.countingSinceMs ? countersOf(earlier, load, elapsedS) : {}),
        'statement-time': statementTime(earlier, load, elapsedS),
        'bytes-grown': growthOf(sizes.get(keyOf(load)), load, now.atMs),
      }),
      held: held > 0 && blocks === 0,
      blocks,
      runningForMs: running > 0 ? runningMs / running : 0,
    };
  });
}

/** Names an owner within a server. */
export function keyOf({ by, name }: Pick<Load, 'by' | 'name'>): string {
  return `${by} ${name}`;
}

/** The sizes known after this sample. One that was asked a moment ago stays, so that growth is seen over a while. */
export function sizesAfter(sizes: ReadonlyMap<string, KnownSize>, now: Loads): Map<string, KnownSize> {
  const after = new Map<string, KnownSize>();
  for (const load of now.loads) {
    const known = sizes.get(keyOf(load));
    const bytes = load.levels.sizeBytes;
    const isOld = !known || now.atMs < known.atMs || now.atMs - known.atMs >= GROWTH_LEAST_MS;
    if (bytes !== undefined && isOld) after.set(keyOf(load), { bytes, atMs: now.atMs });
    else if (known) after.set(keyOf(load), known);
  }
  return after;
}

function levelsOf({ levels }: Load): Record<string, number | undefined> {
  return {
    'locks-held': levels.locks,
    // Whoever is held up by another fills its pool without wanting to.
    connections: levels.connections === undefined ? undefined : Math.max(0, levels.connections - (levels.waiting ?? 0)),
    'jobs-queued': levels.jobs,
  };
}

function countersOf(before: Load, now: Load, elapsedS: number): Record<string, number | undefined> {
  const rate = (counter: keyof Load['counters']) => perSecond(before.counters[counter], now.counters[counter], elapsedS);
  const [inserted, deleted] = [rate('rowsInserted'), rate('rowsDeleted')];
  return {
    'blocks-read': rate('blocksRead'),
    'temp-bytes': rate('tempBytes'),
    'rows-grown': inserted === undefined || deleted === undefined ? undefined : Math.max(0, inserted - deleted),
  };
}

/** A counter that fell was reset, or some of what it sums up was thrown out: nothing is known of the time between. */
function perSecond(before: number | undefined, now: number | undefined, elapsedS: number): number | undefined {
  return before === undefined || now === undefined || now < before ? undefined : (now - before) / elapsedS;
}

/**
 * Seconds of statements a second. A server counts a statement when it ends, and its waiting for locks with it. So what runs now is added,
 * less what of it ran before; and while somebody waits, or where nothing is counted, only what runs is
 * known.
 */
function statementTime(before: Load | undefined, now: Load, elapsedS: number): number | undefined {
  if (!before) return undefined;
  const { running, runningMs } = now.levels;
  const seen = running === undefined || runningMs === undefined ? undefined : Math.min(runningMs / 1000 / elapsedS, running);
  const waited = (before.levels.waiting ?? 0) + (now.levels.waiting ?? 0) > 0;
  const isCounted = before.countingSinceMs === now.countingSinceMs && before.counters.statementMs !== undefined;
  const counted = isCounted && !waited ? perSecond(before.counters.statementMs, now.counters.statementMs, elapsedS * 1000) : undefined;
  if (counted === undefined) return seen;
  const wentOn = ((runningMs ?? 0) - (before.levels.runningMs ?? 0)) / 1000 / elapsedS;
  return Math.max(0, counted + wentOn, seen ?? 0);
}

function growthOf(known: KnownSize | undefined, { levels }: Load, atMs: number): number | undefined {
  if (!known || levels.sizeBytes === undefined || atMs - known.atMs < GROWTH_LEAST_MS) return undefined;
  return Math.max(0, ((levels.sizeBytes - known.bytes) / (atMs - known.atMs)) * 1000);
}

function defined(rates: Record<string, number | undefined>): Rates {
  return Object.fromEntries(Object.entries(rates).filter(([, value]) => value !== undefined));
}

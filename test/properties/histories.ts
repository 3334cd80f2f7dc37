/**
 * Histories to hold properties against: of one check, what each location said in each slot and when that arrived; and, as `rounds.yaml`
 * and timelines of the scenarios, whole systems with what happens to them.
 */
import fc from 'fast-check';
import { type Check, freshForMs } from '../../core/check.ts';
import { type CheckState, EMPTY_STATE, type FoldInput, type HeldVerdict } from '../../core/evaluate.ts';
import { type Folded, type FoldGap, foldCheck } from '../../core/fold.ts';
import { runName } from '../../core/run.ts';
import { aCheck, at, NOON_MS } from '../helpers/domain.ts';

/** How often a property is tried: as often as is quick, or as `ROUNDS_RUNS` says. A failure tells its seed: `ROUNDS_SEED` plays it again. */
export function runs(usual: number): { numRuns: number; seed?: number } {
  const { ROUNDS_RUNS, ROUNDS_SEED } = process.env;
  return { numRuns: Number(ROUNDS_RUNS ?? usual), ...(ROUNDS_SEED ? { seed: Number(ROUNDS_SEED) } : {}) };
}

/** However many runs: only what hangs is stopped. */
export const PATIENTLY = { timeout: 1_800_000 };

/** What came of one run: a verdict, a fault of the agent, or nothing. */
export type Word = 'up' | 'degraded' | 'down' | 'fault' | 'nothing';

/** One run of a check and what came of it. */
export interface Saying {
  slot: number;
  location: string;
  word: Word;
  /** Asked for besides the slot's own run, so many milliseconds after it. */
  extraMs?: number;
  /** From its planning to its arrival. */
  tookMs: number;
}

export interface CheckHistory {
  check: Check;
  sayings: Saying[];
}

export const PLACES = ['north', 'south', 'cloud', 'east', 'west'];

export const anyCheck: fc.Arbitrary<Check> = fc
  .record({
    locations: fc.integer({ min: 1, max: 5 }).map((count) => PLACES.slice(0, count)),
    everyMs: fc.constantFrom(30_000, 60_000, 300_000, 3_600_000),
    timeoutMs: fc.constantFrom(2_000, 10_000),
    retries: fc.nat(2),
    resolveAfter: fc.integer({ min: 1, max: 5 }),
  })
  .map(aCheck);

/** Troubles last, blips do not: a slot is most often like the one before it. */
const word = (weights: Partial<Record<Word, number>>): fc.Arbitrary<Word> =>
  fc.oneof(...Object.entries(weights).map(([one, weight]) => ({ weight, arbitrary: fc.constant(one as Word) })));
const spell = fc.record({
  slots: fc.integer({ min: 1, max: 5 }),
  word: fc.oneof(word({ up: 6, down: 5, degraded: 3, fault: 1, nothing: 2 })),
});

/** What a location says, slot for slot. */
function anyWords(slots: number): fc.Arbitrary<Word[]> {
  return fc
    .array(spell, { minLength: 1, maxLength: slots })
    .map((spells) => Array.from({ length: slots }, (_, slot) => slot).map((slot) => wordAt(spells, slot)));
}

function wordAt(spells: readonly { slots: number; word: Word }[], slot: number): Word {
  let end = 0;
  for (const one of spells) {
    end += one.slots;
    if (slot < end) return one.word;
  }
  return 'up';
}

/** A check, and what each location said of it in each slot; it arrives in the order of its planning, and in time. */
export function anyCheckHistory(slots = 12): fc.Arbitrary<CheckHistory> {
  return anyCheck.chain((check) =>
    fc
      .record({
        words: fc.tuple(...check.locations.map(() => anyWords(slots))),
        tookMs: fc.array(fc.integer({ min: 50, max: check.timeoutMs }), { minLength: 5, maxLength: 5 }),
        extras: fc.array(
          fc.record({
            slot: fc.nat(slots - 1),
            location: fc.constantFrom(...check.locations),
            word: word({ up: 3, down: 3, degraded: 1, fault: 1 }),
            extraMs: fc.integer({ min: 1, max: 20_000 }),
          }),
          { maxLength: 4 },
        ),
      })
      .map(({ words, tookMs, extras }) =>
        historyOf(check, [
          ...words.flatMap((own, place) =>
            own.map((one, slot): Saying => ({ slot, location: check.locations[place] ?? '', word: one, tookMs: tookMs[place] ?? 50 })),
          ),
          ...extras.map((extra): Saying => ({ ...extra, tookMs: 60 })),
        ]),
      ),
  );
}

/** A history that is told in a few lines when it is a counterexample. */
export function historyOf(check: Check, sayings: Saying[]): CheckHistory {
  const { everyMs, timeoutMs, retries, resolveAfter, locations } = check;
  const inWords = ({ slot, extraMs, word: one, tookMs }: Saying) => `${slot}${extraMs ? `+${extraMs}` : ''} ${one} (${tookMs})`;
  const told = () =>
    [
      `every ${everyMs}, timeout ${timeoutMs}, ${retries} retries, resolves after ${resolveAfter}`,
      ...locations.map(
        (location) =>
          `${location}: ${sayings
            .filter((one) => one.location === location)
            .map(inWords)
            .join(', ')}`,
      ),
    ].join('\n');
  return { check, sayings, [fc.toStringMethod]: told } as CheckHistory;
}

export function plannedAtMs({ check }: Pick<CheckHistory, 'check'>, { slot, extraMs = 0 }: Pick<Saying, 'slot' | 'extraMs'>): number {
  return NOON_MS + slot * check.everyMs + extraMs;
}

/** What arrives at one moment. */
export interface Arrival {
  atMs: number;
  result?: FoldInput;
  gap?: FoldGap;
}

/** A run that brought nothing is missed when nobody waits for it any more: an interval later, and after the time of a run. */
export function arrivalOf(history: Pick<CheckHistory, 'check'>, saying: Saying): Arrival {
  const { check } = history;
  const { location, word: said, extraMs } = saying;
  const planned = plannedAtMs(history, saying);
  if (said === 'nothing') {
    const atMs = planned + check.everyMs + check.timeoutMs * (1 + check.retries) + 5_000;
    return { atMs, gap: { location, plannedAtMs: planned, reason: 'no-result' } };
  }
  const purpose = extraMs === undefined ? 'scheduled' : 'confirm';
  const run = runName({ check: check.id, location, slotMs: planned - (extraMs ?? 0), purpose, ask: extraMs ?? 0 });
  const failure = { kind: said === 'fault' ? 'no-browser' : 'timeout', message: 'no answer' };
  const result: FoldInput = {
    ...{ run, location, plannedAtMs: planned, verdict: said, durationMs: saying.tookMs, findings: [] },
    ...(said === 'up' ? {} : { failure }),
    ...(extraMs === undefined ? {} : { extra: true }),
  };
  return { atMs: planned + saying.tookMs, result };
}

/** One step of folding: what came at that moment, the state before and after. */
export interface Step {
  atMs: number;
  arrived: readonly Arrival[];
  before: CheckState;
  after: CheckState;
  folded: Folded;
}

/** Folds what arrives, moment for moment, and looks again when a location falls silent, as the workers do. */
export function foldAll(check: Check, arrivals: readonly Arrival[], untilMs: number, state: CheckState = EMPTY_STATE): Step[] {
  const byMoment = Map.groupBy(arrivals, ({ atMs }) => atMs);
  const waiting = [...byMoment.keys()].sort((a, b) => a - b);
  const steps: Step[] = [];
  let last = state;
  let staleMs = Number.POSITIVE_INFINITY;
  for (;;) {
    const atMs = Math.min(waiting[0] ?? Number.POSITIVE_INFINITY, staleMs);
    if (atMs > untilMs) break;
    if (waiting[0] === atMs) waiting.shift();
    const arrived = byMoment.get(atMs) ?? [];
    const work = { results: arrived.flatMap((one) => one.result ?? []), gaps: arrived.flatMap((one) => one.gap ?? []) };
    const folded = foldCheck(check, last, work, at(atMs, { planningSinceMs: NOON_MS }));
    steps.push({ atMs, arrived, before: last, after: folded.state, folded });
    last = folded.state;
    staleMs = folded.staleAtMs ?? Number.POSITIVE_INFINITY;
  }
  return steps;
}

export function lastOf(steps: readonly Step[]): CheckState {
  return steps.at(-1)?.after ?? EMPTY_STATE;
}

/** After which nothing of a history speaks any more. */
export function endMs({ check }: Pick<CheckHistory, 'check'>, slots: number): number {
  return NOON_MS + slots * check.everyMs + 2 * freshForMs(check) + 10_000;
}

const SEVERITY: Readonly<Record<HeldVerdict, number>> = { unknown: 0, up: 0, degraded: 1, down: 2 };

export function isWorse(one: HeldVerdict, other: HeldVerdict): boolean {
  return SEVERITY[one] > SEVERITY[other];
}

export function isBetter(one: HeldVerdict, other: HeldVerdict): boolean {
  return SEVERITY[one] < SEVERITY[other];
}

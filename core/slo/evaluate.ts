/**
 * Whether a budget burns too fast. For each pair of windows (pairs.ts):
 *
 *   raised   both windows burn faster than the pair's rate, and would if everything that was not seen had been good; and the long one
 *            has bad slots in 3 different minutes at least, so that one bad minute is nobody's alarm, however many clinics share it
 *   kept     while the short window burns that fast, and for as long again: until twice the short window burns at less than ¾ of the
 *            rate, or the long one does. What hovers about the rate does not flap
 *   ended    only by what was seen: half of the slots that are due in the window that ends it. Without data nothing begins or ends
 *
 * Of several pairs that burn, the fastest speaks. Spans end with the current minute and begin on a whole one. Pure: the counts are handed in.
 */
import { burnRate, type Seen } from './budget.ts';
import { type BurnPair, recoveryMs } from './pairs.ts';

/** Slots of a span of time. */
export interface Tally extends Seen {
  /** Different minutes in which a slot was bad; over hours that are kept as a whole, hours. */
  badMinutes: number;
}

/** Of each pair that burns, by its long window in milliseconds: since when. */
export type BurnState = Readonly<Record<string, { sinceMs: number }>>;

export interface BurnInput {
  objective: number;
  pairs: readonly BurnPair[];
  /** What was seen in the last so many milliseconds. */
  over(spanMs: number): Tally;
  /** Slots that are due in a minute. */
  slotsPerMinute: number;
  nowMs: number;
}

export type BurnReason =
  /** Too slow for this pair. */
  | 'within-budget'
  | 'too-few-bad-minutes'
  /** Fast enough only because little was seen. */
  | 'too-little-seen'
  | 'burn-raised'
  | 'still-burning'
  /** It looks well, but so little was seen that nobody can say. */
  | 'kept-without-data'
  /** It has slowed down, not for long enough. */
  | 'kept-until-settled'
  | 'burn-ended';

export interface PairDecision {
  pair: BurnPair;
  reason: BurnReason;
  /** Over the long and the short window. */
  longRate: number;
  shortRate: number;
}

/** The pair that speaks for a budget that burns. */
export interface Burning {
  pair: BurnPair;
  /** Over the long window. */
  rate: number;
  sinceMs: number;
}

export interface BurnDecision {
  state: BurnState;
  burning?: Burning;
  decisions: PairDecision[];
}

/** Bad slots in fewer different minutes of the long window are no burn. */
const LEAST_BAD_MINUTES = 3;
/** Below this part of the rate it has slowed down. */
const SLOWED = 0.75;
/** The part of the slots that are due which must have been seen to end it. */
const SEEN_TO_END = 0.5;

const MINUTE_MS = 60_000;

/** What burns now, and why; `state` is what this function returned before. */
export function evaluateBurn(state: BurnState, input: BurnInput): BurnDecision {
  const decisions = input.pairs.map((pair) => decidePair(state, pair, input));
  const next: Record<string, { sinceMs: number }> = {};
  for (const { pair, reason } of decisions) {
    if (reason === 'burn-raised') next[pair.longMs] = { sinceMs: input.nowMs };
    else if (burns(reason)) next[pair.longMs] = state[pair.longMs] ?? { sinceMs: input.nowMs };
  }
  const fastest = decisions.find(({ reason }) => burns(reason));
  const since = fastest && next[fastest.pair.longMs];
  return {
    state: next,
    decisions,
    ...(fastest && since ? { burning: { pair: fastest.pair, rate: fastest.longRate, sinceMs: since.sinceMs } } : {}),
  };
}

/** Whether the pair burns by that decision. */
export function burns(reason: BurnReason): boolean {
  return reason === 'burn-raised' || reason === 'still-burning' || reason === 'kept-without-data' || reason === 'kept-until-settled';
}

function decidePair(state: BurnState, pair: BurnPair, input: BurnInput): PairDecision {
  const [long, short] = [input.over(pair.longMs), input.over(pair.shortMs)];
  const rates = { longRate: burnRate(input.objective, long), shortRate: burnRate(input.objective, short) };
  const reason = state[pair.longMs] ? whetherItEnds(pair, input, rates) : whetherItBegins(pair, input, long, short, rates);
  return { pair, reason, ...rates };
}

interface Rates {
  longRate: number;
  shortRate: number;
}

function whetherItBegins(pair: BurnPair, input: BurnInput, long: Tally, short: Tally, { longRate, shortRate }: Rates): BurnReason {
  if (!exceeds(longRate, pair.rate) || !exceeds(shortRate, pair.rate)) return 'within-budget';
  if (long.badMinutes < LEAST_BAD_MINUTES) return 'too-few-bad-minutes';
  const certain = (tally: Tally, spanMs: number) => exceeds(burnRate(input.objective, filledUp(tally, dueIn(input, spanMs))), pair.rate);
  return certain(long, pair.longMs) && certain(short, pair.shortMs) ? 'burn-raised' : 'too-little-seen';
}

function whetherItEnds(pair: BurnPair, input: BurnInput, { longRate, shortRate }: Rates): BurnReason {
  if (exceeds(longRate, pair.rate) && exceeds(shortRate, pair.rate)) return 'still-burning';
  const spans = [recoveryMs(pair), pair.longMs];
  const slow = spans.filter((spanMs) => burnRate(input.objective, input.over(spanMs)) < SLOWED * pair.rate);
  if (slow.length === 0) return 'kept-until-settled';
  const seen = slow.some((spanMs) => {
    const { good, bad } = input.over(spanMs);
    return good + bad > 0 && good + bad >= SEEN_TO_END * dueIn(input, spanMs);
  });
  return seen ? 'burn-ended' : 'kept-without-data';
}

/** Counts of slots are whole, rates are not: 14.4 × 0.001 of 1,000 is 14.400000000000002. */
function exceeds(rate: number, limit: number): boolean {
  return rate > limit * (1 + 1e-9);
}

function dueIn({ slotsPerMinute }: BurnInput, spanMs: number): number {
  return (slotsPerMinute * spanMs) / MINUTE_MS;
}

/** As if all that was due and not seen had been good. */
function filledUp({ good, bad }: Tally, due: number): Seen {
  return { good: Math.max(good, due - bad), bad };
}

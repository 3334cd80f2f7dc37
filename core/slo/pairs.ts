/**
 * The pairs of windows over which a budget is watched: https://sre.google/workbook/alerting-on-slos/, "multiwindow, multi-burn-rate".
 *
 *   rate    over     and over   uses up            for
 *   14.4    1 h      5 min      2 % in an hour     whoever is on call, now
 *   6       6 h      30 min     5 % in 6 hours     whoever is on call, now
 *   3       1 d      2 h        10 % in a day      a ticket
 *   1       3 d      6 h        10 % in 3 days     a ticket
 *
 * The rates are those of a window of 28 to 31 days. For another the shares of the budget and the pairs stay and the rates follow, as the
 * workbook computes them (share × window ÷ long window): 3.36 over an hour for 7 days. Never below 1, since what burns slower outlasts
 * its window; and a pair that is as long as the window itself is left out.
 */

export interface BurnPair {
  /** How many times faster than the budget allows, in both windows. */
  rate: number;
  longMs: number;
  shortMs: number;
  /** `page`: people are told at once. */
  severity: 'page' | 'ticket';
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const PAIRS: readonly BurnPair[] = [
  { rate: 14.4, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS, severity: 'page' },
  { rate: 6, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS, severity: 'page' },
  { rate: 3, longMs: DAY_MS, shortMs: 2 * HOUR_MS, severity: 'ticket' },
  { rate: 1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS, severity: 'ticket' },
];

/** The pairs of a window of that length, the fastest first. */
export function pairsFor(windowMs: number): BurnPair[] {
  const days = windowMs / DAY_MS;
  // 28 days with a change of the clocks in them are an hour less.
  const factor = days > 27.9 && days < 31.1 ? 1 : days / 30;
  return PAIRS.filter((pair) => pair.longMs < windowMs).map((pair) => ({ ...pair, rate: Math.max(1, pair.rate * factor) }));
}

/** How far back is looked to say that it burns no more: twice the short window. */
export function recoveryMs({ shortMs }: BurnPair): number {
  return 2 * shortMs;
}

/** Every span, milliseconds, over which slots are to be counted for all pairs, the shortest first. */
export const SPANS_MS: readonly number[] = [...new Set(PAIRS.flatMap((pair) => [pair.longMs, pair.shortMs, recoveryMs(pair)]))].sort(
  (a, b) => a - b,
);

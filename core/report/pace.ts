/**
 * How long runs took, as a histogram of durations on a logarithmic scale: the database counts it in one pass without sorting, and the
 * counts of checks, clinics and locations can be added up in any way. A percentile read from it is off by 1 % at most.
 */

/** Each step of the scale is 2 % longer than the one before; the middle of a step is within 1 % of whatever fell into it. */
export const STEP_RATIO = 1.02;

/** Runs by their step: `floor(ln(durationMs) / ln(STEP_RATIO))`, durations below 1 ms counted as 1 ms. */
export type Histogram = ReadonlyMap<number, number>;

export interface Pace {
  p50Ms?: number;
  p95Ms?: number;
  /** The same in the 7 days before the window. */
  usualP50Ms?: number;
  usualP95Ms?: number;
}

/** The step that a duration falls into. */
export function stepOf(durationMs: number): number {
  return Math.floor(Math.log(Math.max(1, durationMs)) / Math.log(STEP_RATIO));
}

/** All of them together. */
export function addPace(histograms: readonly Histogram[]): Histogram {
  const sum = new Map<number, number>();
  for (const histogram of histograms) for (const [step, runs] of histogram) sum.set(step, (sum.get(step) ?? 0) + runs);
  return sum;
}

/** The duration that `share` of the runs did not exceed, milliseconds; `undefined` without runs. */
export function percentileMs(histogram: Histogram, share: number): number | undefined {
  const steps = [...histogram].sort(([a], [b]) => a - b);
  const runs = steps.reduce((sum, [, count]) => sum + count, 0);
  let left = Math.max(1, Math.ceil(runs * share));
  for (const [step, count] of steps) {
    left -= count;
    if (left <= 0) return STEP_RATIO ** (step + 0.5);
  }
  return undefined;
}

/** Median and 95th percentile, now and usually; what is not known is left out. */
export function paceOf(now: Histogram, usual: Histogram): Pace {
  const found = {
    p50Ms: percentileMs(now, 0.5),
    p95Ms: percentileMs(now, 0.95),
    usualP50Ms: percentileMs(usual, 0.5),
    usualP95Ms: percentileMs(usual, 0.95),
  };
  return Object.fromEntries(Object.entries(found).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, Math.round(ms * 10) / 10]])));
}

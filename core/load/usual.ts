/**
 * What is usual of a rate: how long it was how high, in steps of a fifth, so that a history of weeks is some dozen numbers.
 * What was long ago counts less, by half every two weeks. Beyond what is usual counts a quarter: one long report is no new habit, a tenant
 * that has grown for good is one after some ten days.
 */

const HALF_LIFE_MS = 14 * 86_400_000;
/** Forgetting is done in such steps: smaller ones would be lost in the rounding. */
const FORGET_MS = 6 * 3_600_000;
/** A week has been seen: from here on four fifths are usual, since no tenant works at night. Before, the median. */
const WEEK_S = 7 * 86_400;
const LEAST_SHARE = 0.5;
const MOST_SHARE = 0.8;
/** Fewer samples say nothing of what is usual. */
const LEAST_SAMPLES = 5;
const BEYOND_WEIGHT = 0.25;
/** To the double. */
const STEPS = 4;
/** The lowest stands for everything below a thousandth. */
const LOWEST = -10 * STEPS;

export interface Usual {
  /** Seconds by step: `{"7": 120}`; the step `none` is zero. */
  seconds: Record<string, number>;
  samples: number;
}

export const NOTHING_USUAL: Usual = { seconds: {}, samples: 0 };

/** The history with one more sample, which stood for so many seconds. */
export function withSample(usual: Usual, value: number, forS: number, isBeyond: boolean): Usual {
  const step = stepOf(value);
  const weight = forS * (isBeyond ? BEYOND_WEIGHT : 1);
  return {
    seconds: { ...usual.seconds, [step]: round((usual.seconds[step] ?? 0) + weight) },
    samples: Math.min(usual.samples + 1, 1_000_000),
  };
}

/** What is usual; `undefined` while too little is known. */
export function usualOf({ seconds, samples }: Usual): number | undefined {
  if (samples < LEAST_SAMPLES) return undefined;
  const steps = Object.entries(seconds).sort(([a], [b]) => orderOf(a) - orderOf(b));
  const all = steps.reduce((sum, [, weight]) => sum + weight, 0);
  const wanted = all * (LEAST_SHARE + (MOST_SHARE - LEAST_SHARE) * Math.min(1, all / WEEK_S));
  let below = 0;
  for (const [step, weight] of steps) {
    below += weight;
    if (below >= wanted) return heightOf(step);
  }
  return 0;
}

/** How many whole steps of forgetting lie between the two times. */
export function stepsOfForgetting(fromMs: number, toMs: number): number {
  return Math.max(0, Math.floor((toMs - fromMs) / FORGET_MS));
}

/** When so many steps after `fromMs` are. */
export function afterForgetting(fromMs: number, steps: number): number {
  return fromMs + steps * FORGET_MS;
}

/** The history so many steps of forgetting later. */
export function faded({ seconds, samples }: Usual, steps: number): Usual {
  const factor = 2 ** ((-steps * FORGET_MS) / HALF_LIFE_MS);
  const left = Object.entries(seconds).map(([step, weight]) => [step, round(weight * factor)] as const);
  return { seconds: Object.fromEntries(left.filter(([, weight]) => weight >= 1)), samples };
}

const NONE = 'none';

function stepOf(value: number): string {
  return value > 0 ? String(Math.max(LOWEST, Math.round(STEPS * Math.log2(value)))) : NONE;
}

function heightOf(step: string): number {
  return step === NONE ? 0 : 2 ** (Number(step) / STEPS);
}

function orderOf(step: string): number {
  return step === NONE ? Number.NEGATIVE_INFINITY : Number(step);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

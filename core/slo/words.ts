/** Budgets in words for a phone. */
import { spanInWords, timeOfDay } from '../duration.ts';
import { shortNumber } from '../quantity.ts';
import { exhaustedAtMs } from './budget.ts';
import type { Burn } from './burn.ts';

/** `99.9 %`, `99.95 %`, as exact as it is written. */
export function objectiveInWords(objective: number): string {
  return `${Number((objective * 100).toFixed(6))} %`;
}

/** `61 % left`, `spent`, `spent 5.2 times over`: never rounded up. */
export function leftInWords(left: number): string {
  if (left > 0) return left < 0.01 ? 'less than 1 % left' : `${Math.floor(left * 100)} % left`;
  const times = 1 - left;
  return times < 1.05 ? 'spent' : `spent ${Number.isFinite(times) ? shortNumber(times) : 'many'} times over`;
}

/** `burning 21 times too fast`, `burning 1.4 times too fast`; empty when it lasts. */
export function rateInWords(rate: number): string {
  return rate <= 1 ? '' : `burning ${shortNumber(rate)} times too fast`;
}

/** `burning 21 times too fast over 1 h, since 10:42, used up in 3 h`. */
export function burnInWords(burn: Burn, windowMs: number, { nowMs, timeZone }: { nowMs: number; timeZone: string }): string {
  const endMs = exhaustedAtMs(burn.budgetLeft, burn.rate, windowMs, nowMs);
  const end = endMs === undefined || endMs <= nowMs ? '' : `, used up in ${spanInWords(endMs - nowMs)}`;
  const speed = burn.rate > 1 ? rateInWords(burn.rate) : 'burnt too fast';
  return `${speed} over ${spanInWords(burn.longMs)}, since ${timeOfDay(burn.sinceMs, timeZone)}${end}`;
}

/** `99.97 % good`: never rounded up to 100 %, `no data` when nothing was seen. */
export function goodInWords({ good, bad }: { good: number; bad: number }): string {
  if (good + bad === 0) return 'no data';
  if (bad === 0) return '100 % good';
  return `${Math.floor((good / (good + bad)) * 100_000) / 1000} % good`;
}

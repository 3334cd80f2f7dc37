/**
 * The error budget: how many slots of the window may be bad. It is counted over what was seen, since time without data is neither good nor
 * bad. What lies before the first slot that was ever seen, and what of a calendar's period is still to come, counts by its number:
 * the budget is that of the whole window, on its first day as well.
 */

/** Slots that were seen. */
export interface Seen {
  good: number;
  bad: number;
}

export interface Budget extends Seen {
  /** Slots that may be bad in the window; not rounded. */
  allowed: number;
  /** The share that is left: 1 untouched, 0 used up, negative overspent. */
  left: number;
}

/** The budget of an objective, `toCome` being the slots of the window that are not there yet. */
export function budgetOf(objective: number, { good, bad }: Seen, toCome = 0): Budget {
  const allowed = (1 - objective) * (good + bad + Math.max(0, toCome));
  return { good, bad, allowed, left: bad === 0 ? 1 : allowed > 0 ? 1 - bad / allowed : -Infinity };
}

/** How many times faster than the budget allows: 1 uses it up exactly with its window. 0 when nothing was seen. */
export function burnRate(objective: number, { good, bad }: Seen): number {
  return bad === 0 ? 0 : bad / (good + bad) / (1 - objective);
}

/** When the budget is used up if it goes on burning like that; now when it is already, `undefined` when it will not be. */
export function exhaustedAtMs(left: number, rate: number, windowMs: number, nowMs: number): number | undefined {
  if (left <= 0) return nowMs;
  return rate > 1 ? nowMs + (left / rate) * windowMs : undefined;
}

/** How much a process takes in a time: a bucket that fills steadily and holds so much. */

/** Takes one of the bucket; `false` when it is empty. */
export type Limit = () => boolean;

/** `perSecond` on average, `burst` at once. `monotonic`: milliseconds. */
export function bucket(options: { perSecond: number; burst: number; monotonic(): number }): Limit {
  const { perSecond, burst, monotonic } = options;
  let left = burst;
  let filledMs = monotonic();
  return () => {
    const nowMs = monotonic();
    left = Math.min(burst, left + ((nowMs - filledMs) / 1000) * perSecond);
    filledMs = nowMs;
    if (left < 1) return false;
    left--;
    return true;
  };
}

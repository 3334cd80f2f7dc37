/** The few statistics that the benchmarks need. */

/** The value below which that share of the values lies: the nearest rank, so always one of the values. Throws for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error('There is no value to take a percentile of.');
  return value;
}

/** The middle value, or the mean of the two middle ones. Throws for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('There is no value to take a median of.');
  return (lower + upper) / 2;
}

/** The value with so many digits after the point, as a number. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

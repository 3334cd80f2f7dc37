/** The clock, handed in everywhere, so that tests can wind it. */
export interface Clock {
  /** Wall-clock time, in milliseconds since 1970. Never used to measure a duration. */
  now(): number;
  /** Monotonic time in milliseconds, for durations only. */
  monotonic(): number;
}

/**
 * When a report is due. A cron pattern speaks of the clock on a wall; a slot is an instant.
 *
 * A wall's time is due once, whatever its zone does to it: of a time that comes twice in autumn the first one counts, and what
 * spring leaves out is due when the clocks have jumped. (node-cron alone would leave that night out, and takes the first or the
 * second of two depending on the zone: measured on 4.6.)
 */

/** A cron pattern. Times on a wall are milliseconds as if the wall were in UTC. */
export interface CronPattern {
  hours: readonly number[];
  minutes: readonly number[];
  /** Whether the pattern has that minute of that day. */
  matches(wallMs: number): boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No zone is further from UTC, and none jumps further. */
const FURTHEST_MS = 15 * HOUR_MS;

/** The slots in `(fromMs, toMs]`, oldest first. */
export function reportSlots(pattern: CronPattern, timeZone: string, fromMs: number, toMs: number): number[] {
  const zone = zoneOf(timeZone);
  const slots = new Set<number>();
  const firstDayMs = Math.floor((fromMs - FURTHEST_MS) / DAY_MS) * DAY_MS;
  for (let dayMs = firstDayMs; dayMs <= toMs + FURTHEST_MS; dayMs += DAY_MS) {
    for (const wallMs of timesOf(pattern, dayMs)) {
      if (wallMs < fromMs - FURTHEST_MS || wallMs > toMs + FURTHEST_MS || !pattern.matches(wallMs)) continue;
      const slotMs = zone.instantOf(wallMs);
      if (slotMs > fromMs && slotMs <= toMs) slots.add(slotMs);
    }
  }
  return [...slots].sort((a, b) => a - b);
}

/** The last slot before that instant, looked for in the `withinMs` before it. */
export function slotBefore(pattern: CronPattern, timeZone: string, beforeMs: number, withinMs: number): number | undefined {
  return reportSlots(pattern, timeZone, beforeMs - withinMs, beforeMs - 1).at(-1);
}

function* timesOf(pattern: CronPattern, dayMs: number): Generator<number> {
  for (const hour of pattern.hours) for (const minute of pattern.minutes) yield dayMs + hour * HOUR_MS + minute * MINUTE_MS;
}

export interface Zone {
  /** What is to be added to an instant for the time on a wall. */
  offsetAt(ms: number): number;
  /** When the wall shows that time for the first time; when it never does, the instant at which it jumps over it. */
  instantOf(wallMs: number): number;
}

/** A time zone by its IANA name. Throws a `RangeError` when there is none of that name. */
export function zoneOf(timeZone: string): Zone {
  const numeric = 'numeric' as const;
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, hourCycle: 'h23', year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric },
  });
  const offsetAt = (ms: number): number => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
  return { offsetAt, instantOf: (wallMs) => instantOf(offsetAt, wallMs) };
}

function instantOf(offsetAt: Zone['offsetAt'], wallMs: number): number {
  // A day on each side of the wall's time holds the offset before and after; zones do not jump twice in two days.
  const before = wallMs - offsetAt(wallMs - DAY_MS);
  const after = wallMs - offsetAt(wallMs + DAY_MS);
  const shown = [before, after].filter((ms) => ms + offsetAt(ms) === wallMs);
  return shown.length > 0 ? Math.min(...shown) : jumpBetween(offsetAt, Math.min(before, after) - MINUTE_MS, Math.max(before, after));
}

/** The first instant of the new offset, to the minute. */
function jumpBetween(offsetAt: Zone['offsetAt'], fromMs: number, toMs: number): number {
  const old = offsetAt(fromMs);
  let [low, high] = [Math.floor(fromMs / MINUTE_MS), Math.ceil(toMs / MINUTE_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * MINUTE_MS) === old) low = middle;
    else high = middle;
  }
  return high * MINUTE_MS;
}

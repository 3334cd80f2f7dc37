/**
 * Times on a wall, as people write them, and the instants that they mean in a time zone. As RFC 5545, 3.3.5 has it: of a time that comes
 * twice, when the clocks are put back, the first counts; one that is left out, when they are put forward, is read with the offset from
 * before the jump, so that 02:30 is 03:30.
 *
 * A wall is a number: milliseconds since 1970 as if the wall were in UTC.
 */
import { Temporal } from 'temporal-polyfill';

export const DAY_MS = 86_400_000;

const FORM = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})$/;

/** `2026-03-29 02:00` as a wall; `undefined` when the text is not a time of a day that exists. */
export function parseWall(text: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const dayMs = parseDay(match[1] ?? '');
  const [hour = 99, minute = 99] = (match[2] ?? '').split(':').map(Number);
  return dayMs === undefined || hour > 23 || minute > 59 ? undefined : dayMs + (hour * 60 + minute) * 60_000;
}

/** `2026-03-29` as the wall's midnight; `undefined` when the text is not a day that exists. */
export function parseDay(text: string): number | undefined {
  const dayMs = /^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? Date.parse(`${text.trim()}T00:00:00Z`) : Number.NaN;
  // Date.parse makes the 2nd of March of the 30th of February.
  return Number.isNaN(dayMs) || !new Date(dayMs).toISOString().startsWith(text.trim()) ? undefined : dayMs;
}

/** The instant, in milliseconds since 1970, that the wall means in the zone. Throws a `RangeError` for a zone that is not known. */
export function instantOfWall(wallMs: number, timeZone: string): number {
  const wall = Temporal.PlainDateTime.from(new Date(wallMs).toISOString().slice(0, -1));
  return wall.toZonedDateTime(timeZone, { disambiguation: 'compatible' }).epochMilliseconds;
}

/** What the wall shows in the zone at that instant. */
export function wallOfInstant(atMs: number, timeZone: string): number {
  const zoned = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  return atMs + zoned.offsetNanoseconds / 1_000_000;
}

/** The next time that the wall shows this hour in the zone, at least so long after that instant. */
export function nextHour(hour: number, timeZone: string, nowMs: number, atLeastMs: number): number {
  const dayMs = Math.floor(wallOfInstant(nowMs, timeZone) / DAY_MS) * DAY_MS;
  const onDay = (days: number) => instantOfWall(dayMs + days * DAY_MS + hour * 3_600_000, timeZone);
  return [onDay(0), onDay(1)].find((atMs) => atMs >= nowMs + atLeastMs) ?? onDay(2);
}

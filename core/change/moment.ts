/** Times as they are typed: of today, of a day, or with an offset. */
import { DAY_MS, instantOfWall, parseWall, wallOfInstant } from '../wall.ts';
import { parseTimeMs } from './text.ts';

/**
 * `10:41` (the last time that it was 10:41 in the zone), `2026-01-31 10:41` (in the zone) or `2026-01-31T10:41:00Z` in milliseconds since
 * 1970; `undefined` for what is none of these.
 */
export function parseMoment(text: string, nowMs: number, timeZone: string): number | undefined {
  const withOffset = parseTimeMs(text);
  if (withOffset !== undefined) return withOffset;
  const wallMs = parseWall(text);
  if (wallMs !== undefined) return instantOfWall(wallMs, timeZone);
  const match = /^(\d{1,2}):(\d{2})$/.exec(text.trim());
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || hour > 23 || minute > 59) return undefined;
  const todayMs = Math.floor(wallOfInstant(nowMs, timeZone) / DAY_MS) * DAY_MS;
  const dayMs = todayMs + (hour * 60 + minute) * 60_000;
  const atMs = instantOfWall(dayMs, timeZone);
  return atMs <= nowMs ? atMs : instantOfWall(dayMs - DAY_MS, timeZone);
}

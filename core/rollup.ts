/**
 * Rollups: what became of the slots of a check, counted by minute, hour and day, and how long its runs took. All of them lie in UTC and are
 * numbered from 1970. A window of time is put together of as few of them as cover it: days and hours where they are made and lie wholly
 * inside, minutes at its edges.
 *
 * Minutes are kept as long as runs, hours for some months. A window that begins before what is kept begins with the whole hour or day in
 * which it begins (of 28 days, an hour is 0.15 %), and one that ends there ends with it.
 */

import type { Config } from './config/model.ts';
import { keptOf as storedFor } from './config/storage.ts';
import { longestMs } from './slo/window.ts';

export const MINUTE_MS = 60_000;
export const MINUTES_PER_HOUR = 60;
export const MINUTES_PER_DAY = 1440;

export type Level = 'minute' | 'hour' | 'day';
const MINUTES: Readonly<Record<Level, number>> = { minute: 1, hour: MINUTES_PER_HOUR, day: MINUTES_PER_DAY };

/** The minute in which that instant lies. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/** From when on rollups are kept, in minutes since 1970. */
export interface KeptFrom {
  /** A whole hour. */
  minutes: number;
  /** A whole day. */
  hours: number;
  /** A whole day. */
  days: number;
}

const DAY_MS = MINUTES_PER_DAY * MINUTE_MS;

/** From when on rollups are kept at that instant. Hours are kept at least for the longest window of an objective and a day more. */
export function keptFrom(config: Pick<Config, 'services' | 'storage'>, nowMs: number): KeptFrom {
  const stored = storedFor(config);
  const windows = Object.values(config.services).flatMap((service) => (service.slos ?? []).map((slo) => longestMs(slo.window)));
  const hoursMs = Math.max(stored.hoursMs, ...windows.map((windowMs) => windowMs + DAY_MS));
  const since = (keptMs: number, unit: number) => Math.floor((nowMs - keptMs) / MINUTE_MS / unit) * unit;
  return {
    minutes: since(stored.rawMs, MINUTES_PER_HOUR),
    hours: since(hoursMs, MINUTES_PER_DAY),
    days: since(Math.max(stored.daysMs, hoursMs), MINUTES_PER_DAY),
  };
}

/** What there is, in minutes since 1970: from when on, and up to when without the end. */
export interface Kept {
  /** A whole hour. */
  minutesFrom: number;
  /** A whole day. */
  hoursFrom: number;
  hoursUntil: number;
  daysUntil: number;
}

/** Rollups of one level, numbered in their own unit, without the last. */
export interface Piece {
  level: Level;
  from: number;
  until: number;
}

/** What covers the minutes from `from` to before `until`, in the order of time; each rollup at most once. */
export function coverOf(from: number, until: number, kept: Kept): Piece[] {
  const pieces: Piece[] = [];
  const end = endOf(until, kept);
  let at = beginOf(from, kept);
  while (at < end) {
    const level = levelAt(at, end, kept);
    const next = Math.min(end, (Math.floor(at / MINUTES[level]) + 1) * MINUTES[level]);
    push(pieces, level, at, next);
    at = next;
  }
  return pieces;
}

/** The minute at which a window that begins there begins in truth: what is not kept by the minute is kept by the hour or day. */
export function beginOf(from: number, { minutesFrom, hoursFrom }: Kept): number {
  if (from < hoursFrom) return Math.floor(from / MINUTES_PER_DAY) * MINUTES_PER_DAY;
  return from < minutesFrom ? Math.floor(from / MINUTES_PER_HOUR) * MINUTES_PER_HOUR : from;
}

/** The same for its end. */
function endOf(until: number, { minutesFrom, hoursFrom }: Kept): number {
  if (until < hoursFrom) return Math.ceil(until / MINUTES_PER_DAY) * MINUTES_PER_DAY;
  return until < minutesFrom ? Math.ceil(until / MINUTES_PER_HOUR) * MINUTES_PER_HOUR : until;
}

function levelAt(at: number, until: number, kept: Kept): Level {
  const fits = (level: Level, made: number) => {
    const end = at + MINUTES[level];
    return at % MINUTES[level] === 0 && end <= made && end <= until;
  };
  if (fits('day', kept.daysUntil)) return 'day';
  return fits('hour', kept.hoursUntil) ? 'hour' : 'minute';
}

function push(pieces: Piece[], level: Level, at: number, next: number): void {
  const unit = MINUTES[level];
  const [from, until] = [Math.floor(at / unit), Math.ceil(next / unit)];
  const last = pieces.at(-1);
  if (last?.level === level && last.until === from) last.until = until;
  else pieces.push({ level, from, until });
}

/**
 * The window that an objective speaks of. A rolling one ends now; one of the calendar begins and ends when it does on a wall in its time
 * zone, so a month with a change of the clocks is an hour longer or shorter.
 */
import { zoneOf } from '../report/slots.ts';

export const PERIODS = ['week', 'month', 'quarter'] as const;
export type CalendarPeriod = (typeof PERIODS)[number];

export type SloWindow = { kind: 'rolling'; durationMs: number } | { kind: 'calendar'; period: CalendarPeriod; timezone: string };

export interface WindowNow {
  fromMs: number;
  /** Of a rolling window now, of the calendar when its period ends. */
  untilMs: number;
  /** "28 days", "November", "the week of 16 November", "the 4th quarter". */
  title: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONDAY = 1;

/** The window in which that instant lies. */
export function windowAt(window: SloWindow, nowMs: number): WindowNow {
  if (window.kind === 'rolling') return { fromMs: nowMs - window.durationMs, untilMs: nowMs, title: lengthInWords(window.durationMs) };
  const zone = zoneOf(window.timezone);
  const wall = new Date(nowMs + zone.offsetAt(nowMs));
  const [first, next] = bounds(window.period, wall);
  return { fromMs: zone.instantOf(first), untilMs: zone.instantOf(next), title: periodInWords(window.period, first) };
}

/** How long the window is now, milliseconds. */
export function lengthMs(window: SloWindow, nowMs: number): number {
  if (window.kind === 'rolling') return window.durationMs;
  const { fromMs, untilMs } = windowAt(window, nowMs);
  return untilMs - fromMs;
}

/** The longest that such a window can be, milliseconds: for so long its counts must be kept. */
export function longestMs(window: SloWindow): number {
  if (window.kind === 'rolling') return window.durationMs;
  return { week: 7, month: 31, quarter: 92 }[window.period] * DAY_MS + HOUR_MS;
}

/** Times on a wall, as if it were in UTC: the beginning of the period and of the next. */
function bounds(period: CalendarPeriod, wall: Date): [first: number, next: number] {
  const [year, month] = [wall.getUTCFullYear(), wall.getUTCMonth()];
  if (period === 'week') {
    const monday = Date.UTC(year, month, wall.getUTCDate() - ((wall.getUTCDay() - MONDAY + 7) % 7));
    return [monday, monday + 7 * DAY_MS];
  }
  const months = period === 'month' ? 1 : 3;
  const start = Math.floor(month / months) * months;
  return [Date.UTC(year, start), Date.UTC(year, start + months)];
}

function lengthInWords(durationMs: number): string {
  const [count, unit] = durationMs % DAY_MS === 0 ? [durationMs / DAY_MS, 'day'] : [Math.round(durationMs / HOUR_MS), 'hour'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

const QUARTERS = ['1st', '2nd', '3rd', '4th'];

function periodInWords(period: CalendarPeriod, wallMs: number): string {
  const words = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', ...options }).format(wallMs);
  if (period === 'month') return words({ month: 'long' });
  if (period === 'week') return `the week of ${words({ day: 'numeric', month: 'long' })}`;
  return `the ${QUARTERS[Math.floor(new Date(wallMs).getUTCMonth() / 3)]} quarter`;
}

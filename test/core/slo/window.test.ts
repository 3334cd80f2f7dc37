import { expect, test } from 'vitest';
import { lengthMs, longestMs, windowAt } from '../../../core/slo/window.ts';

const DAY_MS = 86_400_000;
const iso = (ms: number) => new Date(ms).toISOString();
const at = (text: string) => Date.parse(text);
const of = (period: 'week' | 'month' | 'quarter', timezone = 'Europe/Berlin') => ({ kind: 'calendar', period, timezone }) as const;

test('a rolling window ends now', () => {
  const window = { kind: 'rolling', durationMs: 28 * DAY_MS } as const;
  expect(windowAt(window, 40 * DAY_MS)).toEqual({ fromMs: 12 * DAY_MS, untilMs: 40 * DAY_MS, title: '28 days' });
  expect(windowAt({ kind: 'rolling', durationMs: DAY_MS }, DAY_MS).title).toBe('1 day');
});

test.each([
  ['week', '2026-11-22T22:59:59Z', '2026-11-15T23:00:00.000Z', '2026-11-22T23:00:00.000Z', 'the week of 16 November'],
  ['week', '2026-11-22T23:00:00Z', '2026-11-22T23:00:00.000Z', '2026-11-29T23:00:00.000Z', 'the week of 23 November'],
  ['month', '2026-10-31T12:00:00Z', '2026-09-30T22:00:00.000Z', '2026-10-31T23:00:00.000Z', 'October'],
  ['month', '2026-03-01T00:00:00Z', '2026-02-28T23:00:00.000Z', '2026-03-31T22:00:00.000Z', 'March'],
  ['quarter', '2026-12-31T22:59:00Z', '2026-09-30T22:00:00.000Z', '2026-12-31T23:00:00.000Z', 'the 4th quarter'],
] as const)('the %s in which %s lies', (period, now, from, until, title) => {
  const found = windowAt(of(period), at(now));
  expect([iso(found.fromMs), iso(found.untilMs), found.title]).toEqual([from, until, title]);
});

test('a month with a change of the clocks is an hour longer or shorter', () => {
  expect(lengthMs(of('month'), at('2026-10-10T00:00:00Z'))).toBe(31 * DAY_MS + 3_600_000);
  expect(lengthMs(of('month'), at('2026-03-10T00:00:00Z'))).toBe(31 * DAY_MS - 3_600_000);
  expect(longestMs(of('month'))).toBe(31 * DAY_MS + 3_600_000);
});

test('a midnight that the clocks leave out begins when they have jumped', () => {
  // In Beirut summer time begins at midnight: of Sunday, 29 March 2026, the first hour is missing.
  expect(iso(windowAt(of('week', 'Asia/Beirut'), at('2026-03-31T00:00:00Z')).fromMs)).toBe('2026-03-29T21:00:00.000Z');
  // In Santiago it is the night to Sunday, 6 September: the week begins on the Monday before, in winter time.
  expect(iso(windowAt(of('week', 'America/Santiago'), at('2026-09-06T12:00:00Z')).fromMs)).toBe('2026-08-31T04:00:00.000Z');
});

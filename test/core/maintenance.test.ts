import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Maintenance } from '../../core/config/model.ts';
import { windowsBetween } from '../../core/maintenance.ts';
import { ANCHOR_MS, readRecurrence } from '../../core/recurrence.ts';
import { instantOfWall, nextHour, parseWall, wallOfInstant } from '../../core/wall.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function entry(change: Partial<Maintenance> = {}): Maintenance {
  const nothing = { services: [], components: [], tenants: [], checks: [], exceptDaysMs: [], exceptWallsMs: [] };
  return { id: 'patches', title: 'Patches', ...nothing, timezone: 'Europe/Berlin', ...change };
}

const config = (...entries: Maintenance[]) => ({ maintenance: Object.fromEntries(entries.map((one) => [one.id, one])) });
const wall = (text: string) => parseWall(text) ?? Number.NaN;
const shown = (atMs: number) => new Date(atMs).toISOString().slice(0, 16);

/** The windows between two times in UTC, as `begin/end`. */
function windows(one: Maintenance, from: string, until: string): string[] {
  const found = windowsBetween(config(one), Date.parse(`${from}Z`), Date.parse(`${until}Z`));
  return found.map((window) => `${shown(window.fromMs)}/${shown(window.untilMs)}`);
}

describe('a rule', () => {
  test('begins by the clock on the wall and lasts exactly as long as it says, on the nights of summer time, too', () => {
    const nightly = entry({ rrule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30', lastsMs: 2 * HOUR_MS });
    // 02:30 is left out on the 29th: it is read with the offset from before, as 03:30.
    expect(windows(nightly, '2026-03-28T00:00', '2026-03-30T12:00')).toEqual([
      '2026-03-28T01:30/2026-03-28T03:30',
      '2026-03-29T01:30/2026-03-29T03:30',
      '2026-03-30T00:30/2026-03-30T02:30',
    ]);
    // 02:30 comes twice on the 25th: the first counts, and two hours later it is 03:30 of winter time.
    expect(windows(nightly, '2026-10-24T12:00', '2026-10-26T12:00')).toEqual([
      '2026-10-25T00:30/2026-10-25T02:30',
      '2026-10-26T01:30/2026-10-26T03:30',
    ]);
  });

  test('in New York, where the clocks change at 02:00, too', () => {
    const sundays = entry({ rrule: 'FREQ=WEEKLY;BYDAY=SU;BYHOUR=1,2', lastsMs: HOUR_MS, timezone: 'America/New_York' });
    expect(windows(sundays, '2026-03-08T00:00', '2026-03-08T23:00')).toEqual([
      '2026-03-08T06:00/2026-03-08T07:00',
      '2026-03-08T07:00/2026-03-08T08:00',
    ]);
    // 01:00 comes twice: the hour that is repeated is not covered twice.
    expect(windows(sundays, '2026-11-01T00:00', '2026-11-01T23:00')).toEqual([
      '2026-11-01T05:00/2026-11-01T06:00',
      '2026-11-01T07:00/2026-11-01T08:00',
    ]);
  });

  test('on Lord Howe Island, where the clocks change by half an hour', () => {
    const nightly = entry({ rrule: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=15', lastsMs: HOUR_MS, timezone: 'Australia/Lord_Howe' });
    // Forward at 02:00 to 02:30, from +10:30: 02:15 is 02:45 of +11:00.
    expect(windows(nightly, '2026-10-02T14:00', '2026-10-05T00:00')).toEqual([
      '2026-10-02T15:45/2026-10-02T16:45',
      '2026-10-03T15:45/2026-10-03T16:45',
      '2026-10-04T15:15/2026-10-04T16:15',
    ]);
    // Back at 02:00 to 01:30.
    const twice = entry({ ...nightly, rrule: 'FREQ=DAILY;BYHOUR=1;BYMINUTE=45' });
    expect(windows(twice, '2026-04-03T20:00', '2026-04-05T00:00')).toEqual(['2026-04-04T14:45/2026-04-04T15:45']);
  });

  test('in Apia, which went without the 30th of December 2011', () => {
    const nightly = entry({ rrule: 'FREQ=DAILY', fromWallMs: wall('2011-12-01 02:00'), lastsMs: HOUR_MS, timezone: 'Pacific/Apia' });
    // -10:00 until the end of the 29th, +14:00 from the 31st: the two that mean one instant are one window.
    expect(windows(nightly, '2011-12-28T00:00', '2012-01-01T12:00')).toEqual([
      '2011-12-28T12:00/2011-12-28T13:00',
      '2011-12-29T12:00/2011-12-29T13:00',
      '2011-12-30T12:00/2011-12-30T13:00',
      '2011-12-31T12:00/2011-12-31T13:00',
      '2012-01-01T12:00/2012-01-01T13:00',
    ]);
    const lateFridays = entry({ ...nightly, rrule: 'FREQ=DAILY;BYHOUR=23' });
    expect(windows(lateFridays, '2011-12-30T00:00', '2011-12-31T12:00')).toEqual([
      '2011-12-30T09:00/2011-12-30T10:00',
      '2011-12-31T09:00/2011-12-31T10:00',
    ]);
  });

  test('of every second week stays the same week, whoever asks and when', () => {
    const second = entry({ rrule: 'FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;BYHOUR=2', lastsMs: 2 * HOUR_MS, timezone: 'UTC' });
    const all = windows(second, '2024-01-01T00:00', '2028-01-01T00:00');
    expect(all.slice(0, 2)).toEqual(['2024-01-07T02:00/2024-01-07T04:00', '2024-01-21T02:00/2024-01-21T04:00']);
    // Each asked for by itself, of an entry that was never asked before.
    for (const window of [all[10], all[60], all[100]]) {
      const beginMs = Date.parse(`${window?.slice(0, 16)}Z`);
      expect(windows(entry(second), shown(beginMs), shown(beginMs + HOUR_MS))).toEqual([window]);
      expect(windows(entry(second), shown(beginMs + 7 * DAY_MS), shown(beginMs + 8 * DAY_MS))).toEqual([]);
    }
    const other = entry({ ...second, fromWallMs: wall('2024-01-08 00:00') });
    expect(windows(other, '2024-01-01T00:00', '2024-01-30T00:00')).toEqual([
      '2024-01-14T02:00/2024-01-14T04:00',
      '2024-01-28T02:00/2024-01-28T04:00',
    ]);
  });

  test('ends with until and with COUNT, and leaves out what is excepted', () => {
    const base = { lastsMs: HOUR_MS, fromWallMs: wall('2026-01-01 02:00'), timezone: 'UTC' };
    const until = entry({ ...base, rrule: 'FREQ=DAILY', untilWallMs: wall('2026-01-03 02:00') });
    expect(windows(until, '2025-12-01T00:00', '2026-03-01T00:00')).toHaveLength(3);
    const counted = entry({ ...base, rrule: 'FREQ=DAILY;COUNT=3' });
    expect(windows(counted, '2025-12-01T00:00', '2026-03-01T00:00')).toHaveLength(3);
    const excepted = { exceptDaysMs: [Date.UTC(2026, 0, 2)], exceptWallsMs: [wall('2026-01-03 02:00')] };
    expect(windows(entry({ ...until, ...excepted }), '2025-12-01T00:00', '2026-03-01T00:00')).toEqual([
      '2026-01-01T02:00/2026-01-01T03:00',
    ]);
  });

  test('has no window before it begins', () => {
    expect(windows(entry({ rrule: 'FREQ=DAILY', lastsMs: HOUR_MS, timezone: 'UTC' }), '2023-01-01T00:00', '2024-01-01T00:30')).toEqual([
      '2024-01-01T00:00/2024-01-01T01:00',
    ]);
  });
});

describe('a window that is once', () => {
  test('goes from one time on the wall to another, or lasts', () => {
    const fromWallMs = wall('2026-03-29 01:00');
    expect(windows(entry({ fromWallMs, untilWallMs: wall('2026-03-29 04:00') }), '2026-03-01T00:00', '2026-04-01T00:00')).toEqual([
      '2026-03-29T00:00/2026-03-29T02:00',
    ]);
    expect(windows(entry({ fromWallMs, lastsMs: 3 * HOUR_MS }), '2026-03-01T00:00', '2026-04-01T00:00')).toEqual([
      '2026-03-29T00:00/2026-03-29T03:00',
    ]);
  });

  test('is on from its beginning, and no more at its end', () => {
    const [fromMs, untilMs] = [Date.UTC(2026, 2, 1, 2), Date.UTC(2026, 2, 1, 4)];
    const one = config(entry({ fromWallMs: fromMs, untilWallMs: untilMs, timezone: 'UTC' }));
    const on = (atMs: number) => windowsBetween(one, atMs, atMs).map((window) => window.id);
    expect([fromMs - 1, fromMs, untilMs - 1, untilMs].map(on)).toEqual([[], [`patches@${fromMs}`], [`patches@${fromMs}`], []]);
  });
});

test('several entries come in the order of their beginning, each with what it covers', () => {
  const nightly = entry({ id: 'nightly', rrule: 'FREQ=DAILY;BYHOUR=2', lastsMs: HOUR_MS, timezone: 'UTC', services: ['billing'] });
  const early = entry({ id: 'early', rrule: 'FREQ=DAILY;BYHOUR=1', lastsMs: 3 * HOUR_MS, timezone: 'UTC' });
  const atMs = Date.UTC(2026, 0, 1, 2, 30);
  expect(windowsBetween(config(nightly, early), atMs, atMs)).toMatchObject([
    { kind: 'maintenance', id: `early@${Date.UTC(2026, 0, 1, 1)}`, services: [] },
    { kind: 'maintenance', id: `nightly@${Date.UTC(2026, 0, 1, 2)}`, title: 'Patches', services: ['billing'] },
  ]);
});

/** Zones with whole and half hours, both hemispheres, no summer time, and one that changes at midnight. */
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/Santiago', 'Africa/Casablanca', 'UTC'];
const DAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const some = <T>(from: readonly T[], maxLength: number) => fc.subarray([...from], { minLength: 1, maxLength });
const numbers = (to: number) => Array.from({ length: to }, (_, index) => index);

interface Weekly {
  timezone: string;
  days: string[];
  hours: number[];
  minutes: number[];
  interval: number;
  lastsMs: number;
}

const weekly: fc.Arbitrary<Weekly> = fc.record({
  timezone: fc.constantFrom(...ZONES),
  days: some(DAYS, 7),
  hours: some(numbers(24), 4),
  minutes: some(numbers(60), 2),
  interval: fc.integer({ min: 1, max: 3 }),
  lastsMs: fc.integer({ min: 1, max: 30 * 60 }).map((minutes) => minutes * MINUTE_MS),
});

/** Times around which clocks change, on most days, so that nearly every rule meets a change. */
const nearJumps: fc.Arbitrary<Weekly> = fc.record({
  timezone: fc.constantFrom(...ZONES),
  days: fc.subarray(DAYS, { minLength: 5 }),
  hours: some([23, 0, 1, 2, 3], 4),
  minutes: some([0, 15, 30, 45, 59], 4),
  interval: fc.constant(1),
  lastsMs: fc.integer({ min: 1, max: 300 }).map((minutes) => minutes * MINUTE_MS),
});

/** What the wall shows, by the platform's own time zones and not by ours. */
function wallClock(timeZone: string): (atMs: number) => number {
  const numeric = 'numeric' as const;
  const fields = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric };
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
  return (atMs) => {
    const {
      year = 0,
      month = 1,
      day = 1,
      hour = 0,
      minute = 0,
    } = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(year, month - 1, day, hour, minute);
  };
}

/**
 * Walks the minutes and finds those at which a window begins: the wall shows a time of the rule for the first time, or the wall has
 * jumped and stands as far behind its jump as the time that was left out.
 */
function walked(rule: Weekly, fromMs: number, untilMs: number): number[] {
  const clock = wallClock(rule.timezone);
  const isNamed = (wallMs: number) => {
    const day = new Date(wallMs);
    const week = Math.floor((wallMs - ANCHOR_MS) / (7 * DAY_MS));
    const named = rule.days.includes(DAYS[day.getUTCDay()] ?? '') && rule.hours.includes(day.getUTCHours());
    return named && rule.minutes.includes(day.getUTCMinutes()) && week % rule.interval === 0;
  };
  const begins = new Set<number>();
  let highestMs = Number.NEGATIVE_INFINITY;
  let leftOutMs = Number.NEGATIVE_INFINITY;
  let jumpMs = 0;
  for (let atMs = fromMs; atMs < untilMs; atMs += MINUTE_MS) {
    const wallMs = clock(atMs);
    if (wallMs - highestMs > MINUTE_MS && highestMs > 0) [leftOutMs, jumpMs] = [wallMs, wallMs - highestMs - MINUTE_MS];
    if (wallMs > highestMs && isNamed(wallMs)) begins.add(atMs);
    if (wallMs >= leftOutMs && wallMs < leftOutMs + jumpMs && isNamed(wallMs - jumpMs)) begins.add(atMs);
    highestMs = Math.max(highestMs, wallMs);
  }
  return [...begins];
}

describe('agrees with a walk over the minutes', () => {
  test.each([
    // Berlin, Casablanca's Ramadan and New York; Santiago and Lord Howe; autumn of the north.
    ['March', Date.UTC(2026, 2, 5), Date.UTC(2026, 2, 31)],
    ['April', Date.UTC(2026, 3, 1), Date.UTC(2026, 3, 9)],
    ['September', Date.UTC(2026, 8, 3), Date.UTC(2026, 8, 10)],
    ['October', Date.UTC(2026, 9, 1), Date.UTC(2026, 9, 8)],
    ['November', Date.UTC(2026, 9, 22), Date.UTC(2026, 10, 4)],
  ])(
    'in %s',
    (_, fromMs, untilMs) => {
      fc.assert(
        fc.property(fc.oneof(nearJumps, nearJumps, weekly), (rule) => {
          const by = [`BYDAY=${rule.days}`, `BYHOUR=${rule.hours}`, `BYMINUTE=${rule.minutes}`].join(';');
          const one = entry({ rrule: `FREQ=WEEKLY;INTERVAL=${rule.interval};${by}`, lastsMs: rule.lastsMs, timezone: rule.timezone });
          const found = windowsBetween(config(one), fromMs, untilMs - 1).filter((window) => window.fromMs >= fromMs);
          expect(found.map((window) => shown(window.fromMs))).toEqual(walked(rule, fromMs, untilMs).map(shown));
          expect(found.every((window) => window.untilMs - window.fromMs === rule.lastsMs)).toBe(true);
        }),
        { numRuns: 25 },
      );
    },
    60_000,
  );

  test('at any moment, however it is asked for', () => {
    const years = { min: Date.UTC(2024, 0, 1), max: Date.UTC(2032, 0, 1) };
    fc.assert(
      fc.property(weekly, fc.integer(years), fc.integer({ min: 0, max: 10 * DAY_MS }), (rule, fromMs, spanMs) => {
        const by = [`BYDAY=${rule.days}`, `BYHOUR=${rule.hours}`, `BYMINUTE=${rule.minutes}`].join(';');
        const made = () => entry({ rrule: `FREQ=WEEKLY;${by}`, lastsMs: rule.lastsMs, timezone: rule.timezone });
        const one = config(made());
        const whole = windowsBetween(one, fromMs, fromMs + spanMs);
        for (const window of whole) {
          const edges = [window.fromMs, window.untilMs - 1].map((atMs) => windowsBetween(one, atMs, atMs).map((other) => other.id));
          expect(edges.every((ids) => ids.includes(window.id))).toBe(true);
          expect(windowsBetween(config(made()), window.untilMs, window.untilMs).map((other) => other.id)).not.toContain(window.id);
        }
        const halves = [...windowsBetween(one, fromMs, fromMs + spanMs / 2), ...windowsBetween(one, fromMs + spanMs / 2, fromMs + spanMs)];
        expect(new Set(halves.map((window) => window.id))).toEqual(new Set(whole.map((window) => window.id)));
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

test('walls and instants go over into each other', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES, 'Pacific/Apia'), fc.integer({ min: 1_300_000_000, max: 2_000_000_000 }), (timeZone, seconds) => {
      const atMs = seconds * 1000;
      const wallMs = wallOfInstant(atMs, timeZone);
      // The same wall may have been shown before, never later.
      const first = instantOfWall(wallMs, timeZone);
      expect(first).toBeLessThanOrEqual(atMs);
      expect(wallOfInstant(first, timeZone)).toBe(wallMs);
    }),
  );
});

test.each([
  ['in the evening it is tomorrow', '2026-11-22T20:00', '2026-11-23T07:00'],
  ['at night it is the same day', '2026-11-23T02:00', '2026-11-23T07:00'],
  ['shortly before it is the next', '2026-11-23T05:30', '2026-11-24T07:00'],
  ['over the night in which the clocks go forward', '2026-03-28T20:00', '2026-03-29T06:00'],
])('the next 08:00: %s', (_, now, expected) => {
  expect(shown(nextHour(8, 'Europe/Berlin', Date.parse(`${now}Z`), 2 * HOUR_MS))).toBe(expected);
});

describe('a hostile rule', () => {
  test.each(['FREQ=SECONDLY', 'FREQ=MINUTELY;INTERVAL=60', 'FREQ=DAILY;COUNT=101', 'FREQ=HOURLY;BYMINUTE=0,30', 'FREQ=DAILY;BYSECOND=1'])(
    '%s is refused',
    (rule) => expect(readRecurrence(rule)).toMatch(/^expected /),
  );

  test('whatever it is, is read or refused, and worked out without an error', () => {
    const part = fc.oneof(
      ...['INTERVAL', 'COUNT', 'BYMONTH', 'BYWEEKNO', 'BYYEARDAY', 'BYMONTHDAY', 'BYHOUR', 'BYMINUTE', 'BYSETPOS'].map((name) =>
        fc.array(fc.integer({ min: -60, max: 400 }), { minLength: 1, maxLength: 3 }).map((values) => `${name}=${values}`),
      ),
      fc.array(fc.constantFrom('MO', '2TU', '-1SU', 'XX'), { minLength: 1, maxLength: 2 }).map((days) => `BYDAY=${days}`),
    );
    const rules = fc.tuple(fc.constantFrom('HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'), fc.array(part, { maxLength: 4 }));
    fc.assert(
      fc.property(rules, ([frequency, parts]) => {
        const read = readRecurrence([`FREQ=${frequency}`, ...parts].join(';'));
        if (typeof read === 'string') return;
        const one = entry({ rrule: read.text, lastsMs: HOUR_MS, fromWallMs: Date.UTC(2026, 0, 1) });
        const found = windowsBetween(config(one), Date.UTC(2031, 0, 1), Date.UTC(2031, 1, 1));
        expect(found.length).toBeLessThanOrEqual(24 * 32);
      }),
      { numRuns: 600 },
    );
  }, 60_000);
});

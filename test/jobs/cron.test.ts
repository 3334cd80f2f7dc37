import { getTasks } from 'node-cron';
import { describe, expect, it, test } from 'vitest';
import { reportSlots, slotBefore } from '../../core/report/slots.ts';
import { cronPattern, isCron } from '../../jobs/cron.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The slots of two days around that day, as instants. */
function around(cron: string, timeZone: string, day: string): string[] {
  const noonMs = Date.parse(`${day}T12:00:00Z`);
  return reportSlots(cronPattern(cron), timeZone, noonMs - 1.5 * DAY_MS, noonMs + 1.5 * DAY_MS).map((ms) => new Date(ms).toISOString());
}

describe('a report at half past two', () => {
  test.each([
    // Berlin: 02:00 → 03:00 at 01:00Z. The wall never shows 02:30.
    ['Europe/Berlin', '30 2 * * *', '2026-03-29', ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z']],
    // Berlin: 03:00 → 02:00 at 01:00Z. The wall shows 02:30 twice; the first time counts.
    ['Europe/Berlin', '30 2 * * *', '2026-10-25', ['2026-10-24T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']],
    ['America/New_York', '30 2 * * *', '2026-03-08', ['2026-03-07T07:30:00.000Z', '2026-03-08T07:00:00.000Z', '2026-03-09T06:30:00.000Z']],
    ['America/New_York', '30 1 * * *', '2026-11-01', ['2026-10-31T05:30:00.000Z', '2026-11-01T05:30:00.000Z', '2026-11-02T06:30:00.000Z']],
    // Half an hour only: 02:00 → 02:30 and back.
    [
      'Australia/Lord_Howe',
      '15 2 * * *',
      '2026-10-03',
      ['2026-10-02T15:45:00.000Z', '2026-10-03T15:30:00.000Z', '2026-10-04T15:15:00.000Z'],
    ],
    // Midnight itself is skipped.
    ['Africa/Cairo', '0 0 * * *', '2026-04-24', ['2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z', '2026-04-25T21:00:00.000Z']],
  ])('in %s is due once on each night: %s around %s', (timeZone, cron, day, expected) => {
    expect(around(cron, timeZone, day)).toEqual(expected);
  });

  it('is found whichever hour of the night is looked at', () => {
    const pattern = cronPattern('30 2 * * *');
    for (const night of ['2026-03-28T22:00:00Z', '2026-10-24T22:00:00Z']) {
      const startMs = Date.parse(night);
      const perHour = Array.from({ length: 24 }, (_, hour) =>
        reportSlots(pattern, 'Europe/Berlin', startMs + hour * HOUR_MS, startMs + (hour + 1) * HOUR_MS),
      );
      expect(perHour.flat()).toEqual(reportSlots(pattern, 'Europe/Berlin', startMs, startMs + DAY_MS));
      expect(perHour.flat()).toHaveLength(1);
    }
  });
});

describe('slots', () => {
  it('of an hour that is repeated or left out are not doubled', () => {
    const spring = around('*/30 * * * *', 'Europe/Berlin', '2026-03-29');
    expect(new Set(spring).size).toBe(spring.length);
    expect(spring).toContain('2026-03-29T01:00:00.000Z');
    const autumn = around('0 * * * *', 'Europe/Berlin', '2026-10-25');
    expect(autumn).toContain('2026-10-25T00:00:00.000Z');
    expect(autumn).not.toContain('2026-10-25T01:00:00.000Z');
  });

  it('begin after the first instant and end with the last', () => {
    const pattern = cronPattern('0 7 * * 1-5');
    const sevenMs = Date.parse('2026-01-15T07:00:00Z');
    expect(reportSlots(pattern, 'UTC', sevenMs, sevenMs)).toEqual([]);
    expect(reportSlots(pattern, 'UTC', sevenMs - 1, sevenMs)).toEqual([sevenMs]);
  });

  it('know the one before: on a Monday, that of Friday', () => {
    const pattern = cronPattern('0 7 * * MON-FRI');
    expect(slotBefore(pattern, 'UTC', Date.parse('2026-01-19T07:00:00Z'), 31 * DAY_MS)).toBe(Date.parse('2026-01-16T07:00:00Z'));
    expect(slotBefore(cronPattern('0 7 1 1 *'), 'UTC', Date.parse('2026-06-01T07:00:00Z'), 31 * DAY_MS)).toBeUndefined();
  });

  it('leave nothing behind on the list of node-cron', () => {
    const before = getTasks().size;
    cronPattern('0 7 * * *');
    expect(getTasks().size).toBe(before);
  });
});

test.each(['0 7 * * *', '*/15 8-18 * * mon-fri', '0 0 L * *'])('%s is a time', (text) => expect(isCron(text)).toBe(true));
test.each(['', '7', '0 0 7 * * *', '@daily', '61 7 * * *', '0 7 31 2 *', 'at seven', '0 7 * *'])('%s is none', (text) =>
  expect(isCron(text)).toBe(false),
);

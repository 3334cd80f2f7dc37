import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginOf, coverOf, type Kept, minuteOf } from '../../core/rollup.ts';

const kept: Kept = { minutesFrom: 4980, hoursFrom: 1440, hoursUntil: 9660, daysUntil: 8640 };
const unit = { minute: 1, hour: 60, day: 1440 };

test('a window is covered once, by what is made and kept', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }), (a, b) => {
      const [from, until] = [Math.min(a, b), Math.max(a, b)];
      const covered = coverOf(from, until, kept).flatMap(({ level, from: first, until: end }) =>
        Array.from({ length: (end - first) * unit[level] }, (_, index) => first * unit[level] + index),
      );
      const begin = beginOf(from, kept);
      const whole = until < kept.hoursFrom ? 1440 : until < kept.minutesFrom ? 60 : 1;
      const end = Math.ceil(until / whole) * whole;
      expect(covered).toEqual(Array.from({ length: end - begin }, (_, index) => begin + index));
      for (const piece of coverOf(from, until, kept)) {
        if (piece.level === 'minute') expect(piece.from).toBeGreaterThanOrEqual(kept.minutesFrom);
        if (piece.level === 'hour') expect(piece.until * 60).toBeLessThanOrEqual(kept.hoursUntil);
        if (piece.level === 'day') expect(piece.until * 1440).toBeLessThanOrEqual(kept.daysUntil);
      }
    }),
  );
});

test('28 days are days, with hours and minutes at the edges', () => {
  const now = 60 * 24 * 100 + 754;
  const there = { minutesFrom: now - 3000, hoursFrom: 0, hoursUntil: now - 34, daysUntil: 60 * 24 * 100 };
  expect(coverOf(now - 28 * 1440, now, there)).toEqual([
    { level: 'hour', from: 24 * 72 + 12, until: 24 * 73 },
    { level: 'day', from: 73, until: 100 },
    { level: 'hour', from: 24 * 100, until: 24 * 100 + 12 },
    { level: 'minute', from: now - 34, until: now },
  ]);
  expect(minuteOf(now * 60_000 + 59_999)).toBe(now);
});

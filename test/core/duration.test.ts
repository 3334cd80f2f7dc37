import { describe, expect, it } from 'vitest';
import { parseDurationMs, spanInWords, timeOfDay } from '../../core/duration.ts';

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['28d', 2_419_200_000],
  ])('reads %s', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs);
  });

  it.each(['fast', '30', '-5s', '0s', '5 minutes', ''])('takes "%s" for none', (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  });

  it.each([
    [0, '0.0 s'],
    [4, '4 ms'],
    [240, '0.2 s'],
    [48_300, '48 s'],
    [360_000, '6 min'],
    [11_100_000, '3 h 5 min'],
    [273_600_000, '3 d 4 h'],
  ])('says %i ms as "%s"', (spanMs, words) => {
    expect(spanInWords(spanMs)).toBe(words);
  });

  it('tells the time on the wall of the place, also in the night when clocks change', () => {
    expect(timeOfDay(Date.UTC(2026, 2, 29, 0, 59), 'Europe/Berlin')).toBe('01:59');
    expect(timeOfDay(Date.UTC(2026, 2, 29, 1, 0, 7), 'Europe/Berlin', true)).toBe('03:00:07');
  });
});

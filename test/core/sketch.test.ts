import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addPace, percentileMs, stepOf } from '../../core/report/pace.ts';
import { decodeSketch, encodeSketch, histogramOf, quantileMs, sketchOf } from '../../core/sketch.ts';

const durations = fc.array(fc.double({ min: 0, max: 300_000, noNaN: true }), { minLength: 1, maxLength: 200 });
const bytesOf = (values: readonly number[]) => encodeSketch(sketchOf(values)) ?? new Uint8Array();

test('a quantile is off by 1 % at most, after any way through bytes and merging', () => {
  fc.assert(
    fc.property(durations, durations, fc.double({ min: 0, max: 1, noNaN: true }), (one, other, share) => {
      const all = [...one, ...other].map((value) => Math.max(1, value)).sort((a, b) => a - b);
      const exact = all[Math.floor(share * (all.length - 1))] ?? 0;
      const merged = decodeSketch(Uint8Array.from([...bytesOf(one), ...bytesOf(other)]));
      expect(merged.count).toBe(all.length);
      expect(Math.abs((quantileMs(merged, share) ?? 0) - exact)).toBeLessThanOrEqual(0.0101 * exact);
    }),
  );
});

test('merging knows no order, and bytes hold all of it', () => {
  fc.assert(
    fc.property(durations, durations, (one, other) => {
      const [ab, ba] = [
        [...bytesOf(one), ...bytesOf(other)],
        [...bytesOf(other), ...bytesOf(one)],
      ].map((bytes) => decodeSketch(Uint8Array.from(bytes)));
      expect(ab && encodeSketch(ab)).toEqual(ba && encodeSketch(ba));
      expect(ab && encodeSketch(ab)).toEqual(bytesOf([...one, ...other]));
    }),
  );
});

test('its bins are the steps of a report', () => {
  const values = [0.3, 1, 1.01, 7, 80.5, 80.6, 912, 1100, 15_000];
  const counted = addPace(values.map((value) => new Map([[stepOf(value), 1]])));
  const sketched = histogramOf(sketchOf(values.map((value) => value * 1.000_001)));
  expect(percentileMs(sketched, 0.95)).toBe(percentileMs(counted, 0.95));
  expect([...sketched.values()].reduce((a, b) => a + b)).toBe(values.length);
});

test('three runs take a few bytes, an hour of a journey less than a hundred', () => {
  expect(bytesOf([812, 830, 845]).length).toBeLessThanOrEqual(7);
  const hour = Array.from({ length: 180 }, (_, index) => 900 + 400 * Math.sin(index) ** 2);
  expect(bytesOf(hour).length).toBeLessThan(100);
  expect(encodeSketch(sketchOf())).toBeUndefined();
  expect(quantileMs(sketchOf(), 0.5)).toBeUndefined();
});

test('bytes that are cut off are refused', () => {
  expect(() => decodeSketch(bytesOf([812, 830, 845]).slice(0, 4))).toThrow('cut off');
});

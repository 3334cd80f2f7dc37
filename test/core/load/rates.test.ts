import { expect, test } from 'vitest';
import { ratesBetween, sizesAfter } from '../../../core/load/rates.ts';
import { aLoad, aSample } from './samples.ts';

const SIZE = 'database hillcrest';

function rates(before: ReturnType<typeof aLoad>, now: ReturnType<typeof aLoad>, elapsedMs = 10_000) {
  return ratesBetween(aSample(1_000_000, [before]), aSample(1_000_000 + elapsedMs, [now]))[0]?.rates;
}

test('counters become rates, levels stay what they are, and what is not told is not zero', () => {
  const before = aLoad('a', { statementMs: 5_000, blocksRead: 100, tempBytes: 0, rowsInserted: 50, rowsDeleted: 20 });
  const now = aLoad(
    'a',
    { statementMs: 25_000, blocksRead: 600, tempBytes: 1_000, rowsInserted: 150, rowsDeleted: 40 },
    { connections: 9, waiting: 0, running: 0, runningMs: 0, locks: 3, jobs: 4 },
  );
  expect(rates(before, now)).toEqual({
    'statement-time': 2,
    'blocks-read': 50,
    'temp-bytes': 100,
    'rows-grown': 8,
    'locks-held': 3,
    connections: 9,
    'jobs-queued': 4,
  });
  expect(rates(aLoad('a'), aLoad('a', {}, { locks: 0 }))).toEqual({ 'locks-held': 0 });
});

test('the first sample tells levels and no rate', () => {
  const [only] = ratesBetween(undefined, aSample(1, [aLoad('a', { statementMs: 9 }, { locks: 1 })]));
  expect(only?.rates).toEqual({ 'locks-held': 1 });
});

test.each([
  ['a reset', aLoad('a', { statementMs: 10, blocksRead: 10 }, {}, { countingSinceMs: 8 })],
  ['counters that fell', aLoad('a', { statementMs: 10, blocksRead: 10 })],
])('%s is no negative rate, and none at all', (_, now) => {
  expect(rates(aLoad('a', { statementMs: 9_000, blocksRead: 9_000 }), now)).toEqual({});
});

test.each([
  ['back', -10_000],
  ['on by a day', 86_400_000],
  ['hardly', 100],
])('a clock that went %s tells no rate', (_, elapsedMs) => {
  expect(rates(aLoad('a', { blocksRead: 1 }), aLoad('a', { blocksRead: 2 }), elapsedMs)).toEqual({});
});

test('a table that shrinks does not grow', () => {
  const counted = (rowsInserted: number, rowsDeleted: number) => aLoad('a', { rowsInserted, rowsDeleted });
  expect(rates(counted(0, 0), counted(10, 5_000))).toEqual({ 'rows-grown': 0 });
});

test('a statement that runs counts while it runs, once', () => {
  const running = (statementMs: number, runningMs: number) => aLoad('a', { statementMs }, { running: runningMs > 0 ? 1 : 0, runningMs });
  expect(rates(running(0, 0), running(0, 8_000))?.['statement-time']).toBeCloseTo(0.8);
  expect(rates(running(0, 600_000), running(0, 610_000))?.['statement-time']).toBe(1);
  // It ends: the server counts all of it now, and most of it was told before.
  expect(rates(running(0, 610_000), running(615_000, 0))?.['statement-time']).toBeCloseTo(0.5);
  // It failed, so that it is never counted.
  expect(rates(running(0, 610_000), running(0, 0))?.['statement-time']).toBe(0);
});

test('what waited for a lock is not counted as work when the lock is free', () => {
  const waited = aLoad('a', { statementMs: 1_000 }, { waiting: 20, held: 20, running: 0, runningMs: 0 });
  const freed = aLoad('a', { statementMs: 201_000 }, { waiting: 0, running: 1, runningMs: 40 });
  expect(rates(waited, freed)?.['statement-time']).toBeLessThan(0.01);
  const [told] = ratesBetween(undefined, aSample(1, [waited]));
  expect(told).toMatchObject({ held: true });
});

test('without counters only what runs is known', () => {
  const running = (runningMs: number) => aLoad('a', {}, { running: 2, runningMs });
  expect(rates(running(0), running(5_000))?.['statement-time']).toBe(0.5);
  expect(rates(running(0), running(900_000))?.['statement-time']).toBe(2);
});

test('growth is seen from one known size to the next, however many samples do not tell it', () => {
  const sized = (atMs: number, sizeBytes?: number) =>
    aSample(atMs, [aLoad('hillcrest', {}, sizeBytes === undefined ? {} : { sizeBytes }, { by: 'database' })]);
  let sizes = sizesAfter(new Map(), sized(0, 1_000));
  sizes = sizesAfter(sizes, sized(30_000));
  // Too soon: the older one stays.
  sizes = sizesAfter(sizes, sized(31_000, 5_000));
  expect(sizes.get(SIZE)).toEqual({ bytes: 1_000, atMs: 0 });
  const grown = ratesBetween(sized(60_000), sized(100_000, 201_000), sizes)[0]?.rates;
  expect(grown).toEqual({ 'bytes-grown': 2_000 });
  expect(sizesAfter(sizes, sized(100_000, 201_000)).get(SIZE)).toEqual({ bytes: 201_000, atMs: 100_000 });
});

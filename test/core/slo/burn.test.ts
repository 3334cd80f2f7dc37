/** Burning, on the pure functions: histories of slots, looked at as often as a worker does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budgetOf, burnRate, exhaustedAtMs } from '../../../core/slo/budget.ts';
import { type BurnState, evaluateBurn, type Tally } from '../../../core/slo/evaluate.ts';
import { pairsFor } from '../../../core/slo/pairs.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
const PAIRS = pairsFor(28 * DAY_MS);

interface Minute {
  good: number;
  bad: number;
}

/** Good minutes of that many slots, changed by `change`. */
function history(minutes: number, slots: number, change: (minute: number) => Minute | undefined = () => undefined): Minute[] {
  return Array.from({ length: minutes }, (_, minute) => change(minute) ?? { good: slots, bad: 0 });
}

/** What the last minutes sum up to at the end of that one. */
function over(minutes: readonly Minute[], now: number) {
  return (spanMs: number): Tally => {
    const part = minutes.slice(Math.max(0, now + 1 - spanMs / MINUTE_MS), now + 1);
    const sum = (pick: (minute: Minute) => number) => part.reduce((total, minute) => total + pick(minute), 0);
    return { good: sum((one) => one.good), bad: sum((one) => one.bad), badMinutes: part.filter((one) => one.bad > 0).length };
  };
}

/** The minutes in which a burn was raised and ended, as `raised 14.4@12`. */
function story(minutes: readonly Minute[], { slots, objective = 0.999, from = 0 }: { slots: number; objective?: number; from?: number }) {
  let state: BurnState = {};
  const told: string[] = [];
  for (let minute = from; minute < minutes.length; minute++) {
    const input = { objective, pairs: PAIRS, over: over(minutes, minute), slotsPerMinute: slots, nowMs: minute * MINUTE_MS };
    const decision = evaluateBurn(state, input);
    state = decision.state;
    for (const { pair, reason } of decision.decisions) {
      if (reason === 'burn-raised') told.push(`raised ${pair.rate}@${minute}`);
      if (reason === 'burn-ended') told.push(`ended ${pair.rate}@${minute}`);
    }
  }
  return told;
}

const HOUR = 60;
const AFTER = 2 * HOUR;

describe('at 99.9 %', () => {
  test.each([1, 4, 10, 200])('one bad minute of %i slots is nobody’s alarm', (slots) => {
    const bad = history(24 * HOUR, slots, (minute) => (minute === AFTER ? { good: 0, bad: slots } : undefined));
    expect(story(bad, { slots, from: AFTER - 5 })).toEqual([]);
  });

  test('10 % failing of 10 slots a minute is told within 10 minutes', () => {
    const failing = history(4 * HOUR, 10, (minute) => (minute >= AFTER ? { good: 9, bad: 1 } : undefined));
    const [first] = story(failing, { slots: 10, from: AFTER - 5 });
    expect(first).toBe(`raised 14.4@${AFTER + 8}`);
  });

  test('10 % failing by chance is told within 10 minutes of enough slots', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 200 }), fc.integer(), (slots, seed) => {
        let random = seed >>> 0;
        const next = () => {
          random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
          return random / 2 ** 32;
        };
        const failing = history(3 * HOUR, slots, (minute) => {
          if (minute < AFTER) return undefined;
          const bad = Array.from({ length: slots }).filter(() => next() < 0.12).length;
          return { good: slots - bad, bad };
        });
        expect(story(failing, { slots, from: AFTER - 5 })[0]).toMatch(/^raised 14\.4@12\d$/);
      }),
      { numRuns: 20 },
    );
  });

  test('a full outage is told in the third minute, once, and ends ten minutes after it', () => {
    const outage = history(8 * HOUR, 1, (minute) => (minute >= AFTER && minute < AFTER + 20 ? { good: 0, bad: 1 } : undefined));
    expect(story(outage, { slots: 1, from: AFTER - 5 })).toEqual([
      `raised 14.4@${AFTER + 2}`,
      `raised 6@${AFTER + 2}`,
      `raised 3@${AFTER + 4}`,
      `raised 1@${AFTER + 4}`,
      `ended 14.4@${AFTER + 29}`,
      `ended 6@${AFTER + 79}`,
      `ended 3@${AFTER + 259}`,
    ]);
  });
});

test('what hovers about the rate does not flap', () => {
  // 1.5 % and 1.3 % in turn, about the 1.44 % of the fastest pair.
  const hovering = history(12 * HOUR, 1000, (minute) => {
    if (minute < AFTER) return undefined;
    const bad = Math.floor(minute / 30) % 2 === 0 ? 16 : 13;
    return { good: 1000 - bad, bad };
  });
  const fastest = story(hovering, { slots: 1000, from: AFTER - 5 }).filter((one) => one.includes('14.4'));
  expect(fastest.length).toBeLessThanOrEqual(1);
});

describe('without data', () => {
  test('a burn does not end, however long it lasts, and ends when enough is seen', () => {
    const blind = (minute: number) => minute >= AFTER + 30 && minute < AFTER + 300;
    const minutes = history(AFTER + 400, 10, (minute) => {
      if (blind(minute)) return { good: 0, bad: 0 };
      return minute >= AFTER && minute < AFTER + 30 ? { good: 5, bad: 5 } : undefined;
    });
    const ended = story(minutes, { slots: 10, from: AFTER - 5 }).filter((one) => one.startsWith('ended'));
    expect(ended).toEqual([`ended 14.4@${AFTER + 304}`, `ended 6@${AFTER + 329}`]);
  });

  test('no burn is raised because little was seen', () => {
    // Three bad slots in an hour of 600 are 0.5 %; of the 30 that were seen they are 10 %.
    const sparse = history(AFTER + 60, 10, (minute) => {
      if (minute < AFTER) return { good: 0, bad: 0 };
      return minute % 20 === 0 ? { good: 9, bad: 1 } : { good: 0, bad: 0 };
    });
    expect(story(sparse, { slots: 10 }).filter((one) => !one.includes('raised 1@') && !one.includes('raised 3@'))).toEqual([]);
  });
});

describe('pairs', () => {
  test('are those of the workbook for 28 to 31 days', () => {
    const rates = (days: number) => pairsFor(days * DAY_MS).map((pair) => Number(pair.rate.toFixed(2)));
    expect([28, 30, 31].map(rates)).toEqual(Array(3).fill([14.4, 6, 3, 1]));
    expect(rates(7)).toEqual([3.36, 1.4, 1, 1]);
    expect(rates(90)).toEqual([43.2, 18, 9, 3]);
    expect(rates(1)).toEqual([1, 1]);
  });
});

describe('a budget', () => {
  test('is what the objective leaves of the slots', () => {
    expect(budgetOf(0.999, { good: 39_990, bad: 10 })).toMatchObject({ allowed: expect.closeTo(40, 9), left: expect.closeTo(0.75, 9) });
    expect(budgetOf(0.99, { good: 0, bad: 50 }, 950).left).toBeCloseTo(-4, 9);
    expect(budgetOf(0.99, { good: 0, bad: 0 }).left).toBe(1);
    expect(burnRate(0.999, { good: 979, bad: 21 })).toBeCloseTo(21, 9);
    expect(burnRate(0.999, { good: 0, bad: 0 })).toBe(0);
  });

  test('is used up when it goes on burning', () => {
    expect(exhaustedAtMs(0.5, 14, 28 * DAY_MS, 0)).toBe(DAY_MS);
    expect(exhaustedAtMs(0.5, 1, 28 * DAY_MS, 0)).toBeUndefined();
    expect(exhaustedAtMs(-0.1, 0, 28 * DAY_MS, 7)).toBe(7);
  });
});

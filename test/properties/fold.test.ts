/** Of one check: what is folded, in whatever order it comes, and what follows from it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quorumOf } from '../../core/check.ts';
import type { CheckState, HeldVerdict } from '../../core/evaluate.ts';
import { NOON_MS } from '../helpers/domain.ts';
import {
  type Arrival,
  anyCheckHistory,
  arrivalOf,
  type CheckHistory,
  endMs,
  foldAll,
  historyOf,
  isBetter,
  isWorse,
  lastOf,
  PATIENTLY,
  plannedAtMs,
  runs,
  type Saying,
  type Step,
  type Word,
} from './histories.ts';

const SLOTS = 12;
const arrivalsOf = (history: CheckHistory): Arrival[] => history.sayings.map((one) => arrivalOf(history, one));
const play = (history: CheckHistory, arrivals = arrivalsOf(history)) => foldAll(history.check, arrivals, endMs(history, SLOTS));
const heldAt = (steps: readonly Step[], atMs: number): HeldVerdict => steps.findLast((step) => step.atMs <= atMs)?.after.held ?? 'unknown';
const at = (ms: number) => `${(ms - NOON_MS) / 1_000} s after noon`;

/**
 * What is decided by, whatever was held before and whatever came how late: since when is known of what is kept in order alone, and a gap
 * before the last word is over.
 */
function decisive({ locations, gaps }: CheckState) {
  const said = Object.entries(locations).map(([location, { sinceMs: _since, ...rest }]) => [location, rest]);
  const unseen = Object.entries(gaps).filter(([location, gap]) => gap.plannedAtMs > (locations[location]?.plannedAtMs ?? 0));
  const counted = unseen.map(([location, gap]) => [location, { ...gap, runs: Math.min(gap.runs, 2) }]);
  return { locations: Object.fromEntries(said), gaps: Object.fromEntries(counted) };
}

/** Some of a history's sayings, by their number. */
const someOf = (history: CheckHistory, most: number) =>
  fc.uniqueArray(fc.nat(history.sayings.length - 1), { minLength: 1, maxLength: most });

/** A history, and when each of its sayings arrives instead: in any order, some of them twice, all of them fresh. */
const anyReordered = reordered(SLOTS);
function reordered(slots: number) {
  return anyCheckHistory(SLOTS).chain((history) => lateBy(history, slots));
}

function lateBy(history: CheckHistory, slots: number) {
  const { sayings, check } = history;
  const each = fc.array(fc.nat(slots * check.everyMs), { minLength: sayings.length, maxLength: sayings.length });
  return fc.record({ latenessMs: each, again: someOf(history, 8) }).map(({ latenessMs, again }) => {
    const late = sayings.map((one, index): Arrival => {
      const told = arrivalOf(history, one);
      return { ...told, atMs: told.atMs + (latenessMs[index] ?? 0) };
    });
    const twice = again.flatMap((index): Arrival[] => (late[index] ? [{ ...late[index], atMs: late[index].atMs + 3_333 }] : []));
    return { history, late: [...late, ...twice] };
  });
}

describe('results in any order, duplicated or late', () => {
  const ends = ({ history, late }: { history: CheckHistory; late: Arrival[] }) => {
    const [inOrder, anyOrder] = [arrivalsOf(history), late].map((all) => lastOf(foldAll(history.check, all, endMs(history, 2 * SLOTS))));
    return { inOrder: inOrder!, anyOrder: anyOrder! };
  };
  it('come to the same of each location, when no more than some rounds late', PATIENTLY, () => {
    fc.assert(
      fc.property(reordered(3), (histories) => {
        const { inOrder, anyOrder } = ends(histories);
        expect(anyOrder.locations).toEqual(inOrder.locations);
      }),
      runs(1_000),
    );
  });
  it('come to the same in all that is decided by, however late', PATIENTLY, () => {
    fc.assert(
      fc.property(anyReordered, (histories) => {
        const { inOrder, anyOrder } = ends(histories);
        expect(decisive(anyOrder)).toEqual(decisive(inOrder));
      }),
      runs(1_000),
    );
  });
  it('come to the same verdict, once as many rounds have agreed as it takes', PATIENTLY, () => {
    fc.assert(
      fc.property(
        anyReordered,
        fc.array(fc.constantFrom<Word>('up', 'degraded', 'down'), { minLength: 5, maxLength: 5 }),
        ({ history, late }, said) => {
          const { check } = history;
          fc.pre(isDecisive(check.locations.length, said));
          const rounds = Math.max(check.resolveAfter, 3);
          const last = Array.from({ length: rounds }, (_, index) => 2 * SLOTS + 1 + index).flatMap((slot) =>
            check.locations.map((location, place) => arrivalOf(history, { slot, location, word: said[place]!, tookMs: 100 })),
          );
          const untilMs = plannedAtMs(history, { slot: 2 * SLOTS + rounds }) + 1_000;
          const [one, other] = [arrivalsOf(history), late].map((all) => lastOf(foldAll(check, [...all, ...last], untilMs)));
          // Since when is told as it was known when it was decided.
          const verdict = ({ moment, held, lone, split }: CheckState) => ({ moment, held, lone, split });
          expect(verdict(other!)).toEqual(verdict(one!));
          expect(decisive(other!)).toEqual(decisive(one!));
        },
      ),
      runs(1_000),
    );
  });
});

/** Whatever was held before, so many rounds of this come to one verdict: a quorum agrees, and where it fails, what works is a quorum or nothing. */
function isDecisive(locations: number, said: readonly Word[]): boolean {
  const own = said.slice(0, locations);
  const quorum = quorumOf({ locations: own });
  const count = (of: readonly Word[]) => own.filter((word) => of.includes(word)).length;
  if (count(['down']) >= quorum || count(['up']) >= quorum) return true;
  return count(['down', 'degraded']) >= quorum && count(['up', 'degraded']) >= quorum;
}

const WORSE: Readonly<Record<Word, readonly Word[]>> = {
  up: ['degraded', 'down'],
  degraded: ['down'],
  // What brought nothing may have failed; that it was slow would say that it works.
  nothing: ['down'],
  fault: ['down'],
  down: [],
};

/** A history, and one in which more fails: the same runs at the same times. */
const anyTwo = anyCheckHistory(SLOTS).chain((history) =>
  fc.tuple(someOf(history, 10), fc.nat(1)).map(([indexes, pick]) => {
    const sayings = history.sayings.map((one, index): Saying => {
      const choices = indexes.includes(index) ? WORSE[one.word] : [];
      return { ...one, word: choices[(index + pick) % Math.max(1, choices.length)] ?? one.word };
    });
    return { history, more: historyOf(history.check, sayings) };
  }),
);

/**
 * Where a location falls silent, what it alone had shown is held until it speaks again, and what a quorum had agreed on ends by the quorum.
 * So there, more failing may make a quorum of what one alone had shown, and its end come without that one: held `degraded` has no more to
 * promise than below. `down` has.
 */
describe('more failing', () => {
  const compare = ({ history, more }: { history: CheckHistory; more: CheckHistory }, of: readonly HeldVerdict[]) => {
    const [less, much] = [play(history), play(more)];
    for (const { atMs } of [...less, ...much]) {
      const [a, b] = [heldAt(less, atMs), heldAt(much, atMs)];
      if (of.includes(a) && isBetter(b, a)) expect.fail(`${at(atMs)}: held ${b} where with less failing it was ${a}`);
    }
  };
  it('never holds less, at any moment, where every location speaks', PATIENTLY, () => {
    const speaking = ({ word, ...one }: Saying): Saying => ({ ...one, word: word === 'nothing' || word === 'fault' ? 'up' : word });
    const all = anyTwo.map(({ history, more }) => ({
      history: historyOf(history.check, history.sayings.map(speaking)),
      more: historyOf(more.check, more.sayings.map(speaking)),
    }));
    fc.assert(
      fc.property(all, (two) => compare(two, ['down', 'degraded'])),
      runs(1_500),
    );
  });
  it('never turns what is down into less, whatever is missing', PATIENTLY, () => {
    fc.assert(
      fc.property(anyTwo, (two) => compare(two, ['down'])),
      runs(1_500),
    );
  });
});

describe('missing data', () => {
  it('never makes anything better: that takes a word', PATIENTLY, () => {
    fc.assert(
      fc.property(anyReordered, ({ history, late }) => {
        for (const { before, after, arrived, atMs } of foldAll(history.check, late, endMs(history, 2 * SLOTS))) {
          if (!isBetter(after.held, before.held) && !(after.moment === 'up' && before.moment !== 'up')) continue;
          const works = arrived.some(({ result }) => result?.verdict === 'up' || result?.verdict === 'degraded');
          if (!works) expect.fail(`${at(atMs)}: ${before.held}/${before.moment} became ${after.held}/${after.moment}, and nothing came`);
        }
      }),
      runs(1_000),
    );
  });

  it('never resolves earlier what is down, when good results are missing', PATIENTLY, () => {
    const anyCut = anyCheckHistory(SLOTS).chain((history) =>
      fc.tuple(someOf(history, 20), fc.constantFrom<Word>('nothing', 'fault')).map(([indexes, word]) => {
        const cut = (one: Saying, index: number) => one.word === 'up' && indexes.includes(index);
        const sayings = history.sayings.map((one, index): Saying => (cut(one, index) ? { ...one, word } : one));
        return { history, less: historyOf(history.check, sayings) };
      }),
    );
    fc.assert(
      fc.property(anyCut, ({ history, less }) => {
        const [whole, cut] = [play(history), play(less)];
        for (const { atMs } of [...whole, ...cut]) {
          const [a, b] = [heldAt(whole, atMs), heldAt(cut, atMs)];
          if (a === 'down' && isBetter(b, a)) expect.fail(`${at(atMs)}: ${b} where with all results it was ${a}`);
        }
      }),
      runs(1_000),
    );
  });

  it('never resolves: a quorum of locations was up for as many rounds as it takes', PATIENTLY, () => {
    fc.assert(
      fc.property(anyReordered, ({ history, late }) => {
        const { check } = history;
        for (const { before, after, atMs } of foldAll(check, late, endMs(history, 2 * SLOTS))) {
          if (after.held !== 'up' || !isWorse(before.held, 'up')) continue;
          const steady = check.locations.filter((location) => upRounds(location, late, atMs) >= check.resolveAfter);
          if (steady.length < quorumOf(check)) expect.fail(`${at(atMs)}: up, and steady were only [${steady}]`);
        }
      }),
      runs(1_000),
    );
  });
});

/** Rounds in a row that were up, by the planner's order, of all that had arrived. */
function upRounds(location: string, arrivals: readonly Arrival[], atMs: number): number {
  const known = arrivals.flatMap((one) =>
    one.atMs <= atMs && one.result?.location === location && one.result.verdict !== 'fault' ? [one.result] : [],
  );
  const inOrder = [...new Map(known.map((one) => [one.run, one])).values()].sort((a, b) => a.plannedAtMs - b.plannedAtMs);
  const since = inOrder.slice(inOrder.findLastIndex((one) => one.verdict !== 'up') + 1);
  return since.filter((one) => !one.extra).length;
}

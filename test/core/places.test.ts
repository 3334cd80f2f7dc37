import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodePlaces, ENDINGS, type Endings, encodePlaces, noEndings } from '../../core/places.ts';

const endings = fc
  .array(fc.oneof(fc.constant(0), fc.nat(3600)), { minLength: ENDINGS.length, maxLength: ENDINGS.length })
  .map((counts) => Object.fromEntries(ENDINGS.map((ending, index) => [ending, counts[index]])) as Endings);
const places = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), endings), { maxLength: 5 }).map((list) => new Map(list));
const bytesOf = (all: ReadonlyMap<number, Endings>) => encodePlaces(all) ?? new Uint8Array();

test('bytes hold all of it, and one after the other their sum', () => {
  fc.assert(
    fc.property(places, places, (one, other) => {
      expect(decodePlaces(bytesOf(one))).toEqual(one);
      const sum = new Map<number, Endings>();
      for (const [location, counts] of [...one, ...other]) {
        const known = sum.get(location) ?? noEndings();
        sum.set(location, Object.fromEntries(ENDINGS.map((ending) => [ending, known[ending] + counts[ending]])) as Endings);
      }
      expect(decodePlaces(Uint8Array.from([...bytesOf(one), ...bytesOf(other)]))).toEqual(sum);
    }),
  );
});

test('an hour of three locations takes nine bytes when all is well', () => {
  const hour = new Map([1, 2, 3].map((location) => [location, { ...noEndings(), up: 60 }]));
  expect(bytesOf(hour).length).toBe(9);
  expect(() => decodePlaces(bytesOf(hour).slice(0, 5))).toThrow('cut off');
});

/**
 * How the scheduled runs of a check ended at each of its locations: small counters for each hour, as bytes. Written one after the other they
 * are read as their sum.
 */
import { pushNumber, readNumber } from './bytes.ts';

/** By verdict, of runs that brought a result; and by how they went in the ledger, of those that did not go as planned. */
export const ENDINGS = ['up', 'degraded', 'down', 'fault', 'missed', 'late', 'agentFault'] as const;
export type Ending = (typeof ENDINGS)[number];
export type Endings = Record<Ending, number>;

/** By the number of the location. */
export type Places = ReadonlyMap<number, Endings>;

/** Nothing yet. */
export function noEndings(): Endings {
  return { up: 0, degraded: 0, down: 0, fault: 0, missed: 0, late: 0, agentFault: 0 };
}

/** The counters as bytes: of each location its number, which counters are not 0, and these. `undefined` when there are none. */
export function encodePlaces(places: Places): Uint8Array | undefined {
  if (places.size === 0) return undefined;
  const bytes: number[] = [];
  for (const [location, endings] of [...places].sort(([a], [b]) => a - b)) {
    const counts = ENDINGS.map((ending) => endings[ending]);
    pushNumber(bytes, location);
    pushNumber(
      bytes,
      counts.reduce((mask, count, bit) => (count > 0 ? mask + 2 ** bit : mask), 0),
    );
    for (const count of counts) if (count > 0) pushNumber(bytes, count);
  }
  return Uint8Array.from(bytes);
}

/** The sum of the counters in these bytes. Throws when they are not of that form. */
export function decodePlaces(bytes: Uint8Array): Map<number, Endings> {
  const places = new Map<number, Endings>();
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const location = readNumber(reader);
    const mask = readNumber(reader);
    const endings = places.get(location) ?? noEndings();
    for (const [bit, ending] of ENDINGS.entries()) {
      if (Math.floor(mask / 2 ** bit) % 2 === 1) endings[ending] += readNumber(reader);
    }
    places.set(location, endings);
  }
  return places;
}

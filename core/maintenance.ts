/**
 * Maintenance windows, worked out of the configuration. A rule names times on the wall of its zone; a window lasts exactly as long as it
 * says from there, as iCalendar's DTSTART and DURATION do: on the night the clocks go forward 02:00 and two hours is over at 05:00, and
 * on the night they go back, at 03:00 of winter time. The end itself is not within it.
 *
 * Judgement asks every second, so what was worked out is kept, a few days at a time, with the entry it belongs to.
 */
import type { Config, Maintenance } from './config/model.ts';
import type { Quiet } from './quiet.ts';
import { ANCHOR_MS, type Engine, engineOf, readRecurrence } from './recurrence.ts';
import { DAY_MS, instantOfWall } from './wall.ts';

/** What is worked out at a time. */
const BLOCK_MS = 8 * DAY_MS;
/** As many as a week ahead and the longest window behind need, twice over; the oldest goes. */
const MOST_BLOCKS = 16;
/** How far a wall may be from its instant: offsets go to 14 h, and Samoa left out a whole day. */
const FURTHEST_MS = 40 * 3_600_000;

/** The windows that are on at some time between these two, both included; the one that begins first, first. */
export function windowsBetween(config: Pick<Config, 'maintenance'>, fromMs: number, untilMs: number): Quiet[] {
  const found: Quiet[] = [];
  for (const id in config.maintenance) {
    const entry = config.maintenance[id];
    if (entry) expansionOf(entry).collect(fromMs, untilMs, found);
  }
  return found.sort((a, b) => a.fromMs - b.fromMs || (a.id < b.id ? -1 : 1));
}

/** Windows of one entry; kept as long as the configuration that it stands in. */
const expansions = new WeakMap<Maintenance, Expansion>();

interface Expansion {
  /** Adds the windows that are on at some time between these two. */
  collect(fromMs: number, untilMs: number, into: Quiet[]): void;
}

function expansionOf(entry: Maintenance): Expansion {
  const known = expansions.get(entry);
  if (known) return known;
  const made = entry.rrule === undefined ? once(entry) : new Repeated(entry, wallsOf(entry));
  expansions.set(entry, made);
  return made;
}

function once(entry: Maintenance): Expansion {
  const fromMs = instantOfWall(entry.fromWallMs ?? 0, entry.timezone);
  const endMs = entry.lastsMs === undefined ? instantOfWall(entry.untilWallMs ?? 0, entry.timezone) : fromMs + entry.lastsMs;
  const window = quietOfWindow(entry, fromMs, endMs);
  return {
    collect: (lowMs, highMs, into) => {
      if (window.fromMs <= highMs && window.untilMs > lowMs) into.push(window);
    },
  };
}

class Repeated implements Expansion {
  readonly #entry: Maintenance;
  readonly #walls: (fromMs: number, untilMs: number) => number[];
  readonly #lastsMs: number;
  readonly #blocks = new Map<number, readonly Quiet[]>();

  constructor(entry: Maintenance, walls: (fromMs: number, untilMs: number) => number[]) {
    this.#entry = entry;
    this.#walls = walls;
    this.#lastsMs = entry.lastsMs ?? 0;
  }

  collect(fromMs: number, untilMs: number, into: Quiet[]): void {
    const last = Math.floor((untilMs + FURTHEST_MS) / BLOCK_MS);
    const first = into.length;
    for (let index = Math.floor((fromMs - this.#lastsMs - FURTHEST_MS) / BLOCK_MS); index <= last; index++) {
      for (const window of this.#block(index)) {
        if (window.fromMs > untilMs || window.untilMs <= fromMs) continue;
        // A wall that was left out may mean the same instant as a later one.
        if (!into.slice(first).some((other) => other.fromMs === window.fromMs)) into.push(window);
      }
    }
  }

  #block(index: number): readonly Quiet[] {
    const known = this.#blocks.get(index);
    if (known) return known;
    const { timezone } = this.#entry;
    const walls = this.#walls(index * BLOCK_MS, (index + 1) * BLOCK_MS);
    const begins = walls.map((wallMs) => instantOfWall(wallMs, timezone)).sort((a, b) => a - b);
    const made = begins.map((fromMs) => quietOfWindow(this.#entry, fromMs, fromMs + this.#lastsMs));
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size >= MOST_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    this.#blocks.set(index, made);
    return made;
  }
}

/** The walls at which windows of a rule begin, in `[fromMs, untilMs)`: within its bounds, and without what is excepted. */
export function wallsOf(entry: Maintenance): (fromMs: number, untilMs: number) => number[] {
  const engine = engineOfEntry(entry);
  const { fromWallMs = ANCHOR_MS, untilWallMs = Number.POSITIVE_INFINITY } = entry;
  const excepted = new Set(entry.exceptWallsMs);
  const exceptedDays = new Set(entry.exceptDaysMs);
  const dayOf = (wallMs: number) => Math.floor(wallMs / DAY_MS) * DAY_MS;
  return (fromMs, untilMs) => {
    const [lowMs, highMs] = [Math.max(fromMs, fromWallMs), Math.min(untilMs, untilWallMs + 1)];
    if (!engine || lowMs >= highMs) return [];
    return engine.between(lowMs, highMs).filter((wallMs) => !excepted.has(wallMs) && !exceptedDays.has(dayOf(wallMs)));
  };
}

/** The engine of an entry's rule; `undefined` when it has none. What was read from a file was held against the grammar there. */
export function engineOfEntry(entry: Pick<Maintenance, 'rrule' | 'fromWallMs'>): Engine | undefined {
  const rule = entry.rrule === undefined ? undefined : readRecurrence(entry.rrule);
  return rule === undefined || typeof rule === 'string' ? undefined : engineOf(rule, entry.fromWallMs ?? ANCHOR_MS);
}

function quietOfWindow(entry: Maintenance, fromMs: number, untilMs: number): Quiet {
  const { id, title, services, components, tenants, checks } = entry;
  return { kind: 'maintenance', id: `${id}@${fromMs}`, title, fromMs, untilMs, services, components, tenants, checks };
}

/**
 * What stood where after each transaction, and what of it a snapshot was to see: PostgreSQL lets a statement see what had been committed
 * when it began, so a judgement may have read a check as it was before a fold that has a smaller number in the log.
 */

/** PostgreSQL's snapshot: everything before `xmax` was committed but what was running. */
export interface Snapshot {
  xmax: number;
  running: ReadonlySet<number>;
}

/** Reads `xmin:xmax:running,…` (https://www.postgresql.org/docs/18/functions-info.html#FUNCTIONS-INFO-SNAPSHOT). Throws when it is not one. */
export function parseSnapshot(text: string): Snapshot {
  const match = /^\d+:(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (!match) throw new Error(`not a snapshot: "${text.slice(0, 80)}"`);
  return { xmax: Number(match[1]), running: new Set(match[2] ? match[2].split(',').map(Number) : []) };
}

/** Whether what the transaction wrote was to be seen, given that it was committed at all. */
export function isVisible({ xmax, running }: Snapshot, xid: number): boolean {
  return xid < xmax && !running.has(xid);
}

interface Version<T> {
  xid: number;
  value: T | undefined;
}

/** Values by their keys, with the versions that somebody may still have seen. */
export class Versions<T> {
  readonly #lists = new Map<string, Version<T>[]>();

  /** What is there from the beginning: everybody sees it. */
  constructor(first: Iterable<readonly [string, T]> = []) {
    for (const [key, value] of first) this.#lists.set(key, [{ xid: 0, value }]);
  }

  /** Writes a version; `undefined`: it is gone. `seenFromXid`: no snapshot to come lacks what was committed before. */
  put(key: string, xid: number, value: T | undefined, seenFromXid = 0): void {
    const list = this.#lists.get(key);
    if (!list) {
      this.#lists.set(key, [{ xid, value }]);
      return;
    }
    list.push({ xid, value });
    const firstNeeded = list.findLastIndex((version) => version.xid < seenFromXid);
    if (firstNeeded > 0) list.splice(0, firstNeeded);
  }

  /** As whoever holds its lock sees it. */
  latest(key: string): T | undefined {
    return this.#lists.get(key)?.at(-1)?.value;
  }

  /** As that snapshot sees it; without one, the latest. */
  at(key: string, snapshot?: Snapshot): T | undefined {
    if (!snapshot) return this.latest(key);
    return this.#lists.get(key)?.findLast(({ xid }) => isVisible(snapshot, xid))?.value;
  }

  /** All that is there. */
  entries(snapshot?: Snapshot): [string, T][] {
    return [...this.#lists.keys()].flatMap((key): [string, T][] => {
      const value = this.at(key, snapshot);
      return value === undefined ? [] : [[key, value]];
    });
  }
}

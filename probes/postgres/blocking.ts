/** Who blocks whom: from the sessions that wait to the one at the root, which waits for nobody. */

/** A session that waits for a lock. */
export interface Waiting {
  pid: number;
  /** Who holds or wants what it waits for; 0 is a prepared transaction. */
  blockers: readonly number[];
  waitedS: number;
}

export interface Root {
  pid: number;
  /** Sessions that wait for it, directly or behind others. */
  blocks: number;
}

/**
 * The session that blocks most of the others and waits for nobody itself; among equals the lowest pid. In a ring of
 * sessions that wait for each other (a deadlock that PostgreSQL has not yet broken) there is no such session.
 */
export function rootBlocker(waiting: readonly Waiting[]): Root | undefined {
  const [worst] = [...blockedByRoot(waiting)].sort(([a, ofA], [b, ofB]) => ofB - ofA || a - b);
  return worst && { pid: worst[0], blocks: worst[1] };
}

/** How many sessions wait, directly or behind others, for each session that waits for nobody itself, by its pid. */
function blockedByRoot(waiting: readonly Waiting[]): Map<number, number> {
  const blocked = new Map<number, number>();
  for (const roots of rootsByWaiter(waiting).values()) for (const root of roots) blocked.set(root, (blocked.get(root) ?? 0) + 1);
  return blocked;
}

/** For each session that waits, by its pid, those at the root: none in a ring. */
export function rootsByWaiter(waiting: readonly Waiting[]): Map<number, Set<number>> {
  const blockersOf = new Map(waiting.map((one) => [one.pid, one.blockers]));
  return new Map(waiting.map(({ pid }) => [pid, rootsOf(pid, blockersOf)]));
}

function rootsOf(pid: number, blockersOf: ReadonlyMap<number, readonly number[]>): Set<number> {
  const roots = new Set<number>();
  const seen = new Set<number>();
  const open = [pid];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const blockers = blockersOf.get(next);
    if (blockers) open.push(...blockers);
    else roots.add(next);
  }
  return roots;
}

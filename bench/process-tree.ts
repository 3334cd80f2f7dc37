/**
 * CPU and memory of whole process trees, from /proc. A process that has ended is still in the figures: the kernel adds its
 * time to its parent's `cutime` and `cstime` when that waits for it, and both PostgreSQL and Chromium do.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts in ticks of 10 ms on every machine that Node runs on (USER_HZ). */
export const TICKS_PER_SECOND = 100;

interface Stat {
  pid: number;
  parent: number;
  /** Own time and that of children that have ended. */
  cpuS: number;
}

/** CPU seconds that these processes and everything below them have used so far, those included that have ended. */
export function treeCpuS(roots: readonly number[]): number {
  return treeOf(roots).reduce((sum, { cpuS }) => sum + cpuS, 0);
}

/** Resident memory of exactly this process, in MB of 1,000,000 bytes. */
export function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}

function treeOf(roots: readonly number[]): Stat[] {
  const children = Map.groupBy(allProcesses(), ({ parent }) => parent);
  const known = new Map([...children.values()].flat().map((stat) => [stat.pid, stat]));
  const tree: Stat[] = [];
  const queue = roots.map((pid) => {
    const root = known.get(pid);
    if (!root) throw new Error(`The process ${pid}, whose CPU was to be counted, has ended.`);
    return root;
  });
  for (let stat = queue.pop(); stat; stat = queue.pop()) {
    tree.push(stat);
    queue.push(...(children.get(stat.pid) ?? []));
  }
  return tree;
}

function allProcesses(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in brackets and may hold anything, blanks and brackets too.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
    return { pid, parent: Number(fields[1]), cpuS: ticks / TICKS_PER_SECOND };
  } catch {
    // It ended while we looked.
    return undefined;
  }
}

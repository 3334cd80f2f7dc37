/** One window of a running stack: what came in, what it cost, what was missed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchContext } from '../benchmark.ts';
import { machineCpuS } from '../machine.ts';
import { residentMb, treeCpuS } from '../process-tree.ts';
import { PARTS, type Part, type Stack } from './stack.ts';

export interface Window {
  seconds: number;
  /** Results that came in within the window. */
  results: number;
  /** Of those, runs that did not find the target up: there should be none. */
  notUp: number;
  /** Runs that were due within the window and have no result, although their time is over. */
  missed: number;
  cpuS: Record<Part, number>;
  /** CPU that everybody else on the machine used, the target among them. */
  otherCpuS: number;
  rssMb: { worker: number; agent: number };
  startLatenessMs: { p50: number; p99: number };
}

interface Point {
  atMs: number;
  results: number;
  cpuS: Window['cpuS'];
  machineCpuS: number;
}

/** Measures for that long, then waits until the last runs of the window must have brought their results. */
export async function measureWindow(stack: Stack, seconds: number, { signal }: BenchContext): Promise<Window> {
  const begin = await pointOf(stack);
  await sleep(seconds * 1000, undefined, { signal });
  const end = await pointOf(stack);
  const rssMb = { worker: residentMb(stack.pids.worker), agent: residentMb(stack.pids.agent) };
  // A run may begin until its next slot, and its result travels with those of its round.
  await sleep((stack.everySeconds + 3) * 1000, undefined, { signal });
  const cpuS = byPart((part) => end.cpuS[part] - begin.cpuS[part]);
  return {
    seconds: (end.atMs - begin.atMs) / 1000,
    results: end.results - begin.results,
    cpuS,
    otherCpuS: Math.max(0, end.machineCpuS - begin.machineCpuS - totalCpuS(cpuS)),
    rssMb,
    ...(await ledgerOf(stack, begin.atMs, end.atMs)),
  };
}

/** Of all that Rounds needs. */
export function totalCpuS(cpuS: Window['cpuS']): number {
  return PARTS.reduce((sum, part) => sum + cpuS[part], 0);
}

function byPart(pick: (part: Part) => number): Record<Part, number> {
  return { worker: pick('worker'), agent: pick('agent'), postgres: pick('postgres'), redis: pick('redis') };
}

async function pointOf({ pids, database }: Stack): Promise<Point> {
  const { rows } = await database.query<{ count: string }>('select count(*) from run where verdict is not null');
  const cpuS = byPart((part) => treeCpuS([pids[part] ?? []].flat()));
  return { atMs: Date.now(), results: Number(rows[0]?.count), cpuS, machineCpuS: machineCpuS() };
}

/** Of the runs that were planned within the window, whenever their results came. */
async function ledgerOf({ database }: Stack, fromMs: number, toMs: number): Promise<Pick<Window, 'notUp' | 'missed' | 'startLatenessMs'>> {
  const { rows } = await database.query<{ missed: string; not_up: string; p50: number | null; p99: number | null }>(
    `select (select count(*) from ledger where ask_id = 0 and slot >= $1 and slot < $2 and state in ('due', 'missed')) as missed,
       count(*) filter (where verdict <> 'up') as not_up,
       percentile_disc(0.5) within group (order by start_lateness_ms) as p50,
       percentile_disc(0.99) within group (order by start_lateness_ms) as p99
     from run where ask_id = 0 and slot >= $1 and slot < $2 and verdict is not null`,
    [new Date(fromMs), new Date(toMs)],
  );
  const row = rows[0];
  if (row?.p50 == null || row.p99 == null) throw new Error('No run of the window brought a result: the pipeline does not work.');
  return { notUp: Number(row.not_up), missed: Number(row.missed), startLatenessMs: { p50: row.p50, p99: row.p99 } };
}

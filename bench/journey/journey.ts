/**
 * What a journey costs beyond what Playwright and the browser cost anyway. Two processes, each with a warm browser of its own, do
 * the same journey through the sample clinic in turns: ours, bare, ours, bare.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type Benchmark, type Closers, countOf, withClosers } from '../benchmark.ts';
import { type Child, ofType, startChild } from '../child.ts';
import { nameMachine } from '../machine.ts';
import { treeCpuS } from '../process-tree.ts';
import { median, rounded } from '../stats.ts';
import { type Clinic, startClinic } from './clinic.ts';
import { measureEmptySteps } from './empty.ts';
import type { SideName, TurnDone } from './sides.ts';

/** The browser takes a closed context apart in its own time; that belongs to the turn. */
const SETTLE_MS = 400;

interface Cost {
  cpuS: number;
  wallMs: number;
}

interface Warm {
  child: Child;
  browserVersion: string | undefined;
}

/** Runs the turns and the empty steps, and gives the medians. */
export const journey: Benchmark = async (context) => {
  const machine = await nameMachine('');
  return withClosers(async (closers) => {
    const clinic = await startClinic(context, closers);
    const runs = countOf(context, 'runs', 9);
    const sides = { ours: await startSide('ours', clinic, context, closers), bare: await startSide('bare', clinic, context, closers) };
    const costs = await takeTurns(sides, runs, context);
    const empty = await measureEmptySteps(context, clinic.baseUrl, runs);
    const middle = (side: SideName, pick: keyof Cost) => median(costs.map((pair) => pair[side][pick]));
    // Of turns beside each other: what else the machine does changes from minute to minute.
    const ratio = (pick: keyof Cost) => median(costs.map(({ ours, bare }) => ours[pick] / bare[pick]));
    return {
      cpu_s_per_journey: rounded(middle('ours', 'cpuS'), 3),
      bare_playwright_cpu_s_per_journey: rounded(middle('bare', 'cpuS'), 3),
      ratio_to_bare_playwright: rounded(ratio('cpuS'), 2),
      wall_ms_per_journey: rounded(middle('ours', 'wallMs'), 0),
      wall_ratio_to_bare_playwright: rounded(ratio('wallMs'), 2),
      ...empty,
      runs,
      journeys: runs * journeysInTurn(context),
      browser: `Chromium ${sides.bare.browserVersion ?? 'of unknown version'}`,
      machine: { ...machine, postgres: clinic.postgresVersion },
    };
  });
};

function journeysInTurn(context: BenchContext): number {
  return countOf(context, 'journeys', 8);
}

async function startSide(side: SideName, clinic: Clinic, context: BenchContext, closers: Closers): Promise<Warm> {
  const { baseUrl, user, password } = clinic;
  const { env, signal } = context;
  const child = startChild({ script: 'bench/journey/main.ts', env, signal });
  closers.push(() => child.stop());
  child.tell({ type: 'begin', side, baseUrl, user, password });
  const { browserVersion } = await child.hear(ofType<{ type: 'ready'; browserVersion?: string }>('ready'));
  await turn(child, countOf(context, 'warmUp', 5));
  return { child, browserVersion };
}

async function takeTurns(sides: Record<SideName, Warm>, runs: number, context: BenchContext): Promise<Record<SideName, Cost>[]> {
  const costs: Record<SideName, Cost>[] = [];
  for (let index = 0; index < runs; index++) {
    const ours = await turn(sides.ours.child, journeysInTurn(context));
    const bare = await turn(sides.bare.child, journeysInTurn(context));
    costs.push({ ours, bare });
    const words = (cost: Cost) => `${cost.cpuS.toFixed(3)} CPU seconds, ${Math.round(cost.wallMs)} ms`;
    context.say(`run ${index + 1} of ${runs}: ours ${words(ours)}; bare Playwright ${words(bare)}`);
  }
  return costs;
}

/** The cost of one journey: CPU of the process and of its browser, over the whole turn; the median of the times. */
async function turn(child: Child, journeys: number): Promise<Cost> {
  const before = treeCpuS([child.pid]);
  child.tell({ type: 'turn', journeys });
  const { wallMs } = await child.hear(ofType<TurnDone>('done'));
  await sleep(SETTLE_MS);
  return { cpuS: (treeCpuS([child.pid]) - before) / journeys, wallMs: median(wallMs) };
}

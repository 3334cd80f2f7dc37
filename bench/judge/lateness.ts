/** How late runs begin when as many checks as a configuration may have run from three locations, all on this machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../backend.ts';
import { type BenchContext, countOf, withClosers } from '../benchmark.ts';
import { ofType, startChild } from '../child.ts';
import { machineCpuS } from '../machine.ts';
import { startSystem } from '../system.ts';
import { configText, LOCATIONS } from './load.ts';

export interface Lateness {
  p50Ms: number;
  p99Ms: number;
  results: number;
  /** Runs of the window without a result when it has been over for a while. */
  missed: number;
  machineCores: number;
  postgresVersion: string;
}

const LAST_RESULTS_S = 10;

/** Starts everything and measures one window. */
export function measureLateness(context: BenchContext, backend: Backend): Promise<Lateness> {
  return withClosers(async (closers) => {
    const { env, signal } = context;
    const target = startChild({ script: 'bench/pipeline/target.ts', env: { PATH: env.PATH }, signal });
    closers.push(() => target.stop());
    const { port } = await target.hear(ofType<{ type: 'listening'; port: number }>('listening'));
    const config = configText(countOf(context, 'checks', 10_000), `http://127.0.0.1:${port}`);
    const system = await startSystem(context, { backend, config, locations: LOCATIONS }, closers);
    await system.rounds(['worker']);
    await Promise.all(LOCATIONS.map((location) => system.rounds(['agent', '--location', location])));
    // Every check has run once before the window, which is as long as their interval.
    await sleep(countOf(context, 'warmUp', 75) * 1000, undefined, { signal });
    const [fromMs, cpuS] = [Date.now(), machineCpuS()];
    await sleep(countOf(context, 'seconds', 60) * 1000, undefined, { signal });
    const [untilMs, usedS] = [Date.now(), machineCpuS() - cpuS];
    await sleep(LAST_RESULTS_S * 1000, undefined, { signal });
    const { rows } = await system.database.query<{ p50: number | null; p99: number | null; results: string; missed: string }>(
      `select percentile_disc(0.5) within group (order by start_lateness_ms) as p50,
         percentile_disc(0.99) within group (order by start_lateness_ms) as p99, count(*) as results,
         (select count(*) from ledger where ask_id = 0 and slot >= $1 and slot < $2 and state in ('due', 'missed')) as missed
       from run where ask_id = 0 and slot >= $1 and slot < $2 and verdict is not null`,
      [new Date(fromMs), new Date(untilMs)],
    );
    const row = rows[0];
    if (row?.p50 == null || row.p99 == null) throw new Error('No run of the window brought a result: the pipeline does not work.');
    return {
      p50Ms: row.p50,
      p99Ms: row.p99,
      results: Number(row.results),
      missed: Number(row.missed),
      machineCores: usedS / ((untilMs - fromMs) / 1000),
      postgresVersion: system.postgresVersion,
    };
  });
}

/**
 * What evaluating and storing results costs, how late runs begin with as many checks as there may be, how soon a status is answered over
 * very many results, and what a check takes on the disk.
 */
import { type BenchContext, type Benchmark, countOf } from '../benchmark.ts';
import { nameMachine } from '../machine.ts';
import { median, rounded } from '../stats.ts';
import { measureBytes } from './bytes.ts';
import { type FoldCost, measureFolding } from './fold.ts';
import { measureLateness } from './lateness.ts';
import { measureStatus } from './status.ts';

const MEASURES = { fold: foldFigures, lateness: latenessFigures, status: statusFigures, bytes: bytesFigures };

/** Each part has a PostgreSQL of its own, and runs while none of the others does. */
export const judge: Benchmark = async (context) => {
  const { options } = context;
  const machine = await nameMachine('');
  const figures: Record<string, number | string | object> = {};
  for (const [part, measure] of Object.entries(MEASURES)) {
    if (options.only !== undefined && options.only !== part) continue;
    const { postgresVersion, ...measured } = await measure(context);
    machine.postgres = postgresVersion;
    Object.assign(figures, measured);
  }
  return { ...figures, machine };
};

async function foldFigures(context: BenchContext) {
  const runs: FoldCost[] = [];
  const count = countOf(context, 'runs', 3);
  while (runs.length < count) {
    const run = await measureFolding(context);
    runs.push(run);
    context.say(
      `run ${runs.length} of ${count}: ${Math.round(run.resultsPerCpuS)} results per CPU second, copied ${Math.round(run.copiedPerCpuS)}`,
    );
  }
  const middle = (pick: (run: FoldCost) => number, digits = 0) => rounded(median(runs.map(pick)), digits);
  return {
    results_per_cpu_second: middle((run) => run.resultsPerCpuS),
    copy_rows_per_cpu_second: middle((run) => run.copiedPerCpuS),
    ratio_to_copy: middle((run) => run.resultsPerCpuS / run.copiedPerCpuS, 3),
    results_per_second: middle((run) => run.wallResultsPerS),
    cpu_share_worker: middle((run) => run.workerShare, 2),
    planning_cpu_us_per_result: middle((run) => run.planningUs, 1),
    results: runs.reduce((sum, run) => sum + run.results, 0),
    postgresVersion: runs[0]?.postgresVersion ?? '',
  };
}

async function latenessFigures(context: BenchContext) {
  const late = await measureLateness(context, context.options.queue === 'redis' ? 'redis' : 'postgres');
  context.say(`began ${rounded(late.p99Ms, 0)} ms late at most in 99 of 100; ${late.results} results, ${late.missed} missed`);
  return {
    start_lateness_ms_p50: rounded(late.p50Ms, 1),
    start_lateness_ms_p99: rounded(late.p99Ms, 1),
    lateness_results: late.results,
    lateness_missed: late.missed,
    lateness_machine_cores_used: rounded(late.machineCores, 2),
    postgresVersion: late.postgresVersion,
  };
}

async function statusFigures(context: BenchContext) {
  const status = await measureStatus(context);
  context.say(
    `a status took ${rounded(status.p99Ms, 0)} ms at most in 99 of 100, over ${status.results} results of ${status.checks} checks`,
  );
  return {
    status_ms_p50: rounded(status.p50Ms, 1),
    status_ms_p99: rounded(status.p99Ms, 1),
    status_results: status.results,
    status_checks: status.checks,
    postgresVersion: status.postgresVersion,
  };
}

async function bytesFigures(context: BenchContext) {
  const { total, parts, perRun, postgresVersion } = await measureBytes(context);
  context.say(`a check takes ${rounded(total / 1e6, 2)} MB, a run ${rounded(perRun, 0)} bytes`);
  return {
    bytes_per_check_year: Math.round(total),
    bytes_per_run: rounded(perRun, 0),
    bytes_of: Object.fromEntries(Object.entries(parts).map(([part, bytes]) => [part, Math.round(bytes)])),
    postgresVersion,
  };
}

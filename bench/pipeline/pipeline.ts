/**
 * How many scheduled HTTP checks one CPU second carries through the whole of Rounds: planned, queued, run on a fresh connection,
 * reported, stored and judged. Each run starts everything anew, and has the bare client as its baseline just before.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backend, backendsOf } from '../backend.ts';
import { type BenchContext, type Benchmark, countOf, withClosers } from '../benchmark.ts';
import { ofType, startChild } from '../child.ts';
import { nameMachine } from '../machine.ts';
import { profileInWords } from '../profile.ts';
import { median, rounded } from '../stats.ts';
import { type Part, startStack } from './stack.ts';
import { measureWindow, totalCpuS, type Window } from './window.ts';

/** What the agent does at once, so that the baseline has as many sockets open. */
const BASELINE_CONCURRENCY = 50;
/** And no longer than the window. */
const BASELINE_MS = 4_000;

interface Run extends Window {
  baseline: number;
  postgresVersion: string;
}

/** Runs it several times on each backend of the queue and gives the medians; what stands at the top is that of the backend that costs more. */
export const pipeline: Benchmark = async (context) => {
  const count = countOf(context, 'runs', 3);
  const backends = await backendsOf(context);
  const machine = await nameMachine('');
  const runs: (Run & { backend: Backend })[] = [];
  // By turns, so that an hour in which the machine is slower spoils neither of them alone.
  for (let index = 0; index < count * backends.length; index++) {
    const backend = backends[index % backends.length] ?? 'postgres';
    const run = { ...(await runOnce(context, backend)), backend };
    runs.push(run);
    context.say(`run ${index + 1} of ${count * backends.length}, queue on ${backend}: ${inWords(run)}`);
  }
  const folder = context.options.profile;
  for (const process of folder === undefined ? [] : ['worker', 'agent'])
    context.say(`\n${process}: ${profileInWords(`${folder}/${process}`).join('\n')}`);
  const figures = backends.map((backend) => ({ backend, ...figuresOf(runs.filter((run) => run.backend === backend)) }));
  const dearest = figures.reduce((worst, one) => (one.checks_per_cpu_second < worst.checks_per_cpu_second ? one : worst));
  const each = figures.length > 1 ? Object.fromEntries(figures.map((one) => [one.backend, one])) : {};
  return { ...dearest, ...each, machine: { ...machine, postgres: runs[0]?.postgresVersion ?? '' } };
};

function runOnce(context: BenchContext, backend: Backend): Promise<Run> {
  return withClosers(async (closers) => {
    const { env, signal } = context;
    const target = startChild({ script: 'bench/pipeline/target.ts', env: { PATH: env.PATH }, signal });
    closers.push(() => target.stop());
    const { port } = await target.hear(ofType<{ type: 'listening'; port: number }>('listening'));
    const url = `http://127.0.0.1:${port}`;
    const seconds = countOf(context, 'seconds', 30);
    const baselineMs = Math.min(seconds * 1000, BASELINE_MS);
    const baseline = await bareRequestsPerCpuSecond(`${url}/status/1`, baselineMs, context);
    const stack = await startStack(context, backend, url, closers);
    // Every check has run once, the compiler has seen the code, and the pools are full.
    await sleep(countOf(context, 'warmUp', 15) * 1000, undefined, { signal });
    const window = await measureWindow(stack, seconds, context);
    return { ...window, baseline, postgresVersion: stack.postgresVersion };
  });
}

function bareRequestsPerCpuSecond(url: string, forMs: number, { env, signal }: BenchContext): Promise<number> {
  return withClosers(async (closers) => {
    const client = startChild({ script: 'bench/pipeline/bare-client.ts', env: { PATH: env.PATH }, signal });
    closers.push(() => client.stop());
    client.tell({ type: 'go', url, concurrency: BASELINE_CONCURRENCY, forMs });
    const { requests, cpuS } = await client.hear(ofType<{ type: 'done'; requests: number; cpuS: number }>('done'));
    return requests / cpuS;
  });
}

function perCpuSecond(run: Window): number {
  return run.results / totalCpuS(run.cpuS);
}

function figuresOf(runs: readonly Run[]) {
  const middle = (pick: (run: Run) => number, digits = 0) => rounded(median(runs.map(pick)), digits);
  const sum = (pick: (run: Run) => number, digits = 0) =>
    rounded(
      runs.reduce((total, run) => total + pick(run), 0),
      digits,
    );
  const share = (part: Part) => middle((run) => run.cpuS[part] / totalCpuS(run.cpuS), 2);
  return {
    checks_per_cpu_second: middle(perCpuSecond),
    baseline_node_http_per_cpu_second: middle(({ baseline }) => baseline),
    ratio_to_baseline: middle((run) => perCpuSecond(run) / run.baseline, 2),
    start_lateness_ms_p50: middle(({ startLatenessMs }) => startLatenessMs.p50, 1),
    start_lateness_ms_p99: middle(({ startLatenessMs }) => startLatenessMs.p99, 1),
    rss_mb: middle(({ rssMb }) => rssMb.worker + rssMb.agent),
    results: sum(({ results }) => results),
    missed: sum(({ missed }) => missed),
    not_up: sum(({ notUp }) => notUp),
    seconds: sum(({ seconds }) => seconds, 1),
    results_per_second: middle(({ results, seconds }) => results / seconds),
    cores_used: middle((run) => totalCpuS(run.cpuS) / run.seconds, 2),
    other_cores_used: middle((run) => run.otherCpuS / run.seconds, 2),
    cpu_share: { worker: share('worker'), agent: share('agent'), postgres: share('postgres'), redis: share('redis') },
    rss_mb_of: { worker: middle(({ rssMb }) => rssMb.worker), agent: middle(({ rssMb }) => rssMb.agent) },
    runs: runs.length,
  };
}

function inWords(run: Run): string {
  const lateness = `began ${rounded(run.startLatenessMs.p99, 0)} ms late at most in 99 of 100`;
  return `${Math.round(perCpuSecond(run))} checks per CPU second, bare ${Math.round(run.baseline)}; ${lateness}; ${run.results} results, ${run.missed} missed`;
}

/**
 * The worker's part of it, in a process of its own: takes reports as they come from the queue, as texts, and folds them, with as many at once
 * as a worker takes. What the planner would have entered and the agents would have sent is made beforehand, in portions, and not counted.
 * Told a {@link Go}, it answers with {@link Folded}.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { installedParts } from '../../cli/config.ts';
import { loadConfig } from '../../core/config/load.ts';
import { type Report, reportSchema } from '../../jobs/contract.ts';
import type { JobsDeps } from '../../jobs/deps.ts';
import { foldReport, foldReports } from '../../jobs/fold.ts';
import { Folding } from '../../jobs/folding.ts';
import { ledgerRow, tookMs } from '../../jobs/plan.ts';
import type { Queues } from '../../jobs/queue.ts';
import { REPORTS_AT_ONCE } from '../../jobs/result-queues.ts';
import { openPool } from '../../store/db.ts';
import { partitionsFor } from '../../store/partitions.ts';
import { beat } from '../../store/planner.ts';
import { enterRuns, ledgerKeys } from '../../store/run.ts';
import { treeCpuS } from '../process-tree.ts';
import { quietLog } from '../quiet-log.ts';
import { configText, dueIn, LOCATIONS, reportText, sequence } from './load.ts';

export interface Go {
  type: 'go';
  url: string;
  postgresPid: number;
  checks: number;
  /** Measured after every check was folded twice. */
  results: number;
  /** Each report by itself, as they come to a worker that has time. */
  alone?: boolean;
  /** Where CPU profiles of the folding alone are kept. */
  profile?: string;
}

export interface Folded {
  type: 'folded';
  results: number;
  workerCpuS: number;
  postgresCpuS: number;
  wallS: number;
  /** Planning of the same runs, counted apart. */
  planningCpuS: number;
}

const PORTION_S = 20;
const WARM_UP_S = 120;

async function run(go: Go): Promise<Folded> {
  if (go.profile !== undefined) mkdirSync(go.profile, { recursive: true });
  const loaded = loadConfig({ file: 'rounds.yaml', text: configText(go.checks) }, await installedParts());
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems[0]));
  const { config } = loaded;
  const checks = Object.values(config.checks);
  const pool = openPool({ url: go.url, name: 'worker', max: 10, log: quietLog });
  const perSecond = (checks.length * LOCATIONS.length) / 60;
  const seconds = Math.ceil(go.results / perSecond / PORTION_S) * PORTION_S;
  const beginMs = Math.floor(Date.now() / 1000) * 1000 - (seconds + WARM_UP_S) * 1000;
  let nowMs = beginMs;
  const clock = { now: () => nowMs, monotonic: () => performance.now() };
  const deps: JobsDeps = { pool, queues: NO_QUEUES, config, configSeq: 0, clock, log: quietLog, actions: new Map() };
  await beat(pool, beginMs, 60_000);
  await partitionsFor(pool, beginMs, beginMs + (seconds + WARM_UP_S) * 1000);
  const keys = await ledgerKeys(pool, { checks: checks.map(({ id }) => id), locations: LOCATIONS, revisions: [config.revision] });
  const random = sequence(1);
  const folding = new Folding((lot) => foldReports(deps, lot));
  const take = go.alone
    ? (...[location, report]: Parameters<Folding['take']>) => foldReport(deps, location, report)
    : folding.take.bind(folding);
  const sum: Folded = { type: 'folded', results: 0, workerCpuS: 0, postgresCpuS: 0, wallS: 0, planningCpuS: 0 };

  for (let atS = 0; atS < WARM_UP_S + seconds; atS += PORTION_S) {
    const texts = new Map<string, string[]>(LOCATIONS.map((location) => [location, []]));
    let portion = 0;
    for (let second = atS; second < atS + PORTION_S; second++) {
      const due = dueIn(checks, beginMs + second * 1000);
      if (due.length === 0) continue;
      const rows = due.flatMap(({ check, slotMs }) =>
        LOCATIONS.map((location) => {
          const known = config.checks[check];
          if (!known) throw new Error('a check that is not there');
          const named = { check, location, slotMs, purpose: 'scheduled' as const, ask: 0 };
          return ledgerRow(named, slotMs, slotMs + known.everyMs, config.revision, tookMs(known));
        }),
      );
      const before = cpu(go.postgresPid);
      await enterRuns(pool, keys, rows);
      sum.planningCpuS += since(before, go.postgresPid).total;
      for (const location of LOCATIONS) texts.get(location)?.push(reportText(due, location, random));
      portion += rows.length;
    }
    nowMs = beginMs + (atS + PORTION_S) * 1000;
    const [before, beganMs] = [cpu(go.postgresPid), performance.now()];
    const fold = () => Promise.all(LOCATIONS.map((location) => foldAll(take, location, texts.get(location) ?? [])));
    await (go.profile !== undefined && atS >= WARM_UP_S ? profiled(join(go.profile, `${atS}.cpuprofile`), fold) : fold());
    if (atS < WARM_UP_S) continue;
    const used = since(before, go.postgresPid);
    sum.results += portion;
    sum.workerCpuS += used.worker;
    sum.postgresCpuS += used.postgres;
    sum.wallS += (performance.now() - beganMs) / 1000;
  }
  await pool.end();
  return sum;
}

async function profiled(file: string, work: () => Promise<unknown>): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(file, JSON.stringify(profile));
  session.disconnect();
}

/** As the queue hands them out: in their order, some at once. */
async function foldAll(fold: Folding['take'], location: string, texts: readonly string[]): Promise<void> {
  let next = 0;
  const take = async () => {
    for (let text = texts[next++]; text !== undefined; text = texts[next++]) {
      const report: Report = reportSchema.parse(JSON.parse(text));
      await fold(location, report);
    }
  };
  await Promise.all(Array.from({ length: REPORTS_AT_ONCE }, take));
}

function cpu(postgresPid: number) {
  return { worker: process.cpuUsage(), postgres: treeCpuS([postgresPid]) };
}

function since(before: ReturnType<typeof cpu>, postgresPid: number) {
  const { user, system } = process.cpuUsage(before.worker);
  const worker = (user + system) / 1e6;
  const postgres = treeCpuS([postgresPid]) - before.postgres;
  return { worker, postgres, total: worker + postgres };
}

const noQueue = () => Promise.reject(new Error('nothing is queued here'));
const NO_QUEUES: Queues = {
  prepare: noQueue,
  add: noQueue,
  work: () => {
    throw new Error('nothing is queued here');
  },
  serverNow: noQueue,
  load: noQueue,
  trouble: async () => undefined,
  close: async () => undefined,
};

process.on('message', async (go: Go) => {
  process.send?.(await run(go));
});
process.on('disconnect', () => process.exit(0));

/**
 * The worker's part of it, in a process of its own: takes reports as they come from the queue, as texts, and folds them, with as many at once
 * as a worker takes. What the planner would have entered and the agents would have sent is made beforehand, in portions, and not counted.
 * Told a {@link Go}, it answers with {@link Folded}.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { installedParts } from '../../cli/config.ts';
import type { Check } from '../../core/check.ts';
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
import { enterRuns, type LedgerKeys, type LedgerRow, ledgerKeys } from '../../store/run.ts';
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
  const load = await begin(go);
  const sum: Folded = { type: 'folded', results: 0, workerCpuS: 0, postgresCpuS: 0, wallS: 0, planningCpuS: 0 };
  for (let atS = 0; atS < WARM_UP_S + load.seconds; atS += PORTION_S) {
    const portion = portionOf(load, atS);
    const planning = await costOf(go, () => enterAll(load, portion));
    const texts = LOCATIONS.map((location) => ({ location, texts: portion.map(({ due }) => reportText(due, location, load.random)) }));
    load.nowMs = load.beginMs + (atS + PORTION_S) * 1000;
    const fold = () => Promise.all(texts.map((one) => foldAll(load.take, one.location, one.texts)));
    const isMeasured = atS >= WARM_UP_S;
    const folding = await costOf(go, () =>
      go.profile !== undefined && isMeasured ? profiled(join(go.profile, `${atS}.cpuprofile`), fold) : fold(),
    );
    if (!isMeasured) continue;
    sum.results += portion.reduce((total, { rows }) => total + rows.length, 0);
    sum.workerCpuS += folding.workerS;
    sum.postgresCpuS += folding.postgresS;
    sum.wallS += folding.wallS;
    sum.planningCpuS += planning.workerS + planning.postgresS;
  }
  await load.deps.pool.end();
  return sum;
}

interface Load {
  deps: JobsDeps;
  checks: Check[];
  keys: LedgerKeys;
  take: Folding['take'];
  random: () => number;
  beginMs: number;
  /** How much time is played after the warm-up. */
  seconds: number;
  /** What the worker's clock shows. */
  nowMs: number;
}

async function begin(go: Go): Promise<Load> {
  const loaded = loadConfig({ file: 'rounds.yaml', text: configText(go.checks) }, await installedParts());
  if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
  const { config } = loaded;
  const checks = Object.values(config.checks);
  const pool = openPool({ url: go.url, name: 'worker', max: 10, log: quietLog });
  const perSecond = (checks.length * LOCATIONS.length) / 60;
  const seconds = Math.ceil(go.results / perSecond / PORTION_S) * PORTION_S;
  const beginMs = Math.floor(Date.now() / 1000) * 1000 - (seconds + WARM_UP_S) * 1000;
  const clock = { now: () => load.nowMs, monotonic: () => performance.now() };
  const deps: JobsDeps = { pool, queues: NO_QUEUES, config, configSeq: 0, clock, log: quietLog, actions: new Map() };
  await beat(pool, beginMs, 60_000);
  await partitionsFor(pool, beginMs, beginMs + (seconds + WARM_UP_S) * 1000);
  const keys = await ledgerKeys(pool, { checks: checks.map(({ id }) => id), locations: LOCATIONS, revisions: [config.revision] });
  const folding = new Folding((lot) => foldReports(deps, lot));
  const take: Folding['take'] = (location, report) => (go.alone ? foldReport(deps, location, report) : folding.take(location, report));
  const load: Load = { deps, checks, keys, take, random: sequence(1), beginMs, seconds, nowMs: beginMs };
  return load;
}

/** What is due in each second of some time. */
type Portion = { due: ReturnType<typeof dueIn>; rows: LedgerRow[] }[];

function portionOf({ deps: { config }, checks, beginMs }: Load, atS: number): Portion {
  const seconds = Array.from({ length: PORTION_S }, (_, index) => dueIn(checks, beginMs + (atS + index) * 1000));
  return seconds
    .filter((due) => due.length > 0)
    .map((due) => ({
      due,
      rows: due.flatMap(({ check, slotMs }) => {
        const known = config.checks[check];
        if (!known) return [];
        return LOCATIONS.map((location) =>
          ledgerRow(
            { check, location, slotMs, purpose: 'scheduled', ask: 0 },
            slotMs,
            slotMs + known.everyMs,
            config.revision,
            tookMs(known),
          ),
        );
      }),
    }));
}

async function enterAll({ deps: { pool }, keys }: Load, portion: Portion): Promise<void> {
  for (const { rows } of portion) await enterRuns(pool, keys, rows);
}

async function costOf({ postgresPid }: Go, work: () => Promise<unknown>): Promise<{ workerS: number; postgresS: number; wallS: number }> {
  const [cpu, postgresS, beganMs] = [process.cpuUsage(), treeCpuS([postgresPid]), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const wallS = (performance.now() - beganMs) / 1000;
  return { workerS: (user + system) / 1e6, postgresS: treeCpuS([postgresPid]) - postgresS, wallS };
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

/** A worker's collaborators on a real database and a real queue, with a clock that the test winds. */
import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import type { Result } from '../../core/result.ts';
import { parseRunName } from '../../core/run.ts';
import type { Report } from '../../jobs/contract.ts';
import type { JobsDeps } from '../../jobs/deps.ts';
import { ledgerRow } from '../../jobs/plan.ts';
import { openQueues } from '../../jobs/queue.ts';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { partitionsFor } from '../../store/partitions.ts';
import { beat } from '../../store/planner.ts';
import { enterRuns, ledgerKeys } from '../../store/run.ts';
import { quietLog } from './log.ts';
import { testDatabase } from './postgres.ts';
import { type Backend, testQueue } from './queues.ts';

export interface TestJobs {
  deps: JobsDeps & { clock: { now(): number; monotonic(): number } };
  url: string;
  queueUrl: string;
  /** Winds the clock. */
  at(ms: number): void;
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/** Everything a worker is handed, for this configuration, with the clock standing at `nowMs`. */
export async function testJobs(config: Config, nowMs: number, backend: Backend = 'PostgreSQL'): Promise<TestJobs> {
  const database = await testDatabase();
  await migrate(database.url, quietLog);
  const queue = await testQueue(backend, database.url);
  const pool = openPool({ url: database.url, name: 'test', max: 4, log: quietLog });
  const queues = await openQueues({ url: queue.url, log: quietLog, name: 'test' });
  await Promise.all(Object.keys(config.locations).map((location) => queues.prepare(location)));
  let now = nowMs;
  const clock = { now: () => now, monotonic: () => performance.now() };
  await beat(pool, nowMs, 60_000);
  return {
    deps: {
      pool,
      queues,
      config,
      configSeq: 0,
      clock,
      log: quietLog,
      actions: new Map([['http.request', { preview: () => 'Reopens sign-in.' }]]),
    },
    url: database.url,
    queueUrl: queue.url,
    at: (ms) => {
      now = ms;
    },
    query: async (text, values) => (await pool.query(text, values)).rows,
    close: async () => {
      await queues.close();
      await queue.drop();
      await pool.end();
      await database.drop();
    },
  };
}

/** A result as an agent would report it. */
export function asResult(input: FoldInput, change: Partial<Result> = {}): Result {
  const attempt = { verdict: input.verdict, durationMs: input.durationMs, ...(input.failure ? { failure: input.failure } : {}) };
  return {
    run: input.run,
    revision: 'test',
    verdict: input.verdict,
    durationMs: input.durationMs,
    startLatenessMs: 3,
    steps: [],
    measurements: {},
    attempts: [attempt],
    findings: input.findings,
    ...(input.failure ? { failure: input.failure } : {}),
    ...change,
  };
}

/** A report of these results. */
export function asReport(results: readonly Result[], change: Partial<Report> = {}): Report {
  return { v: 1, agent: 'test', sentAtMs: 0, results: [...results], refusals: [], actions: [], ...change };
}

/** Enters the runs of these inputs in the ledger, as the planner would have. */
export async function order(jobs: TestJobs, check: Check, inputs: readonly FoldInput[]): Promise<void> {
  const rows = inputs.map((input) => ledgerRow(parseRunName(input.run), input.plannedAtMs, input.plannedAtMs + check.everyMs, 'test', 0));
  const { pool } = jobs.deps;
  const slotsMs = rows.map((row) => row.slotMs);
  await partitionsFor(pool, Math.min(...slotsMs), Math.max(...slotsMs));
  const names = { checks: rows.map((row) => row.check), locations: rows.map((row) => row.location), revisions: ['test'] };
  await enterRuns(pool, await ledgerKeys(pool, names), rows);
}

/** The part of Rounds that carries the load: a worker, and the agent of the only location. */
import type { Backend } from '../backend.ts';
import { type BenchContext, type Closers, countOf } from '../benchmark.ts';
import { startSystem } from '../system.ts';
import { LOCATION, loadConfigText } from './config.ts';

/** Where the CPU of a check is spent. */
export const PARTS = ['worker', 'agent', 'postgres', 'redis'] as const;
export type Part = (typeof PARTS)[number];

export interface Stack {
  /** Process ids, by what runs there. Without Redis there is none. */
  pids: Partial<Record<Part, number>> & { worker: number; agent: number };
  database: Awaited<ReturnType<typeof startSystem>>['database'];
  postgresVersion: string;
  /** Seconds between the runs of a check. */
  everySeconds: number;
}

/** Starts everything anew, in a folder of its own. Resolves when worker and agent are ready. */
export async function startStack(context: BenchContext, backend: Backend, targetUrl: string, closers: Closers): Promise<Stack> {
  const everySeconds = countOf(context, 'every', 5);
  const config = loadConfigText({ checks: countOf(context, 'checks', 5_000), everySeconds, targetUrl });
  const system = await startSystem(context, { backend, config, locations: [LOCATION] }, closers);
  const [worker, agent] = await Promise.all([system.rounds(['worker']), system.rounds(['agent', '--location', LOCATION])]);
  const { database, postgresVersion } = system;
  return { pids: { worker: worker.pid, agent: agent.pid, ...system.pids }, database, postgresVersion, everySeconds };
}

/** What every part of the worker is handed. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config/model.ts';
import type { Log } from '../core/process.ts';
import type { ActionWords } from '../core/runbook.ts';
import type { Pool } from '../store/db.ts';
import { QUEUES } from './contract.ts';
import type { Queues } from './queue.ts';

export interface JobsDeps {
  pool: Pool;
  queues: Queues;
  /** The configuration in force, and its number: nothing is decided when another has come into force meanwhile. */
  config: Config;
  configSeq: number;
  clock: Clock;
  log: Log;
  actions: ReadonlyMap<string, ActionWords>;
}

/** How long planning may be silent before it counts as stopped, and not as a crash that is made up for. */
export const PLANNING_GAP_MS = 60_000;

/**
 * Wakes the bot. Called after the commit, never inside a transaction; that it may fail is harmless, since the bot looks
 * every second as well.
 */
export async function wakeBot(deps: Pick<JobsDeps, 'queues' | 'log'>): Promise<void> {
  try {
    await deps.queues.add(QUEUES.notify, [{ id: randomUUID(), data: {} }], 'once');
  } catch (error) {
    deps.log.warn({ error: (error as Error).message }, 'the bot could not be woken; it will look by itself');
  }
}

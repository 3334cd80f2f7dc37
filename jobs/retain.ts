/** Keeps what is to be kept and no more: partitions for the runs to come, and nothing that is older than the configuration says. */
import { keptOf } from '../core/config/storage.ts';
import { dropPartitions, partitionsFor } from '../store/partitions.ts';
import { deleteOld } from '../store/retention.ts';
import type { JobsDeps } from './deps.ts';

const DAY_MS = 86_400_000;

/** Makes partitions ahead and takes away what is too old, once. Any number of workers may do it. */
export async function retain({ pool, config, clock, log }: Pick<JobsDeps, 'pool' | 'config' | 'clock' | 'log'>): Promise<void> {
  const nowMs = clock.now();
  const { rawMs, daysMs } = keptOf(config);
  await partitionsFor(pool, nowMs, nowMs + DAY_MS);
  // What is still due so long ago goes first: there will be no place for it.
  const rows = await deleteOld(pool, { rawBeforeMs: nowMs - rawMs, daysBeforeMs: nowMs - daysMs });
  const partitions = await dropPartitions(pool, nowMs - rawMs);
  if (partitions.length > 0 || Object.keys(rows).length > 0) log.info({ partitions, rows }, 'what was too old was deleted');
}

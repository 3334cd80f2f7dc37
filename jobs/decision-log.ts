/** Keeps the decision log: places for what is to come, a checkpoint now and then, and no more than is kept of the runs. */
import { keptOf } from '../core/config/storage.ts';
import { inTransaction } from '../store/db.ts';
import { checkpointAgeMs, dropLog, makeLogPartitions, takeCheckpoint } from '../store/decision-log.ts';
import type { JobsDeps } from './deps.ts';

/** A replay has to begin somewhere; for so long it goes on before what was asked for. */
const CHECKPOINT_EVERY_MS = 3_600_000;
/** Each state is some hundred bytes: of very many, checkpoints are seldom. */
const CHECKPOINT_MS_PER_CHECK = 1_000;

type Deps = Pick<JobsDeps, 'pool' | 'config' | 'clock' | 'log'>;

/** One turn, by any number of workers. */
export async function keepDecisionLog(deps: Deps): Promise<void> {
  const { pool, config, log } = deps;
  await makeLogPartitions(pool);
  const partitions = await dropLog(pool, keptOf(config).rawMs);
  if (partitions.length > 0) log.info({ partitions }, 'what was logged of decisions long ago was dropped');
  const ageMs = await checkpointAgeMs(pool);
  const everyMs = Math.max(CHECKPOINT_EVERY_MS, Object.keys(config.checks).length * CHECKPOINT_MS_PER_CHECK);
  if (ageMs === undefined || ageMs >= everyMs) await checkpoint(deps);
}

/** Takes a checkpoint of this moment, from which a replay can begin. */
export function checkpoint({ pool, config, clock }: Pick<Deps, 'pool' | 'config' | 'clock'>): Promise<void> {
  return inTransaction(
    pool,
    (db) => takeCheckpoint(db, config, clock.now()),
    (db) => db.query('begin isolation level repeatable read'),
  );
}

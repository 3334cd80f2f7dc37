/** `rounds worker`: reads the environment, builds the adapters, starts the worker. */
import { readConfig } from '../cli/config.ts';
import type { Start } from '../core/process.ts';
import { loadActions } from '../runbooks/registry.ts';
import { openPool } from '../store/db.ts';
import { keepRevision } from '../store/revision.ts';
import { openQueues, queueUrlOf } from './queue.ts';
import { startWorker } from './worker.ts';

/** Folding, judging, planning and sweeping each need a connection; a report more waits for its turn. */
const STORE_CONNECTIONS = 4;

/** Starts a worker. Needs `DATABASE_URL` and `ROUNDS_CONFIG`; the queue is in the same database unless `REDIS_URL` or `ROUNDS_QUEUE_URL` says else. */
export const start: Start = async ({ env, log, options }) => {
  const url = env.DATABASE_URL;
  if (!url) throw new Error('DATABASE_URL is not set: expected the address of the database, such as postgres://rounds@127.0.0.1/rounds.');
  const config = await readConfig(options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml');
  const pool = openPool({ url, name: 'worker', max: STORE_CONNECTIONS, log });
  await keepRevision(pool, config);
  const queues = await openQueues({ url: queueUrlOf(env) ?? url, log, name: 'worker' });
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const worker = await startWorker({ pool, queues, config, clock, log, actions: await loadActions() });
  log.info({ revision: config.revision, checks: Object.keys(config.checks).length }, 'the worker makes its rounds');
  return {
    ready: async () => {
      const answer = await pool.query('select 1').catch((error: Error) => error);
      return answer instanceof Error ? `PostgreSQL does not answer: ${answer.message}` : undefined;
    },
    stop: async () => {
      await worker.stop();
      await queues.close();
      await pool.end();
    },
  };
};

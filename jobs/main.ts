/** `rounds worker`: reads the environment, builds the adapters, starts the worker. */
import { hostname } from 'node:os';
import { applyAgain, applyAtStart } from '../cli/apply.ts';
import { readWritten } from '../cli/config.ts';
import type { Start } from '../core/process.ts';
import { changesApp, changesToken } from '../http/changes.ts';
import { loadActions } from '../runbooks/registry.ts';
import { reportChanges } from '../store/change.ts';
import { openPool } from '../store/db.ts';
import { watchConfig } from '../store/in-force.ts';
import { QUEUES } from './contract.ts';
import { changes as reportedChanges } from './metrics.ts';
import { openQueues, queueUrlOf } from './queue.ts';
import { missingWay, openWays } from './ways.ts';
import { startWorker } from './worker.ts';

/** Folding, judging, planning and sweeping each need a connection; a report more waits for its turn. */
const STORE_CONNECTIONS = 4;

/**
 * Starts a worker. Needs `DATABASE_URL` and `ROUNDS_CONFIG`; the queue is in the same database unless `REDIS_URL` or `ROUNDS_QUEUE_URL` says
 * else, and what `fallback:` of the configuration asks for. Its file is put in force at the start and when it is told to reload; in between it runs what is in force, whoever applied that.
 */
export const start: Start = async ({ env, log, options }) => {
  const url = env.DATABASE_URL;
  if (!url) throw new Error('DATABASE_URL is not set: expected the address of the database, such as postgres://rounds@127.0.0.1/rounds.');
  const token = changesToken(env.ROUNDS_CHANGES_TOKEN);
  const ways = openWays({
    smtpUrl: env.ROUNDS_SMTP_URL,
    webhookUrl: env.ROUNDS_FALLBACK_WEBHOOK,
    webhookToken: env.ROUNDS_FALLBACK_WEBHOOK_TOKEN,
  });
  const id = `worker@${hostname()}/${process.pid}`;
  const pool = openPool({ url, name: 'worker', max: STORE_CONNECTIONS, log });
  const own = { pool, file: options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml', by: id, log };
  await applyAtStart(own);
  const watch = await watchConfig({ pool, log, read: readWritten, runner: { id, kind: 'worker' } });
  const missing = missingWay(watch.config.fallback, ways);
  if (missing) {
    await watch.stop();
    await pool.end();
    throw new Error(missing);
  }
  const queues = await openQueues({ url: queueUrlOf(env) ?? url, log, name: 'worker' });
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const changes = changesApp({
    token,
    config: () => watch.config,
    clock,
    log,
    report: (told) => reportChanges(pool, watch.config, told),
    counted: ({ source, kind }) => reportedChanges.inc({ source, kind }),
  });
  const deps = {
    pool,
    queues,
    clock,
    log,
    actions: await loadActions(),
    get config() {
      return watch.config;
    },
    get configSeq() {
      return watch.configSeq;
    },
    refreshConfig: () => watch.refreshConfig(),
  };
  const worker = await startWorker(deps, ways);
  log.info({ revision: watch.config.revision, checks: Object.keys(watch.config.checks).length }, 'the worker makes its rounds');
  return {
    ready: async () => {
      const answer = await pool.query('select 1').catch((error: Error) => error);
      if (answer instanceof Error) return `PostgreSQL does not answer: ${answer.message}`;
      return watch.trouble() ?? missingWay(watch.config.fallback, ways) ?? (await queues.trouble(QUEUES.notify));
    },
    reload: async () => {
      await applyAgain(own);
      await watch.refreshConfig();
    },
    handle: async (request) => changes.fetch(request),
    stop: async () => {
      await worker.stop();
      await watch.stop();
      await queues.close();
      await pool.end();
    },
  };
};

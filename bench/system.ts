/** Rounds as it runs in earnest: embedded PostgreSQL with its usual settings, the queue on one backend or the other, its processes. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrateAll } from '../cli/migrate.ts';
import { ensureDatabase, startPostgres } from '../cli/postgres.ts';
import { postgresHome } from '../cli/postgres-home.ts';
import { openQueues } from '../jobs/queue.ts';
import { type Backend, startRedis } from './backend.ts';
import type { BenchContext, Closers } from './benchmark.ts';
import { type Child, ofType, startChild } from './child.ts';
import { quietLog } from './quiet-log.ts';

export interface System {
  database: pg.Client;
  postgresVersion: string;
  /** Of all that is not ours: PostgreSQL, and Redis where the queue stands on it. */
  pids: { postgres: number; redis?: number };
  /** Starts `rounds …` and resolves when it is ready. */
  rounds(args: readonly string[], own?: Readonly<Record<string, string>>): Promise<Child>;
}

export interface SystemOptions {
  backend: Backend;
  /** The text of `rounds.yaml`. */
  config: string;
  locations: readonly string[];
}

/** Starts PostgreSQL, and Redis where it is asked for, in a folder of their own, with all tables. */
export async function startSystem(context: BenchContext, options: SystemOptions, closers: Closers): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-bench-'));
  chmodSync(folder, 0o755);
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'rounds.yaml');
  writeFileSync(file, options.config);
  const postgres = await startPostgres({ folder, port: 0, log: quietLog });
  closers.push(async () => {
    await postgres.stop();
    rmSync(postgresHome(folder).data, { recursive: true, force: true });
  });
  await ensureDatabase(postgres.adminUrl, 'rounds');
  const url = postgres.url('rounds');
  const redis = options.backend === 'redis' ? await startRedis(folder, context, closers) : undefined;
  const queueUrl = redis?.url ?? url;
  await migrateAll(url, queueUrl, quietLog);
  await preparePlaces(queueUrl, options.locations);
  const common = { DATABASE_URL: url, ROUNDS_QUEUE_URL: queueUrl, ROUNDS_CONFIG: file, ROUNDS_DATA: folder };
  const database = await connected(url, closers);
  return {
    database,
    postgresVersion: await versionOf(database),
    pids: { postgres: postgres.pid, ...(redis ? { redis: redis.pid } : {}) },
    rounds: async (args, own = {}) => {
      const child = startRounds(context, args, { ...common, ...own }, closers);
      await child.hear(ofType('ready'));
      return child;
    },
  };
}

async function preparePlaces(queueUrl: string, locations: readonly string[]): Promise<void> {
  const queues = await openQueues({ url: queueUrl, log: quietLog, name: 'bench' });
  for (const location of locations) await queues.prepare(location);
  await queues.close();
}

async function connected(url: string, closers: Closers): Promise<pg.Client> {
  const database = new pg.Client({ connectionString: url, application_name: 'bench' });
  await database.connect();
  closers.push(() => database.end());
  return database;
}

function startRounds(
  { env, options, signal }: BenchContext,
  args: readonly string[],
  own: Record<string, string>,
  closers: Closers,
): Child {
  const common = { PATH: env.PATH, HOME: env.HOME, TMPDIR: env.TMPDIR, TZ: env.TZ, ROUNDS_LOG_LEVEL: 'warn' };
  const profile = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}/${args[0]}`];
  const child = startChild({ script: 'cli/main.ts', args, nodeArgs: profile, env: { ...common, ...own }, signal });
  closers.push(() => child.stop());
  return child;
}

/** Such as "18.4". */
async function versionOf(database: pg.Client): Promise<string> {
  const { rows } = await database.query<{ server_version: string }>('show server_version');
  return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
}

/** Rounds as it runs in earnest, but for the bot: embedded PostgreSQL with its usual settings, a worker, an agent. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrateAll } from '../../cli/migrate.ts';
import { ensureDatabase, startPostgres } from '../../cli/postgres.ts';
import { postgresHome } from '../../cli/postgres-home.ts';
import { type BenchContext, type Closers, countOf } from '../benchmark.ts';
import { type Child, ofType, startChild } from '../child.ts';
import { quietLog } from '../quiet-log.ts';
import { LOCATION, loadConfigText } from './config.ts';

export interface Stack {
  /** Process ids, by what runs there. */
  pids: { worker: number; agent: number; postgres: number };
  database: pg.Client;
  postgresVersion: string;
  /** Seconds between the runs of a check. */
  everySeconds: number;
}

/** Starts everything anew, in a folder of its own. Resolves when worker and agent are ready. */
export async function startStack(context: BenchContext, targetUrl: string, closers: Closers): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-bench-'));
  chmodSync(folder, 0o755);
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const everySeconds = countOf(context, 'every', 5);
  const config = join(folder, 'rounds.yaml');
  writeFileSync(config, loadConfigText({ checks: countOf(context, 'checks', 5_000), everySeconds, targetUrl }));
  const postgres = await startPostgres({ folder, port: 0, log: quietLog });
  closers.push(async () => {
    await postgres.stop();
    rmSync(postgresHome(folder).data, { recursive: true, force: true });
  });
  await ensureDatabase(postgres.adminUrl, 'rounds');
  const url = postgres.url('rounds');
  await migrateAll(url, url, quietLog);
  const worker = rounds(context, ['worker'], { DATABASE_URL: url, ROUNDS_CONFIG: config }, closers);
  const agentEnv = { ROUNDS_QUEUE_URL: url, ROUNDS_CONFIG: config, ROUNDS_DATA: folder };
  const agent = rounds(context, ['agent', '--location', LOCATION], agentEnv, closers);
  await Promise.all([worker, agent].map((child) => child.hear(ofType('ready'))));
  const database = new pg.Client({ connectionString: url, application_name: 'bench' });
  await database.connect();
  closers.push(() => database.end());
  const pids = { worker: worker.pid, agent: agent.pid, postgres: postgres.pid };
  return { pids, database, postgresVersion: await versionOf(database), everySeconds };
}

function rounds({ env, options, signal }: BenchContext, args: string[], own: Record<string, string>, closers: Closers): Child {
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

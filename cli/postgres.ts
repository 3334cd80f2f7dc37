/**
 * Embedded PostgreSQL: the release that comes with npm, started and stopped by us.
 * Its own session keeps Ctrl-C away from it, so that it stops last; on Linux the kernel ends it when we are killed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../core/process.ts';
import { freePort } from './ports.ts';
import { giveTo, type PostgresHome, postgresHome } from './postgres-home.ts';
import { endLeftover } from './postgres-leftover.ts';
import { secretOnce } from './secret-files.ts';

/** 60 s: what the recovery after a crash may take on a slow disk. */
const START_LIMIT_MS = 60_000;
/** 10 s for a fast shutdown, which ends every session and writes a checkpoint. */
const FAST_STOP_MS = 10_000;

export interface PostgresOptions {
  /** Rounds' own data folder; the database goes into `pg18` below it, its password into `secrets`. */
  folder: string;
  /** The port to take when it is free. */
  port: number;
  log: Log;
  /** Further settings, by name. */
  settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  port: number;
  pid: number;
  /** The superuser's URL of the database `postgres`. It holds the password: never log it. */
  adminUrl: string;
  /** The superuser's URL of another database. */
  url(database: string): string;
  /** Settles when the server has ended, whoever ended it. */
  ended: Promise<void>;
  /** Ends every session and the server; nothing is left that says it runs. */
  stop(): Promise<void>;
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Enough for 20 locations, the sample clinic and the probes: see "Connections" in docs/operations.md.
  max_connections: '250',
  shared_buffers: '128MB',
  // A failing statement is not written to the log: its values may be a patient's.
  log_min_error_statement: 'panic',
  log_line_prefix: '',
};

/** Starts PostgreSQL, making its data folder the first time. Throws with one sentence when it cannot. */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const home = postgresHome(options.folder);
  const password = secretOnce(join(options.folder, 'secrets'), 'POSTGRES_PASSWORD');
  if (existsSync(home.data)) await endLeftover(home.data, options.log);
  else await makeCluster(home, password, options);
  const port = await freePort(options.port);
  const child = launch(home, port, options.settings ?? {});
  const said = relay(child, options.log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  try {
    await accepting(url('postgres'), child, said);
  } catch (error) {
    await stop(child, ended);
    throw error;
  }
  return { port, pid: child.pid ?? 0, adminUrl: url('postgres'), url, ended, stop: () => stop(child, ended) };
}

/** Makes the data folder beside its place and renames it, so that an interrupted start leaves no half of one. */
async function makeCluster(home: PostgresHome, password: string, { log, settings }: PostgresOptions): Promise<void> {
  const unfinished = `${home.data}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  giveTo(home.owner, unfinished);
  const folder = mkdtempSync(join(tmpdir(), 'rounds-init-'));
  giveTo(home.owner, folder);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  giveTo(home.owner, passwordFile);
  try {
    log.info({}, 'Making the database');
    const unsafe = settings?.fsync === 'off' ? ['--no-sync'] : [];
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(home, 'initdb', [`--pgdata=${unfinished}`, ...locale, ...access, ...unsafe]);
    renameSync(unfinished, home.data);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(home: PostgresHome, program: string, args: string[]): Promise<void> {
  const child = spawn(join(home.native, 'bin', program), args, { ...placement(home), stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`PostgreSQL's ${program} failed: ${lastLine(complaint)}`);
}

function launch(home: PostgresHome, port: number, extra: Readonly<Record<string, string>>): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...extra }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = [join(home.native, 'bin', 'postgres'), '-D', home.data, ...settings];
  const [program = '', ...args] = [...endWithUs(), ...command];
  return spawn(program, args, { ...placement(home), detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** On Linux the kernel asks PostgreSQL to stop when its parent is gone, even by kill -9. Elsewhere the next start does it. */
function endWithUs(): string[] {
  const wrapper = ['setpriv', '--pdeathsig', 'INT'];
  return spawnSync('setpriv', ['--pdeathsig', 'INT', 'true'], { stdio: 'ignore' }).status === 0 ? wrapper : [];
}

function placement(home: PostgresHome) {
  return { ...home.owner, cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } };
}

/** Passes on what PostgreSQL says, and keeps its last complaint for the error message. */
function relay(child: ChildProcess, log: Log): { complaint: string } {
  const said = { complaint: '' };
  if (!child.stderr) return said;
  createInterface({ input: child.stderr }).on('line', (line) => {
    const serious = /^(WARNING|ERROR|FATAL|PANIC):/.test(line);
    if (serious) said.complaint = line;
    if (/^(FATAL|PANIC):/.test(line) && !line.includes('starting up') && !line.includes('administrator command')) log.warn({}, line);
    else log.debug({}, line);
  });
  return said;
}

async function accepting(url: string, child: ChildProcess, said: { complaint: string }): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    if (await answers(url)) return;
    if (performance.now() > limit) throw new Error(`PostgreSQL does not answer after ${START_LIMIT_MS / 1000} s. ${said.complaint}`);
    await sleep(40);
  }
  throw new Error(`PostgreSQL ended as it started. ${said.complaint}`);
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    // 28P01: the password in the secrets folder is not the one of this data folder; waiting does not help.
    if ((error as { code?: string }).code === '28P01')
      throw new Error('PostgreSQL refuses the password in secrets/POSTGRES_PASSWORD: it belongs to another data folder.');
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 2_000],
  ] as const) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(signal);
    await Promise.race([ended, sleep(patienceMs, undefined, { ref: false })]);
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Makes the database when it is not there. The name must be a plain word. */
export async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new Error(`A database name must be small letters, digits and underscores, got "${name}".`);
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
}

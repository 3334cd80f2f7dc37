/** A Redis in a folder of its own, gone afterwards: nothing of another test, or of this machine, is touched. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { freePort } from '../../cli/ports.ts';
import { findRedis } from '../../scripts/find-redis.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NONE = 'No redis-server is here. Run `node scripts/setup.mjs test`, or install one (Debian: apt-get install redis-server).';
/** How often a port is tried that another process took between our look and the server's start. */
const PORT_TRIES = 5;

export interface TestRedis {
  /** `redis://127.0.0.1:<port>`, for the default user, who may do everything and has no password. */
  url: string;
  port: number;
  /** The server's own folder: `data` below it, `users.acl` for `ACL SAVE`, `redis.conf` as it was started with. */
  folder: string;
  /** Ends the server and starts it again on the same port and data. `SIGKILL` is the usual way to die here. */
  restart(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Away until `start()`; the data stays. */
  stop(how?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Resolves when the server has read its data and answers. Does nothing when it runs. */
  start(): Promise<void>;
  /** Removes every key of every database. */
  flushAll(): Promise<void>;
  /** Ends the server and removes its folder. */
  remove(): Promise<void>;
}

/** Whether this machine has a redis-server; if not, says that `what` is skipped and why. For `describe.runIf(await redisIsThere('…'))`. */
export async function redisIsThere(what: string): Promise<boolean> {
  if ((await findRedis(ROOT, env.PATH)) !== undefined) return true;
  process.stderr.write(`Skipped: ${what}. ${NONE}\n`);
  return false;
}

/**
 * Starts a Redis of its own on a free port of the loopback: append-only file, no snapshots, no memory limit.
 * @param settings Lines of `redis.conf` by name, instead of these or beside them. An empty value is written as `""`.
 * @throws when this machine has no redis-server, which `npm test` prevents by its setup; and when the settings are refused.
 */
export async function testRedis(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const program = await findRedis(ROOT, env.PATH);
  if (!program) throw new Error(NONE);
  const folder = mkdtempSync(join(tmpdir(), 'rounds-redis-'));
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'users.acl'), '');
  try {
    const { port, child } = await firstStart(program, folder, settings);
    return theServer(program, folder, port, child);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

async function firstStart(program: string, folder: string, settings: Readonly<Record<string, string>>) {
  for (let tries = 1; ; tries++) {
    const port = settings.port === undefined ? await freePort(0) : Number(settings.port);
    writeFileSync(join(folder, 'redis.conf'), configuration(folder, { port: String(port), ...settings }), { mode: 0o600 });
    try {
      return { port, child: await launch(program, folder) };
    } catch (error) {
      if (tries === PORT_TRIES || settings.port !== undefined || !/in use/i.test(String(error))) throw error;
    }
  }
}

function configuration(folder: string, settings: Readonly<Record<string, string>>): string {
  const lines = {
    bind: '127.0.0.1',
    dir: JSON.stringify(join(folder, 'data')),
    aclfile: JSON.stringify(join(folder, 'users.acl')),
    appendonly: 'yes',
    save: '',
    ...settings,
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name} ${value === '' ? '""' : value}\n`)
    .join('');
}

function theServer(program: string, folder: string, port: number, first: ChildProcess): TestRedis {
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined = first;
  const stop = async (how: 'SIGTERM' | 'SIGKILL' = 'SIGKILL') => {
    const ending = child;
    child = undefined;
    if (ending) await end(ending, how);
  };
  const start = async () => {
    child ??= await launch(program, folder);
  };
  return {
    url,
    port,
    folder,
    stop,
    start,
    restart: async (how) => {
      await stop(how);
      await start();
    },
    flushAll: () => flush(url),
    remove: async () => {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the server says that it is ready; throws with its last words when it ends first. */
async function launch(program: string, folder: string): Promise<ChildProcess> {
  const command = [...endWithUs(), program, join(folder, 'redis.conf')];
  const [first = '', ...args] = command;
  const child = spawn(first, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let lastWords = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lastWords = `${lastWords}\n${line}`.slice(-600);
        if (line.includes('eady to accept connections')) resolve();
      });
    }
    child.once('error', reject);
    child.once('close', () => reject(new Error(`redis-server ended as it started: ${lastWords.trim()}`)));
  });
  return child;
}

/** On Linux the kernel ends the server when its parent is gone, even by kill -9. */
function endWithUs(): string[] {
  const wrapper = ['setpriv', '--pdeathsig', 'KILL'];
  return spawnSync(wrapper[0] ?? '', [...wrapper.slice(1), 'true'], { stdio: 'ignore' }).status === 0 ? wrapper : [];
}

async function end(child: ChildProcess, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(how);
  await gone;
}

async function flush(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.flushall();
  } finally {
    client.disconnect();
  }
}

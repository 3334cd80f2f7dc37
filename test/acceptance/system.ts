/** The whole of Rounds as a user starts it: `rounds up` with real processes, the sample clinic and the desk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect } from 'vitest';
import { postgresHome } from '../../cli/postgres-home.ts';
import { type ProcessTable, readTable } from '../../cli/process-table.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 90_000;
const CONFIG = fileURLToPath(new URL('rounds.yaml', import.meta.url));

export interface System {
  folder: string;
  table(): ProcessTable;
  /** What `up` has written so far. */
  output(): string;
  /** A secret of this system, by its name. */
  secret(name: string): string;
  /** A connection of its own to Rounds' database. */
  database(): Promise<pg.Client>;
  /** Kills one process (-9) by its id. */
  kill(name: string): void;
  /** Kills PostgreSQL (-9), and waits until it takes connections again. */
  killPostgres(): Promise<void>;
  /** Waits until the process is there again, under another id. */
  back(name: string, was: number): Promise<void>;
  /** Flips a switch of the clinic. */
  fault(name: string, on: boolean, tenant?: string): Promise<void>;
  /** Ctrl-C, and the exit code. */
  stop(): Promise<number>;
  /** Starts again in the same folder. */
  start(): Promise<void>;
  /** Takes the folder away; the system must be stopped. */
  remove(): void;
}

export interface SystemOptions {
  /** Put into the environment of `rounds up`. */
  env?: Record<string, string>;
}

/** Starts everything in a new folder and waits until all of it is ready. */
export async function startSystem({ env = {} }: SystemOptions = {}): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-acceptance-'));
  chmodSync(folder, 0o755);
  let child: ChildProcess | undefined;
  let said = '';

  const table = () => {
    const known = readTable(folder);
    if (!known) throw new Error(`Rounds does not run. It said:\n${said}`);
    return known;
  };

  const start = async () => {
    const args = [join(ROOT, 'cli', 'main.ts'), 'up', '--config', CONFIG, '--clinic', '--data', folder, '--verbose'];
    // With a channel: Rounds stops by itself when the test is gone.
    child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const deadlineMs = Date.now() + START_LIMIT_MS;
    while (!said.includes('Rounds is up')) {
      if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`Rounds did not start:\n${said}`);
      await sleep(200);
    }
  };

  const secret = (name: string) => readFileSync(join(folder, 'secrets', name), 'utf8').trim();

  const system: System = {
    folder,
    table,
    output: () => said,
    secret,
    start,
    database: async () => {
      const { ports } = table();
      const client = new pg.Client({
        host: '127.0.0.1',
        port: ports.postgres,
        user: 'postgres',
        password: secret('POSTGRES_PASSWORD'),
        database: 'rounds',
      });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    kill: (name) => {
      const pid = table().processes[name]?.pid;
      if (pid === undefined) throw new Error(`there is no process ${name}`);
      process.kill(pid, 'SIGKILL');
    },
    killPostgres: async () => {
      const pidFile = join(postgresHome(folder).data, 'postmaster.pid');
      const pid = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[0]) : 0);
      const was = pid();
      process.kill(was, 'SIGKILL');
      const isBack = async () => {
        if (pid() === was) return false;
        const client = await system.database().catch(() => undefined);
        await client?.end();
        return client !== undefined;
      };
      await expect.poll(isBack, { timeout: 60_000, interval: 200 }).toBe(true);
    },
    back: async (name, was) => {
      const isBack = () => {
        const one = table().processes[name];
        return one !== undefined && one.pid !== was && one.ready;
      };
      await expect.poll(isBack, { timeout: 60_000, interval: 200 }).toBe(true);
    },
    fault: async (name, on, tenant = 'all') => {
      const response = await fetch(`${table().urls.clinicControl}/faults/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret('agents/CLINIC_OPS_TOKEN')}`, 'content-type': 'application/json' },
        body: JSON.stringify({ tenant, on }),
      });
      expect(response.status).toBe(200);
    },
    stop: async () => {
      if (!child || child.exitCode !== null) return child?.exitCode ?? 0;
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      const [code] = (await exited) as [number | null];
      said = '';
      return code ?? 1;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  await start();
  return system;
}

/** Processes of Rounds as they are started in the field, each by its verb. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Word } from '../../cli/serve.ts';

const START_LIMIT_MS = 30_000;
const MAIN = join(fileURLToPath(new URL('../..', import.meta.url)), 'cli', 'main.ts');

export interface RunningProcess {
  /** What it has written so far. */
  output(): string;
  /** The text of its `/metrics`. */
  metrics(): Promise<string>;
  ready(): Promise<boolean>;
  /** kill -9. */
  kill(): Promise<void>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

/** Starts a process and waits until it says that it is ready. It ends with the test. */
export async function startProcess(verb: string, args: readonly string[], env: Record<string, string>): Promise<RunningProcess> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, verb, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  let port = 0;
  let readyOnce = false;
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.on('message', (word: Word) => {
    if (word.type === 'listening') port = word.healthPort;
    else readyOnce = true;
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const look = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
  const deadlineMs = Date.now() + START_LIMIT_MS;
  while (!readyOnce) {
    if (child.exitCode !== null || Date.now() > deadlineMs) throw new Error(`rounds ${verb} did not start. It said:\n${said}`);
    await sleep(50);
  }
  return {
    output: () => said,
    metrics: async () => (await look('/metrics'))?.text() ?? '',
    ready: async () => (await look('/readyz'))?.status === 200,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill('SIGTERM');
      return (await ended)[0];
    },
  };
}

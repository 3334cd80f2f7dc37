/** What the queue stands on while something is measured. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { freePort } from '../cli/ports.ts';
import { findRedis } from '../scripts/find-redis.ts';
import type { BenchContext, Closers } from './benchmark.ts';

export const BACKENDS = ['postgres', 'redis'] as const;
export type Backend = (typeof BACKENDS)[number];

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NONE = 'There is no redis-server on this machine: run "node scripts/setup.mjs test", or measure with --queue postgres.';

/** `--queue`, for the benchmarks that take it. */
export function queueOption(): Option {
  return new Option('--queue <backend>', 'what the queue stands on (default: one after the other)').choices([...BACKENDS]);
}

/** The backends to measure, in their order. Throws when a Redis is needed and there is none. */
export async function backendsOf({ options, env }: Pick<BenchContext, 'options' | 'env'>): Promise<Backend[]> {
  const asked = BACKENDS.filter((backend) => options.queue === undefined || options.queue === backend);
  if (asked.includes('redis') && !(await findRedis(ROOT, env.PATH))) throw new Error(NONE);
  return asked;
}

export interface Redis {
  url: string;
  pid: number;
}

/** Starts a Redis that keeps what it was given, as one that is meant in earnest does: an append-only file, written once a second. */
export async function startRedis(folder: string, { env }: Pick<BenchContext, 'env'>, closers: Closers): Promise<Redis> {
  const program = await findRedis(ROOT, env.PATH);
  if (!program) throw new Error(NONE);
  const data = join(folder, 'redis');
  mkdirSync(data);
  const port = await freePort(0);
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: data,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  const child = spawn(
    program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = once(child, 'exit');
  closers.push(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  await accepting(child.stdout, ended);
  return { url: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0 };
}

/** Resolves with its word that it is ready, and throws when it ends before. Reads on: a full pipe would halt it. */
async function accepting(output: NodeJS.ReadableStream, ended: Promise<unknown>): Promise<void> {
  const ready = Promise.withResolvers<void>();
  createInterface({ input: output }).on('line', (line) => {
    if (line.includes('Ready to accept connections')) ready.resolve();
  });
  const dead = ended.then(() => Promise.reject(new Error('Redis ended before it was ready.')));
  dead.catch(() => {});
  await Promise.race([ready.promise, dead]);
}

/** What a killed start may leave in PostgreSQL's data folder: a server that still runs, or a file that says so. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../core/process.ts';

/** 15 s for the shutdown of a server that nobody waits for any more. */
const END_LIMIT_MS = 15_000;

/**
 * Ends a server that still runs on this data folder, and removes the file of one that does not.
 * Asks the process what it is: after a reboot the number in the file may be anybody's, and PostgreSQL would refuse to start.
 */
export async function endLeftover(data: string, log: Log): Promise<void> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (isPostgresOf(pid, data)) {
    log.warn({ pid }, 'Ending the PostgreSQL of an earlier start');
    await end(pid, data);
  }
  rmSync(file, { force: true });
}

async function end(pid: number, data: string): Promise<void> {
  process.kill(pid, 'SIGINT');
  const limit = performance.now() + END_LIMIT_MS;
  while (isPostgresOf(pid, data)) {
    if (performance.now() > limit)
      throw new Error(`The PostgreSQL of an earlier start (pid ${pid}) does not end. End it with: kill -QUIT ${pid}`);
    await sleep(50);
  }
}

function isPostgresOf(pid: number, data: string): boolean {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  return commandOf(pid).includes(data);
}

function commandOf(pid: number): string {
  if (process.platform !== 'linux') return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** A lock that says "one Rounds in this folder", held by a live process, not by a file that outlives it. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Lock {
  /** Gives the lock back. */
  release(): void;
}

interface Holder {
  pid: number;
  /** When the process began, as the kernel tells it: a number that was given to another process since is told apart. */
  began: string;
}

/** Whether a process of this number runs, be it ours or another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Takes the lock, also from a holder that was killed. Throws, naming the pid, when a live process holds it. */
export function takeLock(path: string): Lock {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}`;
  const text = JSON.stringify({ pid: process.pid, began: began(process.pid) } satisfies Holder);
  writeFileSync(mine, text);
  try {
    // A second try after a dead holder was put aside; a third when another start was faster at that.
    for (let attempt = 0; attempt < 3; attempt++) {
      if (link(mine, path)) return { release: () => releaseIf(path, text) };
      putAsideTheDead(path);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new Error(`The lock ${path} changes hands all the time. Try again.`);
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function putAsideTheDead(path: string): void {
  const text = read(path);
  if (text === undefined) return;
  const pid = liveHolder(text);
  if (pid !== undefined)
    throw new Error(`Rounds runs in this folder already (pid ${pid}). Stop it first, or give another folder with --data.`);
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Between reading and renaming another start may have taken the lock: then it gets it back.
  const moved = read(aside);
  if (moved !== undefined && moved !== text) link(aside, path);
  rmSync(aside, { force: true });
}

function liveHolder(text: string): number | undefined {
  try {
    const holder = JSON.parse(text) as Holder;
    return isAlive(holder.pid) && began(holder.pid) === holder.began ? holder.pid : undefined;
  } catch {
    return undefined;
  }
}

function releaseIf(path: string, text: string): void {
  if (read(path) === text) rmSync(path, { force: true });
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; the name in field 2 may hold spaces and brackets. Empty where there is no /proc. */
function began(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

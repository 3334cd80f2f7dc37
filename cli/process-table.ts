/** `run/processes.json` in the data folder: which processes run, where they answer. Kept current, and gone when `up` is. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProcessState } from './supervisor.ts';

export interface ProcessTable {
  /** The supervisor itself. */
  up: { pid: number };
  /** Every process that runs, by name: worker, bot, desk, clinic, agent-<location>. */
  processes: Readonly<Record<string, ProcessState>>;
  /** Where to look and call, by name: desk, bot, clinic, clinicControl. */
  urls: Readonly<Record<string, string>>;
  ports: Readonly<Record<string, number>>;
  /** True once every process has been ready. */
  ready: boolean;
}

/** Where the table is kept. */
export function tablePath(dataFolder: string): string {
  return join(dataFolder, 'run', 'processes.json');
}

/** Writes the table whole: who reads it never sees half of one. */
export function writeTable(dataFolder: string, table: ProcessTable): void {
  const path = tablePath(dataFolder);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(table, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Returns the table, or `undefined` when nothing runs. */
export function readTable(dataFolder: string): ProcessTable | undefined {
  try {
    return JSON.parse(readFileSync(tablePath(dataFolder), 'utf8')) as ProcessTable;
  } catch {
    return undefined;
  }
}

/** Takes the table away. */
export function removeTable(dataFolder: string): void {
  rmSync(tablePath(dataFolder), { force: true });
}

/** What a benchmark is handed, and what it hands back. */
import type { Machine } from './machine.ts';

/** Undoes what was opened, in reverse, however far the start got. */
export type Closers = (() => Promise<unknown> | unknown)[];

export interface BenchContext {
  env: Readonly<Record<string, string | undefined>>;
  /** Options of the command line; counts are whole numbers above 0. */
  options: Readonly<Record<string, string | undefined>>;
  /** Says how far it is. Goes to stderr. */
  say(line: string): void;
  /** Aborted when somebody asks for the end. */
  signal: AbortSignal;
}

/** Names are those of the JSON output, with their unit last. */
export interface Figures {
  [name: string]: number | string | object;
  machine: Machine;
}

/** Runs a benchmark; throws one sentence when its figures would be worth nothing. */
export type Benchmark = (context: BenchContext) => Promise<Figures>;

/** The count that was asked for, or the usual one. */
export function countOf({ options }: Pick<BenchContext, 'options'>, name: string, usual: number): number {
  const given = options[name];
  if (given === undefined) return usual;
  const count = Number(given);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(
      `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: expected a whole number above 0, got "${given}".`,
    );
  return count;
}

/** Runs `work` and closes what it opened, last first. */
export async function withClosers<T>(work: (closers: Closers) => Promise<T>): Promise<T> {
  const closers: Closers = [];
  try {
    return await work(closers);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

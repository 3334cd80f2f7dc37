/** What a verb of the `rounds` program is handed. */
import type { Log, ProcessContext } from '../core/process.ts';

/** The terminal, or whatever stands in for it. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Whether a person looks at `out`: then colours and redrawing are welcome. */
  terminal: boolean;
}

export interface CliContext extends ProcessContext {
  io: Io;
}

/** The terminal of this process. */
export function terminalIo(): Io {
  // Whoever read us is gone, for instance `rounds validate … | head`: that is no error of ours.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stdout.isTTY === true,
  };
}

export type { Log };

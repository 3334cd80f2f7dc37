/** What `rounds up` shows of the processes' logs: everything where a machine reads, what needs attention where a person does. */
import type { Io } from './context.ts';

const LEVEL_OF: Readonly<Record<string, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };
const COLUMN = 12;

/** Returns what to do with a line of a process. */
export function lineWriter(io: Io, verbose: boolean): (name: string, line: string) => void {
  if (!io.terminal) return (name, line) => io.out(`${label(name)}${line}\n`);
  const threshold = verbose ? 20 : 40;
  return (name, line) => {
    const entry = parse(line);
    if (!entry) io.out(`${label(name)}${line}\n`);
    else if ((LEVEL_OF[entry.level] ?? 30) >= threshold)
      io.out(`${label(name)}${clock(entry.time)}${entry.level === 'info' ? '' : `${entry.level}: `}${entry.msg}\n`);
  };
}

interface Entry {
  level: string;
  msg: string;
  time: string;
}

function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry>;
    return entry.level && entry.msg !== undefined ? { level: entry.level, msg: entry.msg, time: entry.time ?? '' } : undefined;
  } catch {
    return undefined;
  }
}

function label(name: string): string {
  return `${name.padEnd(COLUMN)} `;
}

function clock(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? '' : `${at.toTimeString().slice(0, 8)} `;
}

/** The figures for people. */
import type { Figures } from './benchmark.ts';
import { machineInWords } from './machine.ts';

/** Two columns, and the machine below them. */
export function tableOf({ machine, ...figures }: Figures): string {
  const rows = Object.entries(figures).flatMap(([name, value]) => rowsOf(name, value));
  const width = Math.max(...rows.map(([name]) => name.length));
  const right = Math.max(...rows.map(([, value]) => value.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value.padStart(right)}`);
  return `${lines.join('\n')}\n\non ${machineInWords(machine)}\n`;
}

function rowsOf(name: string, value: unknown): [name: string, value: string][] {
  if (typeof value !== 'object' || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => rowsOf(`${name}.${key}`, inner));
}

/** What a figure was measured on. A figure without it says nothing. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { TICKS_PER_SECOND } from './process-tree.ts';

export interface Machine {
  cores: number;
  cpu: string;
  memory_gb: number;
  system: string;
  node: string;
  /** Version of the PostgreSQL that took part. */
  postgres: string;
  /** Share of the machine's CPU that was in use before the first run, by anybody: above 0.1 the figures are not to be trusted. */
  busy_before: number;
}

const IDLE_SAMPLE_MS = 1_000;

/** Names this machine, and takes a second to see how quiet it is. Linux only. */
export async function nameMachine(postgres: string): Promise<Machine> {
  const before = cpuTicks();
  await new Promise((resolve) => setTimeout(resolve, IDLE_SAMPLE_MS));
  const after = cpuTicks();
  const busy = 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memory_gb: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    postgres,
    busy_before: Number(Math.max(0, busy).toFixed(2)),
  };
}

/** One line for people. */
export function machineInWords(machine: Machine): string {
  const { cores, cpu, memory_gb, system, node, postgres, busy_before } = machine;
  const busy = `${Math.round(busy_before * 100)} % busy before the first run`;
  return `${cores} cores of ${cpu}, ${memory_gb} GB, ${system}, Node ${node}, PostgreSQL ${postgres}, ${busy}`;
}

/** CPU seconds that the whole machine has used since it was started, by anybody. */
export function machineCpuS(): number {
  const { all, idle } = cpuTicks();
  return (all - idle) / TICKS_PER_SECOND;
}

function cpuTicks(): { all: number; idle: number } {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/);
  const ticks = fields.slice(0, 8).map(Number);
  return { all: ticks.reduce((sum, one) => sum + one, 0), idle: (ticks[3] ?? 0) + (ticks[4] ?? 0) };
}

/** Prometheus' own tool, where the machine has it: what it says is held on top of what the tests know themselves. */
import { spawnSync } from 'node:child_process';

/** Whether `promtool` is on the PATH; says once that it is not, and what is left out therefore. */
export function hasPromtool(what: string): boolean {
  if (spawnSync('promtool', ['--version']).error === undefined) return true;
  process.stdout.write(`promtool is not on the PATH: ${what} is left out.\n`);
  return false;
}

/** Runs it. Returns what it said when it was not content; empty when it was. */
export function promtool(args: readonly string[], input?: string, cwd?: string): string {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

/**
 * Everything that must hold before a change goes in: format and lint, types, generated documentation, tests.
 * Prints what failed and a short table. `--no-tests` leaves the tests to whoever runs them in another way.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');

interface Step {
  name: string;
  /** A script for our own Node, and its arguments. */
  command: string[];
}

interface Outcome {
  name: string;
  passed: boolean;
  seconds: number;
  output: string;
}

function steps(withTests: boolean): Step[] {
  const docs = join(ROOT, 'scripts', 'docs.ts');
  return [
    { name: 'format and lint', command: [join(MODULES, '.bin', 'biome'), 'check', '.'] },
    { name: 'types', command: [join(MODULES, 'typescript', 'bin', 'tsc'), '-p', '.'] },
    ...(existsSync(docs) ? [{ name: 'generated docs', command: [docs, '--check'] }] : []),
    ...(withTests
      ? [{ name: 'tests', command: [join(MODULES, 'vitest', 'vitest.mjs'), 'run', '--project', 'parts', '--project', 'acceptance'] }]
      : []),
  ];
}

/** Runs one step; its output is kept, since only that of a failure is worth reading. */
async function run({ name, command }: Step): Promise<Outcome> {
  const beganMs = performance.now();
  const child = spawn(process.execPath, command, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(1));
  });
  return { name, passed: code === 0, seconds: (performance.now() - beganMs) / 1000, output: Buffer.concat(chunks).toString() };
}

function table(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ name, passed, seconds }) => `${name.padEnd(18)}${passed ? 'ok    ' : 'failed'}${seconds.toFixed(1).padStart(8)} s\n`)
    .join('');
}

const outcomes: Outcome[] = [];
for (const step of steps(!process.argv.includes('--no-tests'))) {
  const outcome = await run(step);
  if (!outcome.passed) process.stdout.write(`${outcome.output}\n`);
  outcomes.push(outcome);
}
process.stdout.write(table(outcomes));
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;

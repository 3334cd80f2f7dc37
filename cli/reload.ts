/** `rounds reload [FILE]`: puts a file in force for every worker and bot, without stopping any of them. */
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Applied, applyConfig } from '../jobs/config.ts';
import { queueUrlOf } from '../jobs/queue.ts';
import { listRunners, type Runner } from '../store/config.ts';
import { openPool, type Pool } from '../store/db.ts';
import { withTables } from './apply.ts';
import { loadFile } from './config.ts';
import type { CliContext } from './context.ts';
import { configFileOf, databaseUrlOf } from './places.ts';
import { type ConfigPlan, changes, planOn, sayingProblems } from './plan.ts';
import { planInLines } from './plan-output.ts';

const TAKEN_OVER_MS = 10_000;
const LOOK_MS = 200;

/** Prints what changes, applies it, and says who has taken it over. Resolves to the exit code: 0, or 1 when the file has problems. */
export async function reload(context: CliContext, named: string): Promise<number> {
  const { io, env, log, options } = context;
  const file = configFileOf(named || options.config, env);
  return sayingProblems(io, async () => {
    const loaded = await loadFile(file);
    const url = databaseUrlOf(env);
    const pool = openPool({ url, name: 'reload', max: 2, log });
    try {
      const plan = await withTables(pool, () => planOn(pool, file, loaded, (queueUrlOf(env) ?? url) === url));
      const applied = await applyConfig(pool, loaded, `${userInfo().username}@${hostname()} (rounds reload)`);
      const lines = planInLines(plan, { colours: io.terminal, nowMs: Date.now() });
      // How to apply it need not be said of what is being applied.
      if (changes(plan)) io.out(`${lines.slice(0, -1).join('\n')}\n`);
      io.out(`${await outcome(pool, applied, changes(plan))}\n`);
      const other = otherFile(plan, loaded.written.file);
      if (applied.changed && other) io.out(`${other}\n`);
      return 0;
    } finally {
      await pool.end();
    }
  });
}

/** Workers know one file, and go back to that when they start. */
function otherFile({ against }: ConfigPlan, file: string): string | undefined {
  if (against?.file === undefined || against.file === file) return undefined;
  return `What was in force before came from ${against.file}. Workers that start apply their own file: if that is it, bring it up to date.`;
}

async function outcome(pool: Pool, applied: Applied, changed: boolean): Promise<string> {
  if (!applied.changed) return `Nothing to do: revision ${applied.revision} is in force.`;
  const first = changed
    ? `Revision ${applied.revision} is in force.`
    : `Nothing changes but how it is written: revision ${applied.revision} stays in force.`;
  const runners = await takenOver(pool, applied.seq);
  const done = runners.filter((runner) => runner.seq >= applied.seq);
  const waiting = runners.filter((runner) => runner.seq < applied.seq);
  if (runners.length === 0) return `${first} Nothing runs at present: a worker that starts applies its own file.`;
  const late = waiting.length === 0 ? '' : ` Not yet by ${waiting.map(({ id }) => id).join(', ')}: see whether they are ready.`;
  return `${first} Taken over by ${inKinds(done)}.${late}`;
}

/** Every process that runs, once all of them have taken it over, or as they are after 10 s. */
async function takenOver(pool: Pool, seq: number): Promise<Runner[]> {
  const untilMs = performance.now() + TAKEN_OVER_MS;
  for (;;) {
    const runners = await listRunners(pool);
    if (runners.every((runner) => runner.seq >= seq) || performance.now() > untilMs) return runners;
    await sleep(LOOK_MS);
  }
}

/** "2 workers and 1 bot". */
function inKinds(runners: readonly Runner[]): string {
  if (runners.length === 0) return 'nobody so far';
  return [...Map.groupBy(runners, ({ kind }) => kind)]
    .map(([kind, own]) => `${own.length} ${kind}${own.length === 1 ? '' : 's'}`)
    .join(' and ');
}

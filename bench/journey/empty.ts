/** What the clock of a step adds by itself: a journey of steps that do nothing, half of the runs failing at the last with a picture. */
import { fileURLToPath } from 'node:url';
import type { BenchContext } from '../benchmark.ts';
import { median, percentile, rounded } from '../stats.ts';
import { executor } from './ours.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

export interface EmptySteps {
  empty_step_ms_p99: number;
  /** The longest of the failing steps, to show that their pictures are not in the clock. */
  failing_step_ms_max: number;
  pictures: number;
  /** What a picture takes, from the end of the journey's clock to the result. */
  picture_ms_median: number;
  empty_steps: number;
}

/** Runs it so often; throws when a failing run brought no picture, since then nothing would be shown. */
export async function measureEmptySteps({ env, signal }: BenchContext, baseUrl: string, runs: number): Promise<EmptySteps> {
  const agent = await executor(env, HERE);
  const steps: number[] = [];
  const failing: number[] = [];
  const afterClock: number[] = [];
  try {
    for (let index = 0; index < runs * 2 + 2; index++) {
      signal.throwIfAborted();
      const fails = index % 2 === 1;
      const startedMs = performance.now();
      const result = await agent.execute({ file: 'empty-steps.ts', baseUrl, with: { fails: fails ? 'yes' : 'no' } });
      const wallMs = performance.now() - startedMs;
      if (result.verdict !== (fails ? 'down' : 'up') || fails !== Boolean(result.picture))
        throw new Error(`The journey of empty steps did not go as written: ${result.failure?.message ?? result.verdict}.`);
      // The first of each kind starts the browser and is compiled.
      if (index < 2) continue;
      steps.push(...result.steps.map(({ durationMs }) => durationMs));
      if (!fails) continue;
      failing.push(result.steps.at(-1)?.durationMs ?? 0);
      afterClock.push(wallMs - result.durationMs);
    }
  } finally {
    await agent.close();
  }
  return {
    empty_step_ms_p99: rounded(percentile(steps, 0.99), 3),
    failing_step_ms_max: rounded(Math.max(...failing), 3),
    pictures: failing.length,
    picture_ms_median: rounded(median(afterClock), 0),
    empty_steps: steps.length,
  };
}

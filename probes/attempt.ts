/** One attempt, and what the target's trouble in it comes to. */
import type { Failure } from '../core/result.ts';
import { TargetTrouble } from './deadline.ts';
import type { Outcome, ProbeContext } from './probe.ts';

/** What the work came to. Its own `durationMs` goes before the time of the whole: of what a user would feel, or before evidence is looked at. */
type Done = Omit<Outcome, 'durationMs' | 'measurements'> & { durationMs?: number };

/** Does the work, which fills in the measurements as far as it comes. Throws whatever is not the target's trouble. */
export async function attempt(
  { monotonic }: Pick<ProbeContext, 'monotonic'>,
  work: (measurements: Record<string, number>) => Promise<Done>,
): Promise<Outcome> {
  const startedMs = monotonic();
  const measurements: Record<string, number> = {};
  try {
    const done = await work(measurements);
    return { durationMs: monotonic() - startedMs, measurements, ...done };
  } catch (error) {
    return { ...judgedTrouble(error), durationMs: monotonic() - startedMs, measurements };
  }
}

/** Kinds that say that Rounds cannot see, and nothing of the target. */
const FAULTS = new Set(['unreadable', 'permission']);

/** The verdict that a failure comes to. */
export function judged(failure: Failure): { verdict: 'down' | 'fault'; failure: Failure } {
  return { verdict: FAULTS.has(failure.kind) ? 'fault' : 'down', failure };
}

/** The verdict that a {@link TargetTrouble} comes to. Throws everything else that it is given. */
export function judgedTrouble(error: unknown): { verdict: 'down' | 'fault'; failure: Failure } {
  if (!(error instanceof TargetTrouble)) throw error;
  return judged({ kind: error.kind, message: error.message });
}

/** The clock of whoever put a job on the queue, as its times are told by it. */
import type { Clock } from '../core/clock.ts';
import type { Queues } from '../jobs/queue.ts';

export interface AddersClockDeps {
  queues: Pick<Queues, 'serverNow'>;
  clock: Clock;
}

/**
 * What that clock shows from now on, without asking our own wall clock: what the queue's server shows now, less what it was ahead of that
 * clock when the job was added (0 when that was not told), and the time that passes.
 */
export async function addersClock(job: { serverAheadMs?: number | undefined }, deps: AddersClockDeps): Promise<Clock> {
  const takenUpMs = (await deps.queues.serverNow()) - (job.serverAheadMs ?? 0);
  const sinceMs = deps.clock.monotonic();
  const monotonic = () => deps.clock.monotonic();
  return { now: () => takenUpMs + monotonic() - sinceMs, monotonic };
}

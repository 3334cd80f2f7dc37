/** What `queue.ts` needs of a backend. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type IQueueBackend, type Job, LockManager, type Queue, Worker, type WorkerOptions } from 'bullmq';
import type { QueueRef } from './contract.ts';
import type { ServerClock } from './server-clock.ts';

/**
 * A connection on which an answer has been due for so long is given up for another: the server, or the way to it, is gone without a word,
 * and TCP by itself notices after some 15 minutes. BullMQ waits for jobs at most 10 s at a time.
 */
export const SILENCE_MS = 15_000;

/** What BullMQ calls for a job. */
export type Handle = (job: { id?: string; data: unknown }, token?: string, signal?: AbortSignal) => Promise<void>;

/** A queue of BullMQ, whatever it stands on. */
export interface BullQueue extends Pick<Queue, 'add' | 'addBulk' | 'close' | 'getJobCounts' | 'getWaiting' | 'waitUntilReady'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A worker of BullMQ, whatever it stands on. */
export interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { id?: string } | undefined, error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

export type BullWorkerOptions = Omit<WorkerOptions, 'connection' | 'prefix'>;

/** BullMQ's own renews by the wall clock: put back, it would let go of all that is in hand. */
class SteadyLocks extends LockManager {
  override start(): void {
    const everyMs = this.opts.lockRenewTime / 2;
    this.lockRenewalTimer = setInterval(() => {
      const nowMs = performance.now();
      const due = [...this.trackedJobs].filter(([, { ts }]) => nowMs - ts > everyMs);
      for (const [, tracked] of due) tracked.ts = nowMs;
      if (due.length > 0) void this.extendLocks(due.map(([id]) => id));
    }, everyMs);
  }

  override trackJob(id: string, token: string, _sinceMs: number, cancels?: boolean): ReturnType<LockManager['trackJob']> {
    return super.trackJob(id, token, performance.now(), cancels);
  }
}

/** After most errors BullMQ asks for the next job without a pause: thousands of times a second, each of them a line in the log. */
export class PatientWorker extends Worker<unknown, void, string, IQueueBackend> {
  protected override createLockManager(): void {
    // BullMQ's own defaults.
    const { lockDuration = 30_000, lockRenewTime = lockDuration / 2 } = this.opts;
    this.lockManager = new SteadyLocks(this as never, { lockRenewTime, lockDuration, workerId: this.id });
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job<unknown, void>> {
    try {
      return await super.moveToActive(token, name);
    } catch (error) {
      if (!this.closing) await sleep(this.opts.runRetryDelay);
      throw error;
    }
  }
}

export interface Transport {
  /** Throws one clear sentence when the place cannot be used; without a location, the place that is nobody's but ours. */
  check(location: string | undefined): Promise<void>;
  /** Makes the place of a location ready for its queues. Throws one clear sentence. */
  prepare(location: string): Promise<void>;
  /** What the server's clock shows, in milliseconds since 1970. */
  serverTime(): Promise<number>;
  queue(ref: QueueRef, clock: ServerClock): BullQueue;
  worker(ref: QueueRef, handle: Handle, options: BullWorkerOptions, clock: ServerClock): BullWorker;
  close(): Promise<void>;
}

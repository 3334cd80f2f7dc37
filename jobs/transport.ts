/** What `queue.ts` needs of a backend. */
import type { Queue, WorkerOptions } from 'bullmq';
import type { QueueRef } from './contract.ts';

/** What BullMQ calls for a job. */
export type Handle = (job: { id?: string; data: unknown }, token?: string, signal?: AbortSignal) => Promise<void>;

/** A queue of BullMQ, whatever it stands on. */
export interface BullQueue extends Pick<Queue, 'add' | 'addBulk' | 'close' | 'getJobCounts' | 'getWaiting'> {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A worker of BullMQ, whatever it stands on. */
export interface BullWorker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: { id?: string } | undefined, error: Error) => void): unknown;
  close(force?: boolean): Promise<void>;
}

export type BullWorkerOptions = Omit<WorkerOptions, 'connection' | 'prefix'>;

export interface Transport {
  /** Throws one clear sentence when the place cannot be used; without a location, the place that is nobody's but ours. */
  check(location: string | undefined): Promise<void>;
  /** Makes the place of a location ready for its queues. Throws one clear sentence. */
  prepare(location: string): Promise<void>;
  queue(ref: QueueRef): BullQueue;
  worker(ref: QueueRef, handle: Handle, options: BullWorkerOptions): BullWorker;
  close(): Promise<void>;
}

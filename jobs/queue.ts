/**
 * The queue, and the one place that chooses its backend: by the address, PostgreSQL or Redis. BullMQ is transport, nothing more: what
 * matters is in the ledger, the outbox and the executions, so losing a job loses time, never a fact.
 */
import { UnrecoverableError } from 'bullmq';
import pg from 'pg';
import type { Log } from '../core/process.ts';
import type { QueueRef } from './contract.ts';
import { pack, unpack } from './pack.ts';
import { locationsWithQueues, migrateSchema, PostgresTransport } from './queue-postgres.ts';
import { assertRedisUrl, RedisTransport } from './queue-redis.ts';
import { ServerClock } from './server-clock.ts';
import type { BullQueue, BullWorker, Transport } from './transport.ts';

/** After this a job of a killed process is taken over. Longer than any pause of a healthy event loop. */
const LOCK_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;
/** How soon a lost server is looked for again. BullMQ's own 15 s would cost whole rounds after each restart. */
const RETRY_MS = 1_000;
/** For a day, as long as an agent's disk keeps a report: the database may be away while the queue is not. */
export const TRIES = 5_800;
const FORCED_CLOSE_MS = 500;
/** A queue that has not taken a job by then counts as away. */
const ADD_MS = 5_000;

/** Fewer are added one by one. */
const FEW_JOBS = 10;

export interface QueueJob {
  id: string;
  data: unknown;
  /** Not handed out before this has passed. */
  delayMs?: number;
}

/** `once`: never redelivered, since a late copy would be worse than none. `until-stored`: tried again until it is done. */
export type Policy = 'once' | 'until-stored';

export interface WorkOptions {
  concurrency: number;
  policy: Policy;
}

export interface Working {
  /** Takes no more jobs and waits for those in hand, at most `boundMs`. */
  close(boundMs: number): Promise<void>;
}

export interface Queues {
  /** Makes a location's place ready for its queues. Throws one clear sentence when it cannot. */
  prepare(location: string): Promise<void>;
  /** Puts jobs on a queue; one whose id is there already is not added again. Throws when the queue is away, after 5 s at the latest. */
  add(queue: QueueRef, jobs: readonly QueueJob[], policy: Policy): Promise<void>;
  /** Works a queue. A handler that throws is told to try again under `until-stored`; `Malformed` is final. */
  work(queue: QueueRef, options: WorkOptions, handle: (job: { id: string; data: unknown; signal?: AbortSignal }) => Promise<void>): Working;
  /**
   * What the server's clock shows, in milliseconds since 1970, known without a question in most cases: two processes agree on it to a few
   * milliseconds, whatever their own clocks show. While the server is away, by the last look at it and the time that has passed.
   */
  serverNow(): Promise<number>;
  /** How much is on a queue. Throws when it is away. */
  load(queue: QueueRef): Promise<QueueLoad>;
  /** One sentence while a queue does not answer, or refuses; `undefined` when all is well. */
  trouble(queue: QueueRef): Promise<string | undefined>;
  close(): Promise<void>;
}

/** How much is on a queue. */
export interface QueueLoad {
  /** To be taken now. */
  waiting: number;
  active: number;
  /** Not to be taken yet. */
  delayed: number;
  /** Given up for good, of the last day. */
  failed: number;
  /** Since when the oldest of those that wait could be taken; absent when none waits. */
  oldestMs?: number;
}

/** Thrown by a handler for a job that no repetition can mend. */
export class Malformed extends UnrecoverableError {}

export interface QueueOptions {
  /** `postgres://…`, `redis://…` or `rediss://…` */
  url: string;
  log: Log;
  /** Shown in `pg_stat_activity` and `CLIENT LIST`. */
  name: string;
  /** For an agent: the location whose place it goes to, the only one that its credentials open. */
  location?: string;
  /** How long an answer may be due before its connection is given up; 15 s unless told. */
  silenceMs?: number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Where the queue is: `ROUNDS_QUEUE_URL`, else `REDIS_URL`, else the database. */
export function queueUrlOf(env: Env): string | undefined {
  return env.ROUNDS_QUEUE_URL || env.REDIS_URL || env.DATABASE_URL;
}

/** Whether an address is one of Redis, of whatever kind. */
export function isRedisUrl(url: string): boolean {
  return /^redis/.test(url);
}

/** Brings the queue's tables to this version: those of our own place and of every location that has one. Nothing to do on Redis. */
export async function migrateQueue(url: string): Promise<void> {
  if (isRedisUrl(url)) return assertRedisUrl(url);
  const client = new pg.Client({ connectionString: url, application_name: 'rounds migrate' });
  await client.connect();
  try {
    for (const location of [undefined, ...(await locationsWithQueues(client))]) await migrateSchema(client, location);
  } finally {
    await client.end();
  }
}

/** Opens the queue. Throws one clear sentence when the address is not one, nobody answers there, or what it needs is not there. */
export async function openQueues(options: QueueOptions): Promise<Queues> {
  const transport = transportOf(options);
  const own = { now: () => Date.now(), monotonic: () => performance.now() };
  const clock = new ServerClock({ ask: () => transport.serverTime(), clock: own, log: options.log });
  try {
    await transport.check(options.location);
    await clock.start();
  } catch (error) {
    await transport.close();
    throw error;
  }
  return new BullQueues(transport, clock, options.log);
}

function transportOf(options: QueueOptions): Transport {
  if (isRedisUrl(options.url)) return new RedisTransport(options);
  if (/^postgres(ql)?:\/\//.test(options.url)) return new PostgresTransport(options);
  throw new Error('The address of the queue is not one: expected postgres://user@host/rounds, redis://host:6379 or rediss://host:6379.');
}

/** How long a job waits after its nth try: first as briefly as a restart lasts, then so that what waits from hours does not fill the worker. */
export function retryDelayMs(tries: number): number {
  return tries <= 60 ? 1_000 : 15_000;
}

function unpacked(data: unknown): unknown {
  try {
    return unpack(data);
  } catch (error) {
    throw new Malformed(`a job cannot be unpacked: ${(error as Error).message}`);
  }
}

class BullQueues implements Queues {
  readonly #transport: Transport;
  readonly #clock: ServerClock;
  readonly #log: Log;
  readonly #queues = new Map<string, BullQueue>();
  readonly #workers = new Set<BullWorker>();
  #closed = false;

  constructor(transport: Transport, clock: ServerClock, log: Log) {
    this.#transport = transport;
    this.#clock = clock;
    this.#log = log;
  }

  prepare(location: string): Promise<void> {
    return this.#transport.prepare(location);
  }

  async add(ref: QueueRef, jobs: readonly QueueJob[], policy: Policy): Promise<void> {
    if (jobs.length === 0) return;
    if (this.#closed) throw new Error('the queue is closed');
    const tries = policy === 'once' ? { attempts: 1 } : { attempts: TRIES, backoff: { type: 'patient' } };
    const common = {
      timestamp: Math.round(await this.#clock.now()),
      removeOnComplete: true,
      removeOnFail: { age: 86_400, count: 500 },
      ...tries,
    };
    const prepared = jobs.map((job) => ({
      name: ref.name,
      data: pack(job.data),
      opts: { jobId: job.id, delay: Math.round(job.delayMs ?? 0), ...common },
    }));
    const queue = this.#queue(ref);
    // On PostgreSQL addBulk makes two temporary tables a call, which takes as long as adding ten jobs.
    const adding =
      prepared.length < FEW_JOBS
        ? Promise.all(prepared.map(({ name, data, opts }) => queue.add(name, data, opts)))
        : queue.addBulk(prepared);
    await inTime<unknown>(adding);
  }

  work(ref: QueueRef, options: WorkOptions, handle: (job: { id: string; data: unknown; signal?: AbortSignal }) => Promise<void>): Working {
    const worker = this.#transport.worker(
      ref,
      async (job, _token, signal) => handle({ id: String(job.id), data: unpacked(job.data), ...(signal ? { signal } : {}) }),
      {
        concurrency: options.concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_INTERVAL_MS,
        runRetryDelay: RETRY_MS,
        maxStalledCount: options.policy === 'once' ? 0 : TRIES,
        settings: { backoffStrategy: retryDelayMs },
      },
      this.#clock,
    );
    const queue = ref.name;
    worker.on('error', (error) => this.#log.warn({ queue, error: error.message }, 'the queue is in trouble'));
    worker.on('failed', (job, error) => this.#log.warn({ queue, job: job?.id, error: error.message }, 'a job failed'));
    this.#workers.add(worker);
    return { close: (boundMs) => this.#closeWorker(worker, boundMs) };
  }

  async load(ref: QueueRef): Promise<QueueLoad> {
    const queue = this.#queue(ref);
    const counts = await inTime(queue.getJobCounts('wait', 'prioritized', 'active', 'delayed', 'failed'));
    const waiting = (counts.wait ?? 0) + (counts.prioritized ?? 0);
    const load = { waiting, active: counts.active ?? 0, delayed: counts.delayed ?? 0, failed: counts.failed ?? 0 };
    const [oldest] = waiting === 0 ? [] : await inTime(queue.getWaiting(0, 0));
    return oldest ? { ...load, oldestMs: oldest.timestamp + (oldest.opts.delay ?? 0) - (await this.#clock.aheadMs()) } : load;
  }

  serverNow(): Promise<number> {
    return this.#clock.now();
  }

  async trouble(ref: QueueRef): Promise<string | undefined> {
    try {
      await inTime(this.#queue(ref).getJobCounts('wait'));
      return undefined;
    } catch (error) {
      return `The queue is away: ${(error as Error).message}`;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#clock.close();
    await Promise.all([...this.#workers].map((worker) => this.#closeWorker(worker, 2_000)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => undefined)));
    await this.#transport.close();
  }

  #queue(ref: QueueRef): BullQueue {
    const known = this.#queues.get(ref.name);
    if (known) return known;
    const queue = this.#transport.queue(ref, this.#clock);
    queue.on('error', (error) => this.#log.warn({ queue: ref.name, error: error.message }, 'the queue is in trouble'));
    this.#queues.set(ref.name, queue);
    // One whose first look fell into the moment in which a connection broke would fail for ever: the next use makes another.
    queue.waitUntilReady().catch(() => {
      this.#queues.delete(ref.name);
      queue.close().catch(() => undefined);
    });
    return queue;
  }

  async #closeWorker(worker: BullWorker, boundMs: number): Promise<void> {
    if (!this.#workers.delete(worker)) return;
    const within = (ms: number) => new Promise<'late'>((resolve) => setTimeout(resolve, ms, 'late').unref());
    const closed = worker.close().then(() => 'closed' as const);
    if ((await Promise.race([closed, within(boundMs)])) === 'closed') return;
    // By force it may wait for ever as well, for a server that refuses its user.
    await Promise.race([worker.close(true), within(FORCED_CLOSE_MS)]);
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the queue does not answer')), ADD_MS);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

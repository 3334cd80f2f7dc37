/**
 * The one file that knows BullMQ and chooses its backend. BullMQ is transport, nothing more: what matters is in the ledger,
 * the outbox and the executions, so losing a job loses time, never a fact.
 *
 * Connections: one pool a process, shared by all its queues. Each worker holds one of them for LISTEN, all else takes turns on
 * `SPARE_CONNECTIONS`; so a process with W workers has at most W + SPARE_CONNECTIONS.
 */
import { assertSchemaCompatibility, createPostgresBackend, Queue, runMigrations, UnrecoverableError, Worker } from 'bullmq';
import pg from 'pg';
import type { Log } from '../core/process.ts';

/** The schema that holds BullMQ's tables: its own default, since a pool that is handed in always gets that one. */
const SCHEMA = 'bullmq';
const SPARE_CONNECTIONS = 2;
/** After this a job of a killed process is taken over. Longer than any pause of a healthy event loop. */
const LOCK_MS = 10_000;
const STALLED_INTERVAL_MS = 5_000;

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
  /** Puts jobs on a queue; one whose id is there already is not added again. Throws when the queue is away. */
  add(queue: string, jobs: readonly QueueJob[], policy: Policy): Promise<void>;
  /** Works a queue. A handler that throws is told to try again under `until-stored`; `Malformed` is final. */
  work(queue: string, options: WorkOptions, handle: (job: { id: string; data: unknown; signal?: AbortSignal }) => Promise<void>): Working;
  close(): Promise<void>;
}

/** Thrown by a handler for a job that no repetition can mend. */
export class Malformed extends UnrecoverableError {}

export interface QueueOptions {
  /** `postgres://…` */
  url: string;
  log: Log;
  /** Shown in `pg_stat_activity`. */
  name: string;
  /** How many queues this process is going to work. */
  workers: number;
}

/** Creates BullMQ's tables, or brings them up to date. Safe to run from several processes at once. */
export async function migrateQueue(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'rounds migrate' });
  await client.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    await client.end();
  }
}

/** Opens the queue. Throws one clear sentence when the address is not PostgreSQL's, nobody answers there, or the tables are not there. */
export async function openQueues(options: QueueOptions): Promise<Queues> {
  if (!/^postgres(ql)?:\/\//.test(options.url)) {
    throw new Error('The queue stands on PostgreSQL in this version: expected an address such as postgres://user@host/rounds.');
  }
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: `rounds queue ${options.name}`,
    options: `-c search_path=${SCHEMA}`,
    max: options.workers + SPARE_CONNECTIONS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
  });
  // BullMQ adds a listener for each queue and worker.
  pool.setMaxListeners(100);
  // pg throws the error of a connection in use at the event loop, unless that very connection has a listener.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'a connection of the queue broke'));
  try {
    await checkTables(pool);
  } catch (error) {
    await pool.end();
    throw error;
  }
  return new BullQueues(pool, options.log);
}

/** BullMQ's workers, without their tables, try again without a pause: thousands of errors a second. */
async function checkTables(pool: pg.Pool): Promise<void> {
  const client = await pool.connect().catch((error: Error) => {
    throw new Error(`The queue cannot be reached: ${error.message}`, { cause: error });
  });
  try {
    await assertSchemaCompatibility(client, SCHEMA);
  } catch (error) {
    throw new Error(`The queue's tables are not ready: run "rounds migrate" first (${(error as Error).message}).`, { cause: error });
  } finally {
    client.release();
  }
}

class BullQueues implements Queues {
  readonly #pool: pg.Pool;
  readonly #log: Log;
  readonly #queues = new Map<string, Queue>();
  readonly #workers = new Set<Worker>();

  constructor(pool: pg.Pool, log: Log) {
    this.#pool = pool;
    this.#log = log;
  }

  async add(queue: string, jobs: readonly QueueJob[], policy: Policy): Promise<void> {
    if (jobs.length === 0) return;
    const tries = policy === 'once' ? { attempts: 1 } : { attempts: 1_000, backoff: { type: 'fixed', delay: 1_000 } };
    const prepared = jobs.map((job) => ({
      name: queue,
      data: job.data,
      opts: { jobId: job.id, delay: job.delayMs ?? 0, removeOnComplete: true, removeOnFail: { age: 86_400, count: 500 }, ...tries },
    }));
    const [only, second] = prepared;
    // addBulk makes two temporary tables a call: two fifths of PostgreSQL's time when each report is added by itself.
    if (only && !second) await this.#queue(queue).add(only.name, only.data, only.opts);
    else await this.#queue(queue).addBulk(prepared);
  }

  work(queue: string, options: WorkOptions, handle: (job: { id: string; data: unknown; signal?: AbortSignal }) => Promise<void>): Working {
    const worker = new Worker(
      queue,
      async (job, _token, signal) => handle({ id: String(job.id), data: job.data, ...(signal ? { signal } : {}) }),
      {
        connection: this.#pool as never,
        concurrency: options.concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: STALLED_INTERVAL_MS,
        maxStalledCount: options.policy === 'once' ? 0 : 1_000,
      },
      createPostgresBackend as never,
    );
    worker.on('error', (error) => this.#log.warn({ queue, error: error.message }, 'the queue is in trouble'));
    worker.on('failed', (job, error) => this.#log.warn({ queue, job: job?.id, error: error.message }, 'a job failed'));
    this.#workers.add(worker);
    return { close: (boundMs) => this.#closeWorker(worker, boundMs) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => this.#closeWorker(worker, 2_000)));
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => undefined)));
    await this.#pool.end();
  }

  #queue(name: string): Queue {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue = new Queue(name, { connection: this.#pool as never }, createPostgresBackend as never);
    queue.on('error', (error) => this.#log.warn({ queue: name, error: error.message }, 'the queue is in trouble'));
    this.#queues.set(name, queue);
    return queue;
  }

  async #closeWorker(worker: Worker, boundMs: number): Promise<void> {
    if (!this.#workers.delete(worker)) return;
    const bound = new Promise<'late'>((resolve) => setTimeout(resolve, boundMs, 'late').unref());
    const closed = worker.close().then(() => 'closed' as const);
    if ((await Promise.race([closed, bound])) === 'late') await worker.close(true);
  }
}

/**
 * BullMQ on PostgreSQL. Each place has a schema of its own, so that an agent's role can be let into one and no other.
 *
 * Connections: one pool for each place, shared by all its queues. Each worker holds one of them for LISTEN, all else takes turns on
 * `SPARE_CONNECTIONS`; so a process with W workers at a place has at most W + SPARE_CONNECTIONS there.
 */
import { assertSchemaCompatibility, type BackendFactory, PostgresConnection, PostgresQueueBackend, Queue, runMigrations } from 'bullmq';
import pg from 'pg';
import type { Log } from '../core/process.ts';
import type { QueueRef } from './contract.ts';
import type { ServerClock } from './server-clock.ts';
import {
  type BullQueue,
  type BullWorker,
  type BullWorkerOptions,
  type Handle,
  PatientWorker,
  SILENCE_MS,
  type Transport,
} from './transport.ts';

/** What is nobody's but ours: BullMQ's own default. */
const MAIN_SCHEMA = 'bullmq';
const SPARE_CONNECTIONS = 2;

/** The schema in which a location's queues stand, unquoted. */
export function schemaOf(location: string | undefined): string {
  return location === undefined ? MAIN_SCHEMA : `queue_${location}`;
}

/** Creates BullMQ's tables for a place, or brings them up to date. Safe to run from several processes at once. */
export async function migrateSchema(client: pg.ClientBase, location: string | undefined): Promise<void> {
  await runMigrations(client, schemaOf(location));
}

/** The locations that have queues in this database. */
export async function locationsWithQueues(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace where nspname like 'queue\\_%' and to_regclass(format('%I.migration', nspname)) is not null`,
  );
  return rows.map(({ name }) => name.slice('queue_'.length));
}

export class PostgresTransport implements Transport {
  readonly #url: string;
  readonly #name: string;
  readonly #log: Log;
  readonly #silenceMs: number;
  readonly #location: string | undefined;
  readonly #pools = new Map<string, pg.Pool>();

  constructor(options: { url: string; name: string; log: Log; location?: string; silenceMs?: number }) {
    this.#location = options.location;
    this.#url = options.url;
    this.#name = options.name;
    this.#log = options.log;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  /** So that whoever starts is told, once and with the remedy; BullMQ would go on trying. */
  async check(location: string | undefined): Promise<void> {
    const client = await this.#pool(location)
      .connect()
      .catch((error: Error) => {
        throw new Error(`The queue cannot be reached: ${error.message}`, { cause: error });
      });
    try {
      await assertSchemaCompatibility(client, schemaOf(location));
    } catch (error) {
      const remedy = location === undefined ? 'run "rounds migrate" first' : `run "rounds location add ${location}" first`;
      throw new Error(`The queue's tables${location === undefined ? '' : ` for ${location}`} are not ready: ${remedy}.`, { cause: error });
    } finally {
      client.release();
    }
  }

  async prepare(location: string): Promise<void> {
    try {
      await this.check(location);
    } catch (notReady) {
      const client = await this.#pool(location).connect();
      try {
        await migrateSchema(client, location);
      } catch (error) {
        throw new Error(`${(notReady as Error).message} (${(error as Error).message})`, { cause: error });
      } finally {
        client.release();
      }
    }
  }

  async serverTime(): Promise<number> {
    const { rows } = await this.#pool(this.#location).query<{ ms: number }>(
      'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
    );
    return rows[0]?.ms ?? Number.NaN;
  }

  queue({ location, name }: QueueRef, clock: ServerClock): BullQueue {
    return new Queue(name, { connection: this.#pool(location) as never }, factoryFor(schemaOf(location), clock));
  }

  worker({ location, name }: QueueRef, handle: Handle, options: BullWorkerOptions, clock: ServerClock): BullWorker {
    const pool = this.#pool(location);
    pool.options.max += 1;
    return new PatientWorker(name, handle, { ...options, connection: pool as never }, factoryFor(schemaOf(location), clock));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  #pool(location: string | undefined): pg.Pool {
    const schema = schemaOf(location);
    const known = this.#pools.get(schema);
    if (known) return known;
    const pool = new pg.Pool({
      connectionString: this.#url,
      application_name: `rounds queue ${this.#name}`,
      options: `-c search_path="${schema}"`,
      max: SPARE_CONNECTIONS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
      statement_timeout: this.#silenceMs,
      query_timeout: this.#silenceMs,
    });
    // BullMQ adds a listener for each queue and worker.
    pool.setMaxListeners(100);
    // pg throws the error of a connection in use at the event loop, unless that very connection has a listener.
    pool.on('connect', (client) => client.on('error', () => undefined));
    pool.on('error', (error) => this.#log.warn({ error: error.message }, 'a connection of the queue broke'));
    this.#pools.set(schema, pool);
    return pool;
  }
}

/**
 * BullMQ's own remember for ever that the server was away at their first look: such a queue would take no job, and such a worker end none,
 * until the process is restarted.
 */
class LastingConnection extends PostgresConnection {
  #ready: Promise<void> | undefined;

  override waitUntilReady(): Promise<void> {
    this.#ready ??= this.#look().catch((error: Error) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #look(): Promise<void> {
    const client = await this.pool.connect();
    try {
      await assertSchemaCompatibility(client, this.schema);
    } finally {
      client.release();
    }
  }
}

class LastingBackend extends PostgresQueueBackend {
  readonly #own: LastingConnection;

  constructor(connection: LastingConnection, name: string, options: never) {
    super(connection, name, options);
    this.#own = connection;
  }

  override waitUntilReady(): Promise<void> {
    return this.#own.waitUntilReady();
  }
}

/** Commands of BullMQ that are told the time, and where among their parameters. */
const TIMES_AT: Readonly<Record<string, readonly number[]>> = {
  move_to_active: [3],
  move_to_completed: [4],
  move_to_completed_fetch: [4, 9],
  move_to_delayed: [3],
  move_to_failed: [5],
  move_to_failed_fetch: [5, 10],
  move_stalled_jobs_to_wait: [2],
  extend_lock: [4],
  extend_locks: [4],
  next_signal: [2],
  next_delay: [],
};

type Run = (command: string, params: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;

/**
 * BullMQ would tell the server what this process takes for the time: whoever's clock is ahead would hand out early what others have delayed,
 * and take what they hold for abandoned. Here times go to the server in its own time, and come back in ours.
 */
function inServerTime<B extends PostgresQueueBackend>(backend: B, clock: ServerClock): B {
  const inner = backend as unknown as { run: Run };
  const run = inner.run.bind(backend);
  inner.run = async (command, params) => {
    const places = TIMES_AT[command];
    if (!places) return run(command, params);
    const aheadMs = await clock.aheadMs();
    const told = params.map((param, index) => (places.includes(index) ? Number(param) + aheadMs : param));
    const { rows } = await run(command, told);
    return {
      rows: rows.map((row) => (typeof row.next_delay !== 'string' ? row : { ...row, next_delay: Number(row.next_delay) - aheadMs })),
    };
  };
  return backend;
}

/** BullMQ's own factory, but for the time and the schema: with a pool that is handed in, that one always takes the default. */
function factoryFor(schema: string, clock: ServerClock): BackendFactory {
  return (name, options) => {
    const connection = new LastingConnection(options.connection as never);
    Object.assign(connection, { schema });
    return inServerTime(new LastingBackend(connection, name, options as never), clock);
  };
}

/** The pool of a process, and transactions on it. SQL stands in the other files of this folder, one for each aggregate. */
import pg from 'pg';
import type { Log } from '../core/process.ts';

// PostgreSQL's bigint comes as text by default; ids here stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** A pool or one of its connections. */
export type Db = Pick<pg.Pool, 'query'>;
export type Pool = pg.Pool;

/**
 * Keeps a broken connection from ending the process: pg throws the error of a connection that is in somebody's hands at the
 * event loop unless that very connection has a listener. Whoever uses it is told by the query that fails.
 */
function survive(pool: pg.Pool, log: Log): void {
  pool.on('error', (error) => log.warn({ error: error.message }, 'a connection to PostgreSQL broke'));
  pool.on('connect', (client) => client.on('error', () => undefined));
}

/** Opens a small pool. A connection that breaks is logged and replaced. */
export function openPool(options: { url: string; name: string; max: number; log: Log }): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: `rounds ${options.name}`,
    max: options.max,
    // What is written and looked for here is new, so its blocks are in memory: an index is always the shorter way.
    options: '-c random_page_cost=1.1',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    // For a server that is gone without a word; one that is there ends the statement itself, and sooner.
    query_timeout: 35_000,
    idle_in_transaction_session_timeout: 30_000,
  });
  survive(pool, options.log);
  return pool;
}

/**
 * Runs `work` in one transaction on one connection: committed when it returns, rolled back when it throws. `begin` begins it, for who
 * has more to say in the same round trip.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (db: Db) => Promise<T>,
  begin: (db: Db) => Promise<unknown> = (db) => db.query('begin'),
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await begin(client);
    const value = await work(client);
    await client.query('commit');
    return value;
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * Lets this transaction end before it is on the disk: should PostgreSQL be killed within the next half second, it may never have been.
 * Only where nothing else was written than what the next turn writes anew.
 */
export async function commitLazily(db: Db): Promise<void> {
  await db.query('set local synchronous_commit = off');
}

/** Milliseconds since 1970 as PostgreSQL's timestamptz. */
export function at(ms: number): Date {
  return new Date(ms);
}

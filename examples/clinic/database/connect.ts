import { createHmac } from 'node:crypto';
import pg from 'pg';
import type { Log } from '../../../core/process.ts';
import type { Settings } from '../settings.ts';
import type { Tenant } from '../tenants.ts';

export const DATABASE = 'clinic';
/** Of the clinics, not of the machine: "today" is the clinics' today. */
export const TIMEZONE = 'Europe/Berlin';

/** A statement of the web application is given up after this. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** Waiting for somebody else's lock ends sooner, so that a blocked clinic says what is wrong before its user gives up. */
const LOCK_TIMEOUT_MS = 12_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** While all confirmations wait for a lock, this leaves connections for everybody else at the clinic. */
const TENANT_POOL_MAX = 6;

/** Returns the password of a clinic's role: derived, so that it is stored nowhere and the same after a restart. */
export function rolePassword(settings: Settings, tenant: Tenant): string {
  return createHmac('sha256', settings.opsToken).update(`role ${tenant.role}`).digest('base64url');
}

/** Returns how a clinic's role reaches the clinic database. */
export function tenantConnection(settings: Settings, tenant: Tenant): pg.ClientConfig {
  const url = new URL(settings.adminDatabaseUrl);
  url.pathname = `/${DATABASE}`;
  url.username = tenant.role;
  url.password = rolePassword(settings, tenant);
  return { connectionString: url.href, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, options: `-c timezone=${TIMEZONE}` };
}

/** Returns the pool of a clinic's web pages: at most 6 connections, opened as they are needed. */
export function tenantPool(settings: Settings, tenant: Tenant, log: Log): pg.Pool {
  return watched(log, {
    ...tenantConnection(settings, tenant),
    application_name: `clinic ${tenant.id}`,
    max: TENANT_POOL_MAX,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
  });
}

/** Returns the owner's pool in the database named: for setup, switches and repairs, never for a page. */
export function adminPool(settings: Settings, database: string, log: Log): pg.Pool {
  const url = new URL(settings.adminDatabaseUrl);
  url.pathname = `/${database}`;
  return watched(log, {
    connectionString: url.href,
    application_name: 'clinic control',
    max: 3,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: CONNECT_TIMEOUT_MS,
    options: `-c timezone=${TIMEZONE}`,
  });
}

/** An idle connection that the server ends must not end the process: the pool replaces it. */
function watched(log: Log, config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', (error) => log.warn({ reason: error.message, pool: config.application_name }, 'A database connection ended.'));
  return pool;
}

/** Runs `work` in one transaction and returns what it returns; rolled back when it throws. */
export async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection ended by the server also rejects the query in hand; the event alone would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const value = await work(client);
    await client.query('COMMIT');
    return value;
  } catch (error) {
    await client.query('ROLLBACK').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(broken);
  }
}

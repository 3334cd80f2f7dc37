/** Brings the database to the state that this version of Rounds expects. Migrations only go forward. */
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { Log } from '../core/process.ts';
import { MIGRATIONS_FOLDER } from './migrations.ts';

/**
 * Runs the migrations that are missing, under an advisory lock, each in its transaction; `upTo` stops after that many (for
 * tests that begin at an earlier state). Returns the names of those that ran. Throws PostgreSQL's error when one fails.
 */
export async function migrate(databaseUrl: string, log: Log, upTo = Number.POSITIVE_INFINITY): Promise<string[]> {
  // A client of our own: the runner's throws at the event loop when the server ends its session, and is not waited for in the end.
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'rounds migrate' });
  client.on('error', (error) => log.warn({ error: error.message }, 'the connection of the migration broke'));
  await client.connect();
  try {
    return await migrateOver(client, log, upTo);
  } finally {
    await client.end();
  }
}

async function migrateOver(dbClient: pg.Client, log: Log, upTo: number): Promise<string[]> {
  const ran = await runner({
    dbClient,
    dir: MIGRATIONS_FOLDER,
    migrationsTable: 'migration',
    direction: 'up',
    ...(Number.isFinite(upTo) ? { count: upTo } : {}),
    checkOrder: true,
    advisoryLockMode: 'wait',
    logger: {
      debug: () => undefined,
      info: () => undefined,
      warn: (message) => log.warn({}, message),
      error: () => undefined,
    },
  });
  for (const one of ran) log.info({ migration: one.name }, 'migration done');
  return ran.map((one) => one.name);
}

/** Brings the database to the state that this version of Rounds expects. Migrations only go forward. */
import { runner } from 'node-pg-migrate';
import type { Log } from '../core/process.ts';
import { MIGRATIONS_FOLDER } from './migrations.ts';

/**
 * Runs the migrations that are missing, under an advisory lock, each in its transaction; `upTo` stops after that many (for
 * tests that begin at an earlier state). Returns the names of those that ran. Throws PostgreSQL's error when one fails.
 */
export async function migrate(databaseUrl: string, log: Log, upTo = Number.POSITIVE_INFINITY): Promise<string[]> {
  const ran = await runner({
    databaseUrl,
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

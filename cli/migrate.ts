import type { Log } from '../core/process.ts';
import { migrateQueue, queueUrlOf } from '../jobs/queue.ts';
import { migrate } from '../store/migrate.ts';
import type { CliContext } from './context.ts';

/** Brings Rounds' own tables and those of the queue to this version. Both are safe to run again, and from several processes at once. */
export async function migrateAll(databaseUrl: string, queueUrl: string, log: Log): Promise<void> {
  await migrate(databaseUrl, log);
  await migrateQueue(queueUrl);
}

/** Migrates the database named in DATABASE_URL, and the queue's when it is another. Returns the exit code. */
export async function migrateDatabase({ env, log, io }: CliContext): Promise<number> {
  if (!env.DATABASE_URL) {
    io.err('DATABASE_URL is not set: expected the address of a PostgreSQL database, such as postgres://rounds@127.0.0.1/rounds.\n');
    return 1;
  }
  await migrateAll(env.DATABASE_URL, queueUrlOf(env) ?? env.DATABASE_URL, log);
  return 0;
}

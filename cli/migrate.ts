import { migrate } from '../store/migrate.ts';
import type { CliContext } from './context.ts';

/** Migrates the database named in DATABASE_URL. Returns the exit code. */
export async function migrateDatabase({ env, log, io }: CliContext): Promise<number> {
  if (!env.DATABASE_URL) {
    io.err('DATABASE_URL is not set: expected the address of a PostgreSQL database, such as postgres://rounds@127.0.0.1/rounds.\n');
    return 1;
  }
  await migrate(env.DATABASE_URL, log);
  return 0;
}

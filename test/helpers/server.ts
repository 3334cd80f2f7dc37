/** A PostgreSQL in a folder of its own, gone afterwards: one for the whole run, and one for tests that look at all of a server. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../cli/postgres.ts';
import { quietLog } from './log.ts';

/** Nothing of a test's database is worth a wait for the disk. */
const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200', shared_buffers: '64MB' };

export interface TestServer {
  /** The superuser's URL of the database `postgres`. */
  adminUrl: string;
  /** Kills it (-9) and starts it again at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server. */
export async function testServer(): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-test-'));
  chmodSync(folder, 0o755);
  let postgres = await startPostgres({ folder, port: 0, log: quietLog, settings: SETTINGS });
  return {
    adminUrl: postgres.adminUrl,
    restart: async () => {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.ended;
      postgres = await startPostgres({ folder, port: postgres.port, log: quietLog, settings: SETTINGS });
    },
    stop: async () => {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

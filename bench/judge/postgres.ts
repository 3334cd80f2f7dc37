/** An embedded PostgreSQL with its usual settings and the tables of Rounds. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDatabase, startPostgres } from '../../cli/postgres.ts';
import { postgresHome } from '../../cli/postgres-home.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import type { Closers } from '../benchmark.ts';
import { quietLog } from '../quiet-log.ts';

export interface Database {
  url: string;
  pid: number;
  /** Such as "18.4". */
  version: string;
  pool: Pool;
}

/** Starts it in a folder of its own, which goes with it. */
export async function startDatabase(closers: Closers): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-bench-'));
  chmodSync(folder, 0o755);
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ folder, port: 0, log: quietLog });
  closers.push(async () => {
    await postgres.stop();
    rmSync(postgresHome(folder).data, { recursive: true, force: true });
  });
  await ensureDatabase(postgres.adminUrl, 'rounds');
  const url = postgres.url('rounds');
  await migrate(url, quietLog);
  const pool = openPool({ url, name: 'bench', max: 4, log: quietLog });
  closers.push(() => pool.end());
  const { rows } = await pool.query<{ server_version: string }>('show server_version');
  return { url, pid: postgres.pid, version: rows[0]?.server_version.split(' ')[0] ?? 'unknown', pool };
}

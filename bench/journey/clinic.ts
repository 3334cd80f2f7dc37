/** The sample clinic as a process of its own, on an embedded PostgreSQL of its own. Neither is in the figures. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../cli/ports.ts';
import { startPostgres } from '../../cli/postgres.ts';
import { postgresHome } from '../../cli/postgres-home.ts';
import type { BenchContext, Closers } from '../benchmark.ts';
import { ofType, startChild } from '../child.ts';
import { quietLog } from '../quiet-log.ts';

export interface Clinic {
  /** Of one tenant. */
  baseUrl: string;
  user: string;
  password: string;
  postgresVersion: string;
}

/** Starts it with fresh data. */
export async function startClinic({ env, signal }: BenchContext, closers: Closers): Promise<Clinic> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-bench-'));
  chmodSync(folder, 0o755);
  closers.push(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startPostgres({ folder, port: 0, log: quietLog });
  closers.push(async () => {
    await postgres.stop();
    rmSync(postgresHome(folder).data, { recursive: true, force: true });
  });
  const port = await freePort(0);
  const password = randomBytes(12).toString('hex');
  const own = {
    CLINIC_ADMIN_DATABASE_URL: postgres.adminUrl,
    CLINIC_PORT: String(port),
    CLINIC_CONTROL_PORT: '0',
    CLINIC_OPS_TOKEN: randomBytes(12).toString('hex'),
    CLINIC_MONITOR_PASSWORD: password,
  };
  const common = { PATH: env.PATH, HOME: env.HOME, TMPDIR: env.TMPDIR, ROUNDS_LOG_LEVEL: 'warn' };
  const clinic = startChild({ script: 'cli/main.ts', args: ['clinic'], env: { ...common, ...own }, signal });
  closers.push(() => clinic.stop());
  await clinic.hear(ofType('ready'));
  const postgresVersion = await versionOf(postgres.adminUrl);
  return { baseUrl: `http://127.0.0.1:${port}/riverside`, user: 'rounds-monitor', password, postgresVersion };
}

async function versionOf(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version.split(' ')[0] ?? 'unknown';
  } finally {
    await client.end();
  }
}

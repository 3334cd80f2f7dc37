/** A PostgreSQL of a test's own that counts statements, with a database in which several clinics have roles. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ensureDatabase, startPostgres } from '../../cli/postgres.ts';
import { quietLog } from './log.ts';

const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '16MB', max_connections: '60' };

export interface TenantsServer {
  /** The superuser's URL of the database `clinic`. */
  url: string;
  /** A session in it of this role, closed with the server. */
  as(role: string, application?: string): Promise<pg.Client>;
  admin: pg.Client;
  stop(): Promise<void>;
}

/** Starts the server with these roles, each with the password `secret`. `counts`: whether statements are counted. */
export async function tenantsServer(roles: readonly string[], counts = true): Promise<TenantsServer> {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-tenants-'));
  chmodSync(folder, 0o755);
  const settings = counts ? { ...SETTINGS, shared_preload_libraries: 'pg_stat_statements' } : SETTINGS;
  const postgres = await startPostgres({ folder, port: 0, log: quietLog, settings });
  await ensureDatabase(postgres.adminUrl, 'clinic');
  const url = postgres.url('clinic');
  const open: pg.Client[] = [];
  const connect = async (address: string, application: string) => {
    const client = new pg.Client({ connectionString: address, application_name: application });
    client.on('error', () => {});
    open.push(client);
    await client.connect();
    return client;
  };
  const admin = await connect(url, 'admin');
  await admin.query('GRANT CREATE ON SCHEMA public TO public');
  if (counts) await admin.query('CREATE EXTENSION pg_stat_statements');
  for (const role of roles) await admin.query(`CREATE ROLE ${pg.escapeIdentifier(role)} LOGIN PASSWORD 'secret'`);
  return {
    url,
    admin,
    as: (role, application = 'clinic') => {
      const address = new URL(url);
      address.username = role;
      address.password = 'secret';
      return connect(address.href, application);
    },
    stop: async () => {
      await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'clinic' AND pid <> pg_backend_pid()`);
      await Promise.all(open.map((client) => client.end().catch(() => {})));
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

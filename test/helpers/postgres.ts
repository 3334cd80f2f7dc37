import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  /** The superuser's URL of a fresh, empty database. */
  url: string;
  /** The superuser's URL of the database `postgres`, on the same server. */
  adminUrl: string;
  /** Ends every session in the database and removes it. */
  drop(): Promise<void>;
}

/** Makes a fresh database on the one PostgreSQL of this run, or on another. */
export async function testDatabase(adminUrl = inject('postgresAdminUrl')): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await onAdmin(adminUrl, `CREATE DATABASE ${name}`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return { url: url.href, adminUrl, drop: () => onAdmin(adminUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onAdmin(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

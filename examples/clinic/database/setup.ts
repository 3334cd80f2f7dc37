import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Log } from '../../../core/process.ts';
import type { Settings } from '../settings.ts';
import { MONITOR_USER, TENANTS, type Tenant } from '../tenants.ts';
import { hashPassword } from '../web/password.ts';
import { adminPool, DATABASE, rolePassword, transaction } from './connect.ts';

/** Raise it when tenant.sql changes: schemas of another version are dropped and made anew, for they hold nothing but invented data. */
const SCHEMA_VERSION = 1;

/** Returns one of the SQL files beside this one. */
export function readSql(file: string): Promise<string> {
  return readFile(new URL(file, import.meta.url), 'utf8');
}

/**
 * Creates the database `clinic` and everything in it that is missing, and returns the owner's pool in it.
 * A switch that was on before stays on: rights, logins and rows of a schema that exists are left as they are.
 */
export async function setUpDatabase(settings: Settings, log: Log): Promise<pg.Pool> {
  await createDatabase(settings, log);
  const admin = adminPool(settings, DATABASE, log);
  try {
    await transaction(admin, async (client) => {
      // Two that start at once make it one after the other.
      await client.query(`SELECT pg_advisory_xact_lock(hashtext('clinic setup'))`);
      await client.query(await readSql('./shared.sql'));
      for (const tenant of TENANTS) await setUpTenant(client, settings, tenant);
    });
  } catch (error) {
    await admin.end();
    throw error;
  }
  return admin;
}

async function createDatabase(settings: Settings, log: Log): Promise<void> {
  const server = adminPool(settings, 'postgres', log);
  try {
    const found = await server.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await server.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    const code = (error as { code?: string }).code;
    // Another one made it between the question and the answer.
    if (code !== '42P04' && code !== '23505') throw new Error(unreachable(error), { cause: error });
  } finally {
    await server.end();
  }
}

function unreachable(error: unknown): string {
  const reason = error instanceof AggregateError ? String(error.errors[0]) : String(error);
  return `The sample clinic cannot create its database (CLINIC_ADMIN_DATABASE_URL must be an owner's, and the server up): ${reason}`;
}

async function setUpTenant(client: pg.PoolClient, settings: Settings, tenant: Tenant): Promise<void> {
  await ensureRole(client, settings, tenant);
  const made = await client.query<{ version: number }>('SELECT version FROM shared.schema_versions WHERE schema_name = $1', [
    tenant.schema,
  ]);
  const isCurrent = made.rows[0]?.version === SCHEMA_VERSION;
  if (!isCurrent) await createSchema(client, tenant);
  await client.query(`SET LOCAL search_path = ${tenant.schema}`);
  await client.query(await readSql('./diary.sql'));
  await client.query(
    `INSERT INTO users (name, password_hash, synthetic) VALUES ($1, $2, true)
     ON CONFLICT (name) DO UPDATE SET password_hash = excluded.password_hash`,
    [MONITOR_USER, await hashPassword(settings.monitorPassword)],
  );
  await client.query('SET LOCAL search_path = DEFAULT');
}

/** LOGIN is given only to a role that is new: one that was locked out stays so. */
async function ensureRole(client: pg.PoolClient, settings: Settings, tenant: Tenant): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [tenant.role]);
  if (found.rowCount === 0) await client.query(`CREATE ROLE ${tenant.role} LOGIN`);
  await client.query(`ALTER ROLE ${tenant.role} PASSWORD '${rolePassword(settings, tenant)}'`);
  await client.query(`ALTER ROLE ${tenant.role} SET search_path = ${tenant.schema}`);
}

async function createSchema(client: pg.PoolClient, tenant: Tenant): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS ${tenant.schema} CASCADE`);
  await client.query(`CREATE SCHEMA ${tenant.schema}`);
  await client.query(`SET LOCAL search_path = ${tenant.schema}`);
  for (const file of ['./tenant.sql', './balance.sql', './seed.sql']) await client.query(await readSql(file));
  await client.query(`
    GRANT USAGE ON SCHEMA ${tenant.schema}, shared TO ${tenant.role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${tenant.schema} TO ${tenant.role};
    GRANT SELECT, UPDATE ON shared.billing_numbers TO ${tenant.role};
    REVOKE INSERT, UPDATE, DELETE ON users FROM ${tenant.role};
  `);
  await client.query(
    `INSERT INTO shared.schema_versions VALUES ($1, $2)
     ON CONFLICT (schema_name) DO UPDATE SET version = excluded.version`,
    [tenant.schema, SCHEMA_VERSION],
  );
}

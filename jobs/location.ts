/**
 * Credentials of an agent: a role or an ACL user that may use the queues of its own location, and nothing else. An agent is the least
 * trusted process: it runs where others may get at it.
 *
 * What PostgreSQL and Redis cannot keep from it: that there are other roles, databases and tables (the catalogs of PostgreSQL are
 * readable), the names of queues in which something was put (NOTIFY has no rights of its own), and the figures of INFO on Redis.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { isRedisUrl } from './queue.ts';
import { migrateSchema, schemaOf } from './queue-postgres.ts';
import { assertRedisUrl, prefixOf } from './queue-redis.ts';

/** An agent holds at most 5 connections, and two agents of a location may run at once while one is replaced. */
const CONNECTIONS_OF_A_ROLE = 20;
/** No statement of the queue takes a second; one that does is stuck or hostile. */
const STATEMENT_MS = 30_000;
/** PostgreSQL's limit for a name (NAMEDATALEN - 1). */
const NAME_LIMIT = 63;

export interface LocationCredentials {
  /** The role or ACL user. */
  user: string;
  /** The address with which its agent reaches the queue: a secret. */
  url: string;
  /** What was done, as statements that somebody else could do by hand; the password is left out. */
  statements: string[];
  /** What is left to do, if anything: one sentence each. */
  remarks: string[];
}

export interface NewLocation {
  /** The address of the queue, with the rights to make roles or ACL users. */
  url: string;
  location: string;
  password: string;
}

/** Thrown where the server makes no such user for us, however often it is asked. */
export class NoSuchUser extends Error {}

/**
 * Makes a location's place and the credentials of its agents, or gives them another password. What it did before is done again, so it
 * also mends rights. Throws one clear sentence when it may not.
 */
export function addLocation(options: NewLocation): Promise<LocationCredentials> {
  return isRedisUrl(options.url) ? addOnRedis(options) : addOnPostgres(options);
}

async function addOnPostgres({ url, location, password }: NewLocation): Promise<LocationCredentials> {
  const client = new pg.Client({ connectionString: url, application_name: 'rounds location', connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ database: string; owner: string }>(
      'select current_database() as database, current_user as owner',
    );
    const { database = '', owner = '' } = rows[0] ?? {};
    const user = `${database}_agent_${location}`;
    if (user.length > NAME_LIMIT)
      throw new NoSuchUser(`"${user}" is too long for a role of PostgreSQL: choose a shorter name for the location.`);
    for (const place of [undefined, location]) await migrateSchema(client, place);
    const grants = grantsOf(client, { user, database, owner, schema: schemaOf(location) });
    await client.query('begin');
    // One at a time: two grants on the same table at once end in "tuple concurrently updated".
    await client.query('select pg_advisory_xact_lock(hashtext($1))', ['rounds location']);
    await makeRole(client, user, password);
    for (const statement of grants) await client.query(statement);
    await client.query('commit');
    const statements = [`CREATE ROLE ${client.escapeIdentifier(user)} LOGIN PASSWORD '…' ${ROLE_LIMITS}`, ...grants];
    return { user, url: withCredentials(url, user, password), statements, remarks: [] };
  } catch (error) {
    throw refusal(error, 'CREATEROLE, and be the owner of the database');
  } finally {
    await client.end();
  }
}

const ROLE_LIMITS = `NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${CONNECTIONS_OF_A_ROLE}`;

async function makeRole(client: pg.Client, user: string, password: string): Promise<void> {
  const name = client.escapeIdentifier(user);
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [user]);
  if (!rowCount) await client.query(`CREATE ROLE ${name} ${ROLE_LIMITS}`);
  await client.query(`ALTER ROLE ${name} LOGIN PASSWORD ${client.escapeLiteral(verifierOf(password))}`);
}

/** RFC 7677's least, and PostgreSQL's default. */
const ITERATIONS = 4096;

/**
 * What PostgreSQL keeps of a password (RFC 5803), made here as psql's \password does: a statement with the password itself would stand in
 * the server's log where statements are logged. For ASCII, as ours are.
 */
function verifierOf(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyOf = (name: string) => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${keyOf('Server Key').toString('base64')}`;
}

interface Grantee {
  user: string;
  database: string;
  owner: string;
  schema: string;
}

function grantsOf(client: pg.Client, { user, database, owner, schema }: Grantee): string[] {
  const [role, place, home, by] = [user, schema, database, owner].map((name) => client.escapeIdentifier(name));
  return [
    `ALTER ROLE ${role} SET statement_timeout = '${STATEMENT_MS}ms'`,
    `GRANT CONNECT, TEMPORARY ON DATABASE ${home} TO ${role}`,
    // Before PostgreSQL 15 everybody may make tables in it.
    'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    `GRANT USAGE ON SCHEMA ${place} TO ${role}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${place} TO ${role}`,
    // The version of the tables is ours to write: an agent that changed it would stop the worker.
    `REVOKE INSERT, UPDATE, DELETE ON ${place}.migration FROM ${role}`,
    `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${place} TO ${role}`,
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${by} IN SCHEMA ${place} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role}`,
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${by} IN SCHEMA ${place} GRANT USAGE, SELECT ON SEQUENCES TO ${role}`,
  ];
}

/** What BullMQ's scripts call (each is checked by the test that runs an agent's queues as this user), and nothing that looks further. */
const COMMANDS = [
  '-@all',
  '+@connection',
  '-client',
  '+client|setname',
  '+client|id',
  '+@read',
  '+@write',
  '-@dangerous',
  '-keys',
  '-scan',
  '-randomkey',
  '-dbsize',
  '+info',
  '+time',
  '+evalsha',
  '+eval',
  '+multi',
  '+exec',
];

async function addOnRedis({ url, location, password }: NewLocation): Promise<LocationCredentials> {
  assertRedisUrl(url);
  const user = `rounds-agent-${location}`;
  const rules = ['on', 'resetkeys', 'resetchannels', `~${prefixOf(location)}:*`, ...COMMANDS];
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0, connectTimeout: 5_000 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.acl('SETUSER', user, 'reset', `>${password}`, ...rules);
    const remarks = await saveAcl(redis);
    return { user, url: withCredentials(url, user, password), statements: [`ACL SETUSER ${user} reset >… ${rules.join(' ')}`], remarks };
  } catch (error) {
    throw refusal(error, 'ACL SETUSER');
  } finally {
    redis.disconnect();
  }
}

/** Redis forgets its users when it ends, unless it has a file for them. */
async function saveAcl(redis: Redis): Promise<string[]> {
  try {
    await redis.acl('SAVE');
    return [];
  } catch {
    return [
      'Redis has no aclfile, so it forgets this user when it restarts: name one in redis.conf and run this again, or put the statement into redis.conf as a "user" line.',
    ];
  }
}

function refusal(error: unknown, right: string): Error {
  if (error instanceof NoSuchUser) return error;
  const { message, code } = error as { message: string; code?: string };
  if (code === '42501' || /NOPERM/.test(message))
    return new NoSuchUser(`The user of the queue's address may not do that (${message}). It needs ${right}.`);
  if (/WRONGPASS|NOAUTH/.test(message)) return new Error('Redis refuses the user or the password of the address.');
  if (/unknown command ['`]?acl/i.test(message)) return new NoSuchUser('This Redis knows no ACL users: 6.2 or newer is needed.');
  return new Error(`The location could not be added: ${message}`, { cause: error });
}

function withCredentials(url: string, user: string, password: string): string {
  const own = new URL(url);
  own.username = encodeURIComponent(user);
  own.password = encodeURIComponent(password);
  return own.href;
}

import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../cli/lock.ts';
import { type EmbeddedPostgres, ensureDatabase, startPostgres } from '../../cli/postgres.ts';
import { postgresHome } from '../../cli/postgres-home.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';

async function ask(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('embedded PostgreSQL', () => {
  let folder: string;
  let running: EmbeddedPostgres[];

  const start = async (port = 0) => {
    const postgres = await startPostgres({ folder, port, log: quietLog, settings: { fsync: 'off' } });
    running.push(postgres);
    return postgres;
  };
  const pidFile = () => join(postgresHome(folder).data, 'postmaster.pid');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rounds-postgres-'));
    chmodSync(folder, 0o755);
    running = [];
  });

  afterEach(async () => {
    for (const postgres of running) await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps what was written over a stop and a second start, and leaves no pid file', async () => {
    const first = await start();
    await ensureDatabase(first.adminUrl, 'rounds');
    await ensureDatabase(first.adminUrl, 'rounds');
    await ask(first.url('rounds'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(existsSync(pidFile())).toBe(false);
    expect(isAlive(first.pid)).toBe(false);

    const second = await start();
    expect(await ask(second.url('rounds'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts again after the server was killed', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    await first.ended;
    expect(existsSync(pidFile())).toBe(true);
    const second = await start();
    expect(await ask(second.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('ends the server of an earlier start that still runs in the folder', async () => {
    const first = await start();
    const second = await start();
    await first.ended;
    expect(isAlive(first.pid)).toBe(false);
    expect(await ask(second.adminUrl, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is not stopped by a pid file whose number belongs to another process', async () => {
    const first = await start();
    await first.stop();
    writeFileSync(pidFile(), `${process.pid}\n${folder}\n`);
    await start();
    expect(isAlive(process.pid)).toBe(true);
  });

  it('takes another port when the preferred one is taken', async () => {
    const { createServer } = await import('node:net');
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const postgres = await start(port);
    server.close();
    expect(postgres.port).not.toBe(port);
  });

  it('asks for a password, which is in a file of ours alone and on no command line', async () => {
    const postgres = await start();
    const secret = join(folder, 'secrets', 'POSTGRES_PASSWORD');
    const password = readFileSync(secret, 'utf8');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(postgres.adminUrl).toContain(password);
    const wrong = postgres.adminUrl.replace(password, 'wrong');
    await expect(ask(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed');
    if (process.platform === 'linux') expect(readFileSync(`/proc/${postgres.pid}/cmdline`, 'utf8')).not.toContain(password);
  });

  it('refuses the data of another major version in one sentence', () => {
    mkdirSync(join(folder, 'pg17'));
    expect(() => postgresHome(folder)).toThrow('pg17 holds data of PostgreSQL 17; this Rounds brings PostgreSQL 18');
    renameSync(join(folder, 'pg17'), join(folder, 'pg18'));
    writeFileSync(join(folder, 'pg18', 'PG_VERSION'), '17\n');
    expect(() => postgresHome(folder)).toThrow('pg18 holds data of PostgreSQL 17');
  });
});

it('a test gets a database of its own and drops it, sessions or not', async () => {
  const database = await testDatabase();
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await database.drop();
  const name = new URL(database.url).pathname.slice(1);
  expect(await ask(database.adminUrl, `SELECT datname FROM pg_database WHERE datname = '${name}'`)).toEqual([]);
});

/** An agent's credentials, held by somebody hostile: they open the queues of its location and nothing else. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { startPostgres } from '../../cli/postgres.ts';
import { QUEUES, type QueueRef } from '../../jobs/contract.ts';
import { addLocation, type LocationCredentials } from '../../jobs/location.ts';
import { openQueues, type Queues } from '../../jobs/queue.ts';
import { migrate } from '../../store/migrate.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { onEachQueue, onRedis, type TestQueue, testQueue, whereRedisIs } from '../helpers/queues.ts';
import { testRedis } from '../helpers/redis.ts';

let database: TestDatabase;
let queue: TestQueue;
let ours: Queues;
let north: LocationCredentials;

const everyQueue: QueueRef[] = [
  QUEUES.notify,
  ...['round', 'journey', 'action', 'results'].map((kind) => QUEUES[kind as 'round']('south')),
];

onEachQueue((backend) => {
  beforeEach(async () => {
    database = await testDatabase();
    queue = await testQueue(backend, database.url);
    await addLocation({ url: queue.url, location: 'south', password: 'of the south' });
    north = await addLocation({ url: queue.url, location: 'north', password: "of the north'; --" });
    ours = await openQueues({ url: queue.url, log: quietLog, name: 'ours' });
    for (const ref of everyQueue) await ours.add(ref, [{ id: 'secret work', data: { of: ref.name } }], 'once');
  });
  afterEach(async () => {
    await ours.close();
    if (backend === 'PostgreSQL') {
      await onPostgres(database.url, async (client) => {
        for (const location of ['north', 'south']) {
          const role = client.escapeIdentifier(`${new URL(database.url).pathname.slice(1)}_agent_${location}`);
          await client.query(`DROP OWNED BY ${role}`);
          await client.query(`DROP ROLE ${role}`);
        }
      });
    }
    await queue.drop();
    await database.drop();
  });

  describe("an agent's credentials", () => {
    it('are enough for all that an agent does', async () => {
      const agent = await openQueues({ url: north.url, log: quietLog, name: 'agent', location: 'north' });
      const seen: string[] = [];
      for (const ref of [QUEUES.round('north'), QUEUES.journey('north'), QUEUES.action('north')]) {
        agent.work(ref, { concurrency: 2, policy: 'once' }, async ({ id }) => {
          seen.push(`${ref.name} ${id}`);
          if (id === 'broken') throw new Error('it fails');
          await agent.add(QUEUES.results('north'), [{ id: `${ref.name} ${id}`, data: {} }], 'until-stored');
        });
        await ours.add(
          ref,
          [
            { id: 'now', data: {} },
            { id: 'soon', data: {}, delayMs: 300 },
            { id: 'broken', data: {} },
          ],
          'once',
        );
      }
      const reported: string[] = [];
      ours.work(QUEUES.results('north'), { concurrency: 1, policy: 'until-stored' }, async ({ id }) => void reported.push(id));
      await expect.poll(() => reported.length, { timeout: 10_000 }).toBe(6);
      expect(seen).toHaveLength(9);
      await agent.close();
    });

    it('put nothing on any other queue, and are refused at any other place', async () => {
      for (const location of ['south', undefined]) {
        const opening = openQueues({ url: north.url, log: quietLog, name: 'thief', ...(location ? { location } : {}) });
        await expect(opening).rejects.toThrow(/are not ready|NOPERM/);
      }
      const thief = await openQueues({ url: north.url, log: quietLog, name: 'thief', location: 'north' });
      for (const ref of everyQueue) {
        await expect(thief.add(ref, [{ id: 'planted', data: {} }], 'once'), ref.name).rejects.toThrow(
          /permission|NOPERM|does not exist|does not answer/i,
        );
      }
      await thief.close();
      const still: string[] = [];
      for (const ref of everyQueue)
        ours.work(ref, { concurrency: 1, policy: 'once' }, async ({ id }) => void still.push(`${ref.name} ${id}`));
      await expect.poll(() => still.sort(), { timeout: 10_000 }).toEqual(everyQueue.map(({ name }) => `${name} secret work`).sort());
    });

    it('are replaced by adding the location again', async () => {
      const next = await addLocation({ url: queue.url, location: 'north', password: 'another' });
      await expect(openQueues({ url: north.url, log: quietLog, name: 'old', location: 'north' })).rejects.toThrow(/cannot be reached/);
      const agent = await openQueues({ url: next.url, log: quietLog, name: 'new', location: 'north' });
      await agent.close();
    });
  });
});

describe('on PostgreSQL', () => {
  beforeEach(async () => {
    database = await testDatabase();
    await migrate(database.url, quietLog);
    for (const location of ['south', 'north']) north = await addLocation({ url: database.url, location, password: location });
  });
  afterEach(async () => {
    const name = new URL(database.url).pathname.slice(1);
    await onPostgres(database.url, (client) => client.query(`DROP OWNED BY ${name}_agent_north, ${name}_agent_south`));
    await onPostgres(database.url, (client) => client.query(`DROP ROLE ${name}_agent_north, ${name}_agent_south`));
    await database.drop();
  });

  it('an agent reads and changes no table but those of its queues', async () => {
    const tables = await onPostgres(database.url, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema', 'queue_north') order by 1`,
      );
      return rows.map(({ name }) => name);
    });
    expect(tables).toEqual(expect.arrayContaining(['public.outbox', 'public.audit', 'bullmq.job', 'queue_south.job']));
    await onPostgres(north.url, async (client) => {
      for (const table of tables) {
        for (const attempt of [
          `select 1 from ${table}`,
          `delete from ${table}`,
          `insert into ${table} default values`,
          `truncate ${table}`,
        ]) {
          await expect(client.query(attempt), attempt).rejects.toThrow(/permission denied/);
        }
      }
    });
  });

  it.each([
    'create table public.mine (a int)',
    'create schema mine',
    'create table queue_north.mine (a int)',
    'update queue_north.migration set version = 999',
    'drop table queue_north.job',
    'alter role current_user createrole',
    'create role another',
    'create database another',
    `select pg_read_file('/etc/passwd')`,
    `copy (select 1) to program 'true'`,
    'select rolpassword from pg_authid',
    'select * from queue_south.job',
    `select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user`,
    'set role postgres',
    'set session authorization postgres',
    'create function queue_north.mine() returns int language sql as $$ select 1 $$',
  ])('an agent may not: %s', async (statement) => {
    await onPostgres(north.url, (client) =>
      expect(client.query(statement)).rejects.toThrow(/permission denied|must be|only roles|cannot/i),
    );
  });

  it('says what its own user lacks', async () => {
    await expect(addLocation({ url: north.url, location: 'east', password: 'x' })).rejects.toThrow(/may not do that .*It needs CREATEROLE/);
  });
});

whereRedisIs("an agent's user on Redis", () => {
  it.each([
    ['get', 'rounds:at:south:round.south:meta'],
    ['set', 'rounds:at:south:x', '1'],
    ['hgetall', 'rounds:main:notify:meta'],
    ['keys', '*'],
    ['scan', '0'],
    ['randomkey'],
    ['dbsize'],
    ['flushall'],
    ['flushdb'],
    ['config', 'get', '*'],
    ['acl', 'list'],
    ['acl', 'setuser', 'mine', 'on', '~*', '+@all'],
    ['client', 'list'],
    ['client', 'kill', 'type', 'normal'],
    ['monitor'],
    ['debug', 'sleep', '0'],
    ['shutdown', 'nosave'],
    ['replicaof', '127.0.0.1', '1'],
    ['slaveof', 'no', 'one'],
    ['save'],
    ['publish', 'news', 'x'],
    ['subscribe', 'news'],
    ['script', 'flush'],
    ['function', 'list'],
    ['module', 'list'],
    ['slowlog', 'get'],
    ['swapdb', '0', '1'],
    ['migrate', '127.0.0.1', '1', 'rounds:at:south:x', '0', '10'],
    ['eval', `return redis.call('get', 'rounds:at:south:x')`, '0'],
    ['eval', `return redis.call('set', KEYS[1], '1')`, '1', 'rounds:at:south:x'],
    ['copy', 'rounds:at:north:a', 'rounds:at:south:a'],
    ['rename', 'rounds:at:north:a', 'rounds:at:south:a'],
    ['sort', 'rounds:at:north:a', 'get', 'rounds:at:south:*'],
  ])('an agent may not: %s %s', async (command, ...rest) => {
    const url = inject('redisUrl');
    const made = await addLocation({ url, location: 'north', password: 'of the north' });
    await onRedis(made.url, async (redis) => {
      await expect(redis.call(command, ...rest)).rejects.toThrow(
        /NOPERM|No permissions|ACL failure|not allowed|can't run this command|can't access/i,
      );
    });
  });

  it('says that the user is lost at a restart when Redis keeps no users', async () => {
    const server = await testRedis({ aclfile: '' }).catch(() => undefined);
    const bare = server ?? (await testRedis());
    const made = await addLocation({ url: bare.url, location: 'north', password: 'x' });
    if (server) expect(made.remarks).toEqual([expect.stringContaining('forgets this user when it restarts')]);
    else {
      await bare.restart();
      await onRedis(made.url, (redis) => redis.ping());
    }
    await bare.remove();
  });
});

async function onPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

it('a password never reaches the log of PostgreSQL, whatever is logged there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rounds-location-'));
  chmodSync(folder, 0o755);
  const log = keepingLog();
  const postgres = await startPostgres({ folder, port: 0, log, settings: { fsync: 'off', log_statement: 'all' } });
  const { url, user } = await addLocation({ url: postgres.adminUrl, location: 'north', password: 'of-the-north' });
  await onPostgres(url, async (client) => {
    expect((await client.query('select current_user as name')).rows).toEqual([{ name: user }]);
  });
  await postgres.stop();
  const lines = log.lines.map(({ message }) => message).join('\n');
  expect(lines).toContain(`ALTER ROLE "${user}" LOGIN PASSWORD 'SCRAM-SHA-256$4096:`);
  expect(lines).not.toContain('of-the-north');
  rmSync(folder, { recursive: true, force: true });
});

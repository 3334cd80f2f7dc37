import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUEUES } from '../../jobs/contract.ts';
import { Malformed, migrateQueue, openQueues, type Queues, retryDelayMs, TRIES } from '../../jobs/queue.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { onEachQueue, onRedis, type TestQueue, testQueue } from '../helpers/queues.ts';

let database: TestDatabase;
let queue: TestQueue;
let queues: Queues;
const round = QUEUES.round('north');
const results = QUEUES.results('north');

onEachQueue((backend) => {
  beforeEach(async () => {
    database = await testDatabase();
    queue = await testQueue(backend, database.url);
    queues = await openQueues({ url: queue.url, log: quietLog, name: 'test' });
    await queues.prepare('north');
  });
  afterEach(async () => {
    await queues.close();
    await queue.drop();
    await database.drop();
  });

  describe('the queue', () => {
    it('hands a job out once, though it is added twice', async () => {
      const seen: string[] = [];
      await queues.add(results, [{ id: 'one', data: {} }], 'until-stored');
      await queues.add(
        results,
        [
          { id: 'one', data: {} },
          { id: 'two', data: {} },
        ],
        'until-stored',
      );
      queues.work(results, { concurrency: 2, policy: 'until-stored' }, async (job) => {
        seen.push(job.id);
      });
      await expect.poll(() => seen.sort(), { timeout: 8_000 }).toEqual(['one', 'two']);
    });

    it('hands a large job on as it was put there, and takes none that nobody here can have packed', async () => {
      const large = { orders: Array.from({ length: 500 }, (_, index) => `order ${index}`) };
      const seen: unknown[] = [];
      queues.work(round, { concurrency: 1, policy: 'once' }, async ({ data }) => {
        seen.push(data);
      });
      await queues.add(
        round,
        [
          { id: 'broken', data: { packed: 'no' } },
          { id: 'large', data: large },
        ],
        'once',
      );
      await expect.poll(() => seen, { timeout: 8_000 }).toEqual([large]);
    });

    it('keeps the places apart, whatever their queues are called', async () => {
      await queues.prepare('main');
      const seen: string[] = [];
      const watch = (location: string | undefined) =>
        queues.work({ ...(location ? { location } : {}), name: 'same' }, { concurrency: 1, policy: 'once' }, async ({ id }) => {
          seen.push(`${location ?? 'ours'}: ${id}`);
        });
      for (const location of ['north', 'main', undefined]) watch(location);
      await queues.add({ location: 'main', name: 'same' }, [{ id: 'a', data: {} }], 'once');
      await expect.poll(() => seen, { timeout: 8_000 }).toEqual(['main: a']);
    });

    it('tries again what could not be stored, and never what is malformed or went once', async () => {
      const tries: Record<string, number> = { stored: 0, malformed: 0, once: 0 };
      const attempt = async ({ id }: { id: string }) => {
        tries[id] = (tries[id] ?? 0) + 1;
        if (id === 'malformed') throw new Malformed('not of its shape');
        if (id === 'once' || tries[id] < 2) throw new Error('the database is away');
      };
      queues.work(results, { concurrency: 1, policy: 'until-stored' }, attempt);
      queues.work(round, { concurrency: 1, policy: 'once' }, attempt);
      await queues.add(
        results,
        ['malformed', 'stored'].map((id) => ({ id, data: {} })),
        'until-stored',
      );
      await queues.add(round, [{ id: 'once', data: {} }], 'once');
      await expect.poll(() => tries, { timeout: 8_000 }).toEqual({ stored: 2, malformed: 1, once: 1 });
    });

    it('gives the job of a killed process to another', async () => {
      await queues.add(results, [{ id: 'orphan', data: {} }], 'until-stored');
      const script = new URL('../fixtures/holds-a-job.ts', import.meta.url);
      const child = spawn(process.execPath, [script.pathname], {
        env: { ROUNDS_QUEUE_URL: queue.url },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const seen: string[] = [];
      queues.work(results, { concurrency: 1, policy: 'until-stored' }, async (job) => {
        seen.push(job.id);
      });
      await expect.poll(() => seen, { timeout: 25_000 }).toEqual(['orphan']);
    });

    it('goes on when every connection was cut', async () => {
      const seen: string[] = [];
      queues.work(round, { concurrency: 1, policy: 'once' }, async (job) => {
        seen.push(job.id);
      });
      await queues.add(round, [{ id: 'before', data: {} }], 'once');
      await expect.poll(() => seen, { timeout: 8_000 }).toEqual(['before']);
      if (backend === 'Redis') await onRedis(queue.url, cutOthers);
      else await onAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rounds queue test'`);
      const added = () =>
        queues.add(round, [{ id: 'after', data: {} }], 'once').then(
          () => true,
          () => false,
        );
      await expect.poll(added, { timeout: 8_000 }).toBe(true);
      await expect.poll(() => seen, { timeout: 15_000 }).toEqual(['before', 'after']);
    });
  });
});

/** Of this test alone: others share the server. */
async function cutOthers(redis: import('ioredis').Redis): Promise<void> {
  const own = (await redis.client('INFO')) as string;
  const database = / db=(\d+) /.exec(own)?.[1];
  const list = (await redis.client('LIST')) as string;
  for (const line of list.split('\n').filter((one) => one.includes(` db=${database} `) && one.includes('name=rounds-queue-test'))) {
    await redis.client('KILL', 'ID', / ?id=(\d+)/.exec(line)?.[1] ?? '');
  }
}

describe('the connections to PostgreSQL', () => {
  it('are one for each worker and two to spare at each place, however much is added', async () => {
    database = await testDatabase();
    await migrateQueue(database.url);
    queues = await openQueues({ url: database.url, log: quietLog, name: 'test' });
    await queues.prepare('north');
    for (const ref of [round, QUEUES.journey('north'), QUEUES.action('north')]) {
      queues.work(ref, { concurrency: 4, policy: 'once' }, async () => undefined);
    }
    await Promise.all(Array.from({ length: 40 }, (_, index) => queues.add(round, [{ id: `job-${index}`, data: {} }], 'once')));
    const rows = await onAdmin(
      `select count(*)::int as held from pg_stat_activity where datname = '${new URL(database.url).pathname.slice(1)}'`,
    );
    expect(rows[0]?.held).toBeGreaterThan(3);
    // One more opened the queue and looked whether the tables are there.
    expect(rows[0]?.held).toBeLessThanOrEqual(6);
    await queues.close();
    await database.drop();
  });
});

describe('opening the queue', () => {
  const open = (url: string, location?: string) => openQueues({ url, log: quietLog, name: 'test', ...(location ? { location } : {}) });

  it('says in a sentence what is wrong', async () => {
    await expect(open('amqp://127.0.0.1')).rejects.toThrow(/address of the queue is not one: expected postgres/);
    await expect(open('postgres://rounds@127.0.0.1:1/rounds')).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/);
    await expect(open('redis://127.0.0.1:1')).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/);
    const empty = await testDatabase();
    await expect(open(empty.url)).rejects.toThrow(/not ready: run "rounds migrate" first/);
    await expect(open(empty.url, 'north')).rejects.toThrow(/for north are not ready: run "rounds location add north" first/);
    await empty.drop();
  });

  it.each([
    ['redis+sentinel://127.0.0.1:26379/mymaster', /Redis Sentinel: expected the address of the primary/],
    ['redis-cluster://127.0.0.1:7000', /Redis Cluster: expected one server/],
    ['redis://10.0.0.1:7000,10.0.0.2:7000', /Redis Cluster: expected one server/],
  ])('explains why not %s', async (url, reason) => {
    await expect(open(url)).rejects.toThrow(reason);
    await expect(migrateQueue(url)).rejects.toThrow(reason);
  });
});

async function onAdmin(text: string): Promise<{ held?: number }[]> {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

it('what must be stored is tried for a day, while agents keep a report on disk as long', () => {
  const triedMs = Array.from({ length: TRIES }, (_, index) => retryDelayMs(index + 1)).reduce((sum, ms) => sum + ms, 0);
  expect(triedMs).toBeGreaterThan(86_000_000);
  expect(triedMs).toBeLessThan(2 * 86_400_000);
});

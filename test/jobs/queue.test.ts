import { spawn } from 'node:child_process';
import { once } from 'node:events';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Malformed, migrateQueue, openQueues, type Queues } from '../../jobs/queue.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
let queues: Queues;

beforeEach(async () => {
  database = await testDatabase();
  await migrateQueue(database.url);
  queues = await openQueues({ url: database.url, log: quietLog, name: 'test', workers: 3 });
});
afterEach(async () => {
  await queues.close();
  await database.drop();
});

describe('the queue', () => {
  it('hands a job out once, though it is added twice', async () => {
    const seen: string[] = [];
    await queues.add('results.north', [{ id: 'one', data: {} }], 'until-stored');
    await queues.add(
      'results.north',
      [
        { id: 'one', data: {} },
        { id: 'two', data: {} },
      ],
      'until-stored',
    );
    queues.work('results.north', { concurrency: 2, policy: 'until-stored' }, async (job) => {
      seen.push(job.id);
    });
    await expect.poll(() => seen.sort(), { timeout: 8_000 }).toEqual(['one', 'two']);
  });

  it('tries again what could not be stored, and never what is malformed or went once', async () => {
    const tries: Record<string, number> = { stored: 0, malformed: 0, once: 0 };
    const attempt = async ({ id }: { id: string }) => {
      tries[id] = (tries[id] ?? 0) + 1;
      if (id === 'malformed') throw new Malformed('not of its shape');
      if (id === 'once' || tries[id] < 2) throw new Error('the database is away');
    };
    queues.work('results.north', { concurrency: 1, policy: 'until-stored' }, attempt);
    queues.work('round.north', { concurrency: 1, policy: 'once' }, attempt);
    await queues.add(
      'results.north',
      ['malformed', 'stored'].map((id) => ({ id, data: {} })),
      'until-stored',
    );
    await queues.add('round.north', [{ id: 'once', data: {} }], 'once');
    await expect.poll(() => tries, { timeout: 8_000 }).toEqual({ stored: 2, malformed: 1, once: 1 });
  });

  it('gives the job of a killed process to another', async () => {
    await queues.add('results.north', [{ id: 'orphan', data: {} }], 'until-stored');
    const script = new URL('../fixtures/holds-a-job.ts', import.meta.url);
    const child = spawn(process.execPath, [script.pathname], { env: { DATABASE_URL: database.url }, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const seen: string[] = [];
    queues.work('results.north', { concurrency: 1, policy: 'until-stored' }, async (job) => {
      seen.push(job.id);
    });
    await expect.poll(() => seen, { timeout: 25_000 }).toEqual(['orphan']);
  });

  it('goes on when every connection was cut', async () => {
    const seen: string[] = [];
    queues.work('round.north', { concurrency: 1, policy: 'once' }, async (job) => {
      seen.push(job.id);
    });
    await queues.add('round.north', [{ id: 'before', data: {} }], 'once');
    await expect.poll(() => seen, { timeout: 8_000 }).toEqual(['before']);
    await onAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rounds queue test'`);
    await expect
      .poll(
        () =>
          queues.add('round.north', [{ id: 'after', data: {} }], 'once').then(
            () => true,
            () => false,
          ),
        { timeout: 8_000 },
      )
      .toBe(true);
    await expect.poll(() => seen, { timeout: 15_000 }).toEqual(['before', 'after']);
  });

  it('holds one connection for each worker and two to spare, however much is added', async () => {
    for (const name of ['round.north', 'journey.north', 'action.north']) {
      queues.work(name, { concurrency: 4, policy: 'once' }, async () => undefined);
    }
    await Promise.all(Array.from({ length: 40 }, (_, index) => queues.add('round.north', [{ id: `job-${index}`, data: {} }], 'once')));
    const rows = await onAdmin(
      `select count(*)::int as held from pg_stat_activity where datname = '${new URL(database.url).pathname.slice(1)}'`,
    );
    expect(rows[0]?.held).toBeGreaterThan(3);
    expect(rows[0]?.held).toBeLessThanOrEqual(5);
  });
});

describe('opening the queue', () => {
  const open = (url: string) => openQueues({ url, log: quietLog, name: 'test', workers: 1 });

  it('says in a sentence what is wrong', async () => {
    await expect(open('redis://127.0.0.1:6379')).rejects.toThrow(/stands on PostgreSQL/);
    await expect(open('postgres://rounds@127.0.0.1:1/rounds')).rejects.toThrow(/cannot be reached: connect ECONNREFUSED/);
    const empty = await testDatabase();
    await expect(open(empty.url)).rejects.toThrow(/run "rounds migrate" first/);
    await empty.drop();
  });
});

async function onAdmin(text: string): Promise<{ held?: number }[]> {
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  try {
    return (await client.query<{ held?: number }>(text)).rows;
  } finally {
    await client.end();
  }
}

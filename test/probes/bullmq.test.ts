/** The bullmq probe against queues that BullMQ itself has made. */
import { type Job, Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadsSchema } from '../../core/result.ts';
import bullmq from '../../probes/types/bullmq.ts';
import { probeContext } from '../helpers/probing.ts';
import { redisIsThere, type TestRedis, testRedis } from '../helpers/redis.ts';

const here = describe.runIf(await redisIsThere('queues of the bullmq probe'));

here('queues of BullMQ', () => {
  let server: TestRedis;
  let client: Redis;
  const open: { close(): Promise<unknown> }[] = [];
  beforeEach(async () => {
    server = await testRedis();
    client = new Redis(server.url, { maxRetriesPerRequest: null });
    client.on('error', () => {});
  });
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close();
    client.disconnect();
    await server.remove();
  });

  async function queue(name: string, prefix?: string): Promise<Queue> {
    const made = new Queue(name, { connection: client, ...(prefix ? { prefix } : {}) });
    open.push(made);
    await made.waitUntilReady();
    return made;
  }

  const probe = (params: Record<string, unknown>) =>
    bullmq.run(bullmq.schema.parse({ url: server.url, queues: ['*'], ...params }), probeContext());

  test('are counted, each by itself for the load and all together', async () => {
    const [mail, reports] = [await queue('mail'), await queue('reports-hillcrest')];
    await mail.addBulk([1, 2, 3].map((n) => ({ name: 'send', data: { n } })));
    await mail.add('send', {}, { delay: 60_000 });
    await reports.add('print', {}, { priority: 3 });
    const outcome = await probe({});
    expect(outcome).toMatchObject({ verdict: 'up', findings: [] });
    expect(outcome.measurements).toMatchObject({ queues_count: 2, waiting_count: 4, delayed_count: 1, active_count: 0, failed_count: 0 });
    expect(loadsSchema.parse(outcome.loads)).toMatchObject({
      loads: [
        { by: 'queue', name: 'mail', levels: { jobs: 3 } },
        { by: 'queue', name: 'reports-hillcrest', levels: { jobs: 1 } },
      ],
      unreadable: [],
    });
  });

  test('are taken by their names and by how they begin, and by the prefix', async () => {
    for (const name of ['mail', 'reports-a', 'reports-b', 'reports[1]']) await queue(name);
    await queue('mail', '{other}');
    const seen = async (params: Record<string, unknown>) => (await probe(params)).loads?.loads.map(({ name }) => name);
    expect(await seen({ queues: ['reports-*', 'mail', 'reports-a'] })).toEqual(['mail', 'reports-a', 'reports-b']);
    expect(await seen({ queues: ['reports[1]*'] })).toEqual(['reports[1]']);
    expect(await seen({ prefix: '{other}' })).toEqual(['mail']);
  });

  test('that are not there are no empty ones', async () => {
    await queue('mail');
    expect(await probe({ queues: ['mail', 'mial'] })).toMatchObject({
      verdict: 'down',
      failure: { kind: 'no-queue', message: 'there is no queue "mial" under the prefix "bull"' },
    });
    expect((await probe({ queues: ['reports-*'] })).failure?.message).toBe('no queue under the prefix "bull" begins with "reports-"');
  });

  test('beyond a limit tell the worst queue, with whose it is', async () => {
    const [mail, reports] = [await queue('mail'), await queue('reports-hillcrest')];
    await mail.addBulk([1, 2, 3].map((n) => ({ name: 'send', data: { n } })));
    await reports.addBulk(Array.from({ length: 1_200 }, () => ({ name: 'print', data: { patient: 'Jane Doe' } })));
    const outcome = await probe({ waiting: { degraded: 2, down: 1_000 } });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'waiting', message: 'reports-hillcrest: 1,200 jobs wait, limit 1,000' },
      findings: [{ kind: 'queue-backlog', target: { queue: 'reports-hillcrest' }, whose: { queue: 'reports-hillcrest' } }],
    });
    expect(outcome.findings?.[0]?.text).toMatch(
      /^reports-hillcrest: 1,200 jobs wait, the oldest for \d+(\.\d)? (ms|s), 0 being worked on$/,
    );
    expect(JSON.stringify(outcome)).not.toContain('Jane Doe');
    expect((await probe({ queues: ['mail'], waiting: { degraded: 3 } })).failure?.message).toBe('mail: 3 jobs wait, limit 3');
  });

  describe('the oldest job', () => {
    /** In tens of seconds. */
    const age = async (params: Record<string, unknown> = {}) =>
      Math.floor(((await probe(params)).measurements?.oldest_s ?? Number.NaN) / 10);
    const madeAgo = (agoMs: number) => ({ timestamp: Date.now() - agoMs });

    test('is found at either end, among those with a priority, and while the queue is paused', async () => {
      const [mail, next, important, paused] = [await queue('mail'), await queue('next'), await queue('important'), await queue('paused')];
      await mail.add('send', {}, madeAgo(50_000));
      await mail.add('send', {});
      await next.add('send', {});
      await next.add('send', {}, { ...madeAgo(60_000), lifo: true });
      await important.add('send', {}, { priority: 1 });
      await important.add('send', {}, { ...madeAgo(70_000), priority: 9 });
      await paused.add('send', {}, madeAgo(80_000));
      await paused.pause();
      expect(await age({ queues: ['mail'] })).toBe(5);
      expect(await age({ queues: ['next'] })).toBe(6);
      expect(await age({ queues: ['important'] })).toBe(7);
      const outcome = await probe({ oldest: { degraded: '1s', down: '75s' } });
      expect(outcome.failure).toEqual({
        kind: 'oldest-job',
        message: expect.stringMatching(/^paused: the oldest job has waited 80 s, limit 75 s; the queue is paused$/),
      });
      expect(outcome.measurements).toMatchObject({ paused_queues_count: 1, waiting_count: 7 });
    });

    test('counts from the time to which it was put off, and one that is overdue waits', async () => {
      const mail = await queue('mail');
      await mail.add('send', {}, { ...madeAgo(50_000), delay: 40_000 });
      expect(await age()).toBe(1);
      await mail.promoteJobs();
      expect(await age()).toBe(1);
    });

    test('counts from its last try', async () => {
      const mail = await queue('mail');
      const worker = new Worker('mail', () => Promise.reject(new Error('no')), { connection: client, autorun: false });
      open.push(worker);
      const job = await mail.add('send', {}, { ...madeAgo(50_000), attempts: 2, backoff: 60_000 });
      const taken = (await worker.getNextJob('token')) as Job;
      await taken.moveToFailed(new Error('no'), 'token', false);
      expect(await job.getState()).toBe('delayed');
      await mail.promoteJobs();
      expect(await age()).toBe(0);
    });

    test('of an empty queue is none', async () => {
      await queue('mail');
      expect(await age({ oldest: { down: '1s' } })).toBe(0);
    });
  });

  test('jobs that failed count as long as it is of late, and those that are worked on', async () => {
    const mail = await queue('mail');
    await mail.addBulk([1, 2, 3].map((n) => ({ name: 'send', data: { n } })));
    const worker = new Worker('mail', async () => {}, { connection: client, autorun: false });
    open.push(worker);
    for (const token of ['one', 'two']) {
      const job = (await worker.getNextJob(token)) as Job;
      if (token === 'one') await job.moveToFailed(new Error('no'), token, false);
    }
    const outcome = await probe({ failed: { degraded: 1 }, active: { degraded: 5 } });
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { kind: 'failed-jobs', message: 'mail: 1 job failed of late, limit 1' },
    });
    expect(outcome.measurements).toMatchObject({ waiting_count: 1, active_count: 1, failed_count: 1 });
    expect((await probe({ failed: { degraded: 1, within: '1ms' } })).verdict).toBe('up');
  });

  test('a user with the rights that the documentation names is enough; with one less it is a fault', async () => {
    await (await queue('mail')).add('send', {});
    const rights = bullmq.schema.shape.url.description?.match(/`([^`]*\+time[^`]*)`/)?.[1]?.split(' ') ?? [];
    const as = async (...more: string[]) => {
      await client.acl('SETUSER', 'watcher', 'reset', 'on', '>secret', ...more);
      return probe({ url: `redis://watcher:secret@127.0.0.1:${server.port}` });
    };
    expect(rights).toHaveLength(9);
    expect(await as(...rights, '+scan', '%R~bull:*')).toMatchObject({ verdict: 'up', measurements: { waiting_count: 1 } });
    expect(await as(...rights, '%R~bull:*')).toMatchObject({
      verdict: 'fault',
      failure: { kind: 'permission', message: expect.stringContaining('+scan is missing') },
    });
    expect((await as(...rights, '+scan')).failure?.message).toMatch(/does not let this user read the keys \(%R~bull:\* is missing\)$/);
  });
});

test.each(['a:b', 'a*b', '', ' x', '**'])('%j is no name of a queue', (name) => {
  expect(bullmq.schema.safeParse({ url: 'redis://a', queues: [name] }).success).toBe(false);
});

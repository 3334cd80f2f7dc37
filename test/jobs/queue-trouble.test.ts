import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { QUEUES } from '../../jobs/contract.ts';
import { openQueues, type Queues } from '../../jobs/queue.ts';
import { type Gate, startGate } from '../helpers/gate.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { onEachQueue, onRedis, type TestQueue, testQueue } from '../helpers/queues.ts';

let database: TestDatabase;
let queue: TestQueue;
let gate: Gate;
let queues: Queues;
const results = QUEUES.results('north');
/** More jobs than are taken at once: each must end before the next is taken. */
const FIVE = ['a', 'b', 'c', 'd', 'e'];

onEachQueue((backend) => {
  beforeEach(async () => {
    database = await testDatabase();
    queue = await testQueue(backend, database.url);
    gate = await startGate(queue.url);
    // Longer than a worker waits for jobs, 5 s.
    queues = await openQueues({ url: gate.url, log: quietLog, name: 'test', silenceMs: 7_000 });
    await queues.prepare('north');
  });
  afterEach(async () => {
    await queues.close();
    await gate.close();
    await queue.drop();
    await database.drop();
  });

  const adds = (id: string) =>
    queues.add(results, [{ id, data: {} }], 'until-stored').then(
      () => 'added',
      () => 'away',
    );

  it('is used for the first time while the server is away, and works when it is back', { timeout: 60_000 }, async () => {
    const seen: string[] = [];
    await gate.shut();
    queues.work(results, { concurrency: 2, policy: 'until-stored' }, async ({ id }) => {
      seen.push(id);
    });
    expect(await adds('away')).toBe('away');
    await gate.open();
    for (const id of FIVE) await expect.poll(() => adds(id), { timeout: 20_000, interval: 500 }).toBe('added');
    await expect.poll(() => seen.sort(), { timeout: 30_000 }).toEqual(expect.arrayContaining(FIVE));
  });

  it('says whether it answers', { timeout: 30_000 }, async () => {
    expect(await queues.trouble(results)).toBeUndefined();
    await gate.shut();
    await expect.poll(() => queues.trouble(results), { timeout: 10_000 }).toMatch(/^The queue is away: ./);
    await gate.open();
    await expect.poll(() => queues.trouble(results), { timeout: 20_000, interval: 500 }).toBeUndefined();
  });

  it('gives up connections on which nothing comes back', { timeout: 90_000 }, async () => {
    const seen: string[] = [];
    queues.work(results, { concurrency: 2, policy: 'until-stored' }, async ({ id }) => {
      seen.push(id);
    });
    await adds('before');
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['before']);
    gate.silence();
    await expect.poll(() => adds('after'), { timeout: 40_000, interval: 500 }).toBe('added');
    await expect.poll(() => seen, { timeout: 40_000 }).toEqual(['before', 'after']);
  });

  it('asks a server that refuses it once a second, and says so as often', { timeout: 30_000 }, async () => {
    const log = keepingLog();
    const url = backend === 'Redis' ? await userWithoutRights() : gate.url;
    const refused = await openQueues({ url, log, name: 'test', ...(backend === 'Redis' ? { location: 'south' } : {}) });
    // On PostgreSQL nobody has made the place of this location.
    refused.work(QUEUES.results('nowhere'), { concurrency: 2, policy: 'until-stored' }, async () => undefined);
    await expect.poll(() => log.lines.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const before = log.lines.length;
    await sleep(2_000);
    // Without a pause: hundreds on PostgreSQL, ten thousand on Redis.
    expect(log.lines.length - before).toBeLessThan(20);
    await refused.close();
  });

  async function userWithoutRights(): Promise<string> {
    await onRedis(queue.url, (redis) => redis.acl('SETUSER', 'only-south', 'on', '>for-the-test', '~rounds:at:south:*', '+@all'));
    const url = new URL(gate.url);
    url.username = 'only-south';
    url.password = 'for-the-test';
    return url.href;
  }
});

/** The clock of the queue's server as a process knows it, with all three clocks in the hands of the test. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addLocation } from '../../jobs/location.ts';
import { openQueues } from '../../jobs/queue.ts';
import { ServerClock } from '../../jobs/server-clock.ts';
import { NOON_MS } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { onRedis, testQueue, whereRedisIs } from '../helpers/queues.ts';

let trueMs: number;
/** What each shows beside the time that has truly passed. */
let wallAheadMs: number;
let serverAheadMs: number;
let asleepMs: number;
/** How long the next question and its answer take. */
let way: { thereMs: number; backMs: number };
let away: boolean;
let questions: number;
let clock: ServerClock;

const onServer = () => NOON_MS + trueMs + serverAheadMs;

beforeEach(async () => {
  [trueMs, wallAheadMs, serverAheadMs, asleepMs, away, questions] = [0, 0, 0, 0, false, 0];
  way = { thereMs: 2, backMs: 2 };
  const own = { now: () => NOON_MS + trueMs + wallAheadMs, monotonic: () => 5_000 + trueMs - asleepMs };
  const ask = async () => {
    questions++;
    trueMs += way.thereMs;
    const told = onServer();
    trueMs += way.backMs;
    if (away) throw new Error('nobody answers');
    return told;
  };
  clock = new ServerClock({ ask, clock: own, log: quietLog });
  await clock.start();
  questions = 0;
});
afterEach(() => clock.close());

describe('the clock of the server', () => {
  it('goes on by the monotonic clock, without a question', async () => {
    trueMs += 8_000;
    expect(await clock.now()).toBeCloseTo(onServer());
    expect(questions).toBe(0);
  });

  it('is not moved by a wall clock that jumps, nor by one that jumps while the server is away', async () => {
    wallAheadMs = -7_200_000;
    expect(await clock.now()).toBeCloseTo(onServer());
    expect(questions).toBe(1);
    away = true;
    wallAheadMs = 90_000;
    expect(await clock.now()).toBeCloseTo(onServer());
    expect(await clock.aheadMs()).toBe(-90_000);
    expect(questions, 'one that is away is not asked at every turn').toBe(2);
  });

  it('is asked anew after this machine was asleep', async () => {
    trueMs += 3_600_000;
    asleepMs = 3_600_000;
    expect(await clock.now()).toBeCloseTo(onServer());
  });

  it('is followed when it is put right itself', async () => {
    serverAheadMs = 3_000;
    wallAheadMs = 3_000;
    expect(await clock.now()).toBeCloseTo(onServer());
  });

  it('is not blurred by a slow answer, unless that proves that it has moved', async () => {
    way = { thereMs: 1_000, backMs: 0 };
    wallAheadMs = 400;
    expect(Math.abs((await clock.now()) - onServer())).toBeLessThan(5);
    wallAheadMs = 0;
    serverAheadMs = 60_000;
    expect(Math.abs((await clock.now()) - onServer())).toBeLessThanOrEqual(500);
  });
});

it('a server that does not tell its time is no queue', async () => {
  away = true;
  const own = { now: () => 0, monotonic: () => 0 };
  const deaf = new ServerClock({ ask: () => Promise.reject(new Error('NOPERM')), clock: own, log: quietLog });
  await expect(deaf.start()).rejects.toThrow('The queue does not tell its time: NOPERM');
});

whereRedisIs('an agent on Redis', () => {
  it('whose user was made before it asked for the time knows it all the same', async () => {
    const queue = await testQueue('Redis', '');
    const { url, user } = await addLocation({ url: queue.url, location: 'before', password: 'of old' });
    await onRedis(queue.url, (redis) => redis.acl('SETUSER', user, '-time'));
    const queues = await openQueues({ url, log: quietLog, name: 'old', location: 'before' });
    expect(Math.abs((await queues.serverNow()) - Date.now())).toBeLessThan(1_000);
    await queues.close();
    await onRedis(queue.url, (redis) => redis.acl('DELUSER', user));
    await queue.drop();
  });
});

/** Suites that are held on every backend of the queue. */
import { Redis } from 'ioredis';
import { describe, inject } from 'vitest';
import { migrateQueue } from '../../jobs/queue.ts';

export type Backend = 'PostgreSQL' | 'Redis';

export interface TestQueue {
  /** The address of a queue that nobody else uses, its tables made. */
  url: string;
  drop(): Promise<void>;
}

/** Holds the suite on both backends; where there is no Redis, on one. */
export function onEachQueue(suite: (backend: Backend) => void): void {
  describe('on PostgreSQL', () => suite('PostgreSQL'));
  whereRedisIs('on Redis', () => suite('Redis'));
}

/** A suite that needs the run's Redis; where this machine has none it is skipped, and says so. */
export function whereRedisIs(title: string, suite: () => void): void {
  const isThere = inject('redisUrl') !== '';
  if (!isThere) process.stderr.write(`Skipped: ${title}. There is no redis-server here; the setup of npm test says why.\n`);
  describe.runIf(isThere)(title, suite);
}

/** A queue of its own: in this database, or in a database of its own on the run's Redis. */
export async function testQueue(backend: Backend, databaseUrl: string): Promise<TestQueue> {
  if (backend === 'Redis') return redisQueue();
  await migrateQueue(databaseUrl);
  return { url: databaseUrl, drop: async () => undefined };
}

async function redisQueue(): Promise<TestQueue> {
  const server = inject('redisUrl');
  const number = await onRedis(server, (redis) => redis.incr('the number of the last test'));
  const url = `${server}/${number}`;
  return { url, drop: async () => void (await onRedis(url, (redis) => redis.flushdb())) };
}

/** Does something over a connection that is closed afterwards. */
export async function onRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

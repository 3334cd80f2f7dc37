/** The kills once more with the queue on Redis: minutes that `npm test` has no room for, so `.ci/run` calls it. */
import { afterAll } from 'vitest';
import { killInEachStep } from '../acceptance/kills.ts';
import { whereRedisIs } from '../helpers/queues.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';

let redis: TestRedis | undefined;

whereRedisIs('on Redis', () => {
  afterAll(() => redis?.remove());

  killInEachStep('with the queue on Redis', async () => {
    redis = await testRedis();
    return { env: { REDIS_URL: redis.url } };
  });
});

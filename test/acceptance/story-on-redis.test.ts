import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { whereRedisIs } from '../helpers/queues.ts';
import { type TestRedis, testRedis } from '../helpers/redis.ts';
import { tellTheStory } from './story.ts';

/** How long Redis is away: more than a slot, so that what was due meanwhile must be accounted for. */
const AWAY_MS = 12_000;

let redis: TestRedis;

whereRedisIs('with the queue on Redis', () => {
  tellTheStory('a clinic is watched, broken and repaired', {
    begin: async () => {
      redis = await testRedis();
      return { env: { REDIS_URL: redis.url } };
    },
    inTheMiddle: async (system) => {
      await redis.stop('SIGKILL');
      await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
      await redis.start();
      await redis.flushAll();
      await system.killPostgres();
    },
    // The append-only file holds whatever was put on a queue.
    alsoKept: async () => filesBelow(join(redis.folder, 'data')).map((file) => readFileSync(file, 'latin1')),
    end: () => redis.remove(),
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

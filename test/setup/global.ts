/** One PostgreSQL and one Redis for the whole run of Vitest. */
import type { TestProject } from 'vitest/node';
import { redisIsThere, testRedis } from '../helpers/redis.ts';
import { testServer } from '../helpers/server.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgresAdminUrl: string;
    /** Empty when there is no Redis on this machine, which `npm test` has said why. */
    redisUrl: string;
  }
}

/** A test takes a database of its own on the one server. */
const DATABASES = '20000';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await testServer();
  const redis = (await redisIsThere('the queue on Redis')) ? await testRedis({ databases: DATABASES, appendonly: 'no' }) : undefined;
  project.provide('postgresAdminUrl', server.adminUrl);
  project.provide('redisUrl', redis?.url ?? '');
  return async () => {
    await redis?.remove();
    await server.stop();
  };
}

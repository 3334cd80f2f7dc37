import { expect, it } from 'vitest';
import { queueUrlFor } from '../../cli/up-plan.ts';
import { keepingLog } from '../helpers/log.ts';

const databaseUrl = 'postgres://127.0.0.1/rounds';

it.each([
  ['nowhere else', {}, true, databaseUrl],
  ['on this machine', { REDIS_URL: 'redis://127.0.0.1:6379' }, true, 'redis://127.0.0.1:6379'],
  ['on this machine, by name', { REDIS_URL: 'redis://localhost' }, true, 'redis://localhost'],
  ['elsewhere, with the sample clinic', { REDIS_URL: 'rediss://:password@redis.internal' }, true, databaseUrl],
  ['elsewhere, with the sample clinic, by its other name', { ROUNDS_QUEUE_URL: 'postgres://db.internal/rounds' }, true, databaseUrl],
  ['elsewhere, with a configuration of one’s own', { REDIS_URL: 'redis://redis.internal' }, false, 'redis://redis.internal'],
])('the queue of rounds up: %s', (_where, env, demo, expected) => {
  const log = keepingLog();
  expect(queueUrlFor({ env, demo, databaseUrl, log })).toBe(expected);
  const isLeftOut = Object.keys(env).length > 0 && expected === databaseUrl;
  expect(log.lines.map(({ level }) => level)).toEqual(isLeftOut ? ['warn'] : []);
  expect(JSON.stringify(log.lines)).not.toContain('password');
});

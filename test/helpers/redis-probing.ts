/** The redis probe against Redis servers of a test's own, which end with the test. */
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach } from 'vitest';
import redis from '../../probes/types/redis.ts';
import { listening, probeContext } from './probing.ts';
import { type TestRedis, testRedis } from './redis.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Runs the probe once. */
export function probe(params: Record<string, unknown>, changes: Parameters<typeof probeContext>[0] = {}) {
  return redis.run(redis.schema.parse(params), probeContext(changes));
}

/** A Redis that is removed after the test. */
export async function server(settings: Record<string, string> = {}): Promise<TestRedis> {
  const made = await testRedis(settings);
  open.push(made.remove);
  return made;
}

/** A client that may do everything, closed after the test. Connections that are refused or cut are no error of its own. */
export function admin({ url }: Pick<TestRedis, 'url'>): Redis {
  const client = new Redis(url, { retryStrategy: () => null });
  client.on('error', () => {});
  open.push(() => client.disconnect());
  return client;
}

/** What says `answers` to each command by its name, in the protocol of Redis: for what no real Redis says. */
export async function pretender(answers: Record<string, string>): Promise<{ url: string }> {
  const made = await listening(
    createServer((socket) => {
      socket.on('data', (asked) => {
        const command = asked.toString().split('\r\n')[2]?.toUpperCase() ?? '';
        socket.write(answers[command] ?? '+PONG\r\n');
      });
    }),
  );
  open.push(made.close);
  return { url: `redis://127.0.0.1:${made.port}` };
}

/** The process of the server, to be stopped and continued by signals. */
export async function processOf(client: Redis): Promise<number> {
  return Number(/process_id:(\d+)/.exec(await client.info('server'))?.[1]);
}

/** Ends with the test, whatever it came to. */
export function afterwards(close: () => unknown): void {
  open.push(close);
}

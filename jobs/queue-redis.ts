/**
 * BullMQ on Redis. Each place has a prefix of its own, so that an agent's ACL user can be let into one and no other.
 *
 * Connections of a process: one that adds, one that works, and one for each worker on which it waits for jobs.
 */
import { once } from 'node:events';
import { type BackendFactory, createRedisBackend, Queue, type RedisQueueBackend } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../core/process.ts';
import type { QueueRef } from './contract.ts';
import type { ServerClock } from './server-clock.ts';
import {
  type BullQueue,
  type BullWorker,
  type BullWorkerOptions,
  type Handle,
  PatientWorker,
  SILENCE_MS,
  type Transport,
} from './transport.ts';

const CONNECT_MS = 5_000;
const COMMAND_MS = 5_000;
/** Below BullMQ's own recommendation, which it would print past our log. */
const OLDEST: readonly [number, number] = [6, 2];
/** Soon back after a restart, and no storm of connections while it lasts. */
const MAX_RECONNECT_MS = 2_000;

/** The prefix of a place's keys. Locations stand apart from `main`, whatever they are called. */
export function prefixOf(location: string | undefined): string {
  return location === undefined ? 'rounds:main' : `rounds:at:${location}`;
}

/** Throws one sentence for an address of a Redis that the queue cannot stand on. */
export function assertRedisUrl(url: string): void {
  const scheme = url.split(':')[0] ?? '';
  if (/sentinel/.test(scheme)) {
    throw new Error(
      'The queue cannot be reached through Redis Sentinel: expected the address of the primary itself, redis:// or rediss://, or of a proxy that follows the primary. Losing Redis loses seconds, never a fact, so it needs no fail-over of its own.',
    );
  }
  if (/cluster/.test(scheme) || /^rediss?:\/\/[^/]*,/.test(url)) {
    throw new Error(
      'The queue cannot stand on a Redis Cluster: expected one server, redis:// or rediss://. One is enough: it holds a few seconds of jobs.',
    );
  }
  if (!URL.canParse(url)) throw new Error('The address of the queue is not one: expected redis://user:password@host:6379/0.');
}

export class RedisTransport implements Transport {
  readonly #url: string;
  readonly #name: string;
  readonly #log: Log;
  readonly #silenceMs: number;
  #adding: Redis | undefined;
  #working: Redis | undefined;

  constructor(options: { url: string; name: string; log: Log; silenceMs?: number }) {
    assertRedisUrl(options.url);
    this.#url = options.url;
    this.#name = options.name;
    this.#log = options.log;
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
  }

  async check(location: string | undefined): Promise<void> {
    const redis = this.#connect({ lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    let refusal: Error | undefined;
    redis.on('error', (error) => {
      refusal = error;
    });
    try {
      await redis.connect();
      const info = await redis.info();
      assertFit(info);
      // Without the right to these keys BullMQ would go on trying.
      await redis.exists(`${prefixOf(location)}:rights`);
      if (!/^maxmemory_policy:noeviction/m.test(info)) {
        this.#log.warn({}, 'Redis may throw jobs away when its memory is full: set maxmemory-policy to noeviction');
      }
    } catch (error) {
      if (error instanceof Unfit) throw error;
      throw new Error(`The queue cannot be reached: ${wordsOf(refusal ?? (error as Error))}`, { cause: error });
    } finally {
      redis.disconnect();
    }
  }

  /** On Redis a place is a prefix: there is nothing to make. */
  async prepare(): Promise<void> {}

  async serverTime(): Promise<number> {
    const redis = this.#toAdd();
    if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(CONNECT_MS) });
    try {
      const [seconds, micros] = await redis.time();
      return Number(seconds) * 1000 + Number(micros) / 1000;
    } catch (error) {
      // Users that were made before agents asked for the time may not; what INFO says of it they may read.
      const micros = /NOPERM/.test((error as Error).message) && fieldOf(await redis.info('server'), 'server_time_usec');
      if (!micros) throw error;
      return Number(micros) / 1000;
    }
  }

  queue({ location, name }: QueueRef, clock: ServerClock): BullQueue {
    return new Queue(name, { connection: this.#toAdd(), prefix: prefixOf(location) }, inServerTime(clock));
  }

  worker({ location, name }: QueueRef, handle: Handle, options: BullWorkerOptions, clock: ServerClock): BullWorker {
    this.#working ??= this.#connect({ maxRetriesPerRequest: null });
    return new PatientWorker(name, handle, { ...options, connection: this.#working, prefix: prefixOf(location) }, inServerTime(clock));
  }

  async close(): Promise<void> {
    this.#adding?.disconnect();
    this.#working?.disconnect();
  }

  /** Away is away: whoever adds is told at once, and keeps the work in its row or on its disk. */
  #toAdd(): Redis {
    this.#adding ??= this.#connect({ maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: COMMAND_MS });
    return this.#adding;
  }

  #connect(options: RedisOptions): Redis {
    const redis = new Redis(this.#url, {
      connectionName: `rounds-queue-${this.#name.replace(/[^\w-]/g, '-')}`,
      connectTimeout: CONNECT_MS,
      socketTimeout: this.#silenceMs,
      keepAlive: 10_000,
      retryStrategy: (times) => Math.min(times * 100, MAX_RECONNECT_MS),
      // A replica that was a primary until a moment ago: connect anew, to whoever is it now.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
      ...options,
    });
    redis.setMaxListeners(200);
    // Told by BullMQ's own events as well; without a listener here ioredis prints to the console.
    redis.on('error', (error) => this.#log.debug({ error: error.message }, 'a connection of the queue broke'));
    return redis;
  }
}

/** Scripts of BullMQ that are told the time, and where among their arguments: after so many keys and one more. */
const TIME_AT: Readonly<Record<string, number>> = { moveToActive: 12, moveToDelayed: 12, retryJob: 12, moveToFinished: 15 };

/**
 * BullMQ's own backend, but for the time: it would tell the server what this process takes for the time, and whoever's clock is ahead would
 * hand out early what others have delayed. Here times go to the server in its own time, and come back in ours.
 */
function inServerTime(clock: ServerClock): BackendFactory<RedisQueueBackend> {
  return (name, options, more) => {
    const backend = createRedisBackend(name, options as never, more);
    const call = backend.execCommand.bind(backend);
    const wait = backend.waitForJob.bind(backend);
    const timed = async (at: number, ...[client, command, args]: Parameters<typeof call>) => {
      const aheadMs = await clock.aheadMs();
      const answer = await call(client, command, args.with(at, Number(args[at]) + aheadMs));
      // The fourth is when the next delayed job is due; 0 when there is none.
      return Array.isArray(answer) && Number(answer[3]) > 0 ? answer.with(3, Number(answer[3]) - aheadMs) : answer;
    };
    return Object.assign(backend, {
      execCommand(...told: Parameters<typeof call>) {
        const at = TIME_AT[told[1]];
        return at === undefined ? call(...told) : timed(at, ...told);
      },
      async waitForJob(seconds: number) {
        const marker = await wait(seconds);
        return marker && marker.score > 0 ? { ...marker, score: marker.score - (await clock.aheadMs()) } : marker;
      },
    });
  };
}

function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}

class Unfit extends Error {}

function assertFit(info: string): void {
  const field = (name: string) => fieldOf(info, name);
  if (field('redis_mode') === 'sentinel') {
    throw new Unfit('The address of the queue is that of a Redis Sentinel: expected the primary itself, or a proxy that follows it.');
  }
  if (field('cluster_enabled') === '1' || field('redis_mode') === 'cluster') {
    throw new Unfit(
      'The address of the queue is that of a Redis Cluster: expected one server. One is enough: it holds a few seconds of jobs.',
    );
  }
  if (field('role') === 'slave') {
    throw new Unfit('The address of the queue is that of a replica, which takes no jobs: expected the primary.');
  }
  const [major = 0, minor = 0] = field('redis_version').split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new Unfit(
      `The queue needs Redis ${OLDEST.join('.')} or newer, this is ${field('redis_version') || 'none that says its version'}.`,
    );
  }
}

/** Redis' own words carry the remedy; an address never stands in them. */
function wordsOf(error: Error): string {
  if (/WRONGPASS|NOAUTH/.test(error.message)) return 'Redis refuses the user or the password of the address.';
  if (/NOPERM/.test(error.message)) return `${error.message}. "rounds location add" prints the rights that an agent needs.`;
  return error.message || (error as NodeJS.ErrnoException).code || 'no answer';
}

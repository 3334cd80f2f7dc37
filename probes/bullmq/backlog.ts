/** How much is on a queue of BullMQ, read from the keys that all its versions since 4 share. */
import * as z from 'zod';
import type { Session } from '../redis/session.ts';

export interface Backlog {
  queue: string;
  /** To be taken now, or as soon as the queue is no longer paused. */
  waiting: number;
  delayed: number;
  active: number;
  /** Given up for good, within the time asked for. */
  failed: number;
  /** How long the oldest job could have been taken; 0 when none waits. */
  oldestMs: number;
  paused: boolean;
}

/** BullMQ sorts delayed jobs by their time, with 12 bits below it for the order within a millisecond. */
const SCORES_A_MS = 0x1000;

/** What is on the queue at `nowMs`, by the server's clock. Throws `TargetTrouble`. */
export async function readBacklog(session: Session, { prefix, queue, nowMs, failedWithinMs }: Wanted): Promise<Backlog> {
  const key = (part: string) => `${prefix}:${queue}:${part}`;
  const count = async (command: string, part: string, ...words: string[]) => Number(await session.ask(command, key(part), ...words));
  const ids = async (command: string, part: string, ...words: string[]) => [await session.ask(command, key(part), ...words)].flat();
  const [wait, paused, prioritized, delayed, active, failed, isPaused, due, ...ends] = await Promise.all([
    count('LLEN', 'wait'),
    count('LLEN', 'paused'),
    count('ZCARD', 'prioritized'),
    count('ZCARD', 'delayed'),
    count('LLEN', 'active'),
    count('ZCOUNT', 'failed', String(nowMs - failedWithinMs), '+inf'),
    count('HEXISTS', 'meta', 'paused'),
    ids('ZRANGE', 'delayed', '0', '0', 'WITHSCORES'),
    // Jobs are put in at one end, or at the other when they are to be the next: the oldest stands at either.
    ids('LINDEX', 'wait', '-1'),
    ids('LINDEX', 'wait', '0'),
    ids('LINDEX', 'paused', '-1'),
    ids('ZRANGE', 'prioritized', '0', '0'),
    ids('ZRANGE', 'prioritized', '-1', '-1'),
  ]);
  const jobs = [...new Set(ends.flat())].filter((id): id is string => typeof id === 'string');
  // Before version 5 a marker stood among the jobs.
  const markers = jobs.filter((id) => id.startsWith('0:'));
  const since = await Promise.all(jobs.filter((id) => !markers.includes(id)).map((id) => takeableSince(session, key(id))));
  const dueMs = due.length === 2 ? Number(due[1]) / SCORES_A_MS : nowMs;
  return {
    queue,
    waiting: Math.max(0, wait + paused + prioritized - markers.length),
    delayed,
    active,
    failed,
    oldestMs: Math.max(0, ...[...since, dueMs].map((ms) => nowMs - ms).filter(Number.isFinite)),
    paused: isPaused === 1,
  };
}

export interface Wanted {
  prefix: string;
  queue: string;
  nowMs: number;
  failedWithinMs: number;
}

const optionsSchema = z.object({ delay: z.number().optional() });

/** Since when a job could be taken: made, put off for a while, perhaps tried before. */
async function takeableSince(session: Session, key: string): Promise<number> {
  const [made, options, tried] = (await session.ask('HMGET', key, 'timestamp', 'opts', 'processedOn')) as (string | null)[];
  // It was taken between the look and this.
  if (made === null || made === undefined) return Number.NaN;
  return Math.max(Number(made) + delayIn(options), Number(tried ?? 0));
}

function delayIn(options: string | null | undefined): number {
  try {
    return optionsSchema.parse(JSON.parse(options ?? '{}')).delay ?? 0;
  } catch {
    return 0;
  }
}

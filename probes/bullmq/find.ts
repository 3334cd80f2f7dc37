/** Which queues of BullMQ there are: each has a key `<prefix>:<queue>:meta`, and nothing lists them. */
import { TargetTrouble } from '../deadline.ts';
import type { Session } from '../redis/session.ts';

/** More are not looked at one by one. */
const MOST_QUEUES = 200;
/** A walk over all keys takes the server's time in small pieces; beyond this many it is too much for a probe. */
const KEYS_AT_ONCE = 1_000;
const MOST_STEPS = 500;

/**
 * The queues of these names, in alphabetical order; a name that ends in `*` stands for all that begin so. Throws {@link TargetTrouble}:
 * `no-queue` for a name that none has, `unreadable` when there are too many keys or queues.
 */
export async function findQueues(session: Session, prefix: string, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    names.map((name) => (name.endsWith('*') ? begin(session, prefix, name.slice(0, -1)) : one(session, prefix, name))),
  );
  const queues = [...new Set(found.flat())].sort();
  if (queues.length <= MOST_QUEUES) return queues;
  throw new TargetTrouble('unreadable', `there are ${queues.length} queues, more than ${MOST_QUEUES}: name fewer in one check`);
}

async function one(session: Session, prefix: string, name: string): Promise<string[]> {
  if ((await session.ask('EXISTS', `${prefix}:${name}:meta`)) === 1) return [name];
  throw new TargetTrouble('no-queue', `there is no queue "${name}" under the prefix "${prefix}"`);
}

async function begin(session: Session, prefix: string, name: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  for (let step = 0; step < MOST_STEPS; step++) {
    const pattern = `${literal(`${prefix}:${name}`)}*:meta`;
    const [next, keys] = (await session.ask('SCAN', cursor, 'MATCH', pattern, 'COUNT', String(KEYS_AT_ONCE))) as [string, string[]];
    found.push(...keys.map((key) => key.slice(prefix.length + 1, -':meta'.length)));
    cursor = next;
    if (cursor === '0') break;
  }
  if (cursor !== '0')
    throw new TargetTrouble('unreadable', `there are too many keys to look for queues: name those that begin with "${name}"`);
  // Names hold no colon; what does is a part of a queue, or of something else.
  const queues = found.filter((queue) => queue !== '' && !queue.includes(':'));
  if (queues.length > 0) return queues;
  throw new TargetTrouble('no-queue', `no queue under the prefix "${prefix}" begins with "${name}"`);
}

/** As a pattern of Redis that means itself. */
function literal(text: string): string {
  return text.replaceAll(/[\\*?[\]^-]/g, String.raw`\$&`);
}

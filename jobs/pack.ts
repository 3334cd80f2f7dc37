/**
 * Large jobs travel packed. A round of 250 orders is 100 kB of JSON that says nearly the same 250 times: packed it is a tenth, and what
 * PostgreSQL spends on a job grows with its bytes, since it reads, stores and writes it anew as JSON.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Below this, packing costs more than it saves. */
const LARGE_CHARACTERS = 4_000;
/** Of one job, unpacked: 500 results with what they may say at most are less, and so are ten with pictures. */
const LIMIT_BYTES = 32_000_000;
/** The fastest: the next better one takes twice as long for a few hundred bytes less. */
const LEVEL = 1;

/** A job's data as it is put on the queue. */
export function pack(data: unknown): unknown {
  const text = JSON.stringify(data);
  if (text === undefined || text.length < LARGE_CHARACTERS) return data;
  return { packed: deflateRawSync(text, { level: LEVEL }).toString('base64') };
}

/** What {@link pack} was given. Throws for data that it cannot have made: agents put jobs on queues, too. */
export function unpack(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !('packed' in data)) return data;
  if (typeof data.packed !== 'string') throw new Error('a packed job is no text');
  const text = inflateRawSync(Buffer.from(data.packed, 'base64'), { maxOutputLength: LIMIT_BYTES }).toString('utf8');
  return JSON.parse(text);
}

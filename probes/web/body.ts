/** The body of an answer: unpacked, and as text. */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { sizeInWords } from '../../core/quantity.ts';
import { TargetTrouble } from '../deadline.ts';
import { plain } from '../words.ts';
import type { Answer } from './exchange.ts';

/** What we say that we can unpack. */
export const ENCODINGS = 'gzip, br, deflate';
/** More layers are a bomb, not an answer. */
const MAX_LAYERS = 3;

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const UNPACK: Readonly<Record<string, Unpack>> = {
  gzip: promisify(gunzip) as Unpack,
  'x-gzip': promisify(gunzip) as Unpack,
  br: promisify(brotliDecompress) as Unpack,
  // Some servers leave out the header of zlib, whose lower half-byte is always 8.
  deflate: (packed, options) => (((packed[0] ?? 0) & 0x0f) === 8 ? inflated(packed, options) : rawInflated(packed, options)),
};
const inflated = promisify(inflate) as Unpack;
const rawInflated = promisify(inflateRaw) as Unpack;

/**
 * Takes the body's `Content-Encoding` off. What is encoded in a way that nobody knows stays as it is, and can only not be read.
 * Throws {@link TargetTrouble} `too-large` when it is larger than the limit once unpacked, and `encoding` when it is broken.
 */
export async function unpack(answer: Answer, limitBytes: number): Promise<void> {
  const layers = encodingsOf(answer);
  const strange = layers.length > MAX_LAYERS ? layers.join(', ') : layers.find((layer) => !Object.hasOwn(UNPACK, layer));
  if (strange !== undefined) {
    answer.packedAs = strange;
    return;
  }
  for (const layer of layers.toReversed()) answer.body = await unpackedOnce(answer.body, layer, limitBytes);
}

async function unpackedOnce(packed: Buffer, encoding: string, limitBytes: number): Promise<Buffer> {
  try {
    return (await UNPACK[encoding]?.(packed, { maxOutputLength: limitBytes })) ?? packed;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes);
    throw new TargetTrouble('encoding', `the answer cannot be unpacked: it is no sound ${encoding}`);
  }
}

/** In the order in which they were applied. An empty body (of HEAD, of 204 and 304) is packed by nothing. */
function encodingsOf({ headers, body }: Answer): string[] {
  if (body.length === 0) return [];
  const named = (headers['content-encoding'] ?? '').toLowerCase().split(',');
  return named.map((encoding) => encoding.trim()).filter((encoding) => encoding !== '' && encoding !== 'identity');
}

/** What is thrown when an answer exceeds its limit, packed or unpacked. */
export function tooLarge(limitBytes: number): TargetTrouble {
  return new TargetTrouble('too-large', `the answer is larger than ${sizeInWords(limitBytes)}`);
}

/** The body, unpacked. Throws {@link TargetTrouble} `encoding` when nobody here knows how it is packed. */
export function bodyOf({ body, packedAs }: Answer): Buffer {
  if (packedAs === undefined) return body;
  throw new TargetTrouble('encoding', `the answer is encoded as "${plain(packedAs, 40)}", expected one of ${ENCODINGS}`);
}

/** The body as text, in the charset that the answer names; UTF-8 when it names none or one that nobody knows. */
export function textOf(answer: Answer): string {
  const { headers } = answer;
  const body = bodyOf(answer);
  const charset = /;\s*charset="?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1]?.toLowerCase() ?? 'utf-8';
  if (charset === 'utf-8' || charset === 'utf8') return body.toString('utf8');
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}

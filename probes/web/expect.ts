/** Whether an answer is what the check expects. Nothing passes on what is missing: an empty body holds no text and lacks none. */
import { sizeInWords } from '../../core/quantity.ts';
import { TargetTrouble } from '../deadline.ts';
import { holds, isPattern } from '../pattern.ts';
import { expectedInWords, type Hide } from '../quote.ts';
import { bodyOf, textOf } from './body.ts';
import { type Comparison, isAs, type Scalar, unlike } from './compare.ts';
import type { Answer } from './exchange.ts';
import { valueAt } from './json.ts';

export interface Expectation {
  status?: readonly number[] | undefined;
  /** What the body must contain, each a text or a regular expression between slashes. */
  text?: string | readonly string[] | undefined;
  notText?: string | readonly string[] | undefined;
  /** Name → the exact value, a regular expression between slashes, or a comparison. */
  headers?: Readonly<Record<string, string | Comparison>> | undefined;
  /** Path such as `checks.database` or `items[0].id` → the value expected there. */
  json?: Readonly<Record<string, Scalar | Comparison>> | undefined;
  /** Of the unpacked body, in bytes. */
  size?: { above?: number | undefined; below?: number | undefined } | undefined;
}

/** Throws {@link TargetTrouble} `status` for another status than expected; 200 to 399 unless said. */
export function assertStatus({ status }: Answer, expected: readonly number[] | undefined): void {
  if (expected ? expected.includes(status) : status >= 200 && status <= 399) return;
  throw new TargetTrouble('status', `answered ${status}, expected ${expected?.join(' or ') ?? '200 to 399'}`);
}

/** Throws {@link TargetTrouble} `assertion` with what was seen and what was expected, for the first that does not fit. */
export function assertContent(answer: Answer, expected: Expectation, hide: Hide): void {
  const { headers, text, notText, json, size } = expected;
  if (headers) assertHeaders(answer, headers, hide);
  if (size) assertSize(bodyOf(answer).length, size);
  if (text !== undefined || notText !== undefined) assertText(textOf(answer), listOf(text), listOf(notText), hide);
  if (json) {
    const root = jsonOf(answer);
    for (const [path, wanted] of Object.entries(json)) {
      const value = valueAt(root, path);
      if (!isAs(value, wanted)) throw unlike({ what: path, value, hide }, wanted);
    }
  }
}

function assertHeaders({ headers }: Answer, expected: NonNullable<Expectation['headers']>, hide: Hide): void {
  for (const [name, value] of Object.entries(expected)) {
    const seen = headers[name.toLowerCase()];
    const wanted = typeof value === 'string' && isPattern(value) ? { matches: value } : value;
    // Only Set-Cookie comes as a list; one line that fits is enough.
    const values = (Array.isArray(seen) ? seen : [seen]).map((line) => headerValue(line, wanted));
    if (!values.some((one) => isAs(one, wanted))) throw unlike({ what: `header ${name}`, value: values[0], hide }, wanted);
  }
}

/** All headers are texts; a number is read where one is compared. */
function headerValue(line: string | undefined, wanted: string | Comparison): string | number | undefined {
  const numeric = typeof wanted === 'object' && (wanted.above !== undefined || wanted.below !== undefined);
  return numeric && line !== undefined && /^-?\d+(\.\d+)?$/.test(line) ? Number(line) : line;
}

function assertSize(bytes: number, { above, below }: NonNullable<Expectation['size']>): void {
  const wrong = (limit: string) => new TargetTrouble('assertion', `the answer has ${exactSize(bytes)}, expected ${limit}`);
  if (above !== undefined && bytes <= above) throw wrong(`more than ${sizeInWords(above)}`);
  if (below !== undefined && bytes >= below) throw wrong(`less than ${sizeInWords(below)}`);
}

/** Rounded, the size could read like the limit that it misses. */
function exactSize(bytes: number): string {
  return bytes < 1000 ? sizeInWords(bytes) : `${sizeInWords(bytes)} (${bytes} bytes)`;
}

function assertText(body: string, wanted: readonly string[], unwanted: readonly string[], hide: Hide): void {
  const wrong = (words: string, text: string) => new TargetTrouble('assertion', `${words} ${expectedInWords(text, hide)}`);
  const [first = unwanted[0] ?? ''] = wanted;
  if (body === '') throw wrong(wanted.length > 0 ? 'the answer is empty, expected' : 'the answer is empty, expected a text without', first);
  const lacking = wanted.find((text) => !holds(body, text));
  if (lacking !== undefined) throw wrong('the answer does not contain', lacking);
  const found = unwanted.find((text) => holds(body, text));
  if (found !== undefined) throw wrong('the answer contains', found);
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** The answer as JSON. Throws {@link TargetTrouble} `assertion` when it is none. */
export function jsonOf(answer: Answer): unknown {
  const body = bodyOf(answer);
  if (body.length === 0) throw new TargetTrouble('assertion', 'the answer is empty, expected JSON');
  try {
    return JSON.parse(body.toString('utf8').replace(/^\ufeff/, ''));
  } catch {
    throw new TargetTrouble('assertion', 'the answer is not JSON');
  }
}

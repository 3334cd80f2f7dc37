/** From the answers of one or several servers to a verdict. */
import type { Failure } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import { type Hide, quoted } from '../quote.ts';
import type { Judged } from '../signs.ts';
import type { Answer } from './records.ts';

export interface Expectation {
  /** Exactly these records, in any order; canonical. */
  equals?: readonly string[] | undefined;
  /** These, and perhaps others; canonical. */
  contains?: readonly string[] | undefined;
  /** How many records; both ends are included. */
  count?: { min?: number | undefined; max?: number | undefined } | undefined;
}

/** `any`: one server that answers as expected is enough; `all`: each must; `same`: and all with the same records. */
export type Need = 'any' | 'all' | 'same';

export interface Reply {
  server: string;
  heard: Answer | TargetTrouble;
}

/** The verdict over all replies. With `any`, servers that fail beside one that does not make it degraded. */
export function judge(replies: readonly Reply[], expected: Expectation, need: Need, hide: Hide): Judged {
  const failures = replies.flatMap((reply) => failureOf(reply, expected, hide) ?? []);
  const [first] = failures;
  if (first === undefined) return need === 'same' ? agreement(replies, hide) : { verdict: 'up' };
  const failure = { kind: first.kind, message: `${shareInWords(failures.length, replies.length)}${first.message}` };
  return { verdict: need === 'any' && failures.length < replies.length ? 'degraded' : 'down', failure };
}

/** Of several servers, how many fail; what is said then is the first one's. */
function shareInWords(failing: number, asked: number): string {
  if (asked === 1) return '';
  return failing === 1 ? `1 of ${asked} servers: ` : `${failing} of ${asked} servers fail, the first: `;
}

function failureOf({ server, heard }: Reply, expected: Expectation, hide: Hide): Failure | undefined {
  if (heard instanceof TargetTrouble) return { kind: heard.kind, message: heard.message };
  const wanted = mismatch(heard.records, expected, hide);
  return wanted === undefined
    ? undefined
    : { kind: 'assertion', message: `${server} answers ${shown(heard.records, hide)}, expected ${wanted}` };
}

/** What was expected, in words; `undefined` when the records are that. Records without any never are. */
function mismatch(records: readonly string[], { equals, contains, count }: Expectation, hide: Hide): string | undefined {
  if (records.length === 0) return 'at least one record';
  if (equals && !sameRecords(records, equals)) return shown(equals, hide);
  const missing = (contains ?? []).filter((record) => !records.includes(record));
  if (missing.length > 0) return `also ${shown(missing, hide)}`;
  const { min = 1, max = Infinity } = count ?? {};
  if (records.length >= min && records.length <= max) return undefined;
  return `${countInWords(min, max)}, not ${records.length}`;
}

function countInWords(min: number, max: number): string {
  if (min === max) return min === 1 ? '1 record' : `${min} records`;
  if (max === Infinity) return `at least ${min} records`;
  return min <= 1 ? `at most ${max} records` : `${min} to ${max} records`;
}

function agreement(replies: readonly Reply[], hide: Hide): Judged {
  const [first, ...others] = replies.flatMap(({ server, heard }) => (heard instanceof TargetTrouble ? [] : [{ server, ...heard }]));
  const other = others.find(({ records }) => !sameRecords(records, first?.records ?? []));
  if (!first || !other) return { verdict: 'up' };
  const message = `${first.server} answers ${shown(first.records, hide)}, but ${other.server} ${shown(other.records, hide)}`;
  return { verdict: 'down', failure: { kind: 'disagree', message } };
}

function sameRecords(some: readonly string[], others: readonly string[]): boolean {
  const [one, other] = [new Set(some), new Set(others)];
  return one.size === other.size && one.isSubsetOf(other);
}

/** Agents hide long rows of digits, as a patient's number is one; in DNS they are serials, and their end tells them apart. */
function shown(records: readonly string[], hide: Hide): string {
  return quoted(records.join('; '), hide)
    .replaceAll(/\d{5,}(?=\d{4})/g, '…')
    .replaceAll(/(?<=\d) (?=\d)/g, ', ');
}

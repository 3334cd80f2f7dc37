/** Loads in words for a phone. */
import type { LoadMeasure } from '../load.ts';
import { sizeInWords } from '../quantity.ts';

const BLOCK_BYTES = 8192;

interface Words {
  amount(value: number): string;
  /** The amount of so much, with what it is. */
  whole(amount: string, of: string): string;
}

const seconds = (value: number) => `${figure(value)} s`;
const blocks = (value: number) => (value === 0 ? 'none' : sizeInWords(value * BLOCK_BYTES));
const bytes = (value: number) => (value === 0 ? 'none' : sizeInWords(value));
const things = (one: string, many: string) => (amount: string) => (amount === '1' ? one : many);

const WORDS: Readonly<Record<LoadMeasure, Words>> = {
  'statement-time': { amount: seconds, whole: (amount, of) => `${amount} of statements a second of ${of.replace(/ s$/, '')}` },
  'blocks-read': { amount: blocks, whole: (amount, of) => `${amount} a second read from disk of ${of}` },
  'temp-bytes': { amount: bytes, whole: (amount, of) => `${amount} of temporary files a second of ${of}` },
  'locks-held': { amount: figure, whole: (amount, of) => `${amount} ${things('lock', 'locks')(amount)} held of ${of}` },
  connections: { amount: figure, whole: (amount, of) => `${amount} ${things('connection', 'connections')(amount)} of ${of}` },
  'rows-grown': { amount: figure, whole: (amount, of) => `${amount} rows more a second of ${of}` },
  'bytes-grown': { amount: bytes, whole: (amount, of) => `grown by ${amount} a second of ${of}` },
  'jobs-queued': { amount: figure, whole: (amount, of) => `${amount} ${things('job', 'jobs')(amount)} queued of ${of}` },
};

/** A measure's name for people: "statement time". */
export function measureInWords(measure: LoadMeasure): string {
  return measure.replace('-', ' ');
}

export interface Amounts {
  measure: LoadMeasure;
  value: number;
  total: number;
  /** Absent while it is not known. */
  usual?: number | undefined;
  blocks?: number | undefined;
}

/** "41 s of statements a second of 44, usually 2"; "1 lock held of 1, usually none; 23 sessions of others wait for it". */
export function loadInWords({ measure, value, total, usual, blocks: waiting = 0 }: Amounts): string {
  const { amount, whole } = WORDS[measure];
  const told = usual === undefined ? '' : `, usually ${usual === 0 ? 'none' : amount(usual).replace(/ s$/, '')}`;
  const held = waiting > 0 ? `; ${waitingInWords(waiting)}` : '';
  return `${whole(amount(value), amount(Math.max(total, value)))}${told}${held}`;
}

/** "23 sessions of others wait for it". */
export function waitingInWords(sessions: number): string {
  return `${figure(sessions)} ${sessions === 1 ? 'session of others waits' : 'sessions of others wait'} for it`;
}

/** Two digits below ten, none behind the point above: `0.001`, `0.042`, `2.8`, `41`, `2,300`. */
export function figure(value: number): string {
  if (value < 10) return String(Number(value.toPrecision(value < 0.01 ? 1 : 2)));
  return Math.round(value).toLocaleString('en-GB');
}

/** Holds one value of an answer against what is expected of it. A value that is missing fits nothing but `exists: false`. */
import { TargetTrouble } from '../deadline.ts';
import { firstMatch } from '../pattern.ts';
import { expectedInWords, type Hide, quoted } from '../quote.ts';
import { plain } from '../words.ts';

export type Scalar = string | number | boolean | null;

export interface Comparison {
  above?: number | undefined;
  below?: number | undefined;
  /** A regular expression between slashes. */
  matches?: string | undefined;
  not?: Scalar | undefined;
  exists?: boolean | undefined;
}

/** Where the value stands, as messages name it, and what may not be quoted. */
export interface Seen {
  what: string;
  /** `undefined` when it is missing. */
  value: unknown;
  hide: Hide;
}

/** Whether the value is as expected; `undefined` is one that is missing. */
export function isAs(value: unknown, expected: Scalar | Comparison): boolean {
  return isScalar(expected) ? value === expected : fits(value, expected);
}

/** What is thrown of a value that is not: `assertion`, with the value seen and the value expected. */
export function unlike(seen: Seen, expected: Scalar | Comparison): TargetTrouble {
  const words = isScalar(expected) ? scalarInWords(expected, seen.hide) : inWords(expected, seen.hide);
  return new TargetTrouble('assertion', `${plain(seen.what, 80)} is ${shown(seen)}, expected ${words}`);
}

function isScalar(expected: Scalar | Comparison): expected is Scalar {
  return typeof expected !== 'object' || expected === null;
}

function fits(value: unknown, { above, below, matches, not, exists }: Comparison): boolean {
  if (exists === false) return value === undefined;
  if (value === undefined) return false;
  if (above !== undefined && !(typeof value === 'number' && value > above)) return false;
  if (below !== undefined && !(typeof value === 'number' && value < below)) return false;
  if (not !== undefined && value === not) return false;
  return matches === undefined || (typeof value !== 'object' && firstMatch(matches, String(value)) !== null);
}

function inWords({ above, below, matches, not, exists }: Comparison, hide: Hide): string {
  const parts = [
    above === undefined ? '' : `more than ${above}`,
    below === undefined ? '' : `less than ${below}`,
    matches === undefined ? '' : expectedInWords(matches, hide),
    not === undefined ? '' : `anything but ${scalarInWords(not, hide)}`,
  ].filter((part) => part !== '');
  if (parts.length > 0) return parts.join(' and ');
  return exists ? 'it to be there' : 'it to be absent';
}

function shown({ value, hide }: Seen): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return scalarInWords(value as Scalar, hide);
}

function scalarInWords(value: Scalar, hide: Hide): string {
  return typeof value === 'string' ? quoted(value, hide) : hide(String(value));
}

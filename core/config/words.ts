/** What zod finds wrong, in the words of somebody who writes the file; never zod's own. */
import { distance } from 'fastest-levenshtein';
import type * as z from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list such as [a, b]',
  tuple: 'a list such as [a, b]',
  object: 'a map such as { key: value }',
  record: 'a map such as { key: value }',
  null: 'nothing',
  undefined: 'nothing',
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'an address such as https://example.org',
  email: 'an e-mail address such as ana@example.org',
  ipv4: 'an IPv4 address such as 192.0.2.1',
  ipv6: 'an IPv6 address such as 2001:db8::1',
  hostname: 'a host name such as db.example.org',
  uuid: 'a UUID',
  datetime: 'a time such as 2026-01-31T10:00:00Z',
  date: 'a date such as 2026-01-31',
  time: 'a time of day such as 10:00:00',
};

/** What was expected, for zod's `error` option: a schema's own message goes before it, so authors can say it better. */
export function expectation(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? 'another kind of value'}`;
    case 'invalid_value':
      return `expected ${oneOf(issue.values.map((value) => String(value)))}`;
    case 'too_small':
      return `expected ${size(issue.origin, issue.exact ? '' : issue.inclusive === false ? 'more than ' : 'at least ', String(issue.minimum))}`;
    case 'too_big':
      return `expected ${size(issue.origin, issue.exact ? '' : issue.inclusive === false ? 'less than ' : 'at most ', String(issue.maximum))}`;
    case 'invalid_format':
      return `expected ${format(issue)}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`;
    case 'invalid_union':
      return `expected ${Array.isArray(issue.options) ? oneOf(issue.options.map((value) => String(value))) : 'a value of another form'}`;
    default:
      return 'expected a value of another form; see the documentation of this key';
  }
}

function size(origin: string, bound: string, limit: string): string {
  const many = limit === '1' ? '' : 's';
  if (origin === 'string') return `a text of ${bound}${limit} character${many}`;
  if (origin === 'array' || origin === 'set') return `a list of ${bound}${limit} ${limit === '1' ? 'entry' : 'entries'}`;
  if (origin === 'object' || origin === 'record' || origin === 'map') return `a map of ${bound}${limit} key${many}`;
  return bound === '' ? `the number ${limit}` : `a number of ${bound}${limit}`;
}

function format(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidStringFormat>): string {
  if (issue.format === 'starts_with') return `a text that begins with ${String(issue.prefix)}`;
  if (issue.format === 'ends_with') return `a text that ends with ${String(issue.suffix)}`;
  if (issue.format === 'includes') return `a text with ${String(issue.includes)} in it`;
  if (issue.format === 'regex') return `a text of the form ${String(issue.pattern)}`;
  return FORMATS[issue.format] ?? `a text of the form ${issue.format}`;
}

/** `north`, or `one of north, south`. */
export function oneOf(values: readonly string[]): string {
  return values.length === 1 ? String(values[0]) : `one of ${list(values)}`;
}

/** `north, south`; after 20 the rest is only counted. */
export function list(values: readonly string[]): string {
  const rest = values.length - 20;
  return `${values.slice(0, 20).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** The known word that was probably meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; away: number } | undefined;
  for (const candidate of known) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if ((away <= mayDiffer(candidate) || sameLetters(word, candidate)) && away < candidate.length && away < (best?.away ?? Infinity)) {
      best = { word: candidate, away };
    }
  }
  return best?.word;
}

/** `ulr` for `url`: two letters changed places, which counts as two changes. */
function sameLetters(word: string, candidate: string): boolean {
  return [...word.toLowerCase()].sort().join('') === [...candidate.toLowerCase()].sort().join('');
}

function mayDiffer(word: string): number {
  return word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3));
}

/** `; did you mean "every"?`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/** A value as it is quoted back: short, on one line, and nothing that a terminal would act upon. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
}

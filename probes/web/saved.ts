/** What one step saves for the next ones. The values are secret: no message, measurement or log holds one. */
import { TargetTrouble } from '../deadline.ts';
import { firstMatch } from '../pattern.ts';
import { expectedInWords, type Hide } from '../quote.ts';
import { plain } from '../words.ts';
import { textOf } from './body.ts';
import type { Answer } from './exchange.ts';
import { jsonOf } from './expect.ts';
import { valueAt } from './json.ts';

/** Where a value comes from: one of the three. */
export interface Source {
  /** Path in the JSON body. */
  json?: string | undefined;
  /** Name of a header. */
  header?: string | undefined;
  /** A regular expression between slashes whose one group is the value. */
  body?: string | undefined;
}

const MAX_CHARACTERS = 10_000;
const REFERENCE = /\$\{saved\.([A-Za-z][A-Za-z0-9_]*)\}/g;

/** The values by their names. Throws {@link TargetTrouble} `save` for one that is missing, empty, or neither a text nor a number. */
export function valuesOf(answer: Answer, sources: Readonly<Record<string, Source>>, hide: Hide): [name: string, value: string][] {
  return Object.entries(sources).map(([name, source]) => [name, savedFrom(answer, name, source, hide)]);
}

function savedFrom(answer: Answer, name: string, source: Source, hide: Hide): string {
  const unsaved = (why: string) => new TargetTrouble('save', `${name} cannot be saved: ${why}`);
  const { what, value } = found(answer, source, hide);
  if (value === undefined) throw unsaved(`${what} is missing`);
  if (typeof value === 'object') throw unsaved(`${what} is neither a text nor a number`);
  const text = String(value);
  if (text === '') throw unsaved(`${what} is empty`);
  if (text.length > MAX_CHARACTERS) throw unsaved(`${what} is longer than ${MAX_CHARACTERS} characters`);
  return text;
}

function found(answer: Answer, { json, header, body = '' }: Source, hide: Hide): { what: string; value: unknown } {
  if (json !== undefined) return { what: plain(json, 80), value: valueAt(jsonOf(answer), json) };
  if (header !== undefined) {
    const seen = answer.headers[header.toLowerCase()];
    return { what: `header ${header}`, value: Array.isArray(seen) ? seen[0] : seen };
  }
  return { what: expectedInWords(body, hide), value: firstMatch(body, textOf(answer))?.[1] };
}

/** The values saved so far. */
export type Saved = Pick<ReadonlyMap<string, string>, 'get'>;

/** Values as they were saved, for paths. Texts without references come back as they are. */
export function filled(text: string, saved: Saved, encode: (value: string) => string = (value) => value): string {
  return text.includes('${saved.') ? text.replaceAll(REFERENCE, (_, name: string) => encode(valueNamed(name, saved))) : text;
}

function valueNamed(name: string, saved: Saved): string {
  const value = saved.get(name);
  if (value === undefined) throw new TargetTrouble('save', `${name} was saved by no step before`);
  return value;
}

/** An address: what follows a `=` of the query is encoded, the rest may hold several segments or parameters. */
export function filledUrl(url: string, saved: Saved): string {
  return url.replaceAll(REFERENCE, (_, name: string, at: number) => {
    const value = valueNamed(name, saved);
    return url[at - 1] === '=' && url.lastIndexOf('?', at) >= 0 ? encodeURIComponent(value.toWellFormed()) : value;
  });
}

/** A header. Throws {@link TargetTrouble} `save` when a value holds what no header may, such as a line break. */
export function filledHeader(text: string, saved: Saved): string {
  return filled(text, saved, (value) => {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TargetTrouble('save', 'a saved value holds characters that no header may hold');
    return value;
  });
}

/** A body: values are written as its type wants them, in JSON as parts of texts, in forms encoded. */
export function filledBody(body: string, contentType: string | undefined, saved: Saved): string {
  if (/[/+]json\b/i.test(contentType ?? '')) return filled(body, saved, (value) => JSON.stringify(value).slice(1, -1));
  if (/x-www-form-urlencoded/i.test(contentType ?? '')) return filled(body, saved, (value) => encodeURIComponent(value.toWellFormed()));
  return filled(body, saved);
}

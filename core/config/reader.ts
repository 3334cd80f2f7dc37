/** Holds a value against its schema and reports everything that does not fit, at its place and in words. */
import type * as z from 'zod';
import { isForLater } from './later.ts';
import type { Path, Problems } from './problems.ts';
import { isWrittenSecret, mayBeShown } from './secrets.ts';
import { didYouMean, expectation, nearest, oneOf, shown } from './words.ts';

export type Plain = Readonly<Record<string, unknown>>;

/** Where the value stands, and what is to be added to each message (such as the tenant it was expanded for). */
export interface At {
  path: Path;
  problems: Problems;
  note?: (path: Path) => string;
}

/** The value as the schema hands it out; `undefined` when anything in it does not fit, which is then reported. */
export function read<S extends z.ZodType>(schema: S, value: unknown, at: At): z.output<S> | undefined {
  const unknown = new Set<string>();
  reportUnknownKeys([schema], value, at, unknown);
  const parsed = schema.safeParse(value, { error: expectation });
  if (!parsed.success) for (const issue of parsed.error.issues) reportIssue(issue, value, at, unknown);
  return parsed.success && unknown.size === 0 ? parsed.data : undefined;
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reports a key that nothing knows: as one of a later version, with the nearest known key, or with all that are known. */
export function reportUnknownKey(path: Path, value: unknown, known: readonly string[], at: Pick<At, 'problems'>): void {
  const key = String(path.at(-1));
  const meant = nearest(key, known);
  if (meant !== undefined) at.problems.mistyped([...path.slice(0, -1), meant]);
  at.problems.atKey(path, unknownKey(key, value, isForLater(path), known));
}

function unknownKey(key: string, value: unknown, later: boolean, known: readonly string[]): string {
  if (later) return `"${key}" is not acted upon by this version of Rounds; remove it`;
  // { title: Outside, from the cloud } is a map of two keys.
  if (value === null && key.includes(' ')) return `${shown(key)} is read as a key of its own; put a text with a comma in it in quotes`;
  return `unknown key ${shown(key)}${didYouMean(key, known) || (known.length > 0 ? `; expected ${oneOf(known)}` : '')}`;
}

/** Keys are held against the schema's here and not by zod, since schemas of probes need not be strict to be typed well. */
function reportUnknownKeys(schemas: readonly z.core.$ZodType[], value: unknown, at: At, reported: Set<string>): void {
  const options = schemas.flatMap(optionsOf);
  if (Array.isArray(value)) {
    const elements = options.flatMap((def) => (def.type === 'array' ? [def.element] : []));
    value.forEach((entry, index) => {
      reportUnknownKeys(elements, entry, { ...at, path: [...at.path, index] }, reported);
    });
  }
  if (!isPlain(value)) return;
  const known = options.flatMap((def) => (def.type === 'object' ? Object.keys(def.shape) : []));
  const open = !options.some((def) => def.type === 'object') || options.some(takesAnyKey);
  for (const [key, entry] of Object.entries(value)) {
    const path = [...at.path, key];
    const inner = options.flatMap((def) => schemaUnder(def, key));
    if (inner.length > 0 || open) {
      reportUnknownKeys(inner, entry, { ...at, path }, reported);
    } else {
      reported.add(JSON.stringify(path));
      reportUnknownKey(path, entry, [...new Set(known)], at);
    }
  }
}

type Def = z.core.$ZodTypes['_zod']['def'];

/** What may stand here, with the wrappers (optional, default, transforms) taken off and unions spread out. */
function optionsOf(schema: z.core.$ZodType): Def[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return optionsOf(def.innerType);
    case 'pipe':
      return optionsOf(def.in);
    case 'lazy':
      return optionsOf(def.getter());
    case 'union':
      return def.options.flatMap(optionsOf);
    case 'intersection':
      return [...optionsOf(def.left), ...optionsOf(def.right)];
    default:
      return [def];
  }
}

function takesAnyKey(def: Def): boolean {
  if (def.type === 'object') return def.catchall !== undefined && def.catchall._zod.def.type !== 'never';
  return ['record', 'any', 'unknown', 'custom', 'map'].includes(def.type);
}

function schemaUnder(def: Def, key: string): z.core.$ZodType[] {
  if (def.type === 'record') return [def.valueType];
  const found = def.type === 'object' && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
  return found ? [found] : [];
}

function reportIssue(issue: z.core.$ZodIssue, root: unknown, at: At, unknown: ReadonlySet<string>): void {
  const inner = issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)));
  const path = [...at.path, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.filter((key) => !unknown.has(JSON.stringify([...path, key])));
    for (const key of keys) at.problems.atKey([...path, key], `${shown(key)} does not go with the other keys beside it; remove it`);
    return;
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    for (const chosen of likeliestBranch(issue)) reportIssue({ ...chosen, path: [...issue.path, ...chosen.path] }, root, at, unknown);
    return;
  }
  const key = String(path.findLast((segment) => typeof segment === 'string') ?? '');
  if (issue.code === 'invalid_key') {
    at.problems.atKey(path, complete(issue.issues[0]?.message ?? 'expected another key', { value: key }, ''));
    return;
  }
  const found = valueUnder(root, inner);
  if (found === undefined) {
    at.problems.missing(path, complete(issue.message, undefined, key));
    return;
  }
  // Said of it elsewhere, and more important than what else may be wrong with it.
  if (isWrittenSecret(key, found.value)) return;
  const hint = issue.code === 'invalid_value' && typeof found.value === 'string' ? didYouMean(found.value, issue.values.map(String)) : '';
  at.problems.atValue(path, `${complete(issue.message, found, key)}${hint}${at.note?.(inner) ?? ''}`);
}

/**
 * Of a union's branches, the one that was meant: the one whose outer form fits, and of those the one with the least to
 * complain about. When none fits, one sentence that names what each would take, those of the right type first.
 */
function likeliestBranch(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] {
  const fitting = issue.errors.filter((branch) => branch.every((one) => one.path.length > 0));
  const best = fitting.toSorted((a, b) => a.length - b.length)[0];
  if (best) return best;
  const outer = issue.errors.flatMap((branch) => branch.filter((one) => one.path.length === 0).slice(0, 1)).flatMap(spreadOut);
  const ofRightType = outer.filter((one) => one.code !== 'invalid_type');
  const messages = [...new Set((ofRightType.length > 0 ? ofRightType : outer).map((one) => one.message))];
  const [only] = messages;
  const said = messages.map((message) => message.replace(/^expected /, '').replace(/; .*$/, ''));
  const message = messages.length === 1 && only !== undefined ? only : `expected ${said.join(', or ')}`;
  return [{ code: 'custom', path: [], message, input: issue.input }];
}

function spreadOut(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  return issue.code === 'invalid_union' && issue.errors.length > 0 ? likeliestBranch(issue) : [issue];
}

/** Adds what was found to what was expected: `expected …, got "fast"; hint`. Never the value of a secret. */
function complete(message: string, found: { value: unknown } | undefined, key: string): string {
  if (!message.startsWith('expected ')) return message;
  const [expected, ...hints] = message.split('; ');
  if (found === undefined) return [expected, 'it is missing', ...hints].join('; ');
  const got = mayBeShown(key, found.value) ? `, got ${shown(found.value)}` : '';
  return [`${expected}${got}`, ...hints].join('; ');
}

function valueUnder(root: unknown, path: Path): { value: unknown } | undefined {
  let value = root;
  for (const segment of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Record<string | number, unknown>)[segment];
  }
  return { value };
}

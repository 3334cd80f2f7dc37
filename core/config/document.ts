/** Reads YAML into plain values and remembers where each of them stands. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import type { Path, Places, Position, Problem } from './problems.ts';

/** Larger files are refused: a thousand checks with their comments need a fifth of this. */
const MAX_BYTES = 1_000_000;

/** Values in all, with aliases followed: a few aliases of aliases make billions out of a short file. */
const MAX_VALUES = 200_000;

/** Nothing that a person writes is nested deeper than 10 levels; what is would overflow the stack further on. */
const MAX_DEPTH = 40;

export interface ConfigDocument extends Places {
  value: unknown;
  /** Where the value stands; `undefined` when there is none at this path. */
  find(path: Path): Position | undefined;
}

const TOO_DEEP = `values are nested deeper than ${MAX_DEPTH} levels; flatten them`;

/** What each of the parser's complaints means to somebody who writes YAML by hand. */
const IN_WORDS: Readonly<Record<string, string>> = {
  BAD_DIRECTIVE: 'expected no directive; remove the line that begins with %',
  BAD_DQ_ESCAPE: 'unknown escape in a text in double quotes; write \\\\ for a backslash, or use single quotes',
  BAD_INDENT: 'the indentation does not fit; align the entries of one map or list in one column',
  BAD_SCALAR_START: 'a text cannot begin with this character; put it in single quotes',
  BLOCK_AS_IMPLICIT_KEY: 'expected one "key: value" on a line; put a text that contains ": " in quotes',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside { } or [ ]; write it on one line or without the brackets',
  DUPLICATE_KEY: 'the key stands here a second time; remove one of the two',
  RESOURCE_EXHAUSTION: TOO_DEEP,
  KEY_OVER_1024_CHARS: 'the key is longer than 1024 characters; shorten it',
  MULTILINE_IMPLICIT_KEY: 'expected "key: value" on one line; add the colon, or put a long text in quotes',
  MULTIPLE_DOCS: 'expected one document in the file; remove the line --- and what follows',
  TAB_AS_INDENT: 'a tab indents nothing in YAML; use spaces',
};

/** Refused before parsing: the parser's time grows with the square of the depth, minutes for a file of brackets. */
const BRACKETS = /(?:[[{]\s*){100}/;

/**
 * Parses the text. Returns the document, or what is wrong with it as YAML: syntax, duplicate keys, unknown anchors and tags,
 * size. With such a problem nothing else is said of the file, since the rest would be guesses.
 */
export function readDocument(source: string): { document: ConfigDocument } | { problems: Problem[] } {
  if (new TextEncoder().encode(source).length > MAX_BYTES) {
    return { problems: [whole(`the file is larger than ${MAX_BYTES / 1e6} MB; split what it describes between installations`)] };
  }
  if (BRACKETS.test(source)) return { problems: [whole(TOO_DEEP)] };
  try {
    return parse(source);
  } catch (error) {
    // The parser descends once for each level of nesting; nothing that a person writes overflows the stack.
    if (error instanceof RangeError) return { problems: [whole(TOO_DEEP)] };
    throw error;
  }
}

function parse(source: string): { document: ConfigDocument } | { problems: Problem[] } {
  const lines = new LineCounter();
  const parsed = parseDocument(source, { lineCounter: lines, prettyErrors: false, version: '1.2', logLevel: 'error' });
  const positionOf = (offset: number) => position(lines, offset);
  const complaints = syntaxProblems(parsed, source, positionOf);
  const problems = complaints.length > 0 ? complaints : unfitKeysAndAliases(parsed, positionOf);
  if (problems.length > 0) return { problems };
  const document = documentOf(parsed, positionOf);
  const tooMuch = excess(document.value);
  return tooMuch === undefined ? { document } : { problems: [whole(tooMuch)] };
}

/** Says so when the values are too many or nested too deeply. */
function excess(root: unknown): string | undefined {
  const waiting = [{ value: root, depth: 0 }];
  let count = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    count += 1;
    if (count > MAX_VALUES) return `more than ${MAX_VALUES} values with all aliases (*name) followed; write less of them`;
    if (next.depth > MAX_DEPTH) return TOO_DEEP;
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const value of Object.values(next.value)) waiting.push({ value, depth: next.depth + 1 });
  }
  return undefined;
}

/** One for each line: what the parser stumbles over next on the same line, or at the same depth, follows from the first. */
function syntaxProblems(parsed: Document.Parsed, source: string, positionOf: (offset: number) => Position): Problem[] {
  const byLine = new Map<number, Problem>();
  for (const error of [...parsed.errors, ...parsed.warnings]) {
    const reference = unquotedReference(error, source);
    const where = positionOf(startOf(error, parsed));
    const follows = byLine.size > 0 && error.message.includes('in YAML stream');
    if (byLine.has(where.line) || (follows && !reference)) continue;
    byLine.set(where.line, { ...where, path: '', message: reference ?? inWords(error) });
  }
  const version = parsed.directives.yaml;
  if (version.explicit && version.version !== '1.2') {
    byLine.set(1, { line: 1, column: 1, path: '', message: `expected YAML 1.2; remove the line %YAML ${version.version}` });
  }
  return [...byLine.values()].sort((a, b) => a.line - b.line);
}

function documentOf(parsed: Document, positionOf: (offset: number) => Position): ConfigDocument {
  const places = (path: Path) => locate(parsed, path, positionOf);
  return {
    value: parsed.toJS({ maxAliasCount: -1 }),
    find: (path) => places(path).value,
    valueAt: (path) =>
      nearest(
        path,
        (one) => places(one).value ?? places(one).key,
        (one) => places(one).key,
      ),
    keyAt: (path) =>
      nearest(
        path,
        (one) => places(one).key,
        (one) => places(one).key,
      ),
  };
}

/** The place itself, else that of the nearest key above it, else the file's beginning. */
function nearest(path: Path, own: (path: Path) => Position | undefined, above: (path: Path) => Position | undefined): Position {
  const found = own(path);
  if (found) return found;
  for (let length = path.length - 1; length > 0; length--) {
    const key = above(path.slice(0, length));
    if (key) return key;
  }
  return { line: 1, column: 1 };
}

function locate(parsed: Document, path: Path, positionOf: (offset: number) => Position): { key?: Position; value?: Position } {
  let node: unknown = parsed.contents;
  let key: number | undefined;
  for (const segment of path) {
    const target = isAlias(node) ? node.resolve(parsed) : node;
    const pair = isMap(target) ? target.items.find((item) => keyText(item) === String(segment)) : undefined;
    const entry = isSeq(target) && typeof segment === 'number' ? target.items[segment] : pair?.value;
    if (!pair && entry === undefined) return {};
    key = offsetOf(pair ? pair.key : entry);
    node = entry;
  }
  const value = offsetOf(node);
  return { ...(key === undefined ? {} : { key: positionOf(key) }), ...(value === undefined ? {} : { value: positionOf(value) }) };
}

function offsetOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

/** Keys must be texts, and an alias must not stand inside what it refers to. */
function unfitKeysAndAliases(parsed: Document, positionOf: (offset: number) => Position): Problem[] {
  const problems: Problem[] = [];
  const complain = (offset: number | undefined, message: string) => problems.push({ ...positionOf(offset ?? 0), path: '', message });
  visit(parsed, {
    Pair(_, pair) {
      if (!isScalar(pair.key)) complain(offsetOf(pair.key), 'expected a word as key, found a list, a map or an alias; write the key out');
    },
    Alias(_, alias, ancestors) {
      const target = alias.resolve(parsed);
      if (!target)
        complain(
          offsetOf(alias),
          `no anchor &${alias.source} stands before *${alias.source}; define it, or put a text that begins with * in quotes`,
        );
      if (isCollection(target) && ancestors.includes(target))
        complain(offsetOf(alias), `*${alias.source} stands inside what it refers to; write it out`);
    },
  });
  return problems;
}

/** An open quote is reported by the parser where the file ends; people look for where it began. */
function startOf(error: YAMLError, parsed: Document.Parsed): number {
  let start = error.pos[0];
  if (!/^Missing closing .quote/.test(error.message)) return start;
  visit(parsed, {
    Scalar(_, scalar) {
      if ((scalar.type === 'QUOTE_DOUBLE' || scalar.type === 'QUOTE_SINGLE') && scalar.range) start = scalar.range[0];
    },
  });
  return start;
}

function inWords(error: YAMLError): string {
  const said = error.message.split('\n')[0] ?? '';
  const tag = /^Unresolved tag: (.*)$/.exec(said)?.[1];
  if (tag !== undefined) return `unknown tag ${tag}; remove it, or put a text that begins with ! in quotes`;
  if (/^Missing closing .quote/.test(said)) return 'a quote is opened here and never closed; close it';
  if (/^Flow (map|sequence)/.test(said)) return 'a bracket opened before is not closed; close it with } or ]';
  return IN_WORDS[error.code] ?? `not YAML here: ${said.charAt(0).toLowerCase()}${said.slice(1)}`;
}

/** `{ password: ${secret:X} }` is the slip that everybody makes once: inside braces the reference's own brace begins a map. */
function unquotedReference(error: YAMLError, source: string): string | undefined {
  const from = source.lastIndexOf('\n', error.pos[0] - 1) + 1;
  const to = source.indexOf('\n', error.pos[0]);
  const line = source.slice(from, to < 0 ? undefined : to);
  const reference = /[{[,].*[^'"\w}](\$\{[\w.:-]*\})(?!['"])/.exec(line)?.[1];
  return reference ? `inside { } and [ ] a reference needs quotes: write '${reference}'` : undefined;
}

function position(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function whole(message: string): Problem {
  return { line: 1, column: 1, path: '', message };
}

/**
 * `slos:` at the top of the file: OpenSLO documents, written there or in files that are named there. What a file says is put in its place,
 * so that what is stored needs no file; what is wrong in one is told with its name, line and column.
 */
import type { OpenSloDocument } from '../slo/openslo.ts';
import type { ProbePart } from './checks.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import type { Config } from './model.ts';
import { type PlacedDocument, placesOf, readOpenSlo } from './openslo.ts';
import type { Path, Position, Problem, Problems } from './problems.ts';
import { isPlain, type Plain } from './reader.ts';
import type { KnownIds } from './schema.ts';
import { reportSlo } from './slos.ts';
import { shown } from './words.ts';

/** A file that was named, as it is named in messages. */
export interface SloFile {
  file: string;
  text: string;
}

/** What stands under `slos:` in that text as names of files, with `*` for any characters. */
export function sloPatterns(text: string): string[] {
  const parsed = readDocument(text);
  if ('problems' in parsed || !isPlain(parsed.document.value)) return [];
  const { slos } = parsed.document.value;
  return Array.isArray(slos) ? slos.filter((entry) => typeof entry === 'string') : [];
}

/** A document of a file, with where its parts stand. */
interface FileDocument {
  file: string;
  document: ConfigDocument;
}

/** The configuration with what the files say in the place of their names. Their problems of syntax are returned as well. */
export function withSloFiles(
  document: ConfigDocument,
  files: ReadonlyMap<string, readonly SloFile[]>,
): { document: ConfigDocument; problems: Problem[] } {
  const { value } = document;
  if (!isPlain(value) || !Array.isArray(value.slos) || !value.slos.some((entry) => typeof entry === 'string')) {
    return { document, problems: [] };
  }
  const problems: Problem[] = [];
  const origins: { index: number; parts?: FileDocument[] }[] = [];
  const slos = value.slos.flatMap((entry: unknown, index): unknown[] => {
    if (typeof entry !== 'string') {
      origins.push({ index });
      return [entry];
    }
    const found = files.get(entry) ?? [];
    if (found.length === 0) {
      const message = `there is no file ${shown(entry)}; write one, or correct the path, which begins at the folder of this file`;
      problems.push({ ...document.valueAt(['slos', index]), path: `slos[${index}]`, message });
    }
    return found.map((one) => {
      const parts = documentsOf(one, problems);
      origins.push({ index, parts });
      return { file: one.file, documents: parts.map((part) => part.document.value) };
    });
  });
  return { document: { ...placed(document, origins), value: { ...value, slos } }, problems };
}

/** Places of the whole: those of a file's documents are in that file. */
function placed(document: ConfigDocument, origins: readonly { index: number; parts?: FileDocument[] }[]): ConfigDocument {
  const seek = <T extends Position | undefined>(path: Path, find: (where: ConfigDocument, at: Path) => T): T => {
    const [section, entry, , part, ...rest] = path;
    const origin = section === 'slos' && typeof entry === 'number' ? origins[entry] : undefined;
    if (!origin) return find(document, path);
    const own = typeof part === 'number' ? origin.parts?.[part] : undefined;
    if (own) {
      const position = find(own.document, rest);
      return position ? { ...position, file: own.file } : position;
    }
    return find(document, ['slos', origin.index, ...(origin.parts ? [] : path.slice(2))]);
  };
  return {
    value: document.value,
    valueAt: (path) => seek(path, (where, at) => where.valueAt(at)),
    keyAt: (path) => seek(path, (where, at) => where.keyAt(at)),
    find: (path) => seek(path, (where, at) => where.find(at)),
  };
}

/** The documents of a file, which stand between lines of `---`. */
function documentsOf({ file, text }: SloFile, problems: Problem[]): FileDocument[] {
  return splitDocuments(text).flatMap((part) => {
    const parsed = readDocument(part);
    if ('document' in parsed) return parsed.document.value === null ? [] : [{ file, document: parsed.document }];
    problems.push(...parsed.problems.map((problem) => ({ ...problem, file })));
    return [];
  });
}

/** Each document with empty lines in the place of those before it, so that its lines keep their numbers. */
export function splitDocuments(text: string): string[] {
  const lines = text.split('\n');
  const starts = lines.flatMap((line, index) => (/^---(\s|$)/.test(line) ? [index] : []));
  const edges = [-1, ...starts, lines.length];
  return edges.slice(0, -1).map((start, index) => {
    const own = lines.slice(start + 1, edges[index + 1]);
    return `${'\n'.repeat(start + 1)}${own.join('\n')}`;
  });
}

/** Every document with its place, of the file itself and of others. Reports what is neither a document nor a file. */
function placedDocuments(slos: unknown, problems: Problems): PlacedDocument[] {
  if (slos === undefined) return [];
  if (!Array.isArray(slos)) {
    problems.atValue(['slos'], `expected a list of files and OpenSLO documents, such as ['slos/*.yaml'], got ${shown(slos)}`);
    return [];
  }
  return slos.flatMap((entry: unknown, index) => {
    const path = ['slos', index];
    if (typeof entry === 'string') {
      problems.atValue(path, `the file ${shown(entry)} was not read; name it in a configuration that is read from a file`);
      return [];
    }
    if (isPlain(entry) && Array.isArray(entry.documents) && typeof entry.file === 'string') {
      return entry.documents.map((document: unknown, part) => ({ document, path: [...path, 'documents', part] }));
    }
    return [{ document: entry, path }];
  });
}

/** Reads the documents: objectives are added to their services, and all of them are kept. */
export function readSloDocuments(
  raw: Plain,
  config: Pick<Config, 'services' | 'checks' | 'openslo'>,
  context: { known: KnownIds; probes: ReadonlyMap<string, ProbePart>; problems: Problems },
): void {
  const { known, probes, problems } = context;
  const documents = placedDocuments(raw.slos, problems);
  if (documents.length === 0) return;
  for (const { slo, path } of readOpenSlo({ documents, known, problems })) {
    const service = config.services[slo.service];
    const slos = service?.slos ?? [];
    if (slos.some((one) => one.id === slo.id)) {
      problems.atValue([...path, 'metadata', 'name'], `${slo.service} has an objective ${shown(slo.id)} already; rename one of them`);
    }
    reportSlo(slo, config, probes, problems, placesOf(path));
    if (service) service.slos = [...slos, { ...slo, source: 'document' }];
  }
  config.openslo = documents.map(({ document }) => document as OpenSloDocument);
}

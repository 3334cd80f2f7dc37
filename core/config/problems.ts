/** What is wrong with a configuration, and where. All of it is collected before anything is said. */

/** A place in a configuration's tree: `['checks', 'post-invoice', 'every']`. */
export type Path = readonly (string | number)[];

/** Both count from 1. */
export interface Position {
  line: number;
  column: number;
  /** Where it is not the configuration itself but a file that it names. */
  file?: string;
}

export interface Problem extends Position {
  /** `checks.post-invoice.every`; empty when it concerns the file as a whole. */
  path: string;
  /** What was expected, what was found, what to do. */
  message: string;
}

/** One line, as an editor can jump to it: `rounds.yaml:47:12 checks.post-invoice.every: expected a duration …`. */
export function formatProblem(file: string, problem: Problem): string {
  const place = `${problem.file ?? file}:${problem.line}:${problem.column}`;
  return problem.path === '' ? `${place}: ${problem.message}` : `${place} ${problem.path}: ${problem.message}`;
}

/** A path in words: `runbooks.cancel.when.service[0]`. Keys that are no plain words are quoted, control characters escaped. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, segment) => {
    if (typeof segment === 'number') return `${text}[${segment}]`;
    const name = /^[\w-]+(\.[\w-]+)*$/.test(segment) ? segment : JSON.stringify(segment.slice(0, 60));
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** Where things stand in a file. */
export interface Places {
  valueAt(path: Path): Position;
  keyAt(path: Path): Position;
}

/** Collects problems; the same words at the same place are said once. */
export class Problems {
  readonly #places: Places;
  readonly #found = new Map<string, Problem>();
  readonly #mistyped = new Set<string>();

  constructor(places: Places) {
    this.#places = places;
  }

  /** Something is wrong with the value at this path. A value that is missing is reported at the key it is missing from. */
  atValue(path: Path, message: string): void {
    this.add({ ...this.#places.valueAt(path), path: pathText(path), message });
  }

  /** Something is wrong with the key itself. */
  atKey(path: Path, message: string): void {
    this.add({ ...this.#places.keyAt(path), path: pathText(path), message });
  }

  /** A key that is missing, unless a mistyped one was meant for it and is reported already. */
  missing(path: Path, message: string): void {
    if (!this.#mistyped.has(pathText(path))) this.atKey(path, message);
  }

  /** Remembers that the key at this path stands in the file under a wrong name. */
  mistyped(path: Path): void {
    this.#mistyped.add(pathText(path));
  }

  add(problem: Problem): void {
    const key = JSON.stringify([problem.line, problem.column, problem.path, problem.message]);
    if (!this.#found.has(key)) this.#found.set(key, problem);
  }

  get any(): boolean {
    return this.#found.size > 0;
  }

  /** By their place in the file. */
  sorted(): Problem[] {
    return [...this.#found.values()].sort(
      (a, b) =>
        compare(a.file ?? '', b.file ?? '') ||
        a.line - b.line ||
        a.column - b.column ||
        compare(a.path, b.path) ||
        compare(a.message, b.message),
    );
  }
}

/** Orders texts by their code units: the same on every machine, which `localeCompare` is not. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

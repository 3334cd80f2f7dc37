/** Values in a JSON answer, by paths such as `checks.database`, `items[0].id`, `$.total` or `['a.b'].c`. */

const SEGMENT = /\.?([^.[\]]+)|\[(?:(\d+)|'([^']*)'|"([^"]*)")\]/y;
/** As JSONPath begins; `$ref` is a key. */
const ROOT = /^\$(?=$|[.[])/;

/** The keys of a path, from the root; empty for `$`, the whole. `undefined` when it is no path. */
export function keysOf(path: string): string[] | undefined {
  const keys: string[] = [];
  SEGMENT.lastIndex = ROOT.test(path) ? 1 : 0;
  while (SEGMENT.lastIndex < path.length) {
    const found = SEGMENT.exec(path);
    if (!found) return undefined;
    keys.push(found[1] ?? found[2] ?? found[3] ?? found[4] ?? '');
  }
  return path === '' ? undefined : keys;
}

/** The value at the path; `undefined`, which JSON cannot hold, when there is none. */
export function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const key of keysOf(path) ?? []) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

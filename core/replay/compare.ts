/** Where two values that should be the same are not, in words. */

/** Numbers that the database keeps with seven digits. */
const ROUNDED: ReadonlySet<string> = new Set(['durationMs']);
const MOST_CHARACTERS = 60;

export interface Unlike {
  /** `locations.north.verdict`; empty: all of it. */
  path: string;
  stored: unknown;
  replayed: unknown;
}

/** The first place in which they differ; `undefined` when they are the same. The order of keys and what is undefined do not count. */
export function firstUnlike(stored: unknown, replayed: unknown, path = ''): Unlike | undefined {
  if (stored === replayed) return undefined;
  if (typeof stored === 'number' && typeof replayed === 'number') {
    const isRounded = ROUNDED.has(path.slice(path.lastIndexOf('.') + 1)) && Math.fround(stored) === Math.fround(replayed);
    return isRounded ? undefined : { path, stored, replayed };
  }
  if (!isObject(stored) || !isObject(replayed) || Array.isArray(stored) !== Array.isArray(replayed)) return { path, stored, replayed };
  const keys = new Set([...Object.keys(stored), ...Object.keys(replayed)]);
  for (const key of keys) {
    const unlike = firstUnlike(stored[key], replayed[key], path === '' ? key : `${path}.${key}`);
    if (unlike) return unlike;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** `held is "up", and "down" when it is done again`. */
export function unlikeInWords({ path, stored, replayed }: Unlike): string {
  return `${path === '' ? 'it' : path} is ${short(stored)}, and ${short(replayed)} when it is done again`;
}

function short(value: unknown): string {
  if (value === undefined) return 'not there';
  const text = JSON.stringify(value);
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}…`;
}

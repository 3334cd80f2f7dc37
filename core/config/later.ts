/**
 * Keys of the file's final shape that this version does not act upon. People would rely on them, so they are refused
 * instead of being ignored. Whoever builds one deletes its line here. `*` stands for any id.
 */
const NOT_ACTED_UPON: readonly string[] = ['runbooks.*.approvals'];

/** Whether the key at this path is one of them. */
export function isForLater(path: readonly (string | number)[]): boolean {
  return NOT_ACTED_UPON.some((pattern) => {
    const segments = pattern.split('.');
    return segments.length === path.length && segments.every((segment, index) => segment === '*' || segment === path[index]);
  });
}

/** The finder of `redis.mjs`, with types: it must run on Node 20 before ours is there, so it cannot be TypeScript itself. */

interface Finder {
  findRedis(root: string, path: string | undefined): string | undefined;
}

/** Returns the redis-server to use, or `undefined` when there is none. `root` is the checkout, `path` the PATH. Starts nothing. */
export async function findRedis(root: string, path: string | undefined): Promise<string | undefined> {
  const finder = (await import(new URL('redis.mjs', import.meta.url).href)) as Finder;
  return finder.findRedis(root, path);
}

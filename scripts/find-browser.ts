/** The finder of `browser.mjs`, with types: it must run on Node 20 before ours is there, so it cannot be TypeScript itself. */

export interface Browser {
  executablePath: string;
  /** What the browser needs in its environment: libraries, fonts. Often empty. */
  env: Record<string, string>;
  /** Where it is from, in words. */
  source: string;
}

interface Finder {
  findBrowser(root: string, env: Readonly<Record<string, string | undefined>>): Browser | undefined;
}

/** Returns the Chromium to use, or `undefined` when there is none. `root` is the checkout. Starts nothing: a few file look-ups. */
export async function findBrowser(root: string, env: Readonly<Record<string, string | undefined>>): Promise<Browser | undefined> {
  const finder = (await import(new URL('browser.mjs', import.meta.url).href)) as Finder;
  return finder.findBrowser(root, env);
}

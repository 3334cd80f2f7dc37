export interface Browser {
  executablePath: string;
  /** What the browser needs in its environment: libraries, fonts. Often empty. */
  env: Record<string, string>;
  /** Where it is from, in words. */
  source: string;
}

export const BROWSER_FLAGS: string[];
export function browsers(root: string, env: Readonly<Record<string, string | undefined>>): Browser[];
export function findBrowser(root: string, env: Readonly<Record<string, string | undefined>>): Browser | undefined;
export function starts(browser: Browser): Promise<boolean>;
export function unpackBrowser(root: string): Promise<boolean>;

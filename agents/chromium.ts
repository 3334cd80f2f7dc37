/** Where the agent's Chromium is, and how it is started. */

import { fileURLToPath } from 'node:url';
import { findBrowser } from '../scripts/find-browser.ts';

export interface Chromium {
  executablePath: string;
  /** The whole environment of the browser: nothing of the agent's own, which may hold secrets. */
  env: Record<string, string>;
}

/** Needed as root, without a kernel sandbox, and to keep a browser quiet that nobody looks at. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const HANDED_ON = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'TZ',
  'LD_LIBRARY_PATH',
  'FONTCONFIG_PATH',
  'FONTCONFIG_FILE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** Finds one: `ROUNDS_CHROMIUM`, then Playwright's own, Debian's, and the one that the setup unpacked. `undefined`: there is none. */
export async function findChromium(env: Readonly<Record<string, string | undefined>>): Promise<Chromium | undefined> {
  const found = await findBrowser(fileURLToPath(new URL('..', import.meta.url)), env);
  if (!found) return undefined;
  const kept = HANDED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { executablePath: found.executablePath, env: { ...Object.fromEntries(kept), ...found.env } };
}

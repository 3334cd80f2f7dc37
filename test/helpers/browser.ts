/** A real Chromium for tests, wherever this machine has one. */

import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright';
import { chromium } from 'playwright';
import { findBrowser } from '../../scripts/find-browser.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

/**
 * Starts the Chromium that the journeys would use.
 * @throws when this machine has none, which `npm test` prevents by its setup.
 */
export async function launchBrowser(): Promise<Browser> {
  const found = await findBrowser(ROOT, env);
  if (!found) throw new Error('No Chromium is here. Run `node scripts/setup.mjs test`, or name one in ROUNDS_CHROMIUM.');
  const inherited = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return chromium.launch({ executablePath: found.executablePath, args: FLAGS, env: { ...inherited, ...found.env } });
}

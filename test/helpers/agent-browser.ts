import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type WarmBrowser, type WarmBrowserOptions, warmBrowser } from '../../agents/browser.ts';
import { findChromium } from '../../agents/chromium.ts';
import { quietLog } from './log.ts';

/** The folder with the journeys of the tests. */
export const JOURNEYS = fileURLToPath(new URL('../journeys', import.meta.url));

/** The agent's own browser, on the Chromium of this machine. */
export function testBrowser(changes: Partial<WarmBrowserOptions> = {}): WarmBrowser {
  return warmBrowser({ chromium: () => findChromium(env), log: quietLog, ...changes });
}

/**
 * The baseline: Playwright and nothing else. The body of the same journey, so that every action on the page is the same; a step
 * is its body, with no clock, no limit and no record.
 */
import { chromium } from 'playwright';
import { CHROMIUM_FLAGS, findChromium } from '../../agents/chromium.ts';
import { loadJourney } from '../../probes/journey/load.ts';
import { type Begin, JOURNEY_FILE, type Side, VIEWPORT } from './sides.ts';

/** The sample clinic's journey in a warm browser of its own, a fresh context each time. */
export async function bareSide(
  { baseUrl, user, password }: Begin,
  env: Readonly<Record<string, string | undefined>>,
  clinicFolder: string,
): Promise<Side> {
  const found = await findChromium(env);
  if (!found) throw new Error('No Chromium is on this machine. Name one in ROUNDS_CHROMIUM, or run: node scripts/setup.mjs start');
  const browser = await chromium.launch({ executablePath: found.executablePath, env: found.env, args: CHROMIUM_FLAGS });
  const journey = await loadJourney(JOURNEY_FILE, clinicFolder);
  return {
    browserVersion: browser.version(),
    async run() {
      const context = await browser.newContext({ viewport: VIEWPORT });
      const page = await context.newPage();
      const secret = () => '';
      await journey.run({
        page,
        context,
        step: async (_name, body) => await body(),
        account: { user, password },
        secret,
        with: {},
        tenant: undefined,
        baseUrl,
      });
      await context.close();
    },
    close: () => browser.close(),
  };
}

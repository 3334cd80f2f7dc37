/** `rounds agent`: reads the environment, builds the adapters, starts the agent of one location. */
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Start } from '../core/process.ts';
import { VERSION } from '../core/version.ts';
import { QUEUES } from '../jobs/contract.ts';
import { openQueues } from '../jobs/queue.ts';
import { loadProbes } from '../probes/registry.ts';
import { loadActions } from '../runbooks/registry.ts';
import { addersClock } from './adders-clock.ts';
import { startAgent } from './agent.ts';
import { warmBrowser } from './browser.ts';
import { findChromium } from './chromium.ts';
import * as metrics from './metrics.ts';
import { reporterTo } from './reporter.ts';
import { secretsFrom } from './secrets.ts';
import { openSpool } from './spool.ts';

/**
 * Starts an agent. Needs `ROUNDS_QUEUE_URL` (or `REDIS_URL`) with the credentials of its location, and the location, as `--location` or
 * `ROUNDS_LOCATION`. Secrets come from the folder `ROUNDS_SECRETS_DIR`, else from the environment. Journeys are loaded from below
 * `ROUNDS_JOURNEYS` only, else from below the folder of the configuration.
 */
export const start: Start = async ({ env, log, options }) => {
  const location = options.location ?? env.ROUNDS_LOCATION;
  if (!location) throw new Error('No location: expected --location, one of those in rounds.yaml.');
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/i.test(location)) throw new Error(`--location: expected a location of rounds.yaml, got "${location}".`);
  const url = env.ROUNDS_QUEUE_URL || env.REDIS_URL;
  if (!url) throw new Error(`ROUNDS_QUEUE_URL is not set: expected the address that "rounds location add ${location}" printed.`);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const queues = await openQueues({ url, log, name: `agent ${location}`, location });
  const folder = join(resolve(env.ROUNDS_DATA ?? '.rounds'), 'spool', location);
  // Neither does our wall clock decide what is too old to be kept.
  const spool = await openSpool({ folder, log, now: (await addersClock({}, { queues, clock })).now });
  metrics.watchSpool(() => spool.size());
  const name = `${location}@${hostname()}/${process.pid}`.slice(0, 80);
  metrics.info.set({ location }, 1);
  const reporter = reporterTo({ queues, spool, location, agent: name, version: VERSION, clock, log });
  const browser = warmBrowser({ chromium: () => findChromium(env), log, onLaunch: () => metrics.browserLaunches.inc() });
  const agent = startAgent({
    location,
    queues,
    reporter,
    browser,
    clock,
    log,
    probes: await loadProbes(),
    actions: await loadActions(),
    secrets: secretsFrom({ env, ...(env.ROUNDS_SECRETS_DIR ? { folder: env.ROUNDS_SECRETS_DIR } : {}) }),
    filesFolder: resolve(env.ROUNDS_JOURNEYS ?? dirname(options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml')),
  });
  return {
    // An agent that is given no work has no report to fail with.
    ready: async () => reporter.trouble() ?? (await queues.trouble(QUEUES.round(location))),
    stop: async () => {
      await agent.stop();
      await reporter.close();
      await browser.close();
      await queues.close();
    },
  };
};

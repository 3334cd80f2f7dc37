/**
 * The agent's warm browser. It is started by the first journey, lends a fresh context to each run, is started again when
 * it has crashed, and is replaced by a fresh one, between two runs, when it has served long or grown large.
 *
 * cold ──first run──► warm ──crash, or worn at rest──► cold ──stop──► closed
 */
import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext } from 'playwright';
import type { Log } from '../core/process.ts';
import { AgentFault, type BrowserSource } from '../probes/probe.ts';
import { CHROMIUM_FLAGS, type Chromium } from './chromium.ts';
import { limiter } from './limiter.ts';

/** 30 s: a cold start takes 0.1 s on a quiet machine, and many times that on one that is starved. */
const LAUNCH_MS = 30_000;
/** What a run gets after its time to take its picture; then its context is closed under it. */
const GRACE_MS = 4_000;
/** A browser that does not close by then is killed. */
const CLOSE_MS = 3_000;

export interface WarmBrowserOptions {
  chromium(): Promise<Chromium | undefined>;
  log: Log;
  /** Contexts lent at once. */
  maxContexts?: number;
  /** A browser that has served so many runs is replaced. */
  maxRuns?: number;
  /** A browser that is larger at rest is replaced; 800 MB, twice what a warm headless shell takes. */
  maxIdleBytes?: number;
  /** Told at each start, for the metrics. */
  onLaunch?(): void;
}

export interface WarmBrowser extends BrowserSource {
  /** Process id of the browser, when it runs. */
  pid(): number | undefined;
  /** Ends the browser; contexts that are lent end with it. */
  close(): Promise<void>;
}

interface Warm {
  browser: Browser;
  pid: number;
  runs: number;
}

/** A browser that is started when it is first needed. */
export function warmBrowser(options: WarmBrowserOptions): WarmBrowser {
  const { log, maxContexts = 2, maxRuns = 500, maxIdleBytes = 800_000_000 } = options;
  const places = limiter(maxContexts);
  let warm: Promise<Warm> | undefined;
  let current: Warm | undefined;
  let closed = false;

  const forget = (one: Warm) => {
    if (current !== one) return;
    current = undefined;
    warm = undefined;
  };

  const launched = async (): Promise<Warm> => {
    const one = await launch(options);
    options.onLaunch?.();
    one.browser.on('disconnected', () => {
      if (!closed && current === one) log.warn({ pid: one.pid, runs: one.runs }, 'the browser is gone; the next journey starts another');
      forget(one);
    });
    if (closed || !one.browser.isConnected()) {
      await shut(one);
      throw new AgentFault('no-browser', 'The browser of this agent ended as it started.');
    }
    current = one;
    return one;
  };

  const getWarm = (): Promise<Warm> => {
    if (closed) return Promise.reject(new AgentFault('no-browser', 'This agent is stopping.'));
    warm ??= launched().catch((error: unknown) => {
      warm = undefined;
      throw error;
    });
    return warm;
  };

  const replaceWhenWorn = async (one: Warm) => {
    if (places.taken() > 1 || closed || current !== one) return;
    if (one.runs < maxRuns && (await memoryOf(one)) < maxIdleBytes) return;
    if (places.taken() > 1 || current !== one) return;
    log.info({ pid: one.pid, runs: one.runs }, 'the browser has served long enough; the next journey starts another');
    forget(one);
    await shut(one);
  };

  return {
    pid: () => current?.pid,
    async withContext(use, signal) {
      const leave = await places.enter(signal);
      try {
        const one = await getWarm();
        one.runs++;
        try {
          return await lend(one.browser, use, signal);
        } finally {
          await replaceWhenWorn(one);
        }
      } finally {
        leave();
      }
    },
    async close() {
      closed = true;
      const last = current ?? (await warm?.catch(() => undefined));
      if (last) await shut(last);
      current = undefined;
    },
  };
}

async function launch(options: WarmBrowserOptions): Promise<Warm> {
  const chromium = await options.chromium();
  if (!chromium)
    throw new AgentFault('no-browser', 'No Chromium is on this machine. Name one in ROUNDS_CHROMIUM, or run: node scripts/setup.mjs start');
  // Loading Playwright takes 0.3 s, which agents without journeys need not spend.
  const playwright = await import('playwright');
  let browser: Browser | undefined;
  try {
    browser = await playwright.chromium.launch({
      executablePath: chromium.executablePath,
      env: chromium.env,
      args: CHROMIUM_FLAGS,
      timeout: LAUNCH_MS,
      // The agent decides when its browser ends.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    return { browser, pid: await pidOf(browser), runs: 0 };
  } catch (error) {
    await browser?.close().catch(() => {});
    options.log.error({ error: String(error).slice(0, 2_000) }, 'the browser does not start');
    throw new AgentFault('no-browser', 'The Chromium of this agent does not start; its log says why.', { cause: error });
  }
}

async function processesOf(browser: Browser): Promise<{ type: string; id: number }[]> {
  const session = await browser.newBrowserCDPSession();
  try {
    return (await session.send('SystemInfo.getProcessInfo')).processInfo;
  } finally {
    await session.detach();
  }
}

async function pidOf(browser: Browser): Promise<number> {
  const pid = (await processesOf(browser)).find(({ type }) => type === 'browser')?.id;
  if (pid === undefined) throw new Error('the browser tells no process id');
  return pid;
}

/** Memory of all its processes, in bytes, shared pages once; 0 where the system does not tell, which never replaces a browser. */
async function memoryOf(one: Warm): Promise<number> {
  try {
    const processes = await processesOf(one.browser);
    const sizes = await Promise.all(processes.map(({ id }) => readFile(`/proc/${id}/smaps_rollup`, 'utf8').catch(() => '')));
    return sizes.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024, 0);
  } catch {
    return 0;
  }
}

/** Lends a context and takes it back, at the latest `GRACE_MS` after the signal. */
async function lend<T>(browser: Browser, use: (context: BrowserContext) => Promise<T>, signal: AbortSignal): Promise<T> {
  const context = await browser.newContext({ acceptDownloads: true, serviceWorkers: 'block' }).catch((error: unknown) => {
    throw new AgentFault('browser-crashed', 'The browser of this agent could not open a context.', { cause: error });
  });
  const over = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => over.reject(signal.reason), GRACE_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const used = use(context);
  used.catch(() => {});
  try {
    return await Promise.race([used, over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    await within(CLOSE_MS, context.close());
  }
}

async function shut({ browser, pid }: Warm): Promise<void> {
  if (!browser.isConnected()) return;
  if (await within(CLOSE_MS, browser.close())) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}

/** Whether the work was done in time; an error counts as done. */
async function within(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const done = work.then(
    () => true,
    () => true,
  );
  const inTime = await Promise.race([done, late]);
  clearTimeout(timer);
  return inTime;
}

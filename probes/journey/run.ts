/** Runs one journey once in a browser context of its own. */
import type { BrowserContext, Page } from 'playwright';
import type { Failure } from '../../core/result.ts';
import { timeIsUp } from '../deadline.ts';
import { AgentFault, type Outcome, type ProbeContext } from '../probe.ts';
import { limitInWords } from '../words.ts';
import type { Journey, JourneyContext } from './api.ts';
import { takePicture } from './picture.ts';
import { JourneyMistake, Steps } from './steps.ts';
import { type Told, tell } from './words.ts';

export interface JourneyParams {
  baseUrl: string;
  account?: { user: string; password: string } | undefined;
  with: Record<string, string>;
  mask: string[];
  viewport: { width: number; height: number };
}

/** Playwright's errors say what was waited for, so they get this long to come before the time is called. */
const WORDS_MS = 150;

/** The journey's verdict with its steps, and on failure a picture, taken when every clock has stopped. */
export async function runJourney(
  journey: Journey,
  params: JourneyParams,
  browser: BrowserContext,
  context: ProbeContext,
): Promise<Outcome> {
  const run = await begin(params, browser, context);
  const startedMs = context.monotonic();
  let thrown: { error: unknown } | undefined;
  try {
    await untilAborted(journey.run(journeyContext(params, browser, run, context)), run.signal);
  } catch (error) {
    thrown = { error };
  }
  const durationMs = context.monotonic() - startedMs;
  const during = run.steps.current;
  run.steps.end(thrown?.error);
  if (run.signal.aborted && !timeIsUp(run.signal)) throw run.signal.reason;
  const failed = run.steps.failed ?? (thrown && { name: during, error: thrown.error });
  if (!failed) return { verdict: 'up', durationMs, steps: run.steps.results };
  const told = toldOf(failed.error, run, browser, context);
  const failure: Failure = { kind: told.kind, message: told.message, ...(failed.name === undefined ? {} : { step: failed.name }) };
  const picture = told.verdict === 'down' ? await takePicture(run.page, { mask: params.mask, secrets: context.secrets }) : undefined;
  return { verdict: told.verdict, durationMs, steps: run.steps.results, failure, ...(picture ? { picture } : {}) };
}

interface Running {
  page: Page;
  steps: Steps;
  signal: AbortSignal;
  /** What Playwright was told to wait at most, and what that stands for. */
  said: { setMs: number; meantMs: number };
  /** Status of the last page that was opened. */
  pageStatus: number;
  crashed: boolean;
}

async function begin(params: JourneyParams, browser: BrowserContext, context: ProbeContext): Promise<Running> {
  const page = await prepared(params, browser, context);
  const startedMs = context.monotonic();
  const wait = (limitMs: number | undefined) => {
    const leftMs = Math.max(1, context.timeoutMs - (context.monotonic() - startedMs));
    const meantMs = limitMs === undefined || limitMs > leftMs ? leftMs : limitMs;
    run.said = { meantMs, setMs: Math.max(1, Math.round(Math.min(meantMs, leftMs - WORDS_MS))) };
    browser.setDefaultTimeout(run.said.setMs);
    browser.setDefaultNavigationTimeout(run.said.setMs);
  };
  const run: Running = {
    page,
    steps: new Steps({ monotonic: context.monotonic, onStart: wait }),
    signal: context.signal,
    said: { setMs: 0, meantMs: 0 },
    pageStatus: 0,
    crashed: false,
  };
  wait(undefined);
  page.on('response', (response) => {
    if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) run.pageStatus = response.status();
  });
  page.on('crash', () => {
    run.crashed = true;
  });
  return run;
}

async function prepared(params: JourneyParams, browser: BrowserContext, context: ProbeContext): Promise<Page> {
  try {
    await browser.setExtraHTTPHeaders({ traceparent: context.traceparent });
    const page = await browser.newPage();
    await page.setViewportSize(params.viewport);
    return page;
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw new AgentFault('browser-crashed', 'The browser of this agent could not open a page.', { cause: error });
  }
}

function journeyContext(params: JourneyParams, browser: BrowserContext, run: Running, context: ProbeContext): JourneyContext {
  return {
    page: run.page,
    context: browser,
    step: run.steps.step,
    get account() {
      if (!params.account) throw new JourneyMistake('it logs in, but the check has no account');
      return params.account;
    },
    secret(name) {
      const value = Object.hasOwn(params.with, name) ? params.with[name] : undefined;
      if (value === undefined) throw new JourneyMistake(`it asks for "${name}", which is not in the check's "with"`);
      return value;
    },
    with: params.with,
    tenant: context.tenant,
    baseUrl: params.baseUrl.replace(/\/+$/, ''),
  };
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  // What the journey does after its time is nobody's concern: its context is about to be closed.
  work.catch(() => {});
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function toldOf(error: unknown, run: Running, browser: BrowserContext, context: ProbeContext): Told {
  if (run.crashed || browser.browser()?.isConnected() === false) {
    throw new AgentFault('browser-crashed', 'The browser of this agent crashed during the journey.', { cause: error });
  }
  const told: Told =
    error === run.signal.reason
      ? { verdict: 'down', kind: 'timeout', message: `not finished within ${limitInWords(context.timeoutMs)}` }
      : tell(error, run.said);
  // What the server said of the page explains most of what is missing on it.
  const why = told.verdict === 'down' && run.pageStatus >= 400 ? `; the page came with status ${run.pageStatus}` : '';
  return { ...told, message: `${told.message}${why}` };
}

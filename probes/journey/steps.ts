/**
 * The steps of one run and their clocks. A step's clock is that of its body: it stops when the body settles or its
 * limit is reached, before anybody looks at what happened.
 */
import { parseDurationMs } from '../../core/duration.ts';
import type { StepResult } from '../../core/result.ts';
import type { Step, StepOptions } from './api.ts';

/** Playwright's own error says what it waited for, so it gets this long to come before the limit is called. */
const WORDS_MS = 100;
const MAX_STEPS = 100;
const MAX_NAME_CHARACTERS = 120;

/** A mistake in how the journey is written: the agent's fault, never the page's. */
export class JourneyMistake extends Error {}

/** A step that took longer than its limit. */
export class StepTooLong extends Error {
  readonly limitMs: number;
  constructor(limitMs: number) {
    super('step too long');
    this.limitMs = limitMs;
  }
}

export interface StepsOptions {
  monotonic(): number;
  /** Told before each step how long it may take at most, so that Playwright's time-outs are set; `undefined`: what is left. */
  onStart(limitMs: number | undefined): void;
}

interface Running {
  name: string;
  startedMs: number;
}

export class Steps {
  readonly results: StepResult[] = [];
  /** The first step that failed; a journey that catches the error does not undo it. */
  failed: { name: string; error: unknown } | undefined;
  readonly #options: StepsOptions;
  #running: Running | undefined;
  #ended = false;

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  /** The step that runs now. */
  get current(): string | undefined {
    return this.#running?.name;
  }

  /** Runs and times one step. Throws what its body throws, {@link StepTooLong}, or {@link JourneyMistake}. */
  readonly step: Step = async (name, body, options = {}) => {
    const limitMs = limitOf(name, options);
    this.#refuseMisuse(name);
    const running = { name, startedMs: this.#options.monotonic() };
    this.#running = running;
    this.#options.onStart(limitMs);
    try {
      const value = await withinLimit(body, limitMs);
      this.#record(running, 'passed');
      return value;
    } catch (error) {
      this.#record(running, 'failed', error);
      throw error;
    }
  };

  /** Stops every clock; what the journey still does is not recorded. `error` fails the step that runs. */
  end(error?: unknown): void {
    if (this.#running) this.#record(this.#running, 'failed', error);
    this.#ended = true;
  }

  #refuseMisuse(name: string): void {
    if (this.#ended) throw new JourneyMistake(`step "${name}" began after the run had ended`);
    if (this.#running) throw new JourneyMistake(`step "${name}" began inside step "${this.#running.name}": steps follow each other`);
    if (this.results.some((one) => one.name === name)) throw new JourneyMistake(`there are two steps named "${name}"`);
    if (this.results.length >= MAX_STEPS) throw new JourneyMistake(`there are more than ${MAX_STEPS} steps`);
  }

  #record(running: Running, outcome: 'passed' | 'failed', error?: unknown): void {
    if (this.#ended || this.#running !== running) return;
    const durationMs = Math.max(0, this.#options.monotonic() - running.startedMs);
    this.#running = undefined;
    this.results.push({ name: running.name, durationMs, outcome });
    if (outcome === 'failed') this.failed ??= { name: running.name, error };
  }
}

function limitOf(name: unknown, options: StepOptions): number | undefined {
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_CHARACTERS) {
    throw new JourneyMistake(`a step needs a name of 1 to ${MAX_NAME_CHARACTERS} characters`);
  }
  if (options.limit === undefined) return undefined;
  const limitMs = parseDurationMs(String(options.limit));
  if (limitMs === undefined) throw new JourneyMistake(`step "${name}": expected a limit such as 5s, got "${options.limit}"`);
  return limitMs;
}

async function withinLimit<T>(body: () => Promise<T> | T, limitMs: number | undefined): Promise<T> {
  if (limitMs === undefined) return await body();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new StepTooLong(limitMs)), limitMs + WORDS_MS);
  });
  const work = (async () => await body())();
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

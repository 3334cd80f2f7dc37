/** Which queues of results this process works: one for each location of the configuration, as it comes and goes. */
import type { Log } from '../core/process.ts';
import { QUEUES } from './contract.ts';
import type { Queues, Working } from './queue.ts';

export const REPORTS_AT_ONCE = 2;
/** Reports of a location that was removed: its agents may still run what they have, and deliver what waits on their disk. */
const LINGER_MS = 15 * 60_000;
const RETRY_MS = 5_000;

export interface ResultQueuesOptions {
  queues: Queues;
  log: Log;
  /** Takes one report. One that throws is given again. */
  take(location: string, data: unknown): Promise<void>;
  monotonic(): number;
  /** How long the queue of a removed location is worked on; 15 min unless told. */
  lingerMs?: number;
}

export class ResultQueues {
  readonly #options: ResultQueuesOptions;
  readonly #working = new Map<string, Working>();
  readonly #leftAtMs = new Map<string, number>();
  readonly #retryAtMs = new Map<string, number>();

  constructor(options: ResultQueuesOptions) {
    this.#options = options;
  }

  /** The locations whose queues are worked now. */
  get locations(): string[] {
    return [...this.#working.keys()];
  }

  /** Begins with the queues of new locations, and ends with those of locations that were removed long enough ago. */
  async fit(locations: readonly string[]): Promise<void> {
    const nowMs = this.#options.monotonic();
    const wanted = new Set(locations);
    for (const location of wanted) this.#leftAtMs.delete(location);
    for (const location of wanted) if (!this.#working.has(location)) await this.#begin(location, nowMs);
    for (const location of this.#working.keys()) {
      if (wanted.has(location)) continue;
      const leftAtMs = this.#leftAtMs.get(location) ?? nowMs;
      this.#leftAtMs.set(location, leftAtMs);
      if (nowMs - leftAtMs >= (this.#options.lingerMs ?? LINGER_MS)) this.#end(location);
    }
  }

  /** Takes no more reports and waits for those in hand, at most `boundMs`. */
  async close(boundMs: number): Promise<void> {
    await Promise.all([...this.#working.values()].map((working) => working.close(boundMs)));
  }

  /** A place that cannot be made is tried again; the other locations do not wait for it. */
  async #begin(location: string, nowMs: number): Promise<void> {
    if (nowMs < (this.#retryAtMs.get(location) ?? 0)) return;
    const { queues, log, take } = this.#options;
    try {
      await queues.prepare(location);
    } catch (error) {
      this.#retryAtMs.set(location, nowMs + RETRY_MS);
      log.error({ location, error: (error as Error).message }, 'the queues of a location cannot be made; nothing runs there');
      return;
    }
    const options = { concurrency: REPORTS_AT_ONCE, policy: 'until-stored' } as const;
    this.#working.set(
      location,
      queues.work(QUEUES.results(location), options, ({ data }) => take(location, data)),
    );
  }

  #end(location: string): void {
    const working = this.#working.get(location);
    this.#working.delete(location);
    this.#leftAtMs.delete(location);
    void working?.close(0).catch((error: Error) => this.#options.log.debug({ location, error: error.message }, 'a queue closes later'));
  }
}

/**
 * The configuration that this process runs: the one in force, looked for every second and taken over whole. Whoever works takes a
 * snapshot for each turn, report or press, so that nobody sees two of them.
 *
 * One that this version of Rounds cannot read is not taken over: the process goes on with what it has, `trouble` says why, and since
 * another number is in force, nothing is folded, judged or planned by it. Another version does that, until this process is replaced.
 */
import { Counter, Gauge } from 'prom-client';
import type { Config } from '../core/config/model.ts';
import type { Log } from '../core/process.ts';
import { forgetRunner, noteRunner, readInForce, type StoredConfig, seqInForce } from './config.ts';
import type { Pool } from './db.ts';

const LOOK_MS = 1_000;
const NOTE_MS = 10_000;

export const info = new Gauge({
  name: 'rounds_config_info',
  help: 'The configuration that this process runs, by its revision; always 1.',
  labelNames: ['revision'],
});
export const reloadSuccessful = new Gauge({
  name: 'rounds_config_last_reload_successful',
  help: 'Whether the last attempt to take over a configuration succeeded.',
});
export const reloadTimestamp = new Gauge({
  name: 'rounds_config_last_reload_success_timestamp_seconds',
  help: 'When a configuration was last taken over.',
});
export const reloadFailures = new Counter({
  name: 'rounds_config_reload_failures_total',
  help: 'Configurations that could not be taken over.',
});

export interface ConfigWatch {
  /** What this process runs. */
  readonly config: Config;
  /** Its number; 0 while nothing is in force and the process runs what it read itself. */
  readonly configSeq: number;
  /** Looks now. Resolves when what is in force is taken over; rejects when the database does not answer. */
  refreshConfig(): Promise<void>;
  /** One sentence while this process cannot run what is in force. */
  trouble(): string | undefined;
  stop(): Promise<void>;
}

export interface WatchOptions {
  pool: Pool;
  log: Log;
  /** Makes of what was written what this version runs. Throws what is wrong with it, in words. */
  read(stored: StoredConfig): Promise<Config>;
  /** What to run while nothing is in force. */
  fallback?: () => Promise<Config>;
  /** Who this is, for those who ask who has taken it over; without it nobody is told. */
  runner?: { id: string; kind: string };
  /** Called after each change, with what is run now. */
  onChange?(config: Config): void;
  /** Milliseconds between two looks; 1,000 unless told. */
  lookMs?: number;
}

/** Notes for the metrics what came of an attempt to read or take over a configuration. */
export function noteReload(successful: boolean): void {
  reloadSuccessful.set(successful ? 1 : 0);
  if (successful) reloadTimestamp.setToCurrentTime();
  else reloadFailures.inc();
}

/** Begins to watch. Throws when there is nothing to run: nothing in force that can be read, and no fallback. */
export async function watchConfig(options: WatchOptions): Promise<ConfigWatch> {
  const stored = await readInForce(options.pool);
  const first = stored ? await read(options, stored) : await options.fallback?.();
  if (!first) throw new Error('No configuration is in force: start a worker, or run "rounds reload rounds.yaml".');
  const watch = new Watch(options, first, stored?.seq ?? 0);
  await watch.begin();
  return watch;
}

async function read({ read: readStored }: WatchOptions, stored: StoredConfig): Promise<Config> {
  try {
    // Decisions name what is in force, also where another version of Rounds would give it another name.
    return { ...(await readStored(stored)), revision: stored.revision };
  } catch (error) {
    throw new Error(unreadable(stored, error), { cause: error });
  }
}

class Watch implements ConfigWatch {
  readonly #options: WatchOptions;
  #current: { config: Config; seq: number };
  /** The newest that was looked at, whether it could be read or not. */
  #seenSeq: number;
  #trouble: string | undefined;
  #looking: Promise<void> | undefined;
  #notedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: WatchOptions, config: Config, seq: number) {
    this.#options = options;
    this.#current = { config, seq };
    this.#seenSeq = seq;
  }

  get config(): Config {
    return this.#current.config;
  }

  get configSeq(): number {
    return this.#current.seq;
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  async begin(): Promise<void> {
    noteReload(true);
    info.set({ revision: this.config.revision }, 1);
    await this.#note();
    const { lookMs = LOOK_MS, log } = this.#options;
    const look = () =>
      this.refreshConfig().catch((error: Error) => log.debug({ error: error.message }, 'the configuration is looked at later'));
    this.#timer = setInterval(look, lookMs);
  }

  refreshConfig(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
    const { runner, pool } = this.#options;
    if (runner) await forgetRunner(pool, runner.id).catch(() => undefined);
  }

  async #look(): Promise<void> {
    if ((await seqInForce(this.#options.pool)) !== this.#seenSeq) await this.#takeOver();
    if (!this.#stopped && performance.now() - this.#notedAtMs >= NOTE_MS) await this.#note();
  }

  async #takeOver(): Promise<void> {
    const { pool, log, onChange } = this.#options;
    const stored = await readInForce(pool);
    if (!stored || stored.seq === this.#seenSeq) return;
    try {
      const config = await read(this.#options, stored);
      info.remove({ revision: this.config.revision });
      this.#current = { config, seq: stored.seq };
      info.set({ revision: config.revision }, 1);
      this.#trouble = undefined;
      noteReload(true);
      log.info(
        { revision: config.revision, by: stored.appliedBy, checks: Object.keys(config.checks).length },
        'a configuration is taken over',
      );
      onChange?.(config);
    } catch (error) {
      this.#trouble = (error as Error).message;
      noteReload(false);
      log.error({ revision: stored.revision }, this.#trouble);
    }
    this.#seenSeq = stored.seq;
    await this.#note();
  }

  async #note(): Promise<void> {
    const { runner, pool } = this.#options;
    this.#notedAtMs = performance.now();
    if (runner) await noteRunner(pool, { ...runner, seq: this.configSeq });
  }
}

function unreadable(stored: StoredConfig, error: unknown): string {
  const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
  return `This version of Rounds cannot run the configuration in force (revision ${stored.revision}, applied by ${stored.appliedBy}): ${first}. Replace this process by the version that applied it.`;
}

/**
 * What the clock of the queue's server shows: the common measure of those who put jobs on it and those who take them up, since nobody's
 * wall clock is trusted but its own. From one look at the server to the next the monotonic clock goes on, so that a wall clock that is put
 * right, here, moves nothing.
 *
 * A look tells the server's time to half of its round trip. A duller look than the last is taken only when both cannot be true: then the
 * server's own clock was moved, or this machine was asleep and its monotonic clock with it.
 */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';

/** For as long a server whose clock is put right may count differently here and there. */
const LOOK_MS = 10_000;
/** The sharpest counts: the very first waits for a connection. */
const FIRST_LOOKS = 3;
/** Wall and monotonic clock part by more: one was put right, or the machine slept. Slewing, at most 500 ppm, takes minutes for it. */
const JUMP_MS = 200;
/** After a look that failed. */
const PAUSE_MS = 1_000;
/** What two clocks may drift apart, while one of them is slewed: Linux' adjtime(2) allows 500 ppm. */
const DRIFT = 0.001;

export interface ServerClockDeps {
  /** The server's time in milliseconds since 1970. */
  ask(): Promise<number>;
  clock: Clock;
  log: Log;
}

interface Look {
  /** What the server's clock is ahead of our monotonic one, and how far that may be off. */
  aheadMs: number;
  errorMs: number;
  atMs: number;
}

export class ServerClock {
  readonly #deps: ServerClockDeps;
  #known: Look | undefined;
  /** Our wall clock less our monotonic one, before the last look that was answered. */
  #wallMs = Number.NaN;
  #looking: Promise<void> | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: ServerClockDeps) {
    this.#deps = deps;
  }

  /** Looks for the first time, and from then on every 10 s. Throws one sentence when the server does not tell. */
  async start(): Promise<void> {
    try {
      for (let looks = 0; looks < FIRST_LOOKS; looks++) await this.#look();
    } catch (error) {
      throw new Error(`The queue does not tell its time: ${(error as Error).message}`, { cause: error });
    }
    this.#timer = setInterval(() => void this.#lookAgain(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** What the server's clock shows. Asks it first when our clocks have jumped; while it cannot be asked, the last look counts. */
  async now(): Promise<number> {
    if (this.#hasJumped() && this.#deps.clock.monotonic() - this.#failedAtMs > PAUSE_MS) await this.#lookAgain();
    if (!this.#known) throw new Error('the clock of the server was never seen');
    return this.#known.aheadMs + this.#deps.clock.monotonic();
  }

  /** How far the server's clock is ahead of our wall clock, in whole milliseconds. */
  async aheadMs(): Promise<number> {
    const nowMs = await this.now();
    return Math.round(nowMs - this.#deps.clock.now());
  }

  #hasJumped(): boolean {
    return Math.abs(this.#wallNow() - this.#wallMs) > JUMP_MS;
  }

  #wallNow(): number {
    return this.#deps.clock.now() - this.#deps.clock.monotonic();
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      this.#failedAtMs = this.#deps.clock.monotonic();
      this.#deps.log.debug({ error: (error as Error).message }, 'the server of the queue does not tell its time');
    }
  }

  #look(): Promise<void> {
    this.#looking ??= this.#measure().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #measure(): Promise<void> {
    const { clock, ask, log } = this.#deps;
    const wallMs = this.#wallNow();
    const sentMs = clock.monotonic();
    const serverMs = await ask();
    const atMs = clock.monotonic();
    const seen = { aheadMs: serverMs - (sentMs + atMs) / 2, errorMs: (atMs - sentMs) / 2, atMs };
    this.#wallMs = wallMs;
    const known = this.#known;
    const knownErrorMs = known ? known.errorMs + (atMs - known.atMs) * DRIFT : Number.POSITIVE_INFINITY;
    const apartMs = Math.abs(seen.aheadMs - (known?.aheadMs ?? seen.aheadMs));
    if (apartMs > JUMP_MS)
      log.info({ byMs: Math.round(seen.aheadMs - (known?.aheadMs ?? 0)) }, 'the clock of the queue has moved against ours');
    if (seen.errorMs <= knownErrorMs || apartMs > seen.errorMs + knownErrorMs) this.#known = seen;
  }
}

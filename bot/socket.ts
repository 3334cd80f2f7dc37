/**
 * Keeps connections of Socket Mode. Slack closes each after some hours, and tells so; it hands what comes in to any that is up, and what
 * was not acknowledged to another. So there are two, renewed out of step: a renewal leaves no moment without a connection.
 *
 * Slack's client could renew by itself, but waits 5 s before it does (measured on 3.0), and an error on that way ends the process.
 */
import type { Log } from '../core/process.ts';
import * as metrics from './metrics.ts';
import { troubleOf } from './trouble.ts';

/** Slack allows ten to an app: https://docs.slack.dev/apis/events-api/using-socket-mode */
const CONNECTIONS = 2;

export interface SocketTiming {
  /** From asking for a connection to Slack's greeting on it. */
  helloMs: number;
  /** One that ends sooner than this after its greeting has not worked. */
  steadyMs: number;
  /** The first wait after one has not worked; each further one is twice as long, at most 30 times. */
  retryMs: number;
  /** After it the second connection is renewed once, so that the two do not come of age together. */
  outOfStepMs: number;
  /** How long stopping waits for connections to close. */
  closeMs: number;
}

export const SOCKET_TIMING: SocketTiming = { helloMs: 10_000, steadyMs: 5_000, retryMs: 1_000, outOfStepMs: 600_000, closeMs: 1_000 };

/** One connection: Slack's client of Socket Mode, with its own renewing switched off. */
export interface SocketClient {
  /** Resolves with Slack's greeting. */
  start(): Promise<unknown>;
  disconnect(): Promise<unknown>;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
}

export interface Sockets {
  /** One sentence while no connection is up, else `undefined`. */
  trouble(): string | undefined;
  stop(): Promise<void>;
}

/** Opens the connections and keeps them. `open` makes a new client for each attempt. */
export function keepConnected(options: { open(): SocketClient; log: Log; timing: SocketTiming }): Sockets {
  const { log, timing } = options;
  const stopping = new AbortController();
  let up = 0;
  let why = 'it has not been reached yet';
  const count = (change: number) => {
    up += change;
    metrics.socketConnections.set(up);
  };

  async function keep(firstLifeMs: number): Promise<void> {
    let failures = 0;
    let lifeMs = firstLifeMs;
    while (!stopping.signal.aborted) {
      const beganMs = performance.now();
      const client = options.open();
      try {
        const gone = goneOf(client);
        await within(client.start(), timing.helloMs);
        count(1);
        await Promise.race([gone, pause(lifeMs, stopping.signal)]).finally(() => count(-1));
        failures = performance.now() - beganMs < timing.steadyMs ? failures + 1 : 0;
        lifeMs = Number.POSITIVE_INFINITY;
        why = 'the connection was closed and is being renewed';
      } catch (error) {
        failures++;
        why = wordsOf(error);
        log.warn({ failures }, `Socket Mode could not connect: ${why}`);
      }
      closeLater(client, log);
      // One that has worked, or has failed for the first time, is renewed at once.
      if (failures > 1) await pause(timing.retryMs * Math.min(30, 2 ** Math.min(5, failures - 2)), stopping.signal);
    }
  }

  const lines = Array.from({ length: CONNECTIONS }, (_, index) => keep(index === 0 ? Number.POSITIVE_INFINITY : timing.outOfStepMs));
  return {
    trouble: () => (up > 0 ? undefined : `Slack cannot be reached by Socket Mode, so presses and commands do not arrive: ${why}.`),
    stop: async () => {
      stopping.abort();
      await Promise.race([Promise.all(lines), pause(timing.closeMs)]);
    },
  };
}

/** Resolves when Slack says that it will close the connection, or when it is closed. */
function goneOf(client: SocketClient): Promise<void> {
  return new Promise((resolve) => {
    client.on('disconnected', () => resolve());
    // The client tells of it only once the closing is done, which may take Slack a while.
    client.on('ws_message', (data) => {
      if (typeof data === 'string' && data.length < 2_000 && isGoodbye(data)) resolve();
    });
  });
}

function isGoodbye(message: string): boolean {
  try {
    return (JSON.parse(message) as { type?: unknown }).type === 'disconnect';
  } catch {
    return false;
  }
}

/** The client waits for Slack to close its side; nobody has to wait for that. */
function closeLater(client: SocketClient, log: Log): void {
  void client
    .disconnect()
    .catch((error: unknown) => log.debug({ error: wordsOf(error) }, 'A connection of Socket Mode did not close well'));
}

async function within<T>(work: Promise<T>, mostMs: number): Promise<T> {
  work.catch(() => {});
  const late = new AbortController();
  try {
    return await Promise.race([
      work,
      pause(mostMs, late.signal).then(() => {
        throw new Error(`Slack has not greeted within ${mostMs / 1000} s`);
      }),
    ]);
  } finally {
    late.abort();
  }
}

/** Resolves after that time, or when `signal` is aborted. Keeps no process alive. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = Number.isFinite(ms) ? setTimeout(resolve, ms).unref() : undefined;
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
    if (signal?.aborted) resolve();
  });
}

function wordsOf(error: unknown): string {
  if (error === undefined) return 'the connection was closed before it could be used';
  if (error instanceof Error && error.message.startsWith('Slack has not greeted')) return error.message;
  const trouble = troubleOf(error);
  if (trouble.kind === 'auth')
    return `Slack refuses the app token (${trouble.code}); check SLACK_APP_TOKEN and its scope connections:write`;
  return trouble.message.replace(/\.$/, '');
}

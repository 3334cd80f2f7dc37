/**
 * Runs one kind of process until it is asked to stop: logs, health server, signals, and word to the supervisor.
 *
 * It stops on SIGTERM, on SIGINT, when the terminal that it was started at goes away, and when the supervisor's channel closes, so that
 * nothing is left when the supervisor is killed. The first of these counts; more of them change nothing. Any other SIGHUP makes it read
 * its configuration again; a process that has none takes no notice.
 */
import { register } from 'prom-client';
import type { Log, Start, Started } from '../core/process.ts';
import { type HealthServer, serveHealth } from '../http/health.ts';
import type { CliContext } from './context.ts';
import { terminalWatch } from './terminal.ts';

/** 10 s: less than what service managers wait between SIGTERM and SIGKILL (Docker 10 s after our own exit code, Kubernetes 30 s). */
export const STOP_LIMIT_MS = 10_000;
const READY_POLL_MS = 100;

/** What a process tells its supervisor. */
export type Word = { type: 'listening'; healthPort: number } | { type: 'ready' };

interface Serving {
  log: Log;
  health?: HealthServer;
  started?: Started;
  starting: Promise<unknown>;
  stopping: boolean;
  stopLimitMs: number;
}

/** Starts the process; resolves once it works, and it goes on until it is stopped. Ends the process with code 1 when it cannot start. */
export async function serve(name: string, load: () => Promise<Start>, context: CliContext, stopLimitMs = STOP_LIMIT_MS): Promise<void> {
  const { log, env } = context;
  const serving: Serving = { log, starting: Promise.resolve(), stopping: false, stopLimitMs };
  listenForTheEnd(serving);
  try {
    serving.health = await serveHealth({
      process: name,
      host: env.ROUNDS_HTTP_HOST ?? '127.0.0.1',
      port: portOf(env.ROUNDS_HTTP_PORT),
      ready: () => serving.started?.ready() ?? Promise.resolve('Starting.'),
      registries: [register],
      others: (request) => others(serving, request),
    });
    tell({ type: 'listening', healthPort: serving.health.port });
    const start = await load();
    const starting = start(context);
    serving.starting = starting.catch(() => {});
    serving.started = await starting;
  } catch (error) {
    fail(log, error, 'Could not start');
    return;
  }
  log.info({ healthPort: serving.health.port }, 'Started');
  await tellWhenReady(serving);
}

/** Whoever asks while it starts is to ask again: a delivery that meets a 404 is lost. */
function others({ started }: Serving, request: Request): Promise<Response> | undefined {
  if (!started) return Promise.resolve(new Response('Starting.', { status: 503, headers: { 'retry-after': '5' } }));
  return started.handle?.(request);
}

function portOf(text: string | undefined): number {
  const port = Number(text || 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`ROUNDS_HTTP_PORT: expected a port such as 9464, got "${text}".`);
  return port;
}

function listenForTheEnd(serving: Serving): void {
  const { log } = serving;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(serving, signal));
  const terminalIsGone = terminalWatch();
  process.on('SIGHUP', () => void (terminalIsGone() ? stop(serving, 'the terminal is gone') : reload(serving)));
  if (process.channel) process.on('disconnect', () => void stop(serving, 'the supervisor is gone'));
  process.on('unhandledRejection', (error) => fail(log, error, 'A promise failed and nobody handled it'));
  process.on('uncaughtException', (error) => fail(log, error, 'An error was thrown and nobody handled it'));
}

/** What fails here is told and changes nothing: the process goes on as it was. */
async function reload({ log, started, stopping }: Serving): Promise<void> {
  if (stopping || !started) return;
  if (!started.reload) {
    log.info({}, 'SIGHUP: this process has no configuration to read again');
    return;
  }
  try {
    await started.reload();
  } catch (error) {
    log.error({ err: error }, `The configuration could not be read again: ${(error as Error).message}`);
  }
}

async function stop(serving: Serving, reason: string): Promise<void> {
  if (serving.stopping) return;
  serving.stopping = true;
  const { log, stopLimitMs } = serving;
  log.info({ reason }, 'Stopping');
  setTimeout(() => {
    log.error({}, `Did not stop within ${stopLimitMs / 1000} s; ending all the same`);
    process.exit(1);
  }, stopLimitMs);
  try {
    await serving.starting;
    await serving.started?.stop();
    await serving.health?.close();
  } catch (error) {
    fail(log, error, 'Could not stop in order');
  }
  log.info({}, 'Stopped');
  process.exit(0);
}

function fail(log: Log, error: unknown, message: string): void {
  log.error({ err: error }, error instanceof Error ? `${message}: ${error.message}` : message);
  process.exit(1);
}

async function tellWhenReady(serving: Serving): Promise<void> {
  let last: string | undefined;
  while (!serving.stopping) {
    const reason = await serving.started?.ready().catch((error: Error) => error.message);
    if (reason === undefined) {
      serving.log.debug({}, 'Ready');
      return tell({ type: 'ready' });
    }
    if (reason !== last) serving.log.info({ reason }, 'Not ready yet');
    last = reason;
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

/** The channel may close at any time; the `disconnect` event says so, not an error here. */
function tell(word: Word): void {
  process.send?.(word, undefined, undefined, () => {});
}

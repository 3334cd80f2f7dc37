/**
 * `rounds up`: everything on one machine. PostgreSQL first, then every process at once; in the end everything stops, PostgreSQL last.
 * What was opened is kept in a list of closers and undone in reverse, however far the start got.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { CliContext } from './context.ts';
import { takeLock } from './lock.ts';
import { migrateAll } from './migrate.ts';
import { type EmbeddedPostgres, startPostgres } from './postgres.ts';
import { removeTable, writeTable } from './process-table.ts';
import { type ProcessState, supervise } from './supervisor.ts';
import { terminalWatch } from './terminal.ts';
import { childrenOf, type UpPlan, urlsOf } from './up-children.ts';
import { followConfig } from './up-follow.ts';
import { lineWriter } from './up-output.ts';
import { choosePorts, dataFolderOf, makePlan, ownDatabaseUrl, withClinic, writeConfig } from './up-plan.ts';

const POSTGRES_PORT = 4632;
const PARENT_POLL_MS = 500;

/** How the end is asked for: by a signal, or because who started us is gone. */
interface StopRequest {
  asked: boolean;
  /** What a SIGHUP does once all runs, when it does not mean the end. */
  onHangUp: () => void;
  /** Resolves when the end is asked for. */
  when: Promise<void>;
}

type Closers = (() => Promise<void> | void)[];

/** Runs until it is asked to stop. Returns 0 after an orderly end, 1 when it could not start. */
export async function up(context: CliContext): Promise<number> {
  const stop = stopRequest(context);
  const closers: Closers = [];
  try {
    await start(context, stop, closers);
    await stop.when;
    return 0;
  } catch (error) {
    // What was under way when the end was asked for may well have failed for that reason.
    if (stop.asked) return 0;
    context.io.err(`${(error as Error).message}\n`);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close();
    if (stop.asked) context.io.out('Stopped.\n');
  }
}

function stopRequest({ io, env }: CliContext): StopRequest {
  const { promise, resolve } = Promise.withResolvers<void>();
  const request: StopRequest = { asked: false, onHangUp: () => undefined, when: promise };
  const ask = () => {
    if (!request.asked) io.out('\nStopping …\n');
    request.asked = true;
    resolve();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, ask);
  const terminalIsGone = terminalWatch();
  process.on('SIGHUP', () => (terminalIsGone() ? ask() : request.onHangUp()));
  if (process.channel) process.on('disconnect', ask);
  // Listening to the channel alone is no reason to stay.
  process.channel?.unref();
  if (env.npm_lifecycle_event) askWhenOrphaned(ask);
  return request;
}

/** npm passes SIGTERM on to its shell, which dies of it and tells nobody: whoever ends `npm start` means us. */
function askWhenOrphaned(ask: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    ask();
  }, PARENT_POLL_MS);
  timer.unref();
}

async function start(context: CliContext, stop: StopRequest, closers: Closers): Promise<void> {
  const { io, log, options } = context;
  const dataFolder = dataFolderOf(context);
  const lock = takeLock(join(dataFolder, 'run', 'up.lock'));
  closers.push(() => lock.release());
  const ports = await choosePorts(options.port);
  const postgres = ownDatabaseUrl(context) ? undefined : await openPostgres(context, stop, closers);
  if (stop.asked) return;
  const plan = await makePlan(context, postgres, ports);
  if (!plan.browser) log.warn({}, 'There is no Chromium here, so journeys cannot run. This brings one: node scripts/setup.mjs start');
  await migrateAll(plan.databaseUrl, plan.queueUrl, log);
  if (stop.asked) return;
  await runChildren(context, plan, postgres, stop, closers);
  if (!stop.asked) io.out(welcome(plan));
}

async function openPostgres({ log, io, ...context }: CliContext, stop: StopRequest, closers: Closers): Promise<EmbeddedPostgres> {
  io.out('Starting PostgreSQL …\n');
  // The sample clinic's report is found by what its role does.
  const settings: Record<string, string> = withClinic({ log, io, ...context }) ? { shared_preload_libraries: 'pg_stat_statements' } : {};
  const options = { folder: dataFolderOf({ log, io, ...context }), log, settings };
  let current = await startPostgres({ ...options, port: POSTGRES_PORT });
  const first = current;
  let closing = false;
  // Somebody may kill it like any other process; the others reach it again at the same address.
  const keepUp = async () => {
    for (let backoffMs = 500; !closing; backoffMs = Math.min(backoffMs * 2, 10_000)) {
      await current.ended;
      if (closing || stop.asked) return;
      log.warn({}, `PostgreSQL has ended; starting it again in ${backoffMs / 1000} s`);
      await sleep(backoffMs);
      if (closing) return;
      current = await startPostgres({ ...options, port: first.port }).catch((error: Error) => {
        log.error({ err: error }, error.message);
        return current;
      });
    }
  };
  const keeping = keepUp();
  closers.push(async () => {
    closing = true;
    await current.stop();
    await keeping;
    await current.stop();
  });
  return first;
}

async function runChildren(
  { io, log, options }: CliContext,
  plan: UpPlan,
  postgres: EmbeddedPostgres | undefined,
  stop: StopRequest,
  closers: Closers,
): Promise<void> {
  const children = childrenOf(plan);
  io.out(`Starting ${children.map(({ name }) => name).join(', ')} …\n`);
  let ready = false;
  let processes: Readonly<Record<string, ProcessState>> = {};
  const ports = { ...plan.ports, ...(postgres ? { postgres: postgres.port } : {}) };
  const publish = () => writeTable(plan.dataFolder, { up: { pid: process.pid }, processes, urls: urlsOf(plan), ports, ready });
  const supervisor = supervise({
    children,
    log,
    onLine: lineWriter(io, options.verbose === 'true'),
    onChange: (table) => {
      processes = table;
      publish();
    },
  });
  closers.push(async () => {
    await supervisor.stop();
    removeTable(plan.dataFolder);
  });
  await Promise.race([supervisor.ready, stop.when]);
  ready = true;
  publish();
  if (stop.asked) return;
  const following = await followConfig({
    plan,
    children,
    supervisor,
    secretsFolder: join(plan.dataFolder, 'secrets'),
    writeConfig: () => writeConfig({ io, log, options, env: plan.env }, plan.ports).configPath,
    log,
  });
  closers.push(() => following.stop());
  stop.onHangUp = () => void following.reload();
}

function welcome(plan: UpPlan): string {
  const urls = urlsOf(plan);
  if (!plan.withDesk) return '\nRounds is up, and speaks in your Slack workspace. Try there: /rounds status\nCtrl-C stops everything.\n\n';
  const hint = plan.clinic
    ? 'Break the clinic with the switches beside the channel; watch Rounds find it, say it, and repair it when you press the button.'
    : 'The desk stands in for Slack. Try there: /rounds status';
  return `\nRounds is up: ${urls.desk}\n${hint}\nCtrl-C stops everything.\n\n`;
}

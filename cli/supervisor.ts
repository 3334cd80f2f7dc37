/**
 * Starts processes, keeps them running, and stops them all. It is told what to run as data and knows nothing of what they do.
 *
 * A process that ends by itself is started again after 0.5 s, then 1 s, 2 s … 10 s; one that has worked for 30 s begins anew at 0.5 s.
 * A process that cannot be brought up even once is given up after five tries, and so is the whole start. One that came later, by
 * `update`, is tried on: what runs already does not end for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../core/process.ts';
import { STOP_LIMIT_MS, type Word } from './serve.ts';

const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 10_000;
const STEADY_AFTER_MS = 30_000;
const FIRST_START_TRIES = 5;

/** One process to run. Secrets belong into `env`, never into `args`. */
export interface ChildSpec {
  name: string;
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Started only when these have been ready once. */
  after?: readonly string[];
  /** Others talk to it: it is stopped when they have stopped. */
  stopsLast?: boolean;
}

/** What is known of a process that runs. */
export interface ProcessState {
  pid: number;
  /** The port of its health server, once it has told. */
  healthPort?: number;
  ready: boolean;
  /** How often it was started again. */
  restarts: number;
}

export interface SupervisorOptions {
  children: readonly ChildSpec[];
  log: Log;
  /** One line that a process has written. */
  onLine(name: string, line: string): void;
  /** The table of processes has changed. */
  onChange(table: Readonly<Record<string, ProcessState>>): void;
  /** The first wait before a process is started again; 500 ms unless told. */
  firstBackoffMs?: number;
  /** How long a process may take to stop before it is killed; 12 s unless told, a little more than the process's own bound. */
  stopLimitMs?: number;
}

export interface Supervisor {
  /** Resolves when each process has been ready once; rejects with one sentence when one cannot be brought up. */
  ready: Promise<void>;
  /** Stops what is not in the list any more, starts what is new in it, starts anew what is told otherwise, and leaves the rest alone. */
  update(children: readonly ChildSpec[]): Promise<void>;
  /** Stops every process, those that others talk to last, each within its bound; after that they are killed. May be called more than once. */
  stop(): Promise<void>;
}

interface Running {
  spec: ChildSpec;
  child: ChildProcess | undefined;
  state: ProcessState | undefined;
  startedMs: number;
  backoffMs: number;
  failures: number;
  launched: boolean;
  everReady: boolean;
  lastLine: string;
  restart: NodeJS.Timeout | undefined;
}

/** Starts all children at once, but those that wait for others. */
export function supervise(options: SupervisorOptions): Supervisor {
  const processes = options.children.map((spec) => fresh(spec, options.firstBackoffMs ?? FIRST_BACKOFF_MS));
  const allReady = Promise.withResolvers<void>();
  const control: Control = { options, processes, allReady, isUp: false, stopping: undefined };
  allReady.promise.catch(() => {});
  launchDue(control);
  return {
    ready: allReady.promise,
    update: (children) => update(control, children),
    stop: () => (control.stopping ??= stopAll(control)),
  };
}

interface Control {
  options: SupervisorOptions;
  processes: Running[];
  allReady: PromiseWithResolvers<void>;
  /** Every process has been ready once. */
  isUp: boolean;
  stopping: Promise<void> | undefined;
}

function fresh(spec: ChildSpec, backoffMs: number): Running {
  return {
    spec,
    child: undefined,
    state: undefined,
    startedMs: 0,
    backoffMs,
    failures: 0,
    launched: false,
    everReady: false,
    lastLine: '',
    restart: undefined,
  };
}

async function update(control: Control, children: readonly ChildSpec[]): Promise<void> {
  if (control.stopping) return;
  const wanted = new Map(children.map((spec) => [spec.name, spec]));
  const gone = control.processes.filter(({ spec }) => !isDeepStrictEqual(wanted.get(spec.name), spec));
  control.processes = control.processes.filter((running) => !gone.includes(running));
  for (const running of gone) clearTimeout(running.restart);
  await Promise.all(gone.map(({ child, spec }) => (child ? stopOne(child, spec.name, control.options) : undefined)));
  // The end may have been asked for meanwhile.
  if (control.stopping) return;
  const known = new Set(control.processes.map(({ spec }) => spec.name));
  const added = children.filter(({ name }) => !known.has(name));
  control.processes.push(...added.map((spec) => fresh(spec, control.options.firstBackoffMs ?? FIRST_BACKOFF_MS)));
  launchDue(control);
  control.options.onChange(tableOf(control));
}

/** Starts what was not started yet and waits for nothing any more. */
function launchDue(control: Control): void {
  if (control.stopping) return;
  const waitsFor = (name: string) => control.processes.some(({ spec, everReady }) => spec.name === name && !everReady);
  for (const running of control.processes) {
    if (!running.launched && !running.spec.after?.some(waitsFor)) launch(control, running);
  }
}

function launch(control: Control, running: Running): void {
  const { spec } = running;
  running.launched = true;
  // In a group of its own: Ctrl-C is for the supervisor, which stops the others in order.
  const child = spawn(spec.program, spec.args, { env: spec.env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
  running.child = child;
  running.startedMs = performance.now();
  if (child.pid !== undefined) running.state = { pid: child.pid, ready: false, restarts: running.failures };
  child.on('message', (word) => hear(control, running, word as Word));
  // Without a listener a process that cannot even be spawned would end us.
  child.on('error', (error) => {
    running.lastLine = error.message;
    if (child.pid === undefined) ended(control, running, 'could not be started');
  });
  child.on('exit', (code, signal) => ended(control, running, signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
  for (const stream of [child.stdout, child.stderr]) if (stream) readLines(control, running, stream);
  control.options.onChange(tableOf(control));
}

function readLines(control: Control, running: Running, stream: Readable): void {
  createInterface({ input: stream }).on('line', (line) => {
    running.lastLine = line;
    control.options.onLine(running.spec.name, line);
  });
}

function hear(control: Control, running: Running, word: Word): void {
  if (!running.state) return;
  if (word.type === 'listening') running.state.healthPort = word.healthPort;
  if (word.type === 'ready') {
    running.state.ready = true;
    running.everReady = true;
  }
  control.options.onChange(tableOf(control));
  launchDue(control);
  if (control.processes.every((one) => one.everReady)) {
    control.isUp = true;
    control.allReady.resolve();
  }
}

function ended(control: Control, running: Running, how: string): void {
  const { name } = running.spec;
  const lastedMs = performance.now() - running.startedMs;
  running.child = undefined;
  running.state = undefined;
  control.options.onChange(tableOf(control));
  if (control.stopping || !control.processes.includes(running)) return;
  running.failures += 1;
  if (!control.isUp && !running.everReady && running.failures >= FIRST_START_TRIES) {
    control.allReady.reject(
      new Error(`${name} does not start: it ${how}, ${FIRST_START_TRIES} times. Its last words: ${lastWords(running.lastLine)}`),
    );
    return;
  }
  if (lastedMs > STEADY_AFTER_MS) running.backoffMs = control.options.firstBackoffMs ?? FIRST_BACKOFF_MS;
  control.options.log.warn(
    { process: name, afterMs: running.backoffMs },
    `${name} ${how}; starting it again in ${running.backoffMs / 1000} s`,
  );
  running.restart = setTimeout(() => launch(control, running), running.backoffMs);
  running.backoffMs = Math.min(running.backoffMs * 2, LONGEST_BACKOFF_MS);
}

/** The message of a log line, or the line as it is. */
function lastWords(line: string): string {
  try {
    return String((JSON.parse(line) as { msg?: string }).msg ?? line);
  } catch {
    return line || 'none';
  }
}

function tableOf({ processes }: Control): Record<string, ProcessState> {
  return Object.fromEntries(processes.flatMap(({ spec, state }) => (state ? [[spec.name, { ...state }]] : [])));
}

/** What others talk to is stopped after them: a journey in flight would wait for a page that nobody serves any more. */
async function stopAll(control: Control): Promise<void> {
  for (const running of control.processes) clearTimeout(running.restart);
  for (const isLast of [false, true]) {
    const wave = control.processes.filter(({ spec }) => (spec.stopsLast ?? false) === isLast);
    await Promise.all(wave.map(({ child, spec }) => (child ? stopOne(child, spec.name, control.options) : undefined)));
  }
}

async function stopOne(child: ChildProcess, name: string, { log, stopLimitMs = STOP_LIMIT_MS + 2_000 }: SupervisorOptions): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => {
    log.error({ process: name }, `${name} does not stop; ending it`);
    child.kill('SIGKILL');
  }, stopLimitMs);
  await exited;
  clearTimeout(timer);
}

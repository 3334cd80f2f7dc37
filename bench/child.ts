/** Processes that a benchmark starts. Each ends with us, since its channel to us closes; what it writes is kept for the error message. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STOP_LIMIT_MS = 15_000;
const KEPT_CHARACTERS = 2_000;

export interface Child {
  pid: number;
  /** The next message that fits. Rejects when the process ends first. */
  hear<T>(fits: (message: unknown) => message is T): Promise<T>;
  tell(message: object): void;
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** The script, from the root of the checkout. */
  script: string;
  args?: readonly string[];
  /** Arguments for Node itself. */
  nodeArgs?: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/** Starts a script on the Node that runs us. */
export function startChild({ script, args = [], nodeArgs = [], env, signal }: ChildOptions): Child {
  const given = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const child = spawn(process.execPath, [...nodeArgs, `${ROOT}${script}`, ...args], {
    env: given,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const said = keepWords(child);
  const ended = once(child, 'exit').then(
    ([code, by]) => new Error(`${script} ${args.join(' ')} ended (${by ?? code}). It said: ${said()}`),
  );
  ended.catch(() => {});
  return {
    pid: child.pid ?? 0,
    hear: (fits) => heard(child, fits, ended, signal),
    tell: (message) => void child.send(message),
    stop: () => stop(child),
  };
}

function keepWords(child: ChildProcess): () => string {
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-KEPT_CHARACTERS);
    });
  }
  return () => words.trim() || 'nothing';
}

async function heard<T>(
  child: ChildProcess,
  fits: (message: unknown) => message is T,
  ended: Promise<Error>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onMessage = (message: unknown) => {
    if (fits(message)) resolve(message);
  };
  const onAbort = () => reject(signal.reason);
  child.on('message', onMessage);
  signal.addEventListener('abort', onAbort, { once: true });
  ended.then(reject, reject);
  try {
    return await promise;
  } finally {
    child.off('message', onMessage);
    signal.removeEventListener('abort', onAbort);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

/** A message with that `type`, and what else `T` says; both ends of the channel are ours. */
export function ofType<T extends { type: string }>(type: T['type']): (message: unknown) => message is T {
  return (message): message is T => (message as { type?: unknown } | null)?.type === type;
}

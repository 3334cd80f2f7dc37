/** One connection to the Redis that is probed, on a socket that can be cut at any moment. Nothing is tried twice. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, ReplyError } from 'ioredis';
import { outsideTrouble, socketTrouble, TargetTrouble } from '../deadline.ts';
import { speaking, type TlsOptions } from '../tls/options.ts';
import { limitInWords } from '../words.ts';
import { type Address, addressOf } from './address.ts';
import { replyTrouble } from './replies.ts';

export interface Session {
  /** `redis.example:6379`. */
  name: string;
  /** The answer to a command, such as `ask('SLOWLOG GET', '128')`. Throws {@link TargetTrouble}. */
  ask(command: string, ...args: string[]): Promise<unknown>;
  /** Waits, but not for a connection that is gone or time that is up: the next `ask` then says so. */
  rest(forMs: number): Promise<void>;
  close(): void;
}

export interface SessionOptions {
  url: string;
  tls: TlsOptions;
  signal: AbortSignal;
  /** Only said in messages; the signal ends the session. */
  timeoutMs: number;
}

/** What went wrong outside of an answer: the library tells the commands in hand only that the connection is closed. */
interface Heard {
  socketError?: Error;
  /** An answer that nobody asked for: how Redis says that it has no connection left. */
  unasked?: string;
}

/** Connects, logs in and chooses the database. Throws {@link TargetTrouble}, and `AgentFault` for parameters that cannot be used. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const address = addressOf(options.url);
  const heard: Heard = {};
  const socket = socketTo(address, options.tls);
  socket.on('error', (error) => {
    heard.socketError ??= error;
  });
  const guard = guardOf(options, heard, address.name);
  const session = sessionOn(socket, clientOn(socket, heard), guard, options.signal, address.name);
  try {
    const [connected, shaken] = [happened(socket, 'connect'), address.secure ? happened(socket, 'secureConnect') : undefined];
    await guard.during('no connection', connected);
    if (shaken) await guard.during('no TLS handshake', shaken);
    await session.begin();
    await login(session, address);
  } catch (error) {
    session.close();
    throw error;
  }
  return session;
}

interface Guard {
  /** The outcome of `work`, or what cut it off, in words: `phase` says what did not come. */
  during<T>(phase: string, work: Promise<T>, command?: string): Promise<T>;
  end(): void;
}

function guardOf(options: SessionOptions, heard: Heard, name: string): Guard {
  const cut = Promise.withResolvers<never>();
  cut.promise.catch(() => {});
  const onAbort = () => cut.reject(options.signal.reason);
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  return {
    async during(phase, work, command = 'the connection') {
      work.catch(() => {});
      try {
        return await Promise.race([work, cut.promise]);
      } catch (error) {
        throw troubleOf(error, { phase, command, name, heard, options });
      }
    },
    end: () => options.signal.removeEventListener('abort', onAbort),
  };
}

function sessionOn(socket: Socket, client: Redis, guard: Guard, signal: AbortSignal, name: string): Session & { begin(): Promise<void> } {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  return {
    name,
    begin: () => guard.during('no connection', client.connect()),
    ask: (command, ...args) => {
      const [first = '', ...words] = command.split(' ');
      return guard.during(`no answer to ${command}`, client.call(first, ...words, ...args), command);
    },
    rest: (forMs) => sleep(forMs, undefined, { signal: AbortSignal.any([signal, gone.signal]) }).catch(() => {}),
    close: () => {
      guard.end();
      client.disconnect();
      socket.destroy();
    },
  };
}

function socketTo({ host, port, secure }: Address, tls: TlsOptions): Socket {
  if (!secure) return connect({ host, port, noDelay: true });
  return connectTls({ host, port, ...speaking(host, tls) });
}

/** Rejects when the socket fails first, which the other promise on it may be told of as well. */
function happened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  socket.once(event, () => resolve());
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('Connection is closed.')));
  return promise;
}

/** The client on a socket that is open. RESP2 and no greeting of its own, so that a user needs no right but those of the checks. */
function clientOn(socket: Socket, heard: Heard): Redis {
  class OwnSocket extends AbstractConnector {
    constructor() {
      super(0);
    }
    override connect(): Promise<Socket> {
      return Promise.resolve(socket);
    }
    override disconnect(): void {
      socket.destroy();
    }
  }
  const client = new Redis({
    Connector: OwnSocket,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    protocol: 2,
  });
  client.on('error', (error: Error) => {
    heard.unasked ??= / Last error: (.+)$/s.exec(error.message)?.[1];
  });
  return client;
}

async function login(session: Session, { username, password, database }: Address): Promise<void> {
  if (password !== undefined) {
    const words = username === undefined ? [password] : [username, password];
    await session.ask('AUTH', ...words);
  }
  if (database > 0) await session.ask('SELECT', String(database));
}

interface Circumstances {
  phase: string;
  command: string;
  name: string;
  heard: Heard;
  options: SessionOptions;
}

function troubleOf(error: unknown, { phase, command, name, heard, options }: Circumstances): unknown {
  const cause = heard.socketError ?? error;
  const outside = outsideTrouble(cause, options.signal, () => `${phase} within ${limitInWords(options.timeoutMs)}`);
  if (outside !== undefined) return outside;
  const { message } = error as Error;
  if (error instanceof ReplyError) return replyTrouble(message, command, name);
  if (heard.unasked !== undefined) return replyTrouble(heard.unasked, command, name);
  if (/RESP/.test(message)) return new TargetTrouble('protocol', `${name} does not speak the protocol of Redis`);
  const ofSocket = socketTrouble(cause, name);
  if (ofSocket) return ofSocket;
  // Whatever else the library says of a connection: it is gone.
  return new TargetTrouble('connection-reset', `${name} closed the connection`);
}

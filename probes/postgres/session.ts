/** One connection to the PostgreSQL that is probed, on a socket that can be cut at any moment. */
import { Socket } from 'node:net';
import pg from 'pg';
import { outsideTrouble, socketTrouble, TargetTrouble } from '../deadline.ts';
import { AgentFault } from '../probe.ts';
import { limitInWords } from '../words.ts';

/** What the server is given to close an ended session by itself before the socket is cut. */
const GOODBYE_MS = 300;

export interface Session {
  /**
   * The rows of a statement without parameters, which the server ends after `limitMs`, if told. Throws {@link TargetTrouble}; `unreadable`
   * when a right or a column is missing.
   */
  rows(sql: string, limitMs?: number): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export interface SessionOptions {
  url: string;
  signal: AbortSignal;
  /** Bounds each statement on the server; the signal bounds the whole. */
  timeoutMs: number;
}

/** Connects. Throws {@link TargetTrouble} for a server that is down, `AgentFault` for an address that is none. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const host = hostOf(options.url);
  const socket = new Socket();
  const client = new pg.Client({ connectionString: options.url, application_name: 'rounds', stream: () => socket });
  // A connection that breaks is told by the statement in hand; without a listener it would end the process.
  client.on('error', () => {});
  const cut = Promise.withResolvers<never>();
  cut.promise.catch(() => {});
  const onAbort = () => {
    cut.reject(options.signal.reason);
    socket.destroy();
  };
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) onAbort();

  // Who listens and says nothing is another trouble than who cannot be reached.
  let phase = 'no connection';
  socket.once('connect', () => {
    phase = 'no answer to the login';
  });
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([work, cut.promise]);
    } catch (error) {
      throw troubleOf(error, phase, host, options);
    } finally {
      work.catch(() => {});
    }
  };
  const close = async () => {
    options.signal.removeEventListener('abort', onAbort);
    const ended = client.end().catch(() => {});
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
    socket.destroy();
  };
  const rows = async (sql: string, limitMs = options.timeoutMs) => {
    // Several statements in one message are one transaction, so the limit holds for this one only, behind a pooler as well.
    const sent = client.query(`SET LOCAL statement_timeout = ${Math.ceil(Math.min(limitMs, options.timeoutMs))}; ${sql}`);
    const answer = (await guarded(sent)) as unknown as pg.QueryResult[];
    return answer.at(-1)?.rows ?? [];
  };
  try {
    await guarded(client.connect());
    phase = 'no answer to a query';
  } catch (error) {
    await close();
    throw error;
  }
  return { rows, close };
}

function hostOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new AgentFault('parameters', 'The url is no postgres:// address once its secret is filled in.');
  }
  return parsed.host;
}

/** SQLSTATE → failure kind and words. The server's own message may quote data and is never passed on. */
const STATES: Readonly<Record<string, [kind: string, words: string]>> = {
  '28000': ['authentication', 'refuses the login'],
  '28P01': ['authentication', 'refuses the password'],
  '3D000': ['no-database', 'has no such database'],
  '53300': ['connections', 'has no connection left'],
  '57P03': ['not-accepting', 'is starting up or shutting down'],
  '57P01': ['not-accepting', 'is shutting down'],
  '57014': ['timeout', 'ended the query at its time limit'],
  '55000': ['unreadable', 'is not set up to tell this'],
  '42501': ['unreadable', 'denies the right to read this'],
  '42703': ['unreadable', 'is of a version that does not tell this'],
  '42P01': ['unreadable', 'is of a version that does not tell this'],
  '42883': ['unreadable', 'is of a version that does not tell this'],
};

function troubleOf(error: unknown, phase: string, host: string, options: SessionOptions): unknown {
  const outside = outsideTrouble(error, options.signal, () => `${phase} within ${limitInWords(options.timeoutMs)}`);
  if (outside !== undefined) return outside;
  const { code, message } = error as { code?: string; message?: string };
  const known = code === undefined ? undefined : STATES[code];
  if (known) return new TargetTrouble(known[0], `${host} ${known[1]}`);
  const ofSocket = socketTrouble(error, host);
  if (ofSocket) return ofSocket;
  if (/SSL|TLS/i.test(message ?? '')) return new TargetTrouble('tls', `${host} does not offer TLS`);
  if (/terminated|closed/i.test(message ?? '')) return new TargetTrouble('connection-reset', `${host} closed the connection`);
  if (/^[0-9A-Z]{5}$/.test(code ?? '')) return new TargetTrouble('query', `${host} answered with SQL state ${code}`);
  if (/invalid response/i.test(message ?? '')) return new TargetTrouble('protocol', `${host} does not speak the protocol of PostgreSQL`);
  if (/SASL|password|auth/i.test(message ?? '')) return new TargetTrouble('authentication', `${host} refuses the login`);
  return error;
}

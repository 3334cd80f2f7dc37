/** One HTTP request on a connection of its own, with the time of each phase. */
import type { X509Certificate } from 'node:crypto';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { outsideTrouble, socketTrouble, TargetTrouble } from '../deadline.ts';
import { AgentFault } from '../probe.ts';
import { speaking, type TlsOptions } from '../tls/options.ts';
import { tooLarge } from './body.ts';

export interface ExchangeOptions {
  url: URL;
  method: string;
  /** Names and values by turns, complete: nothing is added. */
  headers: readonly string[];
  body?: string | undefined;
  tls: TlsOptions;
  /** The name in the `Host` header where it is not the address's: TLS asks for it, too. */
  virtualHost?: string | undefined;
}

/** What one run's exchanges share. */
export interface ExchangeContext {
  /** Ends the exchange: with a `TimeoutError` when the check's time is up. */
  signal: AbortSignal;
  /** The time that was to be had, for messages: `within 5 s`. */
  limitWords(): string;
  bodyLimitBytes: number;
  monotonic(): number;
}

/** Milliseconds by phase; one that did not take place is absent. */
export type Phases = Partial<Record<'dns_ms' | 'connect_ms' | 'tls_ms' | 'first_byte_ms' | 'download_ms', number>>;

export interface Answer {
  url: URL;
  status: number;
  headers: IncomingMessage['headers'];
  /** As it came, packed or not, until {@link unpack} has seen it. */
  body: Buffer;
  /** An encoding that nobody knows here: the body cannot be read. */
  packedAs?: string;
  /** Of https only: the server's own, with those that it sent. */
  certificate?: X509Certificate | undefined;
}

interface Marks {
  start: number;
  lookup?: number;
  connect?: number;
  secure?: number;
  response?: number;
  end?: number;
}

/**
 * Sends the request and reads the whole answer, then closes the connection. Adds the phases that were reached to `phases`, also when it
 * fails. Throws {@link TargetTrouble} for a target that is down, `AgentFault` when this machine is at its limits, and the signal's
 * reason when the agent stops.
 */
export async function exchange(options: ExchangeOptions, context: ExchangeContext, phases: Phases): Promise<Answer> {
  const marks: Marks = { start: context.monotonic() };
  try {
    return await converse(options, context, marks);
  } catch (error) {
    throw troubleOf(error, options.url, context, marks);
  } finally {
    addPhases(phases, marks);
  }
}

function converse(options: ExchangeOptions, context: ExchangeContext, marks: Marks): Promise<Answer> {
  const { signal } = context;
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw signal.reason;
    let request: ClientRequest | undefined;
    const onAbort = () => fail(signal.reason);
    const end = () => {
      signal.removeEventListener('abort', onAbort);
      request?.destroy();
    };
    const fail = (error: unknown) => {
      reject(error);
      end();
    };
    request = send(options, context, marks);
    signal.addEventListener('abort', onAbort);
    const answered = (response: IncomingMessage, body: Buffer) => {
      marks.end = context.monotonic();
      const { statusCode: status = 0, headers } = response;
      resolve({ url: options.url, status, headers, body, certificate });
      end();
    };
    let certificate: X509Certificate | undefined;
    request.on('error', fail);
    request.on('response', (response) => {
      marks.response = context.monotonic();
      if (response.socket instanceof TLSSocket) certificate = response.socket.getPeerX509Certificate();
      readBody(response, context.bodyLimitBytes, fail, (body) => answered(response, body));
    });
    // What follows a 101 is another protocol, and no body.
    request.on('upgrade', (response, socket) => {
      marks.response = context.monotonic();
      socket.destroy();
      answered(response, Buffer.alloc(0));
    });
    request.end(options.body);
  });
}

/** Without an agent of Node's: its pool is of no use to connections that are used once, and costs a third of a request. */
function send(options: ExchangeOptions, context: ExchangeContext, marks: Marks): ClientRequest {
  const { url, method, headers } = options;
  return httpRequest({
    method,
    path: `${url.pathname}${url.search}`,
    headers,
    createConnection: () => opened(options, context, marks),
  });
}

/** Tries the host's addresses of both families in turn, as Node does unless told otherwise. */
function opened(options: ExchangeOptions, { monotonic }: ExchangeContext, marks: Marks): Socket {
  const { url } = options;
  const secure = url.protocol === 'https:';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const socket = secure ? connectTls({ host, port, ...tlsOf(host, options) }) : connect({ host, port });
  if (isIP(host) === 0) {
    socket.on('lookup', () => {
      marks.lookup ??= monotonic();
    });
  }
  socket.once('connect', () => {
    marks.connect = monotonic();
  });
  if (secure) {
    socket.once('secureConnect', () => {
      marks.secure = monotonic();
    });
  }
  return socket;
}

function tlsOf(host: string, { tls, virtualHost }: ExchangeOptions) {
  return { ...speaking(virtualHost ?? host, tls), ALPNProtocols: ['http/1.1'] };
}

function readBody(response: IncomingMessage, limitBytes: number, fail: (error: unknown) => void, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > limitBytes) fail(tooLarge(limitBytes));
  });
  response.on('error', fail);
  response.on('end', () => done(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
}

function addPhases(phases: Phases, { start, lookup, connect, secure, response, end }: Marks): void {
  if (lookup !== undefined) phases.dns_ms = (phases.dns_ms ?? 0) + lookup - start;
  if (connect === undefined) return;
  phases.connect_ms = (phases.connect_ms ?? 0) + connect - (lookup ?? start);
  if (secure !== undefined) phases.tls_ms = (phases.tls_ms ?? 0) + secure - connect;
  if (response === undefined) return;
  phases.first_byte_ms = (phases.first_byte_ms ?? 0) + response - (secure ?? connect);
  if (end !== undefined) phases.download_ms = (phases.download_ms ?? 0) + end - response;
}

function troubleOf(error: unknown, url: URL, { signal, limitWords }: ExchangeContext, marks: Marks): unknown {
  const outside = outsideTrouble(error, signal, () => `${missingPhase(marks, url)} ${limitWords()}`);
  if (outside !== undefined) return outside;
  if (error instanceof TargetTrouble) return error;
  return socketTrouble(error, url.host) ?? protocolTrouble(error, url.host);
}

function missingPhase(marks: Marks, url: URL): string {
  if (marks.response !== undefined) return 'the answer was not complete';
  if (marks.connect === undefined) return 'no connection';
  return url.protocol === 'https:' && marks.secure === undefined ? 'no TLS handshake' : 'no answer';
}

function protocolTrouble(error: unknown, host: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (code === 'HPE_HEADER_OVERFLOW') return new TargetTrouble('too-large', 'the head of the answer is larger than 16 kB');
  if (typeof code === 'string' && code.startsWith('HPE_')) return new TargetTrouble('protocol', `${host} did not answer in HTTP`);
  // Header and URL errors quote the value, which may be a secret: say only what kind it was.
  if (typeof code === 'string' && code.startsWith('ERR_')) return new AgentFault('parameters', `The request cannot be made (${code}).`);
  return error;
}

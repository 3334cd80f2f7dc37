/** One HTTP request on a connection of its own, with the time of each phase. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { rootCertificates } from 'node:tls';
import { isOwnLimit, socketTrouble, TargetTrouble, timeIsUp } from '../deadline.ts';
import { AgentFault } from '../probe.ts';
import { limitInWords } from '../words.ts';

export interface ExchangeOptions {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body?: string;
  /** Certificates that are trusted besides those of the system, PEM. */
  ca?: string;
  bodyLimitBytes: number;
  signal: AbortSignal;
  /** Only said in messages; the signal ends the exchange. */
  timeoutMs: number;
  monotonic(): number;
}

export interface Exchange {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
  bodyBytes: number;
  /** `dns_ms`, `connect_ms`, `tls_ms`, `first_byte_ms`, `download_ms`; a phase that did not take place is absent. */
  phases: Record<string, number>;
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
 * Sends the request and reads the whole answer, then closes the connection. Throws {@link TargetTrouble} for a target that is
 * down, `AgentFault` when this machine is at its limits, and the signal's reason when the agent stops.
 */
export async function exchange(options: ExchangeOptions): Promise<Exchange> {
  const marks: Marks = { start: options.monotonic() };
  const send = options.url.protocol === 'https:' ? httpsRequest : httpRequest;
  let request: ClientRequest | undefined;
  try {
    // agent: false makes a connection of its own, closed with the answer.
    request = send(options.url, { method: options.method, headers: options.headers, ca: trusted(options.ca), agent: false });
    return await converse(request, options, marks);
  } catch (error) {
    throw troubleOf(error, options, marks);
  } finally {
    request?.destroy();
  }
}

/** Node replaces the system's certificates by `ca`, so the default ones are named again. */
function trusted(ca: string | undefined): string[] | undefined {
  return ca === undefined ? undefined : [...rootCertificates, ca];
}

function converse(request: ClientRequest, options: ExchangeOptions, marks: Marks): Promise<Exchange> {
  const { promise, resolve, reject } = Promise.withResolvers<Exchange>();
  const onAbort = () => reject(options.signal.reason);
  if (options.signal.aborted) onAbort();
  options.signal.addEventListener('abort', onAbort, { once: true });
  request.on('error', reject);
  request.on('socket', (socket) => markPhases(socket, marks, options.monotonic));
  request.on('response', (response) => {
    marks.response = options.monotonic();
    readBody(response, options.bodyLimitBytes).then(({ body, bodyBytes }) => {
      marks.end = options.monotonic();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body, bodyBytes, phases: phasesOf(marks) });
    }, reject);
  });
  request.end(options.body);
  return promise.finally(() => options.signal.removeEventListener('abort', onAbort));
}

function markPhases(socket: Socket, marks: Marks, monotonic: () => number): void {
  socket.on('lookup', () => {
    marks.lookup ??= monotonic();
  });
  socket.on('connect', () => {
    marks.connect = monotonic();
  });
  socket.on('secureConnect', () => {
    marks.secure = monotonic();
  });
}

async function readBody(response: IncomingMessage, limitBytes: number): Promise<{ body: string; bodyBytes: number }> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bodyBytes += chunk.length;
    if (bodyBytes > limitBytes) throw new TargetTrouble('too-large', `the answer is larger than ${sizeInWords(limitBytes)}`);
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks).toString('utf8'), bodyBytes };
}

function phasesOf(marks: Marks): Record<string, number> {
  const { start, lookup, connect = start, secure, response = start, end = start } = marks;
  return {
    ...(lookup === undefined ? {} : { dns_ms: lookup - start }),
    connect_ms: connect - (lookup ?? start),
    ...(secure === undefined ? {} : { tls_ms: secure - connect }),
    first_byte_ms: response - (secure ?? connect),
    download_ms: end - response,
  };
}

function troubleOf(error: unknown, options: ExchangeOptions, marks: Marks): unknown {
  if (timeIsUp(options.signal))
    return new TargetTrouble('timeout', `${missingPhase(marks, options.url)} within ${limitInWords(options.timeoutMs)}`);
  if (options.signal.aborted) return options.signal.reason;
  if (error instanceof TargetTrouble) return error;
  if (isOwnLimit(error)) return new AgentFault('agent-limits', 'This agent has run out of sockets or memory.');
  return socketTrouble(error, options.url.host) ?? protocolTrouble(error, options.url.host);
}

function missingPhase(marks: Marks, url: URL): string {
  if (marks.response !== undefined) return 'the answer was not complete';
  if (marks.connect === undefined) return 'no connection';
  return url.protocol === 'https:' && marks.secure === undefined ? 'no TLS handshake' : 'no answer';
}

function protocolTrouble(error: unknown, host: string): unknown {
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string' && code.startsWith('HPE_')) return new TargetTrouble('protocol', `${host} did not answer in HTTP`);
  // Header and URL errors quote the value, which may be a secret: say only what kind it was.
  if (typeof code === 'string' && code.startsWith('ERR_')) return new AgentFault('parameters', `The request cannot be made (${code}).`);
  return error;
}

function sizeInWords(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${Number((bytes / 1_000_000).toFixed(1))} MB`;
}

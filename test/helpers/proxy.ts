/** A proxy before Slack's Web API that loses replies, answers wrongly, or keeps requests waiting, as networks do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  /** Slack takes it; the answer is lost. */
  | { kind: 'lost-reply' }
  /** Slack takes it; something between answers 503. */
  | { kind: 'after-503' }
  /** Slack refuses for the rate. */
  | { kind: 'limited'; retryAfterS: number }
  /** The connection breaks before Slack sees anything. */
  | { kind: 'reset' }
  /** No answer ever, and Slack sees nothing. */
  | { kind: 'black-hole' }
  /** Slack answers with an error of its own. */
  | { kind: 'error'; error: string };

export interface FaultProxy {
  /** For `slackApiUrl`, with the slash at its end. */
  url: string;
  /** What came through, in order: the method, the body, and when. */
  requests: { method: string; body: URLSearchParams; atMs: number }[];
  /** The next `times` calls of that method meet the fault; `when` chooses among them. */
  fail(method: string, fault: Fault, times?: number, when?: (body: URLSearchParams) => boolean): void;
  /** The next call of that method waits at the proxy. `arrived` resolves when it does. */
  hold(method: string): { arrived: Promise<void>; release(): void };
  close(): Promise<void>;
}

interface Planned {
  method: string;
  fault: Fault;
  left: number;
  when: (body: URLSearchParams) => boolean;
}

interface Held {
  method: string;
  arrived(): void;
  released: Promise<void>;
}

/** Starts the proxy before `target`, such as `http://127.0.0.1:4600/api/`. */
export async function startProxy(target: string): Promise<FaultProxy> {
  const planned: Planned[] = [];
  const held: Held[] = [];
  const requests: FaultProxy['requests'] = [];
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = (request.url ?? '/').slice(1);
    const raw = await bodyOf(request);
    const body = new URLSearchParams(raw.toString());
    requests.push({ method, body, atMs: Date.now() });
    const waiting = held.findIndex((one) => one.method === method);
    if (waiting >= 0) {
      const [one] = held.splice(waiting, 1);
      one?.arrived();
      await one?.released;
    }
    const fault = next(method, body);
    if (fault && !isAfter(fault)) return refuse(response, fault);
    const answer = await forward(new URL(method, target), request, raw);
    if (fault) return spoil(response, fault);
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  }

  function next(method: string, body: URLSearchParams): Fault | undefined {
    const found = planned.find((one) => one.method === method && one.left > 0 && one.when(body));
    if (found) found.left--;
    return found?.fault;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    fail: (method, fault, times = 1, when = () => true) => planned.push({ method, fault, left: times, when }),
    hold: (method) => {
      const arrival = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      held.push({ method, arrived: arrival.resolve, released: release.promise });
      return { arrived: arrival.promise, release: release.resolve };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isAfter(fault: Fault): boolean {
  return fault.kind === 'lost-reply' || fault.kind === 'after-503';
}

/** Faults before Slack. A black hole is closed with the server. */
function refuse(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'limited') response.writeHead(429, { 'retry-after': String(fault.retryAfterS) }).end();
  if (fault.kind === 'error')
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ok: false, error: fault.error }));
  if (fault.kind === 'reset') response.socket?.resetAndDestroy();
}

/** Faults after Slack. */
function spoil(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'after-503') response.writeHead(503).end('upstream connect error');
  else response.socket?.resetAndDestroy();
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function forward(url: URL, request: IncomingMessage, body: Buffer): Promise<{ status: number; type: string; body: Buffer }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': request.headers['content-type'] ?? 'application/x-www-form-urlencoded',
      authorization: request.headers.authorization ?? '',
    },
    body: new Uint8Array(body),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? 'application/json',
    body: Buffer.from(await response.arrayBuffer()),
  };
}

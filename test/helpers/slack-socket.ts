/**
 * Slack's side of Socket Mode, by its protocol and no more: `apps.connections.open` names an address that is good for one connection,
 * which is greeted with `hello`; everything comes in envelopes, each to one of the connections; what is not acknowledged when its
 * connection ends goes to another one, or to the next that opens. https://docs.slack.dev/apis/events-api/using-socket-mode
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Acked {
  /** The payload of the acknowledgement. */
  answer: Record<string, unknown>;
  /** How often it was sent. */
  deliveries: number;
}

export interface SlackSocket {
  /** For `slackApiUrl`, with the slash at its end. */
  apiUrl: string;
  /** Connections that are up, oldest first. */
  connections: WebSocket[];
  /** How many addresses were given out. */
  opened(): number;
  /** What else was called, in order. */
  calls: { method: string; body: URLSearchParams }[];
  /** Answers the next calls of that method so. */
  answer(method: string, body: object, times?: number): void;
  /** Greets nobody from now on, or again. */
  greet(on: boolean): void;
  /** Sends an envelope and waits for its acknowledgement. `to`: that connection first. */
  send(type: 'interactive' | 'slash_commands' | 'events_api', payload: object, how?: { to?: WebSocket; id?: string }): Promise<Acked>;
  /** Tells a connection that it will be closed, as Slack does now and then. */
  refresh(connection: WebSocket): void;
  close(): Promise<void>;
}

interface Pending {
  envelope: string;
  connection: WebSocket | undefined;
  deliveries: number;
  settle(acked: Acked): void;
}

/** Starts it on the loopback. Web API methods that nobody has said an answer for are answered with `ok`. */
export async function startSlackSocket(): Promise<SlackSocket> {
  const connections: WebSocket[] = [];
  const pending = new Map<string, Pending>();
  const calls: SlackSocket['calls'] = [];
  const answers: { method: string; body: object; left: number }[] = [];
  const tickets = new Set<string>();
  let opened = 0;
  let isGreeting = true;

  const server = createServer((request, response) => void handle(request, response));
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const ticket = new URL(request.url ?? '/', 'http://slack').searchParams.get('ticket') ?? '';
    if (!tickets.delete(ticket)) return void socket.destroy();
    sockets.handleUpgrade(request, socket, head, (connection) => {
      if (isGreeting) join(connection);
    });
  });

  function join(connection: WebSocket): void {
    connections.push(connection);
    connection.on('message', (text) => acknowledge(connection, String(text)));
    connection.on('close', () => leave(connection));
    connection.send(JSON.stringify({ type: 'hello', num_connections: connections.length, connection_info: { app_id: 'A1' } }));
    for (const [id, one] of pending) if (!one.connection) assign(id, one);
  }

  function leave(connection: WebSocket): void {
    const at = connections.indexOf(connection);
    if (at >= 0) connections.splice(at, 1);
    for (const [id, one] of pending) if (one.connection === connection) assign(id, one);
  }

  function assign(id: string, one: Pending, to = connections[Math.floor(Math.random() * connections.length)]): void {
    one.connection = to;
    if (!to) return;
    one.deliveries++;
    to.send(one.envelope);
    pending.set(id, one);
  }

  function acknowledge(connection: WebSocket, text: string): void {
    const { envelope_id: id, payload } = JSON.parse(text) as { envelope_id: string; payload?: Record<string, unknown> };
    const one = pending.get(id);
    // Only the connection that was given an envelope may acknowledge it.
    if (!one || one.connection !== connection) return;
    pending.delete(id);
    one.settle({ answer: payload ?? {}, deliveries: one.deliveries });
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const method = (request.url ?? '').replace(/^\/api\//, '');
    calls.push({ method, body: new URLSearchParams(Buffer.concat(chunks).toString()) });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerOf(method)));
  }

  function answerOf(method: string): object {
    const planned = answers.find((one) => one.method === method && one.left-- > 0);
    if (planned) return planned.body;
    if (method === 'views.open') return { ok: true, view: { id: 'V1', hash: '1' } };
    if (method === 'views.publish') return { ok: true, view: { id: 'V2', hash: '1' } };
    if (method !== 'apps.connections.open') return { ok: true, ts: '1.2', channel: 'C1' };
    const ticket = randomUUID();
    tickets.add(ticket);
    opened++;
    return { ok: true, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link/?ticket=${ticket}` };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    connections,
    opened: () => opened,
    calls,
    answer: (method, body, times = 1) => void answers.push({ method, body, left: times }),
    greet: (on) => {
      isGreeting = on;
    },
    send: (type, payload, { to, id = randomUUID() } = {}) =>
      new Promise((settle) => {
        const body = { envelope_id: id, type, accepts_response_payload: type !== 'events_api', payload };
        const one = { envelope: JSON.stringify(body), connection: undefined, deliveries: 0, settle };
        pending.set(id, one);
        assign(id, one, to);
      }),
    refresh: (connection) => {
      connection.send(JSON.stringify({ type: 'disconnect', reason: 'refresh_requested', debug_info: { host: 'applink-1' } }));
    },
    close: () =>
      new Promise((resolve) => {
        for (const connection of sockets.clients) connection.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Socket Mode, Slack's side: docs.slack.dev/apis/events-api/using-socket-mode.
 *
 * The bot asks `apps.connections.open` for an address that is good for one connection, and is greeted there with `hello`. Everything for
 * it comes in envelopes, each to one of its connections; it answers each with the envelope's id. What is not acknowledged when its
 * connection ends goes to another one, or to the next that opens, as long as its 3 s last. An event then comes again by Slack's plan for
 * events (`events.ts`); a press or a command is lost, and the person is told.
 */

import { randomBytes, randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { APP } from './identity.ts';
import type { Delivery, Parcel } from './line.ts';
import type { Json } from './shapes.ts';
import { asObject, asObjectOrJson, asText } from './shapes.ts';
import { ACKNOWLEDGE_WITHIN_MS, late } from './sign.ts';

/** Slack's limit for an app. */
const MAX_CONNECTIONS = 10;
const TICKET_FOR_MS = 30_000;
const PING_EVERY_MS = 10_000;
/** How long after a warning the connection is closed, when the bot did not do so itself. */
const WARNED_FOR_MS = 10_000;
/** What Slack says of a connection's life; the desk itself ends none. */
const CONNECTION_TIME_S = 18_060;

/** Why Slack ends a connection. */
export type DisconnectReason = 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets';

interface Connection {
  socket: WebSocket;
  /** Told to go: nothing more is sent there. */
  isLeaving: boolean;
  isAlive: boolean;
}

interface Pending {
  /** As JSON: what it tells of may have changed when it is sent again. */
  envelope: string;
  takesAnswer: boolean;
  connection: Connection | undefined;
  settle(delivery: Delivery): void;
}

export class SocketMode {
  readonly #publicUrl: string;
  readonly #connections = new Set<Connection>();
  readonly #pending = new Map<string, Pending>();
  readonly #tickets = new Map<string, number>();
  readonly #pinging: NodeJS.Timeout;
  #turn = 0;

  constructor(publicUrl: string) {
    this.#publicUrl = publicUrl;
    this.#pinging = setInterval(() => this.#ping(), PING_EVERY_MS).unref();
  }

  /** The answer of `apps.connections.open`: an address for one connection, good for 30 s. */
  open(): Json {
    const ticket = randomBytes(18).toString('hex');
    this.#tickets.set(ticket, Date.now() + TICKET_FOR_MS);
    return { ok: true, url: `${this.#publicUrl.replace(/^http/, 'ws')}/link/?ticket=${ticket}&app_id=${APP.id}` };
  }

  /** Whether this ticket lets in one more connection. It is used up. */
  admits(ticket: string): boolean {
    const expiresAtMs = this.#tickets.get(ticket);
    for (const [known, until] of this.#tickets) if (known === ticket || until < Date.now()) this.#tickets.delete(known);
    return expiresAtMs !== undefined && expiresAtMs >= Date.now();
  }

  /** Greets a new connection, and gives it what waits for one. */
  join(socket: WebSocket): void {
    const connection = { socket, isLeaving: false, isAlive: true };
    this.#connections.add(connection);
    socket.on('message', (data) => this.#receive(connection, String(data)));
    socket.on('pong', () => {
      connection.isAlive = true;
    });
    socket.on('close', () => this.#leave(connection));
    // An error is followed by `close`, which does what is to be done.
    socket.on('error', () => undefined);
    if (this.count() > MAX_CONNECTIONS) {
      this.#dismiss(connection, 'too_many_websockets');
      return;
    }
    send(connection, JSON.stringify(helloOf(this.count())));
    for (const pending of this.#pending.values()) if (!pending.connection) this.#assign(pending);
  }

  /** How many connections the bot has. */
  count(): number {
    return this.#connections.size;
  }

  /** Whether there is a connection to send by. */
  isOpen(): boolean {
    return this.#ready().length > 0;
  }

  /** Sends something in an envelope to one of the connections, and waits for its acknowledgement, 3 s at most. */
  send(parcel: Parcel): Promise<Delivery> {
    return new Promise((resolve) => {
      const id = randomUUID();
      const timer = setTimeout(() => settle(late()), ACKNOWLEDGE_WITHIN_MS);
      const settle = (delivery: Delivery): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(delivery);
      };
      const pending = { envelope: JSON.stringify(envelopeOf(id, parcel)), takesAnswer: parcel.takesAnswer, connection: undefined, settle };
      this.#pending.set(id, pending);
      this.#assign(pending);
    });
  }

  /** Tells connections to go, as Slack does now and then. Returns how many were told. */
  disconnect(reason: DisconnectReason, which: 'all' | 'oldest' = 'all'): number {
    const told = this.#ready().slice(0, which === 'oldest' ? 1 : undefined);
    for (const connection of told) this.#dismiss(connection, reason);
    return told.length;
  }

  /** Ends every connection. */
  close(): void {
    clearInterval(this.#pinging);
    for (const pending of [...this.#pending.values()]) pending.settle(late());
    for (const { socket } of this.#connections) socket.terminate();
  }

  #ready(): Connection[] {
    return [...this.#connections].filter(({ isLeaving, socket }) => !isLeaving && socket.readyState === WebSocket.OPEN);
  }

  /** The connections take turns, so that a bot with two of them is served by both. */
  #assign(pending: Pending): void {
    const ready = this.#ready();
    this.#turn += 1;
    pending.connection = ready[this.#turn % ready.length];
    if (pending.connection) send(pending.connection, pending.envelope);
  }

  #receive(connection: Connection, text: string): void {
    const message = asObjectOrJson(text);
    const pending = this.#pending.get(asText(message?.envelope_id));
    // Only the connection that was given an envelope may acknowledge it.
    if (!pending || pending.connection !== connection) return;
    const answer = pending.takesAnswer ? asObject(message?.payload) : undefined;
    pending.settle({ ok: true, answer: answer ?? {} });
  }

  #leave(connection: Connection): void {
    this.#connections.delete(connection);
    for (const pending of this.#pending.values()) if (pending.connection === connection) this.#assign(pending);
  }

  #dismiss(connection: Connection, reason: DisconnectReason): void {
    connection.isLeaving = true;
    send(connection, JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-desk' } }));
    setTimeout(() => connection.socket.terminate(), WARNED_FOR_MS).unref();
  }

  #ping(): void {
    for (const connection of this.#connections) {
      if (!connection.isAlive) connection.socket.terminate();
      connection.isAlive = false;
      if (connection.socket.readyState === WebSocket.OPEN) connection.socket.ping(`Ping from the desk ${Date.now()}`);
    }
  }
}

function send({ socket }: Connection, message: string): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(message);
}

function helloOf(connections: number): Json {
  return {
    type: 'hello',
    num_connections: connections,
    debug_info: { host: 'applink-desk', build_number: 1, approximate_connection_time: CONNECTION_TIME_S },
    connection_info: { app_id: APP.id },
  };
}

function envelopeOf(id: string, { type, payload, takesAnswer, retry }: Parcel): Json {
  const again = type === 'events_api' ? { retry_attempt: retry?.attempt ?? 0, retry_reason: retry?.reason ?? '' } : {};
  return { envelope_id: id, payload, type, accepts_response_payload: takesAnswer, ...again };
}

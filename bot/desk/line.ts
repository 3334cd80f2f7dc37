/**
 * The line to the bot. While at least one Socket Mode connection is open everything goes that way, as at Slack; else by signed HTTP.
 */

import type { Json } from './shapes.ts';
import { asObject } from './shapes.ts';
import type { BotAddress, SignedRequest } from './sign.ts';
import { deliver } from './sign.ts';
import type { SocketMode } from './socket.ts';

/** Something that Slack sends to an app. */
export interface Parcel {
  type: 'interactive' | 'slash_commands' | 'events_api';
  payload: Json;
  /** Whether the acknowledgement may carry an answer. */
  takesAnswer: boolean;
  /** Set when an event is sent again. */
  retry?: { attempt: number; reason: string };
}

/** What came of it: the answer in the acknowledgement (empty when there is none), or the sentence for the person who acted. */
export type Delivery = { ok: true; answer: Json } | { ok: false; reason: string; retryReason: string };

export class Line {
  readonly #bot: BotAddress;
  readonly #sockets: SocketMode;

  constructor(bot: BotAddress, sockets: SocketMode) {
    this.#bot = bot;
    this.#sockets = sockets;
  }

  /** Sends something to the bot and waits for its acknowledgement, 3 s at most. Never throws. */
  async send(parcel: Parcel): Promise<Delivery> {
    if (this.#sockets.isOpen()) return this.#sockets.send(parcel);
    const delivery = await deliver(this.#bot, requestOf(parcel));
    if (!delivery.ok) return delivery;
    return { ok: true, answer: parcel.takesAnswer ? answerOf(delivery.body) : {} };
  }
}

function requestOf({ type, payload, retry }: Parcel): SignedRequest {
  if (type === 'events_api') {
    const headers = { 'x-slack-retry-num': String(retry?.attempt ?? ''), 'x-slack-retry-reason': retry?.reason ?? '' };
    return { contentType: 'application/json', body: JSON.stringify(payload), ...(retry ? { headers } : {}) };
  }
  const form = type === 'interactive' ? { payload: JSON.stringify(payload) } : (payload as Record<string, string>);
  return { contentType: 'application/x-www-form-urlencoded', body: new URLSearchParams(form).toString() };
}

/** The body of an acknowledgement: JSON, or plain text as Slack takes it for a command. */
function answerOf(body: string): Json {
  if (body.trim() === '') return {};
  try {
    return asObject(JSON.parse(body)) ?? { text: body };
  } catch {
    return { text: body };
  }
}

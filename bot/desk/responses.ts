/**
 * Response URLs: where a bot may answer a press or a command, 5 times within 30 minutes
 * (docs.slack.dev/interactivity/handling-user-interaction#message_responses).
 */

import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { APP } from './identity.ts';
import type { Block, Json } from './shapes.ts';
import { asArray, asObject, asText, isTrue } from './shapes.ts';
import { withIds } from './truth.ts';
import type { Caller } from './webapi.ts';
import type { Workspace } from './workspace.ts';

const MAX_USES = 5;
const VALID_FOR_MS = 30 * 60 * 1_000;

/** What the answer belongs to: who pressed or typed, where, and the message whose button it was. */
export interface Origin {
  userId: string;
  channel: string;
  /** The message that held the button; undefined for a command. */
  ts?: string;
  /** The thread that the button was in. */
  thread?: string;
}

interface Ticket extends Origin {
  uses: number;
  expiresAtMs: number;
}

interface ResponseParts {
  call: Caller;
  workspace: Workspace;
  publicUrl: string;
}

export class Responses {
  readonly #parts: ResponseParts;
  readonly #tickets = new Map<string, Ticket>();

  constructor(parts: ResponseParts) {
    this.#parts = parts;
  }

  /** A new address at which the bot may answer. */
  issue(origin: Origin): string {
    for (const [id, ticket] of this.#tickets) if (ticket.expiresAtMs < Date.now()) this.#tickets.delete(id);
    const id = randomBytes(18).toString('hex');
    this.#tickets.set(id, { ...origin, uses: 0, expiresAtMs: Date.now() + VALID_FOR_MS });
    return `${this.#parts.publicUrl}/hooks/response/${id}`;
  }

  /** The routes behind those addresses. */
  routes(): Hono {
    const app = new Hono();
    app.post('/hooks/response/:id', async (context) => {
      const ticket = this.#tickets.get(context.req.param('id'));
      if (!ticket || ticket.expiresAtMs < Date.now()) return context.json({ ok: false, error: 'expired_url' }, 404);
      if (ticket.uses >= MAX_USES) return context.json({ ok: false, error: 'used_url' }, 404);
      const body = asObject(await context.req.json().catch(() => undefined));
      if (!body) return context.json({ ok: false, error: 'invalid_payload' }, 400);
      ticket.uses += 1;
      const answer = await this.answer(ticket, body);
      return answer.ok === true ? context.text('ok') : context.json(answer, 400);
    });
    return app;
  }

  /** Shows what the bot answered, as Slack does with a command's immediate body and with a response URL. */
  async answer(origin: Origin, body: Json): Promise<Json> {
    if (isTrue(body.delete_original)) return this.#remove(origin);
    if (isTrue(body.replace_original) && origin.ts) return this.#replace(origin, origin.ts, body);
    const thread = asText(body.thread_ts) || (origin.thread ?? '');
    const content = { channel: origin.channel, ...contentOf(body), ...(thread ? { thread_ts: thread } : {}) };
    if (body.response_type === 'in_channel') return this.#parts.call(APP.botUserId, 'chat.postMessage', content);
    return this.#parts.call(APP.botUserId, 'chat.postEphemeral', { ...content, user: origin.userId });
  }

  async #remove(origin: Origin): Promise<Json> {
    if (!origin.ts) return { ok: false, error: 'message_not_found' };
    if (!this.#parts.workspace.ephemeral(origin.userId, origin.ts)) {
      return this.#parts.call(APP.botUserId, 'chat.delete', { channel: origin.channel, ts: origin.ts });
    }
    this.#parts.workspace.dismissEphemeral(origin.userId, origin.ts);
    return { ok: true };
  }

  async #replace(origin: Origin, ts: string, body: Json): Promise<Json> {
    const shown = this.#parts.workspace.ephemeral(origin.userId, ts);
    if (!shown) return this.#parts.call(APP.botUserId, 'chat.update', { channel: origin.channel, ts, ...contentOf(body) });
    const blocks = asArray(body.blocks) as Block[] | undefined;
    const { blocks: _blocks, ...kept } = shown.message;
    const message = { ...kept, text: asText(body.text), ...(blocks ? { blocks: withIds(blocks) } : {}) };
    this.#parts.workspace.showEphemeral({ ...shown, message });
    return { ok: true };
  }
}

function contentOf(body: Json): Json {
  const { text, blocks, attachments, metadata } = body;
  return Object.fromEntries(Object.entries({ text, blocks, attachments, metadata }).filter(([, value]) => value !== undefined));
}

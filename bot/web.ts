/**
 * Slack's Web API through the official client, with every repetition switched off: the outbox alone repeats, since only it knows
 * whether a message may be there already. (Measured: left to itself, the client repeats a lost reply or a 503 into a second post,
 * and one channel's 429 holds up all others.)
 */
import { WebClient } from '@slack/web-api';
import type { Log } from '../core/process.ts';
import { type Placed, type SlackApi, SlackTrouble } from './contract.ts';
import { slackRequest } from './metrics.ts';
import type { Message } from './render/blocks.ts';
import type { HomeView } from './render/home.ts';
import type { ModalView } from './render/modal.ts';
import { slackLogger } from './slack-log.ts';
import { troubleOf } from './trouble.ts';

/** The metadata by which a post is found again: docs.slack.dev/messaging/message-metadata */
const EVENT_TYPE = 'rounds_post';
const PAGE = 200;
/** 1,000 messages since a request went out are more than any channel takes in a minute. */
const MOST_PAGES = 5;
/** Names of channels hardly ever change; `conversations.list` may be called 20 times a minute. */
const CHANNELS_KEPT_MS = 600_000;

export interface WebOptions {
  token: string;
  /** Where the Web API is, when it is not Slack itself. */
  apiUrl?: string;
  timeoutMs: number;
  log: Log;
  now(): number;
}

interface HistoryPage {
  messages?: { ts?: string; subtype?: string; metadata?: { event_type?: string; event_payload?: { outbox_id?: unknown } } }[];
  response_metadata?: { next_cursor?: string };
}

/** The Web API as the rest of the bot sees it. */
export class SlackWeb implements SlackApi {
  readonly #client: WebClient;
  readonly #options: WebOptions;
  #channels = new Map<string, string>();
  #channelsReadAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: WebOptions) {
    this.#options = options;
    this.#client = new WebClient(options.token, {
      ...(options.apiUrl ? { slackApiUrl: options.apiUrl } : {}),
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: options.timeoutMs,
      logger: slackLogger(options.log),
    });
  }

  async post(request: { channel: string; threadTs?: string; message: Message; outboxId: string; showsFiles?: boolean }): Promise<Placed> {
    const channel = await this.#idOf(request.channel);
    const answer = await this.#call<{ channel?: string; ts?: string }>('chat.postMessage', {
      channel,
      ...(request.threadTs ? { thread_ts: request.threadTs } : {}),
      text: request.message.text,
      blocks: request.message.blocks,
      // A file is seen by those who see the message of the one who uploaded it with the file's link in its text: bolt-python #1018.
      unfurl_links: request.showsFiles ?? false,
      unfurl_media: request.showsFiles ?? false,
      metadata: { event_type: EVENT_TYPE, event_payload: { outbox_id: request.outboxId } },
    });
    if (!answer.ts) throw new SlackTrouble('unclear', 'no_ts', 'Slack answered without a timestamp.');
    return { channel: answer.channel ?? channel, ts: answer.ts };
  }

  async update(request: Placed & { message: Message }): Promise<void> {
    const { channel, ts, message } = request;
    await this.#call('chat.update', { channel, ts, text: message.text, blocks: message.blocks });
  }

  async findByOutboxId(request: { channel: string; threadTs?: string; outboxId: string; oldestMs: number }): Promise<Placed | undefined> {
    const channel = await this.#idOf(request.channel);
    const method = request.threadTs ? 'conversations.replies' : 'conversations.history';
    const base = { channel, ...(request.threadTs ? { ts: request.threadTs } : {}), oldest: (request.oldestMs / 1000).toFixed(6) };
    let cursor = '';
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await this.#call<HistoryPage>(method, {
        ...base,
        limit: PAGE,
        include_all_metadata: true,
        ...(cursor ? { cursor } : {}),
      });
      const found = answer.messages?.find(({ metadata }) => isOurs(metadata, request.outboxId));
      if (found?.ts) return { channel, ts: found.ts };
      cursor = answer.response_metadata?.next_cursor ?? '';
      if (!cursor) return undefined;
    }
    throw new SlackTrouble('refused', 'too_many_messages', `More than ${PAGE * MOST_PAGES} messages since: it cannot be looked for.`);
  }

  async exists(place: Placed): Promise<boolean> {
    try {
      const answer = await this.#call<HistoryPage>('conversations.replies', { channel: place.channel, ts: place.ts, limit: 1 });
      return answer.messages?.some((one) => one.ts === place.ts && one.subtype !== 'tombstone') ?? false;
    } catch (error) {
      if (error instanceof SlackTrouble && error.kind === 'gone') return false;
      throw error;
    }
  }

  async upload(file: { name: string; title: string; bytes: Buffer }): Promise<{ id: string; link?: string }> {
    const { bytes, name: filename, title } = file;
    const answer = await metered('files.uploadV2', () => this.#client.filesUploadV2({ file: bytes, filename, title }));
    const taken = (answer as { files?: { files?: { id?: string; permalink?: string }[] }[] }).files?.[0]?.files?.[0];
    if (taken?.id) return { id: taken.id, ...(taken.permalink ? { link: taken.permalink } : {}) };
    throw new SlackTrouble('not-sent', 'no_file', 'Slack took the file but gave it no id.');
  }

  respond(responseUrl: string, message: Message, to: 'one' | 'everybody' = 'one'): Promise<void> {
    return metered('response_url', () => this.#respond(responseUrl, message, to));
  }

  async #respond(responseUrl: string, message: Message, to: 'one' | 'everybody'): Promise<void> {
    const response = await fetch(responseUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ response_type: to === 'everybody' ? 'in_channel' : 'ephemeral', replace_original: false, ...message }),
      redirect: 'error',
      signal: AbortSignal.timeout(this.#options.timeoutMs),
    });
    await response.arrayBuffer();
    if (response.ok) return;
    const kind = response.status >= 500 ? 'unclear' : 'refused';
    throw new SlackTrouble(kind, `http_${response.status}`, `Slack answered ${response.status} to an answer for one person.`);
  }

  async openView(triggerId: string, view: ModalView): Promise<string> {
    return (await this.#view('views.open', { trigger_id: triggerId, view })).id;
  }

  async updateView(request: { id: string; hash?: string; view: ModalView }): Promise<void> {
    const { id, hash, view } = request;
    await this.#view('views.update', { view_id: id, view, ...(hash ? { hash } : {}) });
  }

  async publishHome(request: { user: string; hash?: string; view: HomeView }): Promise<string> {
    const { user, hash, view } = request;
    return (await this.#view('views.publish', { user_id: user, view, ...(hash ? { hash } : {}) })).hash;
  }

  async permalink(place: Placed): Promise<string> {
    const answer = await this.#call<{ permalink?: string }>('chat.getPermalink', { channel: place.channel, message_ts: place.ts });
    if (!answer.permalink) throw new SlackTrouble('refused', 'no_permalink', 'Slack named no address of a message.');
    return answer.permalink;
  }

  async #view(method: string, body: Record<string, unknown>): Promise<{ id: string; hash: string }> {
    const { view } = await this.#call<{ view?: { id?: string; hash?: string } }>(method, body);
    return { id: view?.id ?? '', hash: view?.hash ?? '' };
  }

  async check(): Promise<void> {
    await this.#call('auth.test', {});
  }

  /** Slack's id of a channel; the name itself when the app may not list channels, which `chat.postMessage` takes as well. */
  async #idOf(channel: string): Promise<string> {
    if (!channel.startsWith('#')) return channel;
    const name = channel.slice(1);
    const fresh = this.#options.now() - this.#channelsReadAtMs < CHANNELS_KEPT_MS;
    if (!fresh || !this.#channels.has(name)) await this.#readChannels();
    return this.#channels.get(name) ?? channel;
  }

  async #readChannels(): Promise<void> {
    const channels = new Map<string, string>();
    let cursor = '';
    do {
      const answer = await this.#listPage(cursor);
      for (const one of answer.channels ?? []) if (one.name && one.id) channels.set(one.name, one.id);
      cursor = answer.response_metadata?.next_cursor ?? '';
    } while (cursor);
    this.#channels = channels;
    this.#channelsReadAtMs = this.#options.now();
  }

  /** A list that fails says nothing of the post, which has not gone out yet. */
  async #listPage(cursor: string): Promise<{ channels?: { id?: string; name?: string }[]; response_metadata?: { next_cursor?: string } }> {
    try {
      return await this.#call('conversations.list', {
        types: 'public_channel,private_channel',
        exclude_archived: true,
        limit: 1_000,
        ...(cursor ? { cursor } : {}),
      });
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble.code === 'missing_scope') return {};
      throw trouble.kind === 'unclear' ? new SlackTrouble('not-sent', trouble.code, trouble.message) : trouble;
    }
  }

  async #call<T>(method: string, body: Record<string, unknown>): Promise<T> {
    return (await metered(method, () => this.#client.apiCall(method, body))) as T;
  }
}

/** Makes a request, counts it, and throws what failed as `SlackTrouble`. */
function metered<T>(method: string, request: () => Promise<T>): Promise<T> {
  return slackRequest(method, async () => {
    try {
      return await request();
    } catch (error) {
      throw troubleOf(error);
    }
  });
}

function isOurs(metadata: { event_type?: string; event_payload?: { outbox_id?: unknown } } | undefined, outboxId: string): boolean {
  return metadata?.event_type === EVENT_TYPE && metadata.event_payload?.outbox_id === outboxId;
}

/**
 * What the pages show: channels, messages, threads, and what is visible to one person only.
 * Messages are read from the emulator once after each change and kept until the next.
 */

import type { Emulator } from './emulator.ts';
import { EMULATOR_CHANNELS } from './identity.ts';
import type { LiveHub } from './live.ts';
import type { Person } from './settings.ts';
import type { Channel, Json, Message } from './shapes.ts';
import { asArray, asObject, asText } from './shapes.ts';
import { compareTs } from './truth.ts';

/** As many messages as a page shows. */
const SHOWN_MESSAGES = 200;
/** Slack forgets ephemeral messages at the next reload; the desk keeps this many. */
const MAX_EPHEMERAL = 200;

/** A message that one person alone sees. */
export interface Ephemeral {
  channel: string;
  userId: string;
  message: Message;
}

interface WorkspaceParts {
  emulator: Emulator;
  live: LiveHub;
  people: readonly Person[];
}

export class Workspace {
  readonly #parts: WorkspaceParts;
  readonly #messages = new Map<string, Promise<Message[]>>();
  readonly #channels = new Map<string, Promise<Channel[]>>();
  readonly #known = new Set<string>();
  #ephemeral: Ephemeral[] = [];

  constructor(parts: WorkspaceParts) {
    this.#parts = parts;
  }

  /** The person with this id, or undefined. */
  person(userId: string): Person | undefined {
    return this.#parts.people.find((person) => person.id === userId);
  }

  /** The channels and direct conversations that a person sees. */
  channels(userId: string): Promise<Channel[]> {
    return once(this.#channels, userId, () => this.#readChannels(userId));
  }

  async #readChannels(userId: string): Promise<Channel[]> {
    const answer = await this.#parts.emulator.call(userId, 'conversations.list', {
      types: 'public_channel,private_channel,im',
      exclude_archived: true,
      limit: 1_000,
    });
    const channels = (asArray(answer.channels) ?? []).map((channel) => asObject(channel) ?? {});
    const ours = channels.filter((channel) => !EMULATOR_CHANNELS.has(asText(channel.id)));
    for (const channel of ours) this.#known.add(asText(channel.id));
    return ours.map((channel) => this.#channelOf(channel));
  }

  #channelOf(channel: Json): Channel {
    if (channel.is_im !== true) return { id: asText(channel.id), name: asText(channel.name), kind: 'channel' };
    return { id: asText(channel.id), name: this.person(asText(channel.user))?.name ?? 'Rounds', kind: 'direct' };
  }

  /** The newest messages of a channel, oldest first, with what only this person sees among them. Replies are left out. */
  async messages(userId: string, channel: string): Promise<Message[]> {
    const read = async (): Promise<Message[]> => {
      const answer = await this.#parts.emulator.call(userId, 'conversations.history', { channel, limit: SHOWN_MESSAGES });
      return messagesOf(answer).reverse();
    };
    return this.#withEphemeral(await once(this.#messages, `${channel} ${userId}`, read), userId, channel, undefined);
  }

  /** A message and its replies, oldest first. */
  async thread(userId: string, channel: string, ts: string): Promise<Message[]> {
    const read = async (): Promise<Message[]> =>
      messagesOf(await this.#parts.emulator.call(userId, 'conversations.replies', { channel, ts, limit: 1_000 }));
    return this.#withEphemeral(await once(this.#messages, `${channel} ${userId} ${ts}`, read), userId, channel, ts);
  }

  #withEphemeral(messages: Message[], userId: string, channel: string, thread: string | undefined): Message[] {
    const mine = this.#ephemeral.filter((item) => item.userId === userId && item.channel === channel && item.message.thread_ts === thread);
    return [...messages, ...mine.map((item) => item.message)].sort((left, right) => compareTs(left.ts, right.ts));
  }

  /** What is forgotten and told when something in a channel changed; without a channel, everywhere. */
  changed(channel: string): void {
    for (const key of this.#messages.keys()) {
      if (channel === '' || key.startsWith(`${channel} `)) this.#messages.delete(key);
    }
    // A conversation that nobody has listed yet begins with its first message.
    const concernsList = channel === '' || !this.#known.has(channel);
    if (concernsList) this.#channels.clear();
    this.#parts.live.publish(concernsList ? { type: 'channels' } : { type: 'channel', channel });
  }

  /** Shows a message to one person, or shows it changed when they see it already. */
  showEphemeral(ephemeral: Ephemeral): void {
    const others = this.#ephemeral.filter((item) => item.message.ts !== ephemeral.message.ts);
    this.#ephemeral = [...others, ephemeral].slice(-MAX_EPHEMERAL);
    this.#parts.live.publish({ type: 'channel', channel: ephemeral.channel }, ephemeral.userId);
  }

  /** The message of this timestamp that only this person sees. */
  ephemeral(userId: string, ts: string): Ephemeral | undefined {
    return this.#ephemeral.find((item) => item.userId === userId && item.message.ts === ts);
  }

  /** Takes away a message that only this person sees. */
  dismissEphemeral(userId: string, ts: string): void {
    const gone = this.ephemeral(userId, ts);
    if (!gone) return;
    this.#ephemeral = this.#ephemeral.filter((item) => item !== gone);
    this.#parts.live.publish({ type: 'channel', channel: gone.channel }, userId);
  }
}

/** What is known under the key, read when it is not. A failed read is not kept. */
function once<Value>(known: Map<string, Promise<Value>>, key: string, read: () => Promise<Value>): Promise<Value> {
  const earlier = known.get(key);
  if (earlier) return earlier;
  const reading = read();
  known.set(key, reading);
  reading.catch(() => known.delete(key));
  return reading;
}

function messagesOf(answer: Json): Message[] {
  return (asArray(answer.messages) ?? []) as Message[];
}

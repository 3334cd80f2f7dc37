/** What stands in the channel: the judge of every story. */
import { WebClient } from '@slack/web-api';
import type { System } from './system.ts';

export interface ChannelMessage {
  ts: string;
  /** The notification's text, one line. */
  text: string;
  /** Everything that can be read in it. */
  all: string;
  /** Texts of its buttons. */
  buttons: string[];
  elements: { text: string; block: string; action: string }[];
  /** Whether it shows a picture. */
  picture: boolean;
}

interface RawMessage {
  ts?: string;
  thread_ts?: string;
  text?: string;
  blocks?: { type: string; block_id?: string; elements?: { type: string; action_id?: string; text?: { text?: string } | string }[] }[];
}

export interface Channel {
  id(): Promise<string>;
  /** The channel's own messages, oldest first. */
  posts(): Promise<ChannelMessage[]>;
  /** The thread under a message, oldest first, without the message itself. */
  thread(ts: string): Promise<string[]>;
}

/** The channel of the clinic's incidents, read as Slack's history tells it. */
export function channelOf(system: System): Channel {
  const open = async () => {
    const slack = new WebClient(system.secret('SLACK_BOT_TOKEN'), { slackApiUrl: `${system.table().urls.desk}/api/` });
    const { channels } = await slack.conversations.list();
    const id = channels?.find((one) => one.name === 'clinic-incidents')?.id;
    if (!id) throw new Error('there is no channel #clinic-incidents');
    return { slack, id };
  };
  return {
    id: async () => (await open()).id,
    posts: async () => {
      const { slack, id } = await open();
      const { messages } = await slack.conversations.history({ channel: id, limit: 200 });
      const own = ((messages ?? []) as RawMessage[]).filter((one) => !one.thread_ts || one.thread_ts === one.ts);
      return own.map(fromRaw).reverse();
    },
    thread: async (ts) => {
      const { slack, id } = await open();
      const { messages } = await slack.conversations.replies({ channel: id, ts, limit: 200 });
      return ((messages ?? []) as RawMessage[]).filter((one) => one.ts !== ts).map((one) => fromRaw(one).all);
    },
  };
}

function fromRaw(raw: RawMessage): ChannelMessage {
  const blocks = raw.blocks ?? [];
  const elements = blocks.flatMap((block) =>
    (block.elements ?? [])
      .filter((one) => one.type === 'button')
      .map((one) => ({ text: textOf(one.text), block: block.block_id ?? '', action: one.action_id ?? '' })),
  );
  const all = [raw.text ?? '', ...textsIn(blocks)].join('\n');
  const buttons = elements.map((one) => one.text);
  return { ts: raw.ts ?? '', text: raw.text ?? '', all, buttons, elements, picture: blocks.some((block) => block.type === 'image') };
}

function textOf(text: { text?: string } | string | undefined): string {
  return typeof text === 'string' ? text : (text?.text ?? '');
}

/** Every string under a key `text`, at any depth. */
function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => (key === 'text' && typeof one === 'string' ? [one] : textsIn(one)));
}

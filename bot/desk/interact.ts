/** What a person does at the desk, sent to the bot as Slack sends it: a button pressed, a slash command typed. */

import type { Emulator } from './emulator.ts';
import { APP, TEAM } from './identity.ts';
import type { Responses } from './responses.ts';
import type { Person } from './settings.ts';
import type { Block, Channel, Element, Json, Message } from './shapes.ts';
import { asObject, asText } from './shapes.ts';
import type { BotAddress, Delivery } from './sign.ts';
import { deliver } from './sign.ts';
import type { Workspace } from './workspace.ts';

export interface InteractParts {
  bot: BotAddress;
  emulator: Emulator;
  workspace: Workspace;
  responses: Responses;
}

/** Which button a person pressed. */
export interface Press {
  channel: string;
  ts: string;
  /** The thread the message was pressed in, when it is a reply. */
  thread?: string | undefined;
  block: string;
  action: string;
}

/** Deprecated at Slack, still sent by it. Bolt checks the signature, never this. */
const VERIFICATION_TOKEN = 'desk';

/** Sends a press of a button to the bot. */
export async function press(parts: InteractParts, person: Person, pressed: Press): Promise<Delivery> {
  const channel = await channelOf(parts, person, pressed.channel);
  const found = channel && (await findButton(parts.workspace, person, pressed));
  if (!channel || !found) return { ok: false, reason: 'This button is no longer there' };
  const payload = await blockActions(parts, person, channel, found);
  return deliver(parts.bot, { payload: JSON.stringify(payload) });
}

interface Found {
  message: Message;
  element: Element;
  block: string;
  isEphemeral: boolean;
}

async function findButton(workspace: Workspace, person: Person, pressed: Press): Promise<Found | undefined> {
  const messages = pressed.thread
    ? await workspace.thread(person.id, pressed.channel, pressed.thread)
    : await workspace.messages(person.id, pressed.channel);
  const message = messages.find((one) => one.ts === pressed.ts);
  const inAttachments = (message?.attachments ?? []).flatMap((attachment) => (attachment.blocks ?? []) as Block[]);
  const block = [...(message?.blocks ?? []), ...inAttachments].find((one) => one.block_id === pressed.block);
  const elements = [...(block?.elements ?? []), ...(block?.accessory ? [block.accessory] : [])];
  const element = elements.find((one) => one.action_id === pressed.action);
  if (!message || !element) return undefined;
  return { message, element, block: pressed.block, isEphemeral: workspace.ephemeral(person.id, message.ts) !== undefined };
}

async function blockActions(parts: InteractParts, person: Person, channel: Channel, found: Found): Promise<Json> {
  const { message, element, isEphemeral } = found;
  const thread = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : undefined;
  return {
    type: 'block_actions',
    user: { id: person.id, username: userName(person), name: userName(person), team_id: TEAM.id },
    api_app_id: APP.id,
    token: VERIFICATION_TOKEN,
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...(thread ? { thread_ts: thread } : {}),
    },
    trigger_id: await triggerFor(parts.emulator, person),
    team: { id: TEAM.id, domain: TEAM.domain },
    enterprise: null,
    is_enterprise_install: false,
    channel: { id: channel.id, name: channelName(channel) },
    // Slack sends no message with a press in an ephemeral one.
    ...(isEphemeral ? {} : { message: withoutMetadata(message) }),
    state: { values: {} },
    response_url: parts.responses.issue({ userId: person.id, channel: channel.id, ts: message.ts, ...(thread ? { thread } : {}) }),
    actions: [actionOf(element, found.block)],
  };
}

function actionOf(element: Element, block: string): Json {
  const { action_id, text, value, style, type } = element;
  const given = Object.fromEntries(
    Object.entries({ action_id, block_id: block, text, value, style, type }).filter(([, one]) => one !== undefined),
  );
  return { ...given, action_ts: (Date.now() / 1_000).toFixed(6) };
}

function withoutMetadata(message: Message): Json {
  const { metadata: _metadata, ...rest } = message;
  return { ...rest, team: TEAM.id };
}

/** Sends a slash command to the bot, and shows what it answers at once. */
export async function command(parts: InteractParts, person: Person, channelId: string, typed: string): Promise<Delivery> {
  const channel = await channelOf(parts, person, channelId);
  if (!channel) return { ok: false, reason: 'This channel is no longer there' };
  const [name = '', ...rest] = typed.trim().split(/\s+/);
  const responseUrl = parts.responses.issue({ userId: person.id, channel: channel.id });
  const delivery = await deliver(parts.bot, {
    token: VERIFICATION_TOKEN,
    team_id: TEAM.id,
    team_domain: TEAM.domain,
    channel_id: channel.id,
    channel_name: channelName(channel),
    user_id: person.id,
    user_name: userName(person),
    command: name,
    text: typed.trim().slice(name.length).trim() || rest.join(' '),
    api_app_id: APP.id,
    is_enterprise_install: 'false',
    response_url: responseUrl,
    trigger_id: await triggerFor(parts.emulator, person),
  });
  if (!delivery.ok || delivery.body.trim() === '') return delivery;
  return showAnswer(parts, person, channel, delivery);
}

async function showAnswer(parts: InteractParts, person: Person, channel: Channel, delivery: { ok: true; body: string }): Promise<Delivery> {
  const answer = await parts.responses.answer({ userId: person.id, channel: channel.id }, parseAnswer(delivery.body));
  return answer.ok === true ? delivery : { ok: false, reason: `Slack would not show the answer of Rounds: ${asText(answer.error)}` };
}

/** The body of an acknowledgement: JSON with text and blocks, or plain text. */
function parseAnswer(body: string): Json {
  try {
    return asObject(JSON.parse(body)) ?? { text: body };
  } catch {
    return { text: body };
  }
}

async function channelOf(parts: InteractParts, person: Person, id: string): Promise<Channel | undefined> {
  return (await parts.workspace.channels(person.id)).find((channel) => channel.id === id);
}

function channelName(channel: Channel): string {
  return channel.kind === 'direct' ? 'directmessage' : channel.name;
}

function userName(person: Person): string {
  return person.name.toLowerCase();
}

/** A trigger for `views.open`, good for 3 s and once. */
async function triggerFor(emulator: Emulator, person: Person): Promise<string> {
  return asText((await emulator.call(person.id, 'views.generateTriggerId', { user_id: person.id })).trigger_id);
}

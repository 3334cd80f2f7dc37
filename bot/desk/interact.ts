/** What a person does in a channel, sent to the bot as Slack sends it: a button pressed or an option chosen, a slash command typed. */

import { APP, TEAM } from './identity.ts';
import type { Delivery, Line } from './line.ts';
import { channelName, interactionOf, userName, VERIFICATION_TOKEN } from './payloads.ts';
import type { Responses } from './responses.ts';
import type { Person } from './settings.ts';
import type { Block, Channel, Element, Json, Message } from './shapes.ts';
import { asText, elementsOf } from './shapes.ts';
import type { Triggers } from './views/triggers.ts';
import type { RawValue, RawValues } from './views/values.ts';
import { actionOf, stateOf } from './views/values.ts';
import type { Workspace } from './workspace.ts';

export interface InteractParts {
  line: Line;
  triggers: Triggers;
  workspace: Workspace;
  responses: Responses;
}

/** Where an element is in the channels. */
export interface ElementPlace {
  channel: string;
  ts: string;
  /** The thread the message was seen in, when it is a reply. */
  thread?: string | undefined;
  block: string;
  action: string;
}

/** What a person pressed or chose, in which page. */
export interface Press extends ElementPlace {
  client: string;
  /** What was chosen; undefined for a button. */
  value?: RawValue | undefined;
  /** What the other fields of the message hold. */
  values?: RawValues | undefined;
}

/** Sends a press of a button, or a choice in a menu, to the bot. */
export async function press(parts: InteractParts, person: Person, pressed: Press): Promise<Delivery> {
  const found = await findElement(parts.workspace, person, pressed);
  if (!found) return { ok: false, reason: 'This button is no longer there', retryReason: '' };
  const payload = blockActions(parts, person, found, pressed);
  return parts.line.send({ type: 'interactive', payload, takesAnswer: false });
}

/** Asks the bot for the options of a menu in a message. */
export async function suggestInMessage(parts: InteractParts, person: Person, place: ElementPlace, typed: string): Promise<Delivery> {
  const found = await findElement(parts.workspace, person, place);
  if (!found) return { ok: false, reason: 'This menu is no longer there', retryReason: '' };
  const { action, block } = place;
  const { container, message } = containerOf(found);
  const channel = { id: found.channel.id, name: channelName(found.channel) };
  const asked = { action_id: action, block_id: block, value: typed, container, channel, ...(message ? { message } : {}) };
  const payload = { ...interactionOf('block_suggestion', person), ...asked };
  return parts.line.send({ type: 'interactive', payload, takesAnswer: true });
}

interface Found {
  channel: Channel;
  message: Message;
  blocks: Block[];
  element: Element;
  isEphemeral: boolean;
}

async function findElement(workspace: Workspace, person: Person, place: ElementPlace): Promise<Found | undefined> {
  const channel = await channelOf(workspace, person, place.channel);
  if (!channel) return undefined;
  const messages = place.thread
    ? await workspace.thread(person.id, place.channel, place.thread)
    : await workspace.messages(person.id, place.channel);
  const message = messages.find((one) => one.ts === place.ts);
  const inAttachments = (message?.attachments ?? []).flatMap((attachment) => (attachment.blocks ?? []) as Block[]);
  const blocks = [...(message?.blocks ?? []), ...inAttachments];
  const block = blocks.find((one) => one.block_id === place.block);
  const element = block && elementsOf(block).find((one) => one.action_id === place.action);
  if (!message || !element) return undefined;
  return { channel, message, blocks, element, isEphemeral: workspace.ephemeral(person.id, message.ts) !== undefined };
}

function containerOf({ channel, message, isEphemeral }: Found): { container: Json; message: Json | undefined; thread: string | undefined } {
  const thread = message.thread_ts && message.thread_ts !== message.ts ? message.thread_ts : undefined;
  const { metadata: _metadata, ...shown } = message;
  return {
    container: {
      type: 'message',
      message_ts: message.ts,
      channel_id: channel.id,
      is_ephemeral: isEphemeral,
      ...(thread ? { thread_ts: thread } : {}),
    },
    // Slack sends no message with a press in an ephemeral one.
    message: isEphemeral ? undefined : { ...shown, team: TEAM.id },
    thread,
  };
}

function blockActions(parts: InteractParts, person: Person, found: Found, pressed: Press): Json {
  const { channel, element, blocks } = found;
  const { container, message, thread } = containerOf(found);
  return {
    ...interactionOf('block_actions', person),
    container,
    trigger_id: parts.triggers.issue({ userId: person.id, client: pressed.client }),
    channel: { id: channel.id, name: channelName(channel) },
    ...(message ? { message } : {}),
    state: { values: stateOf(blocks, pressed.values ?? {}) },
    response_url: parts.responses.issue({
      userId: person.id,
      channel: channel.id,
      ts: found.message.ts,
      ...(thread ? { thread } : {}),
    }),
    actions: [actionOf(element, pressed.block, pressed.value)],
  };
}

/** A slash command as it was typed, in which page. */
export interface Typed {
  channel: string;
  client: string;
  text: string;
}

/** Sends a slash command to the bot, and shows what it answers at once. */
export async function command(parts: InteractParts, person: Person, typed: Typed): Promise<Delivery> {
  const channel = await channelOf(parts.workspace, person, typed.channel);
  if (!channel) return { ok: false, reason: 'This channel is no longer there', retryReason: '' };
  const delivery = await parts.line.send({
    type: 'slash_commands',
    payload: commandPayload(parts, person, channel, typed),
    takesAnswer: true,
  });
  if (!delivery.ok || Object.keys(delivery.answer).length === 0) return delivery;
  const answer = await parts.responses.answer({ userId: person.id, channel: channel.id }, delivery.answer);
  if (answer.ok === true) return delivery;
  return { ok: false, reason: `Slack would not show the answer of Rounds: ${asText(answer.error)}`, retryReason: '' };
}

function commandPayload(parts: InteractParts, person: Person, channel: Channel, typed: Typed): Json {
  const [, name = '', text = ''] = /^(\S+)\s*([\s\S]*)$/.exec(typed.text.trim()) ?? [];
  return {
    token: VERIFICATION_TOKEN,
    team_id: TEAM.id,
    team_domain: TEAM.domain,
    channel_id: channel.id,
    channel_name: channelName(channel),
    user_id: person.id,
    user_name: userName(person),
    command: name,
    text,
    api_app_id: APP.id,
    is_enterprise_install: 'false',
    response_url: parts.responses.issue({ userId: person.id, channel: channel.id }),
    trigger_id: parts.triggers.issue({ userId: person.id, client: typed.client }),
  };
}

async function channelOf(workspace: Workspace, person: Person, id: string): Promise<Channel | undefined> {
  return (await workspace.channels(person.id)).find((channel) => channel.id === id);
}

/**
 * Where the emulator is easier, or less able, than Slack, the desk sets it right on the way in and on the way out:
 * channel names with `#`, block ids, the app's mark on its posts, `oldest`, `latest`, `inclusive`, `limit` and metadata of the history,
 * Slack's limits on blocks, and people who are not bots.
 */

import { randomBytes } from 'node:crypto';
import { faultsOfBlocks, MAX_BLOCKS } from './block-faults.ts';
import { APP, EMULATOR_ADMIN } from './identity.ts';
import type { Block, Element, Json } from './shapes.ts';
import { asArray, asObject, asText, isTrue } from './shapes.ts';

/** The default and the maximum number of messages in one page: docs.slack.dev/reference/methods/conversations.history. */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 999;

const POSTING = new Set(['chat.postMessage', 'chat.postEphemeral', 'chat.scheduleMessage', 'chat.update']);

/** The body as Slack would understand it. Returns an error's name instead when Slack would refuse it. */
export function completeRequest(method: string, userId: string, body: Json): { body: Json } | { error: string; messages?: string[] } {
  if (!POSTING.has(method)) return { body };
  const blocks = asArray(body.blocks);
  const faults = blocks ? faultsOfBlocks(blocks as Block[], '/blocks', MAX_BLOCKS.message) : [];
  if (faults.length > 0) return { error: 'invalid_blocks', messages: faults };
  return {
    body: {
      ...body,
      ...(typeof body.channel === 'string' ? { channel: body.channel.replace(/^#/, '') } : {}),
      ...(blocks ? { blocks: withIds(blocks as Block[]) } : {}),
      ...(userId === APP.botUserId ? { bot_id: APP.botId, app_id: APP.id } : {}),
    },
  };
}

/** The blocks with the ids that Slack gives to blocks and elements that have none. */
export function withIds(blocks: readonly Block[]): Block[] {
  return blocks.map((block) => ({
    ...block,
    block_id: block.block_id || shortId(),
    ...(block.type === 'actions' && block.elements ? { elements: block.elements.map(elementWithId) } : {}),
    ...(block.accessory ? { accessory: elementWithId(block.accessory) } : {}),
    ...(block.type === 'input' && block.element ? { element: elementWithId(block.element) } : {}),
  }));
}

function elementWithId(element: Element): Element {
  return element.type === 'image' ? element : { ...element, action_id: element.action_id || shortId() };
}

function shortId(): string {
  return randomBytes(4).toString('base64url').slice(0, 5);
}

/** The body of a request for history or replies that makes the emulator answer with everything; `pageOf` then picks from it. */
export function wideRequest(body: Json): Json {
  const { cursor: _cursor, oldest: _oldest, latest: _latest, inclusive: _inclusive, ...rest } = body;
  return { ...rest, limit: 1_000 };
}

/**
 * The page of a history (`order` newest first) or of replies (oldest first) that Slack would answer with, out of the whole.
 * The parent of a thread stays at the head of its replies.
 */
export function pageOf(method: 'conversations.history' | 'conversations.replies', answer: Json, body: Json): Json {
  const all = (asArray(answer.messages) ?? []).map((message) =>
    withoutMetadata(asObject(message) ?? {}, isTrue(body.include_all_metadata)),
  );
  if (method === 'conversations.replies' && all.length === 0) return { ok: false, error: 'thread_not_found' };
  const isParent = (message: Json): boolean => method === 'conversations.replies' && message.ts === all[0]?.ts;
  const within = all.filter((message) => isParent(message) || isWithin(asText(message.ts), body));
  const cursor = decodeCursor(asText(body.cursor));
  const start =
    cursor === ''
      ? 0
      : Math.max(
          0,
          within.findIndex((message) => message.ts === cursor),
        );
  const limit = Math.min(Math.max(1, Number(body.limit) || DEFAULT_PAGE), MAX_PAGE);
  const next = within[start + limit];
  return {
    ...answer,
    messages: within.slice(start, start + limit),
    has_more: next !== undefined,
    response_metadata: { next_cursor: next ? encodeCursor(asText(next.ts)) : '' },
  };
}

function withoutMetadata(message: Json, keep: boolean): Json {
  if (keep) return message;
  const { metadata: _metadata, ...rest } = message;
  return rest;
}

function isWithin(ts: string, body: Json): boolean {
  const oldest = asText(body.oldest) || String(body.oldest ?? '0');
  const latest = asText(body.latest) || String(body.latest ?? '');
  const inclusive = isTrue(body.inclusive);
  const afterOldest = compareTs(ts, oldest) > 0 || (inclusive && compareTs(ts, oldest) === 0);
  const beforeLatest = latest === '' || compareTs(ts, latest) < 0 || (inclusive && compareTs(ts, latest) === 0);
  return afterOldest && beforeLatest;
}

/** Orders two message timestamps. Not as numbers: sixteen digits do not fit. */
export function compareTs(left: string, right: string): number {
  const [leftSeconds = '0', leftRest = ''] = left.split('.');
  const [rightSeconds = '0', rightRest = ''] = right.split('.');
  if (leftSeconds !== rightSeconds) return Number(leftSeconds) - Number(rightSeconds);
  return leftRest.padEnd(6, '0').localeCompare(rightRest.padEnd(6, '0'));
}

function encodeCursor(ts: string): string {
  return Buffer.from(`next_ts:${ts}`).toString('base64');
}

function decodeCursor(cursor: string): string {
  return cursor === ''
    ? ''
    : Buffer.from(cursor, 'base64')
        .toString()
        .replace(/^next_ts:/, '');
}

/** The answer of a `users.` method with the emulator's own administrator gone and the people not marked as bots. */
export function withoutEmulatorUsers(answer: Json): Json {
  const human = (user: unknown): Json => ({ ...asObject(user), is_bot: asObject(user)?.id === APP.botUserId });
  const members = asArray(answer.members)?.filter((member) => asObject(member)?.id !== EMULATOR_ADMIN);
  return { ...answer, ...(members ? { members: members.map(human) } : {}), ...(answer.user ? { user: human(answer.user) } : {}) };
}

/** A message as the page shows it. */

import { blocksHtml } from './blocks.ts';
import type { Drawing } from './drawing.ts';
import { APP } from './identity.ts';
import type { Names } from './mrkdwn.ts';
import { escapeHtml, mrkdwn } from './mrkdwn.ts';
import type { Block, Json, Message, SlackFile } from './shapes.ts';
import { asArray, asText } from './shapes.ts';

/** What a page gets for each message: its place, and its HTML, which it replaces only when it differs. */
export interface RenderedMessage {
  ts: string;
  html: string;
}

/** How a message stands in the page. */
export interface Surroundings {
  drawing: Drawing;
  /** Whether only the reader sees the message of this timestamp. */
  isEphemeral(ts: string): boolean;
  /** Inside a thread, the way into the thread is left out. */
  inThread: boolean;
}

/** The message as HTML, safe to put into the page. */
export function renderMessage(message: Message, around: Surroundings): RenderedMessage {
  const author = authorOf(message, around.drawing);
  const drawing = { ...around.drawing, scope: `${message.ts}${around.inThread ? '-thread' : ''}` };
  const hidden = around.isEphemeral(message.ts);
  const html = `<article class="message${hidden ? ' ephemeral' : ''}" data-testid="message" data-ts="${escapeHtml(message.ts)}" aria-label="${escapeHtml(author.name)}">
<div class="avatar ${author.isApp ? 'app' : `tone-${toneOf(author.name)}`}" aria-hidden="true">${author.isApp ? APP_MARK : escapeHtml(author.name.slice(0, 1))}</div>
<div class="content">${hidden ? ONLY_YOU : ''}<div class="byline"><strong>${escapeHtml(author.name)}</strong>${author.isApp ? '<span class="badge">APP</span>' : ''}${timeOf(message.ts)}${message.edited ? EDITED : ''}</div>
${bodyOf(message, drawing)}${hidden ? '' : footOf(message, around)}</div></article>`;
  return { ts: message.ts, html };
}

/** A pulse: what Rounds looks at. */
const APP_MARK =
  '<svg viewBox="0 0 24 24" width="22" height="22" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"><path d="M3 12h4l2.2-6 4.6 12 2.2-6h5"/></svg>';

const ONLY_YOU =
  '<p class="only-you" data-testid="only-you">Only visible to you <button type="button" class="plain" data-testid="dismiss">Dismiss</button></p>';

const EDITED = '<span class="edited" data-testid="edited">(edited)</span>';

function authorOf(message: Message, names: Names): { name: string; isApp: boolean } {
  const isApp = message.user === APP.botUserId || message.bot_id === APP.botId;
  if (isApp) return { name: asText(message.username) || APP.name, isApp };
  return { name: names.user(message.user ?? '') ?? 'Somebody', isApp };
}

/** One of five colours, the same for the same name. */
function toneOf(name: string): number {
  return [...name].reduce((sum, character) => sum + (character.codePointAt(0) ?? 0), 0) % 5;
}

function timeOf(ts: string): string {
  const at = new Date(Number(ts.split('.')[0]) * 1_000).toISOString();
  return `<time datetime="${at}" data-format="{time}"></time>`;
}

function bodyOf(message: Message, names: Drawing): string {
  const blocks = message.blocks ?? [];
  const text = blocks.length > 0 ? blocksHtml(blocks, names) : `<div class="block text">${mrkdwn(message.text ?? '', names)}</div>`;
  const attachments = (message.attachments ?? []).map((attachment) => attachmentHtml(attachment, names)).join('');
  return `${text}${attachments}${(message.files ?? []).map(fileHtml).join('')}`;
}

function attachmentHtml(attachment: Json, names: Drawing): string {
  const colour = /^#?[0-9a-f]{6}$/i.test(asText(attachment.color)) ? asText(attachment.color).replace(/^#?/, '#') : '';
  const blocks = asArray(attachment.blocks) as Block[] | undefined;
  const inner = blocks ? blocksHtml(blocks, names) : `<div class="block text">${mrkdwn(asText(attachment.text), names)}</div>`;
  return `<div class="attachment"${colour ? ` style="border-color:${colour}"` : ''}>${inner}</div>`;
}

function fileHtml(file: SlackFile): string {
  const address = `/desk/files/${encodeURIComponent(file.id)}`;
  const name = escapeHtml(file.title || file.name || file.id);
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? '')) return downloadHtml(file, address, name);
  return `<figure class="block image"><figcaption>${name}</figcaption><a href="${address}" target="_blank"><img src="${address}" alt="${name}"></a></figure>`;
}

function downloadHtml(file: SlackFile, address: string, name: string): string {
  const kind = (/\.(\w{1,8})$/.exec(file.name ?? '')?.[1] ?? 'file').toUpperCase();
  const size = typeof file.size === 'number' ? ` · ${sizeOf(file.size)}` : '';
  return `<p class="block"><a class="file" data-testid="file" href="${address}" download="${escapeHtml(file.name ?? '')}"><strong>${name}</strong><span>${escapeHtml(kind)}${size}</span></a></p>`;
}

function sizeOf(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function footOf(message: Message, around: Surroundings): string {
  const reactions = (message.reactions ?? []).map((one) => `<span class="reaction">:${escapeHtml(one.name)}: ${one.count}</span>`).join('');
  return `${reactions ? `<div class="reactions">${reactions}</div>` : ''}${around.inThread ? '' : threadLink(message)}`;
}

function threadLink(message: Message): string {
  const count = message.reply_count ?? 0;
  const label = count === 0 ? 'Reply in thread' : count === 1 ? '1 reply' : `${count} replies`;
  return `<button type="button" class="thread-link${count === 0 ? ' empty' : ''}" data-testid="open-thread">${label}</button>`;
}

/** Block Kit as HTML. A block or an element that the desk cannot show is named in the page, never dropped in silence. */

import type { Names } from './mrkdwn.ts';
import { escapeHtml, link, mrkdwn, plainText } from './mrkdwn.ts';
import type { Block, Confirm, Element, Json, TextObject } from './shapes.ts';
import { asArray, asObject, asText } from './shapes.ts';

type Renderer = (block: Block, names: Names) => string;

const RENDERERS: Readonly<Record<string, Renderer>> = {
  section,
  header: (block) => `<h3 class="block header">${plainText(block.text?.text ?? '')}</h3>`,
  context: (block, names) => `<div class="block context">${(block.elements ?? []).map((item) => contextItem(item, names)).join('')}</div>`,
  divider: () => '<hr class="block">',
  actions: (block, names) =>
    `<div class="block actions">${(block.elements ?? []).map((item) => element(item, block, names)).join('')}</div>`,
  image,
  rich_text: (block, names) => `<div class="block text">${(block.elements ?? []).map((item) => richText(item, names)).join('')}</div>`,
  markdown: (block, names) => `<div class="block text">${mrkdwn(asText(block.text), names)}</div>`,
};

/** The blocks of a message as HTML. */
export function blocksHtml(blocks: readonly Block[], names: Names): string {
  return blocks.map((block) => RENDERERS[block.type]?.(block, names) ?? unknown(block.type)).join('');
}

/** A text object as HTML. */
export function textHtml(text: TextObject | undefined, names: Names): string {
  if (!text) return '';
  return text.type === 'mrkdwn' ? mrkdwn(text.text, names) : plainText(text.text);
}

function unknown(type: string): string {
  return `<p class="block unknown">The desk does not show “${escapeHtml(type)}”.</p>`;
}

function section(block: Block, names: Names): string {
  const fields = (block.fields ?? []).map((field) => `<div class="field">${textHtml(field, names)}</div>`).join('');
  const accessory = block.accessory ? `<div class="accessory">${element(block.accessory, block, names)}</div>` : '';
  return `<div class="block section"><div class="text">${textHtml(block.text, names)}${
    fields ? `<div class="fields">${fields}</div>` : ''
  }</div>${accessory}</div>`;
}

function contextItem(item: Element, names: Names): string {
  if (item.type === 'image') return `<img class="small" src="${escapeHtml(imageSource(item))}" alt="${escapeHtml(asText(item.alt_text))}">`;
  return `<span>${textHtml({ type: item.type, text: asText(item.text) }, names)}</span>`;
}

function image(block: Block): string {
  const alt = escapeHtml(asText(block.alt_text));
  const title = asText(asObject(block.title)?.text);
  const source = escapeHtml(imageSource(block));
  return `<figure class="block image">${title ? `<figcaption>${plainText(title)}</figcaption>` : ''}<a href="${source}" target="_blank" rel="noopener noreferrer"><img src="${source}" alt="${alt}"></a></figure>`;
}

/** The address of an image: a stored file by the desk's own route, else the public address. */
function imageSource(holder: Json): string {
  const file = asText(asObject(holder.slack_file)?.id);
  const address = asText(holder.image_url);
  return file ? `/desk/files/${encodeURIComponent(file)}` : /^https?:\/\//.test(address) ? address : '';
}

function element(item: Element, block: Block, names: Names): string {
  if (item.type === 'image')
    return `<img class="thumbnail" src="${escapeHtml(imageSource(item))}" alt="${escapeHtml(asText(item.alt_text))}">`;
  return item.type === 'button' ? button(item, block, names) : unknown(item.type);
}

function button(item: Element, block: Block, names: Names): string {
  const label = typeof item.text === 'object' ? item.text.text : '';
  const style = item.style === 'primary' || item.style === 'danger' ? ` ${item.style}` : '';
  const attributes = [
    `class="button${style}"`,
    'type="button" data-testid="block-button"',
    `data-block="${escapeHtml(block.block_id ?? '')}" data-action="${escapeHtml(item.action_id ?? '')}"`,
    item.confirm ? `data-confirm="${escapeHtml(JSON.stringify(confirmOf(item.confirm, names)))}" aria-haspopup="dialog"` : '',
    asText(item.accessibility_label) ? `aria-label="${escapeHtml(asText(item.accessibility_label))}"` : '',
    item.url && /^https?:\/\//.test(item.url) ? `data-url="${escapeHtml(item.url)}"` : '',
  ];
  return `<button ${attributes.join(' ')}>${plainText(label)}</button>`;
}

/** What the page's dialog shows, with Slack's own words where the message gives none. */
function confirmOf(confirm: Confirm, names: Names): Record<string, string> {
  return {
    title: confirm.title?.text ?? 'Are you sure?',
    html: textHtml(confirm.text, names),
    yes: confirm.confirm?.text ?? 'Yes',
    no: confirm.deny?.text ?? 'Cancel',
    style: confirm.style === 'danger' ? 'danger' : 'primary',
  };
}

function richText(item: Element, names: Names): string {
  const children = (asArray(item.elements) ?? []).map((child) => asObject(child) ?? {});
  const inner = (): string => children.map((child) => richInline(child, names)).join('');
  if (item.type === 'rich_text_preformatted') return `<pre><code>${inner()}</code></pre>`;
  if (item.type === 'rich_text_quote') return `<blockquote>${inner()}</blockquote>`;
  if (item.type === 'rich_text_section') return `<div>${inner()}</div>`;
  if (item.type !== 'rich_text_list') return unknown(item.type);
  const tag = item.style === 'ordered' ? 'ol' : 'ul';
  return `<${tag}>${children.map((child) => `<li>${richText(child as Element, names)}</li>`).join('')}</${tag}>`;
}

function richInline(item: Json, names: Names): string {
  const text = asText(item.text);
  const kinds: Record<string, () => string> = {
    text: () => escapeHtml(text).replace(/\n/g, '<br>'),
    link: () => (/^(https?:\/\/|mailto:)/.test(asText(item.url)) ? link(asText(item.url), text || asText(item.url)) : escapeHtml(text)),
    user: () => mrkdwn(`<@${asText(item.user_id)}>`, names).replace(/^<div>|<\/div>$/g, ''),
    channel: () => mrkdwn(`<#${asText(item.channel_id)}>`, names).replace(/^<div>|<\/div>$/g, ''),
    broadcast: () => `<span class="mention">@${escapeHtml(asText(item.range))}</span>`,
    emoji: () => plainText(`:${asText(item.name)}:`),
  };
  return styled(kinds[asText(item.type)]?.() ?? escapeHtml(text), asObject(item.style) ?? {});
}

function styled(html: string, style: Json): string {
  const tags = { bold: 'strong', italic: 'em', strike: 's', code: 'code' };
  return Object.entries(tags).reduce((inner, [name, tag]) => (style[name] === true ? `<${tag}>${inner}</${tag}>` : inner), html);
}

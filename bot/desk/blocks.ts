/** Block Kit as HTML. A block or an element that the desk cannot show is named in the page, never dropped in silence. */

import type { Drawing } from './drawing.ts';
import { elementHtml, idOf, imageSource, isGroup } from './elements.ts';
import type { Names } from './mrkdwn.ts';
import { escapeHtml, link, mrkdwn, plainText } from './mrkdwn.ts';
import type { Block, Element, Json } from './shapes.ts';
import { asArray, asObject, asText } from './shapes.ts';
import { textHtml } from './text.ts';

type Renderer = (block: Block, drawing: Drawing) => string;

const RENDERERS: Readonly<Record<string, Renderer>> = {
  section,
  header: (block) => `<h3 class="block header">${plainText(block.text?.text ?? '')}</h3>`,
  context: (block, names) => `<div class="block context">${(block.elements ?? []).map((item) => contextItem(item, names)).join('')}</div>`,
  divider: () => '<hr class="block">',
  actions: (block, drawing) =>
    `<div class="block actions">${(block.elements ?? []).map((item) => element(item, block, drawing)).join('')}</div>`,
  input,
  image,
  rich_text: (block, names) => `<div class="block text">${(block.elements ?? []).map((item) => richText(item, names)).join('')}</div>`,
  markdown: (block, names) => `<div class="block text">${mrkdwn(asText(block.text), names)}</div>`,
};

/** The blocks of a message or a view as HTML, safe to put into the page. */
export function blocksHtml(blocks: readonly Block[], drawing: Drawing): string {
  return blocks.map((block) => RENDERERS[block.type]?.(block, drawing) ?? unknown(block.type)).join('');
}

function unknown(type: string): string {
  return `<p class="block unknown">The desk does not show “${escapeHtml(type)}”.</p>`;
}

function section(block: Block, drawing: Drawing): string {
  const fields = (block.fields ?? []).map((field) => `<div class="field">${textHtml(field, drawing)}</div>`).join('');
  const accessory = block.accessory ? `<div class="accessory">${element(block.accessory, block, drawing)}</div>` : '';
  return `<div class="block section"><div class="text">${textHtml(block.text, drawing)}${
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

function element(item: Element, block: Block, drawing: Drawing): string {
  return elementHtml(item, block, drawing) ?? unknown(item.type);
}

/** A field with its label, its hint, and the place for what is wrong with it. */
function input(block: Block, drawing: Drawing): string {
  const field = block.element;
  if (!field) return unknown('input');
  const id = idOf(field, block, drawing);
  const label = `${plainText(block.label?.text ?? '')}${block.optional === true ? ' <span class="optional">(optional)</span>' : ''}`;
  const hint = block.hint ? `<p class="hint" id="${id}-hint">${plainText(block.hint.text)}</p>` : '';
  const error = `<p class="field-error" id="${id}-error" role="alert" data-testid="field-error" hidden></p>`;
  const inside = `${element(field, block, drawing)}${hint}${error}`;
  const attributes = `class="block input" data-input="${escapeHtml(block.block_id ?? '')}"`;
  if (isGroup(field))
    return `<fieldset ${attributes} aria-describedby="${id}-hint ${id}-error"><legend>${label}</legend>${inside}</fieldset>`;
  return `<div ${attributes}><label class="label" for="${id}">${label}</label>${inside}</div>`;
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

/**
 * Block Kit elements as HTML: what can be pressed, chosen and filled in. Each carries `data-kind`, `data-block` and `data-action`, by which
 * the page reads it (page/fields.js), and `data-dispatch` when touching it is told to the bot at once.
 */

import type { Drawing } from './drawing.ts';
import { emojiText, escapeHtml, plainText } from './mrkdwn.ts';
import type { Block, Confirm, Element, Json, Option } from './shapes.ts';
import { asArray, asObject, asText, optionsOf } from './shapes.ts';
import { textHtml } from './text.ts';
import { initialOf } from './views/values.ts';

type Renderer = (element: Element, block: Block, drawing: Drawing) => string;

/** Drawn as a group of boxes, which has a legend instead of a label. */
const GROUPS = new Set(['checkboxes', 'radio_buttons', 'multi_static_select', 'multi_users_select']);

const RENDERERS: Readonly<Record<string, Renderer>> = {
  button,
  overflow,
  image: (element) => `<img class="thumbnail" src="${escapeHtml(imageSource(element))}" alt="${escapeHtml(asText(element.alt_text))}">`,
  plain_text_input: (element, block, drawing) => (element.multiline === true ? textArea : input('text'))(element, block, drawing),
  number_input: input('text', 'inputmode="decimal"'),
  email_text_input: input('email'),
  url_text_input: input('url'),
  datepicker: input('date'),
  timepicker: input('time'),
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  external_select: suggest,
  checkboxes: boxes('checkbox'),
  radio_buttons: boxes('radio'),
  multi_static_select: boxes('checkbox'),
  multi_users_select: boxes('checkbox'),
};

/** An element as HTML, or undefined when the desk has no way to show it. */
export function elementHtml(element: Element, block: Block, drawing: Drawing): string | undefined {
  return RENDERERS[element.type]?.(element, block, drawing);
}

/** Whether the element is drawn as a group of boxes. */
export function isGroup(element: Element): boolean {
  return GROUPS.has(element.type);
}

/** The id of an element in the page, by which its label, its hint and its error belong to it. */
export function idOf(element: Element, block: Block, drawing: Drawing): string {
  return escapeHtml(`${drawing.scope}-${block.block_id ?? ''}-${element.action_id ?? ''}`.replace(/\s/g, '_'));
}

/** The address of an image: a stored file by the desk's own route, else the public address. */
export function imageSource(holder: Json): string {
  const file = asText(asObject(holder.slack_file)?.id);
  const address = asText(holder.image_url);
  return file ? `/desk/files/${encodeURIComponent(file)}` : /^https?:\/\//.test(address) ? address : '';
}

function button(item: Element, block: Block, drawing: Drawing): string {
  const text = typeof item.text === 'object' ? item.text.text : '';
  const style = item.style === 'primary' || item.style === 'danger' ? ` ${item.style}` : '';
  const attributes = [
    `class="button${style}"`,
    'type="button" data-testid="block-button"',
    whereAttributes(item, block),
    confirmAttribute(item, drawing),
    asText(item.accessibility_label) ? `aria-label="${escapeHtml(asText(item.accessibility_label))}"` : '',
    item.url && /^https?:\/\//.test(item.url) ? `data-url="${escapeHtml(item.url)}"` : '',
  ];
  return `<button ${attributes.join(' ')}>${plainText(text)}</button>`;
}

function overflow(item: Element, block: Block, drawing: Drawing): string {
  const entries = optionsOf(item).map(
    (option) =>
      `<button type="button" class="entry" data-testid="block-button" ${whereAttributes(item, block)} ${confirmAttribute(item, drawing)} data-value="${escapeHtml(option.value)}">${plainText(option.text.text)}</button>`,
  );
  return `<details class="overflow"><summary class="button" aria-label="More actions">⋯</summary><div class="entries">${entries.join('')}</div></details>`;
}

function whereAttributes(element: Element, block: Block): string {
  return `data-block="${escapeHtml(block.block_id ?? '')}" data-action="${escapeHtml(element.action_id ?? '')}"`;
}

function confirmAttribute({ confirm }: Element, drawing: Drawing): string {
  return confirm ? `data-confirm="${escapeHtml(JSON.stringify(confirmOf(confirm, drawing)))}" aria-haspopup="dialog"` : '';
}

/** What the page's dialog shows, with Slack's own words where the message gives none. */
function confirmOf(confirm: Confirm, drawing: Drawing): Record<string, string> {
  return {
    title: confirm.title?.text ?? 'Are you sure?',
    html: textHtml(confirm.text, drawing),
    yes: confirm.confirm?.text ?? 'Yes',
    no: confirm.deny?.text ?? 'Cancel',
    style: confirm.style === 'danger' ? 'danger' : 'primary',
  };
}

/** What every field carries for the page. */
function fieldAttributes(element: Element, block: Block, drawing: Drawing): string {
  const dispatch = dispatchOf(element, block);
  return [
    `data-kind="${escapeHtml(element.type)}" ${whereAttributes(element, block)}`,
    dispatch ? `data-dispatch="${dispatch}"` : '',
    element.focus_on_load === true ? 'data-focus' : '',
    confirmAttribute(element, drawing),
  ].join(' ');
}

/** When touching a field is told to the bot: outside of input blocks always, inside when the block asks for it. */
function dispatchOf(element: Element, block: Block): string {
  if (block.type !== 'input') return 'change';
  if (block.dispatch_action !== true) return '';
  if (!element.type.endsWith('_input')) return 'change';
  const triggers = asArray(asObject(element.dispatch_action_config)?.trigger_actions_on) ?? ['on_enter_pressed'];
  return [triggers.includes('on_enter_pressed') ? 'enter' : '', triggers.includes('on_character_entered') ? 'typing' : ''].join(' ').trim();
}

/** What ties a control to its label, hint and error; outside of input blocks it is named by its placeholder. */
function controlAttributes(element: Element, block: Block, drawing: Drawing): string {
  const id = idOf(element, block, drawing);
  if (block.type !== 'input') return `id="${id}" aria-label="${escapeHtml(element.placeholder?.text ?? 'Choose')}"`;
  const required = block.optional === true ? '' : ' aria-required="true"';
  return `id="${id}" aria-describedby="${id}-hint ${id}-error"${required}`;
}

function input(type: string, more = ''): Renderer {
  return (element, block, drawing) => {
    const attributes = [
      `class="control" type="${type}" autocomplete="off"`,
      more,
      controlAttributes(element, block, drawing),
      fieldAttributes(element, block, drawing),
      placeholderOf(element),
    ];
    return `<input ${attributes.join(' ')} value="${escapeHtml(asText(initialOf(element)))}">`;
  };
}

function textArea(element: Element, block: Block, drawing: Drawing): string {
  const attributes = [controlAttributes(element, block, drawing), fieldAttributes(element, block, drawing), placeholderOf(element)];
  return `<textarea class="control" rows="4" ${attributes.join(' ')}>${escapeHtml(asText(initialOf(element)))}</textarea>`;
}

function placeholderOf(element: Element): string {
  return element.placeholder ? `placeholder="${escapeHtml(emojiText(element.placeholder.text))}"` : '';
}

function select(element: Element, block: Block, drawing: Drawing): string {
  const chosen = asText(initialOf(element));
  const first = `<option value="">${escapeHtml(emojiText(element.placeholder?.text ?? 'Choose an option'))}</option>`;
  const groups = (element.option_groups ?? []).map(
    (group) => `<optgroup label="${escapeHtml(group.label.text)}">${choices(group.options, chosen)}</optgroup>`,
  );
  const attributes = [controlAttributes(element, block, drawing), fieldAttributes(element, block, drawing)];
  return `<select class="control" ${attributes.join(' ')}>${first}${choices(ungrouped(element, drawing), chosen)}${groups.join('')}</select>`;
}

function choices(options: readonly Option[], chosen: string): string {
  return options
    .map((option) => {
      const selected = option.value === chosen ? ' selected' : '';
      return `<option value="${escapeHtml(option.value)}"${selected}>${escapeHtml(emojiText(option.text.text))}</option>`;
    })
    .join('');
}

/** The options of a menu that stand in no group: the element's own, or the workspace's people and channels. */
function ungrouped(element: Element, drawing: Drawing): Option[] {
  const option = ({ id, name }: { id: string; name: string }, mark = ''): Option => ({
    text: { type: 'plain_text', text: `${mark}${name}` },
    value: id,
  });
  const channels = drawing.channels.filter((channel) => channel.kind === 'channel').map((channel) => option(channel, '# '));
  if (element.type.endsWith('users_select')) return drawing.people.map((person) => option(person));
  if (element.type === 'channels_select') return channels;
  if (element.type === 'conversations_select')
    return [...channels, ...drawing.channels.filter((channel) => channel.kind === 'direct').map((channel) => option(channel))];
  return element.options ?? [];
}

function boxes(type: 'checkbox' | 'radio'): Renderer {
  return (element, block, drawing) => {
    const id = idOf(element, block, drawing);
    const initial = initialOf(element);
    const chosen = new Set(Array.isArray(initial) ? initial : [initial]);
    const isLong = element.type.startsWith('multi_');
    const groups = element.option_groups ?? [{ label: undefined, options: ungrouped(element, drawing) }];
    const rows = groups.map(({ label, options }) => {
      const title = label ? `<p class="group-label">${plainText(label.text)}</p>` : '';
      return title + options.map((option) => box(type, id, option, chosen.has(option.value), drawing)).join('');
    });
    const name = block.type === 'input' ? '' : `aria-label="${escapeHtml(element.placeholder?.text ?? 'Choose')}"`;
    const role = type === 'radio' ? 'radiogroup' : 'group';
    return `<div class="boxes${isLong ? ' long' : ''}" role="${role}" ${name} ${fieldAttributes(element, block, drawing)}>${rows.join('')}</div>`;
  };
}

function box(type: string, name: string, option: Option, isChosen: boolean, drawing: Drawing): string {
  const description = option.description ? `<small>${textHtml(option.description, drawing)}</small>` : '';
  const checked = isChosen ? ' checked' : '';
  return `<label class="box-row"><input type="${type}" name="${name}" value="${escapeHtml(option.value)}"${checked}><span>${textHtml(option.text, drawing)}${description}</span></label>`;
}

/** A menu whose options the bot gives while somebody types. */
function suggest(element: Element, block: Block, drawing: Drawing): string {
  const id = idOf(element, block, drawing);
  const initial = asObject(initialOf(element)) as Option | undefined;
  const least = typeof element.min_query_length === 'number' ? element.min_query_length : 3;
  const chosen = initial ? `data-option="${escapeHtml(JSON.stringify(initial))}"` : '';
  const combobox = `role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="${id}-list" autocomplete="off"`;
  const typed = `<input class="control" type="text" ${combobox} ${controlAttributes(element, block, drawing)} ${placeholderOf(element)} value="${escapeHtml(initial?.text.text ?? '')}">`;
  return `<div class="suggest" ${fieldAttributes(element, block, drawing)} ${chosen} data-least="${least}">${typed}<ul class="suggestions" role="listbox" id="${id}-list" aria-label="Options" hidden></ul></div>`;
}

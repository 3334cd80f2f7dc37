/**
 * Block Kit, as much of it as Rounds says, within Slack's limits by construction: a text that is too long is cut with a count of
 * what is missing, and a message that is too long loses what matters least, never its first line and never its buttons.
 * Limits: docs.slack.dev/reference/block-kit; the sum over all blocks is undocumented, see bolt-js #2509.
 */

/** docs.slack.dev/reference/block-kit/blocks */
export const LIMITS = {
  blocks: 50,
  section: 3_000,
  context: 2_000,
  altText: 2_000,
  buttonText: 75,
  buttons: 25,
  confirmTitle: 100,
  confirmText: 300,
  confirmButton: 30,
  /** Over all blocks; from about 12,000 Slack answers `msg_too_long`. */
  message: 11_000,
  /** Of `text`, which notifications show. */
  fallback: 3_000,
} as const;

export interface Mrkdwn {
  type: 'mrkdwn';
  text: string;
}
export interface Plain {
  type: 'plain_text';
  text: string;
  emoji?: boolean;
}
export interface ButtonElement {
  type: 'button';
  action_id: string;
  text: Plain;
  value: string;
  style?: 'primary' | 'danger';
  confirm?: { title: Plain; text: Plain; confirm: Plain; deny: Plain };
}
export type Block =
  | { type: 'section'; text: Mrkdwn }
  | { type: 'context'; elements: Mrkdwn[] }
  | { type: 'divider' }
  | { type: 'image'; slack_file: { id: string }; alt_text: string }
  | { type: 'actions'; elements: ButtonElement[] };

/** What is sent: `text` is what the notification on the phone shows. */
export interface Message {
  text: string;
  blocks: Block[];
}

/** The text with the three characters that mean something to Slack made harmless. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Data inside a line: harmless, on one line, and without the marks of bold, code and strike. */
export function data(text: string): string {
  return escaped(text.replace(/\s+/g, ' ').trim()).replace(/[*`~]/g, (mark) => `${mark}\u200b`);
}

/** At most `most` characters; what is cut is counted. Never cuts an escape in two. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const room = most - 40;
  const kept = text.slice(0, Math.max(0, room)).replace(/&[a-z]{0,4}$/, '');
  return `${kept}… (${text.length - kept.length} characters more)`.slice(0, most);
}

/** At most `most` characters of a label, ending in `…` when cut. */
export function label(text: string, most: number): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  return plain.length <= most ? plain : `${plain.slice(0, most - 1)}…`;
}

/** At most `most` of the lines; the rest is counted in words: "and 3 more checks". */
export function few(lines: readonly string[], most: number, noun: string): string[] {
  if (lines.length <= most) return [...lines];
  const rest = lines.length - most + 1;
  return [...lines.slice(0, most - 1), `and ${rest} more ${noun}`];
}

/** A block of lines. */
export function section(...lines: readonly string[]): Block {
  return { type: 'section', text: { type: 'mrkdwn', text: cut(lines.filter(Boolean).join('\n'), LIMITS.section) } };
}

/** Small print. */
export function context(text: string): Block {
  return { type: 'context', elements: [{ type: 'mrkdwn', text: cut(text, LIMITS.context) }] };
}

/** A picture that was uploaded before. */
export function picture(fileId: string, altText: string): Block {
  return { type: 'image', slack_file: { id: fileId }, alt_text: label(altText, LIMITS.altText) };
}

/** A button with an opaque value. */
export function button(options: {
  actionId: string;
  label: string;
  value: string;
  style?: 'primary' | 'danger';
  confirm?: { title: string; text: string; yes: string };
}): ButtonElement {
  return {
    type: 'button',
    action_id: options.actionId,
    text: { type: 'plain_text', text: label(options.label, LIMITS.buttonText), emoji: true },
    value: options.value,
    ...(options.style ? { style: options.style } : {}),
    ...(options.confirm ? { confirm: confirmDialog(options.confirm) } : {}),
  };
}

function confirmDialog(confirm: { title: string; text: string; yes: string }): NonNullable<ButtonElement['confirm']> {
  return {
    title: { type: 'plain_text', text: label(confirm.title, LIMITS.confirmTitle) },
    text: { type: 'plain_text', text: label(confirm.text, LIMITS.confirmText) },
    confirm: { type: 'plain_text', text: label(confirm.yes, LIMITS.confirmButton) },
    deny: { type: 'plain_text', text: 'Not now' },
  };
}

/** The row of buttons; nothing when there are none. */
export function actions(elements: readonly ButtonElement[]): Block[] {
  return elements.length === 0 ? [] : [{ type: 'actions', elements: elements.slice(0, LIMITS.buttons) }];
}

/** A whole message. Sections from the end are cut first, until all of it fits; what is left out is counted. */
export function message(text: string, blocks: readonly Block[]): Message {
  const kept = [...blocks];
  let left = 0;
  while (kept.length > LIMITS.blocks - 1 || sizeOf(kept) > LIMITS.message) {
    const index = kept.findLastIndex((block, at) => at > 0 && (block.type === 'section' || block.type === 'divider'));
    if (index < 0) break;
    kept.splice(index, 1);
    left++;
  }
  if (left > 0) kept.splice(1, 0, context(`${left} ${left === 1 ? 'part is' : 'parts are'} left out: too long for Slack.`));
  return { text: cut(text, LIMITS.fallback), blocks: kept };
}

function sizeOf(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + JSON.stringify(block).length, 0);
}

/** A sentence or a few, as an answer to one person. */
export function sentence(...lines: readonly string[]): Message {
  return message(lines.join(' '), [section(...lines)]);
}

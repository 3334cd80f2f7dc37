/**
 * Slack's mrkdwn as HTML. Of our own, because what it shows must be what was posted: the library that was tried
 * (slack-blocks-to-jsx 1.1.1) doubles the asterisks of `SELECT * FROM a` inside code, and takes `[a](b)` for a link, which Slack does not.
 */

/** Names for the ids in a text. */
export interface Names {
  user(id: string): string | undefined;
  channel(id: string): string | undefined;
}

/** The emoji that Rounds' messages use by name. Others stay as they were typed. */
const EMOJI: Readonly<Record<string, string>> = {
  red_circle: '🔴',
  large_orange_circle: '🟠',
  large_yellow_circle: '🟡',
  large_blue_circle: '🔵',
  white_circle: '⚪',
  large_green_circle: '🟢',
  white_check_mark: '✅',
  warning: '⚠️',
  hourglass_flowing_sand: '⏳',
  eyes: '👀',
  '+1': '👍',
};

/** Text made safe for HTML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Plain text as HTML, with its emoji names and line ends. */
export function plainText(text: string): string {
  return emoji(escapeHtml(text)).replace(/\n/g, '<br>');
}

/** A mrkdwn text as HTML. */
export function mrkdwn(text: string, names: Names): string {
  const parts = text.split(/```\n?([\s\S]*?)```\n?/);
  return parts.map((part, index) => (index % 2 === 1 ? codeBlock(part) : quotesAndLines(part, names))).join('');
}

function codeBlock(code: string): string {
  return `<pre><code>${escapeHtml(fromEntities(code.replace(/\n$/, '')))}</code></pre>`;
}

function quotesAndLines(text: string, names: Names): string {
  if (text === '') return '';
  const groups: { quoted: boolean; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const quote = /^(?:>|&gt;) ?/.exec(line);
    const last = groups.at(-1);
    const content = quote ? line.slice(quote[0].length) : line;
    if (last && last.quoted === (quote !== null)) last.lines.push(content);
    else groups.push({ quoted: quote !== null, lines: [content] });
  }
  return groups.map((group) => wrapGroup(group.quoted, group.lines.map((line) => inline(line, names)).join('<br>'))).join('');
}

function wrapGroup(quoted: boolean, html: string): string {
  return quoted ? `<blockquote>${html}</blockquote>` : `<div>${html}</div>`;
}

/** One line: what must not be styled (code, links, mentions) is set aside first. */
function inline(line: string, names: Names): string {
  const kept: string[] = [];
  const keep = (html: string): string => `\uE000${kept.push(html) - 1}\uE001`;
  const marked = line
    .replace(/[\uE000\uE001]/g, '')
    .replace(/`([^`]+)`/g, (_all, code: string) => keep(`<code>${escapeHtml(fromEntities(code))}</code>`))
    .replace(/<([^<>]+)>/g, (all, tag: string) => {
      const html = reference(tag, names);
      return html === undefined ? all : keep(html);
    });
  const styled = style(emoji(escapeHtml(fromEntities(marked))));
  return styled.replace(/\uE000(\d+)\uE001/g, (_all, index: string) => kept[Number(index)] ?? '');
}

/** A style counts only between a boundary and a non-space, as in Slack: 5 * 3 * 2 and snake_case_name stay as they are. */
function style(html: string): string {
  const between = (mark: string): RegExp => new RegExp(`(?<![\\w${mark}])${mark}(?=\\S)([^${mark}]+?)(?<=\\S)${mark}(?![\\w${mark}])`, 'g');
  return html.replace(between('\\*'), '<strong>$1</strong>').replace(between('_'), '<em>$1</em>').replace(between('~'), '<s>$1</s>');
}

/** Text with its emoji names replaced, for where no markup can stand, such as a placeholder. */
export function emojiText(text: string): string {
  return text.replace(/:([a-z0-9_+-]+):/g, (all, name: string) => EMOJI[name] ?? all);
}

function emoji(html: string): string {
  return emojiText(html).replace(MARKS, (mark) => `<span class="mark ${MARK_COLOURS[mark]}">${mark}</span>`);
}

/** The marks of the classes are drawn, as Slack draws its emoji, so that they show without an emoji font. */
const MARK_COLOURS: Readonly<Record<string, string>> = {
  '🔴': 'red',
  '🟠': 'orange',
  '🟡': 'yellow',
  '🔵': 'blue',
  '⚪': 'white',
  '🟢': 'green',
};
const MARKS = /[🔴🟠🟡🔵⚪🟢]/gu;

/** What stands between angle brackets: a person, a channel, a group, a date or a link. Undefined when it is none of these. */
function reference(tag: string, names: Names): string | undefined {
  const [target = '', label] = splitOnce(tag, '|');
  if (target.startsWith('@')) return mention(`@${names.user(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith('#')) return mention(`#${names.channel(target.slice(1)) ?? label ?? target.slice(1)}`);
  if (target.startsWith('!date^')) return date(target, label);
  if (target.startsWith('!')) return mention(`@${label ?? target.slice(1)}`);
  if (/^(https?:\/\/|mailto:)/.test(target)) return link(fromEntities(target), fromEntities(label ?? target));
  return undefined;
}

function splitOnce(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)];
}

function mention(text: string): string {
  return `<span class="mention">${escapeHtml(text)}</span>`;
}

/** A link that opens elsewhere and tells that place nothing. The address must be http, https or mailto. */
export function link(address: string, label: string): string {
  return `<a href="${escapeHtml(address)}" target="_blank" rel="noopener noreferrer">${escapeHtml(label)}</a>`;
}

/** `<!date^1700000000^{time}|10:42>`: the page puts it into local time. */
function date(target: string, fallback: string | undefined): string {
  const [, seconds = '', format = ''] = target.split('^');
  const at = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(at.getTime())) return escapeHtml(fallback ?? '');
  return `<time datetime="${at.toISOString()}" data-format="${escapeHtml(format)}">${escapeHtml(fallback ?? '')}</time>`;
}

function fromEntities(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

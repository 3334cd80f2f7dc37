/** Texts of others, made fit to be stored and shown. */

/** Of every text that is kept of a change. */
const MOST_CHARACTERS = 200;
const MOST_URL_CHARACTERS = 500;

/** On one line, without characters that steer a terminal or turn a line around, at most 200 characters; empty when nothing is left. */
export function oneLine(text: string, most = MOST_CHARACTERS): string {
  // Cut first: a commit's message may have 200,000 characters.
  const plain = text
    .slice(0, most * 20)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\p{Co}]+/gu, ' ')
    .trim();
  const characters = [...plain];
  return characters.length <= most ? plain : `${characters.slice(0, most - 1).join('')}…`;
}

/** The first line of a message. */
export function firstLine(text: string): string {
  return oneLine(text.trimStart().split(/[\r\n]/, 1)[0] ?? '');
}

/** The address when it is one of the web, without credentials and not longer than 500 characters. */
export function webAddress(text: string): string | undefined {
  if (text.length > MOST_URL_CHARACTERS || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const ofTheWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return ofTheWeb && url.username === '' && url.password === '' && url.href.length <= MOST_URL_CHARACTERS ? url.href : undefined;
}

/**
 * A time as the sources write it: ISO 8601 with an offset, or GitLab's `2021-04-28 21:50:00 +0200` and `2016-08-12 15:23:28 UTC`.
 * `undefined` for what is no time; a time without an offset is none, since nobody says whose clock it is of.
 */
export function parseTimeMs(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)$/.exec(text.trim());
  if (!match) return undefined;
  const [, day, time, offset = ''] = match;
  const zone = offset === 'UTC' ? 'Z' : offset.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const atMs = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** A commit's hash as people read it; anything else as it is. */
export function shortRevision(revision: string): string {
  return oneLine(revision).replace(/\b[0-9a-f]{40}([0-9a-f]{24})?\b/g, (hash) => hash.slice(0, 8));
}

/**
 * What a target said and what was expected, quoted in messages without secrets. They are hidden before the text is cut to length: one
 * that is cut in half is not found by the agent's redactor any more, and what a run saves for its next step is known to nobody but the run.
 */
import { isPattern } from './pattern.ts';
import { plain } from './words.ts';

/** The text without the values that may not be told. */
export type Hide = (text: string) => string;

const HIDDEN = '[hidden]';
/** Shorter values are found in ordinary words, so they are hidden only where nothing else stands. A shorter beginning tells nothing. */
const MIN_PART_CHARACTERS = 4;
/** Enough of an answer to know it by. */
const QUOTED_CHARACTERS = 80;

/** Hides these values in every form that they take. Asked for values only when something is quoted. */
export function hiding(values: () => Iterable<string>): Hide {
  return (text) => {
    const forms = [...new Set([...values()].flatMap(formsOf))];
    if (forms.includes(text)) return HIDDEN;
    const parts = forms.filter((form) => form.length >= MIN_PART_CHARACTERS).sort((a, b) => b.length - a.length);
    const known = parts.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
    return withoutBeginning(known, parts);
  };
}

/** An answer that was read to its limit may end within a secret. */
function withoutBeginning(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length >= MIN_PART_CHARACTERS; length--) {
      if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}${HIDDEN}`;
    }
  }
  return text;
}

/** A secret as it may stand in addresses, JSON and headers. */
export function formsOf(secret: string): string[] {
  if (secret === '') return [];
  const wellFormed = secret.toWellFormed();
  return [
    secret,
    encodeURIComponent(wellFormed),
    encodeURI(wellFormed),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ];
}

/** The text in quotation marks, on one line, without secrets, cut. */
export function quoted(text: string, hide: Hide): string {
  return `"${shown(text, hide)}"`;
}

/** What was expected, in words: a text is quoted, a regular expression speaks for itself. */
export function expectedInWords(written: string, hide: Hide): string {
  return isPattern(written) ? `a match of ${shown(written, hide)}` : quoted(written, hide);
}

function shown(text: string, hide: Hide): string {
  return plain(hide(text), QUOTED_CHARACTERS);
}

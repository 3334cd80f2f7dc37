/** What a target said, quoted in a message. */
import { hiding } from '../web/hide.ts';
import { isSlashed } from '../web/pattern.ts';
import { plain } from '../words.ts';

/** Enough of an answer to know it by. */
const QUOTED_CHARACTERS = 80;
/** A shorter beginning of a secret tells nothing of it. */
const MIN_BEGINNING_CHARACTERS = 4;

/** The text in quotation marks, on one line, without secrets, cut. */
export function quoted(text: string, secrets: readonly string[]): string {
  return `"${shown(text, secrets)}"`;
}

/** What was expected, in words: a text is quoted, a regular expression speaks for itself. */
export function expectedInWords(written: string, secrets: readonly string[]): string {
  return isSlashed(written) ? `a match of ${shown(written, secrets)}` : quoted(written, secrets);
}

function shown(text: string, secrets: readonly string[]): string {
  return plain(withoutBeginning(hiding(() => secrets)(text), secrets), QUOTED_CHARACTERS);
}

/** An answer that was read to its limit may end within a secret, which nobody would recognise later. */
function withoutBeginning(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= MIN_BEGINNING_CHARACTERS; length--) {
      if (text.endsWith(secret.slice(0, length))) return `${text.slice(0, -length)}[hidden]`;
    }
  }
  return text;
}

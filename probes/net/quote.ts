/** What a target said, quoted in a message. */
import { plain } from '../words.ts';

/** Enough of an answer to know it by. */
const QUOTED_CHARACTERS = 80;
/** As the agent's redactor: shorter ones are found in ordinary words. */
const MIN_SECRET_CHARACTERS = 4;

/**
 * The text in quotation marks, on one line, cut. A text that repeats a secret is not quoted at all: a secret that is cut in the
 * middle would not be recognised by those who redact later.
 */
export function quoted(text: string, secrets: readonly string[]): string {
  const repeats = secrets.some((secret) => secret.length >= MIN_SECRET_CHARACTERS && text.includes(secret));
  return repeats ? 'something with a secret in it' : `"${plain(text, QUOTED_CHARACTERS)}"`;
}

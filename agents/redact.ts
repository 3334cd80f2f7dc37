/** The last gate: every text that leaves an agent passes here. Removes what is secret, what may be a patient's, and what is too long. */

import { formsOf } from '../probes/quote.ts';
import { cut } from '../probes/words.ts';

const HIDDEN = '[hidden]';
/** Shorter values are found in ordinary words; hiding those would make every text unreadable. */
const MIN_SECRET_CHARACTERS = 4;

const PATTERNS: readonly [RegExp, string][] = [
  [/\b(?:[a-z][a-z0-9+.-]*):\/\/[^\s/@:]*:[^\s/@]+@/gi, '[hidden]@'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${HIDDEN}`],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, HIDDEN],
  [
    /\b(password|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|session(?:id)?|cookie)("?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;"']+)/gi,
    `$1$2${HIDDEN}`,
  ],
  [/[\w.+%-]+@[\w-]+(?:\.[\w-]+)+/g, '[address]'],
  // Insurance, file and telephone numbers; a process id or a port is shorter.
  [/(?<![\w.])\+?\d(?:[ /-]?\d){7,}(?!\w)/g, '[number]'],
];

/** Cleans one text and cuts it at `maxCharacters`. */
export type Redact = (text: string, maxCharacters?: number) => string;

/** A moment as machines write it is digits, too, and no patient's; a bare date may be a birthday. */
const MOMENT = /\d{4}-\d\d-\d\dT[\d:.]+Z?/g;

/** A redactor that knows these secrets in all the forms that they take in addresses and headers. */
export function redactor(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.flatMap((secret) => [secret, ...partsOf(secret)]).flatMap(formsOf))].filter(
    (form) => form.length >= MIN_SECRET_CHARACTERS,
  );
  forms.sort((a, b) => b.length - a.length);
  return (text, maxCharacters = 500) => {
    const known = forms.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text.toWellFormed().replaceAll('\0', ''));
    const clean = outsideMoments(known, (part) => PATTERNS.reduce((rest, [pattern, by]) => rest.replaceAll(pattern, by), part));
    return cut(clean, maxCharacters);
  };
}

function outsideMoments(text: string, clean: (part: string) => string): string {
  const moments = text.match(MOMENT) ?? [];
  return text.split(MOMENT).reduce((whole, part, index) => whole + (index === 0 ? '' : (moments[index - 1] ?? '')) + clean(part), '');
}

/** Of an address: login, password, and the values of its query. The host is not secret and says where it failed. */
function partsOf(secret: string): string[] {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(secret) || !URL.canParse(secret)) return [];
  const { username, password, searchParams } = new URL(secret);
  const login = username && password ? [`${username}:${password}`] : [];
  return [password, decoded(password), ...login, ...searchParams.values()].filter((part) => part.length >= MIN_SECRET_CHARACTERS);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The secrets and those of their parts that a page could show: what pictures must cover. */
export function shownForms(secrets: readonly string[]): string[] {
  return [...new Set(secrets.flatMap((secret) => [secret, ...partsOf(secret)]))];
}

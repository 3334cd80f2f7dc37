/** From Playwright's locators to words: `getByRole('button', { name: 'Confirm' })` is `button "Confirm"`. */
import { plain } from '../words.ts';

const SEGMENT = /\b(getBy[A-Za-z]+|locator|frameLocator)\(((?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)+\/[a-z]*|[^()'"])*)\)/g;
const NOUNS: Readonly<Record<string, string>> = {
  getByLabel: 'field',
  getByPlaceholder: 'field',
  getByText: 'text',
  getByAltText: 'picture',
  getByTitle: 'element',
  getByTestId: 'element',
  locator: 'element',
  frameLocator: 'frame',
};
const ROLES: Readonly<Record<string, string>> = {
  textbox: 'field',
  searchbox: 'field',
  spinbutton: 'field',
  combobox: 'list',
  listbox: 'list',
  img: 'picture',
  alert: 'message',
  status: 'message',
};

/** The last part of the chain, with the one before it when it has no name of its own; "an element" when nothing is known. */
export function locatorInWords(locator: string): string {
  // `a.or(b)` waits for either; the first is the one that was hoped for.
  const parts = [...(locator.split('.or(')[0] ?? '').matchAll(SEGMENT)].map((match) => part(match[1] ?? '', match[2] ?? ''));
  const last = parts.at(-1);
  if (!last) return 'an element';
  const before = parts.at(-2);
  return plain(last.includes('"') || !before ? last : `${last} in ${before}`, 120);
}

function part(method: string, inner: string): string {
  if (method !== 'getByRole') return `${NOUNS[method] ?? 'element'} ${quoted(inner)}`;
  const role = /^\s*['"]([a-z]+)/.exec(inner)?.[1] ?? 'element';
  const name = /\bname:\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\/(?:[^/\\]|\\.)+\/[a-z]*)/.exec(inner)?.[1];
  const noun = ROLES[role] ?? role;
  return name === undefined ? `the ${noun}` : `${noun} ${quoted(name)}`;
}

function quoted(written: string): string {
  const inner = /^\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|\/((?:[^/\\]|\\.)+)\/)/.exec(written);
  const text = (inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? '').replaceAll(/\\(.)/g, '$1');
  return `"${text.replaceAll('"', "'")}"`;
}

/**
 * Keeps values out of messages before these are cut to length: a secret that is cut in half is not found by the redactor any more.
 * What a run saves from one answer for the next is secret, too, and known to nobody but the run.
 */

/** The text without the values that may not be told. */
export type Hide = (text: string) => string;

const HIDDEN = '[hidden]';
/** Shorter values are found in ordinary words, so they are hidden only where nothing else stands. */
const MIN_PART_CHARACTERS = 4;

/** Hides these values in every form that they take in addresses, JSON and headers. Asked for values only when something is quoted. */
export function hiding(values: () => Iterable<string>): Hide {
  return (text) => {
    const forms = [...values()].flatMap(formsOf);
    if (forms.includes(text)) return HIDDEN;
    const parts = forms.filter((form) => form.length >= MIN_PART_CHARACTERS).sort((a, b) => b.length - a.length);
    return parts.reduce((rest, form) => rest.replaceAll(form, HIDDEN), text);
  };
}

function formsOf(value: string): string[] {
  if (value === '') return [];
  const base64 = Buffer.from(value).toString('base64');
  return [value, encodeURIComponent(value.toWellFormed()), JSON.stringify(value).slice(1, -1), base64];
}

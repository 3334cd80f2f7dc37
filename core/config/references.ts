/**
 * All that is expanded in `rounds.yaml`: `${tenant.FIELD}`, once, when the file is read, and `${secret:NAME}`, by the agent that
 * runs the check, so that no secret stands in a file, a queue or a table. In the steps of a probe also `${saved.NAME}`, by the
 * probe itself, with what an earlier step of the run has saved.
 */

const ANY = /\$\{([^{}]*)\}?/g;
const TENANT = /^tenant\.([A-Za-z][A-Za-z0-9_]*)$/;
const SECRET = /^secret:([A-Z][A-Z0-9_]*)$/;
const SAVED = /^saved\.([A-Za-z][A-Za-z0-9_]*)$/;

/** One `${…}` of a text. */
export type Reference = { written: string } & (
  | { kind: 'tenant'; field: string }
  | { kind: 'secret'; name: string }
  | { kind: 'saved'; name: string }
  | { kind: 'unknown' }
);

/** Every `${…}` of the text, in order; what is neither a tenant's field nor a secret's name or a saved value is `unknown`. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(ANY)].map((match) => referenceOf(match[0], match[1] ?? ''));
}

function referenceOf(written: string, inner: string): Reference {
  const field = written.endsWith('}') ? TENANT.exec(inner)?.[1] : undefined;
  if (field !== undefined) return { written, kind: 'tenant', field };
  const name = written.endsWith('}') ? SECRET.exec(inner)?.[1] : undefined;
  if (name !== undefined) return { written, kind: 'secret', name };
  const saved = written.endsWith('}') ? SAVED.exec(inner)?.[1] : undefined;
  if (saved !== undefined) return { written, kind: 'saved', name: saved };
  return { written, kind: 'unknown' };
}

/** Whether the text is one `${…}` and nothing else. */
export function isReference(text: string): boolean {
  return /^\$\{[^{}]*\}$/.test(text);
}

/** The text with `filler` in the place of every reference, so that what stands around it can be judged. */
export function withoutReferences(text: string, filler: string): string {
  return text.replaceAll(ANY, () => filler);
}

/**
 * The value with every `${tenant.FIELD}` replaced, once and not again in what was put in. A text that is one reference and
 * nothing else becomes the field as it was written, so that a number stays a number. Fields not known are left as they are.
 */
export function expandTenant(value: unknown, fields: ReadonlyMap<string, string | number | boolean>): unknown {
  if (Array.isArray(value)) return value.map((entry) => expandTenant(entry, fields));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, expandTenant(entry, fields)]));
  }
  return typeof value === 'string' ? expandText(value, fields) : value;
}

function expandText(text: string, fields: ReadonlyMap<string, string | number | boolean>): string | number | boolean {
  const whole = isReference(text) ? TENANT.exec(text.slice(2, -1))?.[1] : undefined;
  if (whole !== undefined) return fields.get(whole) ?? text;
  return text.replaceAll(ANY, (written, inner: string) => {
    const field = TENANT.exec(inner)?.[1];
    return String((field === undefined ? undefined : fields.get(field)) ?? written);
  });
}

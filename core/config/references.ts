/**
 * All that is expanded in `rounds.yaml`: `${tenant.FIELD}`, once, when the file is read; `${param.NAME}`, in the action of a runbook,
 * when somebody has filled in its form; and `${secret:NAME}`, by the agent that runs the check, so that no secret stands in a file, a
 * queue or a table. In the steps of a probe also `${saved.NAME}`, by the probe itself, with what an earlier step of the run has saved.
 */

const ANY = /\$\{([^{}]*)\}?/g;
const TENANT = /^tenant\.([A-Za-z][A-Za-z0-9_]*)$/;
const PARAM = /^param\.([A-Za-z][A-Za-z0-9_]*)$/;
const SECRET = /^secret:([A-Z][A-Z0-9_]*)$/;
const SAVED = /^saved\.([A-Za-z][A-Za-z0-9_]*)$/;

/** One `${…}` of a text. */
export type Reference = { written: string } & (
  | { kind: 'tenant'; field: string }
  | { kind: 'param'; name: string }
  | { kind: 'secret'; name: string }
  | { kind: 'saved'; name: string }
  | { kind: 'unknown' }
);

/** Every `${…}` of the text, in order; what is neither a tenant's field nor a parameter, a secret's name or a saved value is `unknown`. */
export function referencesIn(text: string): Reference[] {
  return [...text.matchAll(ANY)].map((match) => referenceOf(match[0], match[1] ?? ''));
}

function referenceOf(written: string, inner: string): Reference {
  const field = written.endsWith('}') ? TENANT.exec(inner)?.[1] : undefined;
  if (field !== undefined) return { written, kind: 'tenant', field };
  const param = written.endsWith('}') ? PARAM.exec(inner)?.[1] : undefined;
  if (param !== undefined) return { written, kind: 'param', name: param };
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

type Scalar = string | number | boolean;

/**
 * The value with every `${tenant.FIELD}` replaced, once and not again in what was put in. A text that is one reference and
 * nothing else becomes the field as it was written, so that a number stays a number. Fields not known are left as they are.
 */
export function expandTenant(value: unknown, fields: ReadonlyMap<string, Scalar>): unknown {
  return expand(value, TENANT, fields);
}

/** The same with every `${param.NAME}`. */
export function expandParameters(value: unknown, values: ReadonlyMap<string, Scalar>): unknown {
  return expand(value, PARAM, values);
}

function expand(value: unknown, form: RegExp, values: ReadonlyMap<string, Scalar>): unknown {
  if (Array.isArray(value)) return value.map((entry) => expand(entry, form, values));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, expand(entry, form, values)]));
  }
  return typeof value === 'string' ? expandText(value, form, values) : value;
}

function expandText(text: string, form: RegExp, values: ReadonlyMap<string, Scalar>): Scalar {
  const whole = isReference(text) ? form.exec(text.slice(2, -1))?.[1] : undefined;
  if (whole !== undefined) return values.get(whole) ?? text;
  return text.replaceAll(ANY, (written, inner: string) => {
    const name = form.exec(inner)?.[1];
    return String((name === undefined ? undefined : values.get(name)) ?? written);
  });
}

/**
 * Arrays as PostgreSQL reads them (https://www.postgresql.org/docs/18/arrays.html#ARRAYS-INPUT). pg writes them, too, but looks at every
 * value anew: with hundreds of rows in a statement that is a fifth of the worker's time.
 */

/** What may not stand in an array without quotes and escapes, or has a meaning of its own. */
const PLAIN = /^[\w@/.:+-]+$/;

/** Texts, for `text[]` and whatever can be cast from it. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(textElement).join(',')}}`;
}

function textElement(value: string | null): string {
  if (value === null) return 'NULL';
  if (PLAIN.test(value) && value.toUpperCase() !== 'NULL') return value;
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Numbers, for any type of numbers. */
export function numberArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** Values as JSON, for `jsonb[]`; `undefined` is null. */
export function jsonArray(values: readonly unknown[]): string {
  // JSON has no control characters, so that its own escapes of quotes and backslashes are those of an array.
  return `{${values.map((value) => (value === undefined ? 'NULL' : JSON.stringify(JSON.stringify(value)))).join(',')}}`;
}

/** Quantities in words for a phone. */
import { spanInWords } from './duration.ts';

/** `312 bytes`, `40 kB`, `1.5 MB`, `3 GB`: powers of 1000. */
export function sizeInWords(bytes: number): string {
  if (bytes < 1000) return counted(shortNumber(bytes), 'byte', 'bytes');
  const [size, unit] = bytes < 1e6 ? [1e3, 'kB'] : bytes < 1e9 ? [1e6, 'MB'] : [1e9, 'GB'];
  return `${shortNumber(bytes / size)} ${unit}`;
}

/** `80 %` of a ratio of 0.8. */
export function percentInWords(ratio: number): string {
  return `${Math.round(ratio * 100)} %`;
}

/** One decimal below ten, none above: `1.5`, `12`. */
export function shortNumber(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) < 10 ? 1 : 0)));
}

/** `1 client`, `3 clients`. */
export function counted(value: string, one: string, many: string): string {
  return `${value} ${value === '1' ? one : many}`;
}

/** By the unit that ends a measurement's name; the first that fits. */
const UNITS: readonly [ending: string, words: (value: number) => string][] = [
  ['_per_s', (value) => `${shortNumber(value)} a second`],
  ['_ms', (value) => (Math.abs(value) < 1000 ? `${shortNumber(value)} ms` : spanInWords(value))],
  ['_s', (value) => spanInWords(value * 1000)],
  ['_days', (value) => counted(shortNumber(value), 'day', 'days')],
  ['_ratio', (value) => (value > 1 ? shortNumber(value) : percentInWords(value))],
  ['_bytes', sizeInWords],
  ['_count', (value) => shortNumber(value)],
];

/** A measurement as people read it: `cert_left_days` 41.26 is `cert left` and `41 days`, `evictions_per_s` 3 is `evictions` and `3 a second`. */
export function measurementInWords(name: string, value: number): { what: string; amount: string } {
  const [ending, words] = UNITS.find(([unit]) => name.endsWith(unit) && name.length > unit.length) ?? ['', String];
  return { what: name.slice(0, name.length - ending.length).replaceAll('_', ' '), amount: words(value) };
}

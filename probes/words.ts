/** Small words that several probes say. */
import { spanInWords } from '../core/duration.ts';

/** A limit as people say it: `0.4 ms`, `250 ms`, `1.5 s`, `90 min`, `3 h`, `2 d 3 h`. */
export function limitInWords(limitMs: number): string {
  if (limitMs < 950) return `${Number(limitMs.toFixed(limitMs < 10 ? 1 : 0))} ms`;
  if (limitMs < 120_000) return `${Number((limitMs / 1000).toFixed(limitMs < 10_000 ? 1 : 0))} s`;
  return limitMs < 7_200_000 ? `${Math.round(limitMs / 60_000)} min` : spanInWords(limitMs);
}

/** The host of `db.example.org:5432`: what DNS does not know is the name, whatever the port. */
export function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}

/** Text that came from a target, on one line, without control characters, at most `maxCharacters` long. */
export function plain(text: string, maxCharacters: number): string {
  const line = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replaceAll(/[<>]/g, '')
    .trim();
  return cut(line, maxCharacters);
}

/** Text of at most so many characters; half an emoji at the cut would be refused by whoever stores it as JSON. */
export function cut(text: string, maxCharacters: number): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

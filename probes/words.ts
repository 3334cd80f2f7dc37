/** Small words that several probes say. */

/** A limit as people say it: `5 s`, `1.5 s`, `250 ms`, `7 min`. */
export function limitInWords(limitMs: number): string {
  if (limitMs < 950) return `${Math.round(limitMs)} ms`;
  if (limitMs < 120_000) return `${Number((limitMs / 1000).toFixed(limitMs < 10_000 ? 1 : 0))} s`;
  return `${Math.round(limitMs / 60_000)} min`;
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

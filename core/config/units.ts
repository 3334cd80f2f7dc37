/**
 * What values of `rounds.yaml` look like, as schemas for the configuration itself and for the options of probes and actions.
 * They read what people write (`30s`, `80%`, `200MB`) and hand out numbers. A message of a schema begins with "expected …";
 * whoever reports it adds the value that was found.
 */
import * as z from 'zod';
import { parseDurationMs } from '../duration.ts';
import { withoutReferences } from './references.ts';

const BYTES = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** How each looks: in words for the documentation, and as a pattern with samples for editors. */
const FORMS = {
  duration: { written: 'a duration such as 30s or 5m', pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h|d)$`, samples: ['30s', '5m'] },
  percentage: { written: 'a percentage such as 80%', pattern: String.raw`^\d{1,3}(\.\d+)?\s?%$`, samples: ['80%'] },
  size: { written: 'a size such as 200MB', pattern: String.raw`^\d+(\.\d+)?\s?([KMGT]i?B|B)$`, samples: ['200MB'] },
} as const;

/** A duration such as `30s`, in milliseconds. `min` and `max` are written the same way and are included; `zero`: `0s` too. */
export function durationMs(limits: { min?: string; max?: string; zero?: boolean } = {}) {
  const expected = 'expected a duration such as 30s or 5m';
  const minMs = limits.min === undefined ? 0 : (parseDurationMs(limits.min) ?? 0);
  const maxMs = limits.max === undefined ? Number.MAX_SAFE_INTEGER : (parseDurationMs(limits.max) ?? Number.MAX_SAFE_INTEGER);
  return fromText(FORMS.duration, expected, (text) => {
    const foundMs = limits.zero && /^0(ms|s|m|h|d)$/.test(text.trim()) ? 0 : parseDurationMs(text);
    if (foundMs === undefined) return expected;
    return foundMs >= minMs && foundMs <= maxMs ? foundMs : `expected a duration ${range(limits.min, limits.max)}`;
  });
}

/** A percentage such as `80%`, as a ratio: 0.8. From 0% to 100%. */
export function percentRatio() {
  return fromText(FORMS.percentage, 'expected a percentage from 0% to 100%, such as 80%', (text) => {
    const match = /^(\d{1,3}(?:\.\d+)?)\s?%$/.exec(text.trim());
    const percent = Number(match?.[1] ?? Number.NaN);
    if (!(percent <= 100)) return 'expected a percentage from 0% to 100%, such as 80%';
    // Rounded, because 99.9 / 100 is 0.9990000000000001 in binary.
    return Number((percent / 100).toFixed(12));
  });
}

/** A size such as `200MB`, in bytes: `KB MB GB TB` are powers of 1000, `KiB MiB GiB TiB` of 1024. */
export function sizeBytes() {
  return fromText(FORMS.size, 'expected a size such as 200MB or 2GiB', (text) => {
    const match = /^(\d+(?:\.\d+)?)\s?([KMGT]i?B|B)$/.exec(text.trim());
    const bytes = match ? Math.round(Number(match[1]) * BYTES[match[2] as keyof typeof BYTES]) : 0;
    return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : 'expected a size such as 200MB or 2GiB';
  });
}

/** As a pattern: something that can be seen. */
export const ANY_TEXT = String.raw`\S`;

/** A text that is not empty. References (`${secret:NAME}`) are texts. */
export function text(maxCharacters = 500) {
  const expected = `expected a text of at most ${maxCharacters} characters`;
  return z
    .string({ error: 'expected a text' })
    .refine((value) => value.trim() !== '', { error: 'expected a text that is not empty' })
    .refine((value) => value.length <= maxCharacters, { error: expected })
    .meta({ pattern: ANY_TEXT, maxLength: maxCharacters });
}

/**
 * An address, or a reference to one, or an address with references in it. Only the outer form can be checked here: what
 * a secret holds is known to the agent alone.
 */
export function urlOrSecret(protocols: readonly string[] = ['http', 'https']) {
  const expected = `expected an address such as ${protocols[0] ?? 'https'}://example.org, or \${secret:NAME}`;
  return z.string({ error: expected }).refine((value) => isUrl(value, protocols), { error: expected });
}

function isUrl(value: string, protocols: readonly string[]): boolean {
  // Digits fit wherever a reference may stand: host, port, path.
  const filled = withoutReferences(value, '1');
  if (/^\$\{/.test(value)) return !/\s/.test(filled);
  if (/\s/.test(filled) || !URL.canParse(filled)) return false;
  return protocols.some((protocol) => filled.toLowerCase().startsWith(`${protocol}://`));
}

/**
 * A schema that reads a text into a number, or says what was expected. `form` says how the text looks, for what is generated;
 * `expected` is said of what is no text at all.
 */
function fromText(
  form: { written: string; pattern: string; samples: readonly string[] },
  expected: string,
  read: (text: string) => number | string,
) {
  return z
    .string({ error: expected })
    .transform((value, context) => {
      const found = read(value);
      if (typeof found === 'number') return found;
      context.addIssue({ code: 'custom', message: found, input: value });
      return z.NEVER;
    })
    .meta({ ...form });
}

function range(min: string | undefined, max: string | undefined): string {
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  return min === undefined ? `of at most ${max}` : `of at least ${min}`;
}

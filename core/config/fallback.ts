/** The second way out: where people are told when Slack has been away for too long. Addresses of servers are no part of the file. */
import * as z from 'zod';
import { CLASSES } from '../check.ts';
import type { Fallback } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { isPlain, read } from './reader.ts';
import { durationMs } from './units.ts';

const MOST_ADDRESSES = 50;
const USUAL_CLASSES = ['full interruption', 'partial outage'] as const;

const EXPECTED_ADDRESS = 'expected an e-mail address such as ops@clinic.example';

/** What everybody who runs a mail server takes: no names, no comments, no spaces. */
function addressSchema() {
  return z
    .string({ error: EXPECTED_ADDRESS })
    .regex(/^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/, { error: EXPECTED_ADDRESS })
    .meta({ patternErrorMessage: EXPECTED_ADDRESS });
}

/** What may stand under `fallback:`. */
export function fallbackSchema() {
  const distinct = (values: unknown[]) => new Set(values).size === values.length;
  const once = { error: 'expected each entry once; remove what stands there twice' };
  return z.object({
    after: durationMs({ min: '30s', max: '1h' })
      .default(300_000)
      .describe('How long Slack may have been away, from 30s to 1h; 5m unless said'),
    email: z
      .array(addressSchema())
      .min(1, { error: 'expected at least one address' })
      .max(MOST_ADDRESSES)
      .refine(distinct, once)
      .optional()
      .describe('Who is told by mail; the worker needs ROUNDS_SMTP_URL for it'),
    from: addressSchema()
      .optional()
      .describe('Who the mail is from; the user of ROUNDS_SMTP_URL, or rounds@ and the domain of the first address'),
    // Its message quotes nothing: what stands there may be an address with a secret in it.
    webhook: z
      .boolean({ error: 'write true; the address is no part of the file, the worker has it from ROUNDS_FALLBACK_WEBHOOK' })
      .default(false)
      .describe('Whether the address in ROUNDS_FALLBACK_WEBHOOK of the worker is told'),
    classes: z
      .array(z.enum(CLASSES))
      .min(1, { error: 'expected at least one class' })
      .refine(distinct, once)
      .optional()
      .describe('Classes that are told so; full interruption and partial outage unless said'),
  });
}

/** Reads `fallback:` of the file; `undefined` when it is not there, or not sound, which is then reported. */
export function readFallback(value: unknown, problems: Problems): Fallback | undefined {
  if (value === undefined) return undefined;
  const path: Path = ['fallback'];
  const fields = read(fallbackSchema(), value, { path, problems });
  if (!fields) return undefined;
  const { after, email = [], from, webhook, classes } = fields;
  if (email.length === 0 && !webhook) problems.atKey(path, 'expected email or webhook: true, to know whom to tell; add one of them');
  if (from !== undefined && email.length === 0 && isPlain(value)) problems.atKey([...path, 'from'], 'from goes with email only; remove it');
  return { afterMs: after, email, webhook, classes: classes ?? [...USUAL_CLASSES], ...(from === undefined ? {} : { from }) };
}

/** How long what was measured and decided is kept. */
import * as z from 'zod';
import type { Config, Kept } from './model.ts';
import type { Problems } from './problems.ts';
import { read } from './reader.ts';
import { durationMs } from './units.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const USUAL: Kept = { rawMs: 48 * HOUR_MS, hoursMs: 90 * DAY_MS, daysMs: 365 * DAY_MS };

/** What may stand under `storage:`. */
export function storageSchema() {
  return z.object({
    // A day is looked back upon in many places, and its last runs come in a little later.
    raw: durationMs({ min: '25h', max: '90d' }).optional().describe('Runs with all that was measured, from 25h to 90d; 48h unless said'),
    hours: durationMs({ min: '8d', max: '800d' }).optional().describe('What was counted by the hour, from 8d to 800d; 90d unless said'),
    days: durationMs({ min: '31d', max: '3650d' })
      .optional()
      .describe('What was counted by the day, incidents, decisions and posts, from 31d to 3650d; 365d unless said'),
  });
}

/** Reads `storage:` of the file; `undefined` when it is not there, or not sound, which is then reported. */
export function readStorage(value: unknown, problems: Problems): Kept | undefined {
  if (value === undefined) return undefined;
  const fields = read(storageSchema(), value, { path: ['storage'], problems });
  if (!fields) return undefined;
  const kept = { rawMs: fields.raw ?? USUAL.rawMs, hoursMs: fields.hours ?? USUAL.hoursMs, daysMs: fields.days ?? USUAL.daysMs };
  const [finer, coarser] = kept.hoursMs < kept.rawMs ? ['raw', 'hours'] : kept.daysMs < kept.hoursMs ? ['hours', 'days'] : [];
  if (finer && coarser)
    problems.atValue(['storage'], `expected ${coarser} to be kept at least as long as ${finer}, of which they are made`);
  return kept;
}

/** How long what is kept, milliseconds. */
export function keptOf(config: Pick<Config, 'storage'>): Kept {
  return config.storage ?? USUAL;
}

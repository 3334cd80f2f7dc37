/** Reads the entries under `maintenance:`. */
import * as z from 'zod';
import { engineOfEntry, wallsOf } from '../maintenance.ts';
import { readRecurrence } from '../recurrence.ts';
import { DAY_MS, parseDay, parseWall } from '../wall.ts';
import { wordsOf } from './checks.ts';
import type { Config, Maintenance } from './model.ts';
import type { Problems } from './problems.ts';
import { timezoneSchema } from './timezone.ts';
import { durationMs } from './units.ts';
import { shown } from './words.ts';

/** Longer than that nobody maintains anything; what is out of use for longer is better taken out of the file. */
const LONGEST = '31d';
const LONGEST_MS = 31 * DAY_MS;
/** Worked out anew every few days, each in its time. */
const MOST_ENTRIES = 1_000;
/** Windows that are looked at for a gap between two of them. */
const GAP_AMONG = 1_000;

const EXPECTED_WALL = 'expected a day and a time such as 2026-03-29 02:00';
const EXPECTED_EXCEPTION = 'expected a day such as 2026-12-27, or one with a time such as 2026-12-27 02:00';

/** The schemas of references to other entries; each hands out ids. */
export interface MaintenanceReferences {
  title: z.ZodType<string | undefined>;
  services: z.ZodType<string[]>;
  components: z.ZodType<string[]>;
  tenants: z.ZodType<string[]>;
  checks: z.ZodType<string[]>;
}

/** What may stand in an entry. */
export function maintenanceSchema({ title, services, components, tenants, checks }: MaintenanceReferences) {
  const entry = z.object({
    title,
    services: services.default([]).describe('Checks of these services; with other kinds beside it, all must fit'),
    components: components.default([]).describe('Checks of these components, and of all that stands on them'),
    tenants: tenants.default([]).describe('Checks that are made for these tenants'),
    checks: checks.default([]).describe('These checks, by their id here, or with a tenant: post-invoice/riverside'),
    rrule: rule().optional().describe('How it repeats, as iCalendar has it (RFC 5545), by the clock on the wall; it is once unless said'),
    lasts: durationMs({ min: '1m', max: LONGEST })
      .optional()
      .describe('How long each lasts, exactly: two hours are two hours, whatever the clocks do'),
    timezone: timezoneSchema().optional().describe('Of its times; that of the file unless said'),
    from: wall().optional().describe('When it begins; of a rule: from when on it counts, a Monday, 2024-01-01 00:00, unless said'),
    until: wall().optional().describe('When it ends; of a rule: when the last one may begin'),
    exdates: z.array(exception()).default([]).describe('Of a rule: days or times at which none begins'),
  });
  return entry.superRefine((fields, context) => {
    const { path, message } = unfit(fields) ?? {};
    if (path !== undefined && message !== undefined) context.addIssue({ code: 'custom', path: [path], message, input: fields });
  });
}

export type MaintenanceFields = z.output<ReturnType<typeof maintenanceSchema>>;

/** The entry as the rest of Rounds sees it. */
export function maintenanceOf(id: string, fields: MaintenanceFields, timezone: string): Maintenance {
  const { title, rrule, lasts, from, until, exdates, services, components, tenants, checks } = fields;
  return {
    ...{ id, title: title ?? wordsOf(id), services, components, tenants, checks },
    timezone: fields.timezone ?? timezone,
    ...(rrule === undefined ? {} : { rrule }),
    ...(lasts === undefined ? {} : { lastsMs: lasts }),
    ...(from === undefined ? {} : { fromWallMs: from }),
    ...(until === undefined ? {} : { untilWallMs: until }),
    exceptDaysMs: exdates.flatMap((one) => ('dayMs' in one ? [one.dayMs] : [])),
    exceptWallsMs: exdates.flatMap((one) => ('wallMs' in one ? [one.wallMs] : [])),
  };
}

/** Reports what an entry alone does not show: too many of them, and a check of one tenant that is not made for each. */
export function reportMaintenance({ maintenance, checks }: Pick<Config, 'maintenance' | 'checks'>, problems: Problems): void {
  if (problems.any) return;
  const entries = Object.values(maintenance);
  if (entries.length > MOST_ENTRIES) {
    problems.atKey(['maintenance'], `these are ${entries.length} entries, more than ${MOST_ENTRIES}; let one cover several services`);
  }
  const templates = new Set(Object.values(checks).map((check) => check.template));
  for (const entry of entries) {
    entry.checks.forEach((id, index) => {
      if (checks[id] || templates.has(id)) return;
      const message = `expected ${id.split('/')[0]}, which is not made for each tenant, got ${shown(id)}`;
      problems.atValue(['maintenance', entry.id, 'checks', index], message);
    });
  }
}

function rule() {
  const expected = 'expected a rule of iCalendar such as FREQ=WEEKLY;BYDAY=SU;BYHOUR=2';
  return z
    .string({ error: expected })
    .transform((value, context) => {
      const found = readRecurrence(value);
      if (typeof found !== 'string') return found.text;
      context.addIssue({ code: 'custom', message: found, input: value });
      return z.NEVER;
    })
    .meta({ pattern: '[Ff][Rr][Ee][Qq]=', patternErrorMessage: expected, samples: ['FREQ=WEEKLY;BYDAY=SU;BYHOUR=2'] });
}

function wall() {
  return read({ expected: EXPECTED_WALL, pattern: `^${DAY}[ T]${TIME}$`, example: '2026-03-29 02:00' }, parseWall);
}

function exception() {
  const form = { expected: EXPECTED_EXCEPTION, pattern: `^${DAY}([ T]${TIME})?$`, example: '2026-12-27' };
  return read(form, (text): { wallMs: number } | { dayMs: number } | undefined => {
    const [wallMs, dayMs] = [parseWall(text), parseDay(text)];
    if (wallMs !== undefined) return { wallMs };
    return dayMs === undefined ? undefined : { dayMs };
  });
}

/** For editors. */
const DAY = String.raw`\d{4}-\d{2}-\d{2}`;
const TIME = String.raw`\d{2}:\d{2}`;

function read<T>(form: { expected: string; pattern: string; example: string }, parse: (text: string) => T | undefined) {
  const { expected, pattern, example } = form;
  return z
    .string({ error: expected })
    .transform((value, context) => {
      const found = parse(value);
      if (found !== undefined) return found;
      context.addIssue({ code: 'custom', message: expected, input: value });
      return z.NEVER;
    })
    .meta({ pattern, patternErrorMessage: expected, samples: [example] });
}

interface Unfit {
  path: string;
  message: string;
}

/** What does not fit together; the first such thing. */
function unfit(fields: MaintenanceFields): Unfit | undefined {
  const { rrule, from, until, lasts } = fields;
  if (from !== undefined && until !== undefined && until <= from) return { path: 'until', message: 'expected a time after from' };
  if (rrule !== undefined) return unfitRule(rrule, fields);
  if (from === undefined) return { path: 'from', message: 'expected when it begins such as 2026-03-29 02:00, or an rrule' };
  if (fields.exdates.length > 0) return { path: 'exdates', message: 'exdates goes with an rrule, and this is once; remove it' };
  if (until === undefined && lasts === undefined) return { path: 'lasts', message: 'expected how long it lasts such as 2h, or until' };
  if (until !== undefined && lasts !== undefined)
    return { path: 'lasts', message: 'lasts and until both say when it ends; remove one of them' };
  if (until !== undefined && until - from > LONGEST_MS) return { path: 'until', message: `expected a time at most ${LONGEST} after from` };
  return undefined;
}

function unfitRule(rrule: string, fields: MaintenanceFields): Unfit | undefined {
  const { from, lasts } = fields;
  if (lasts === undefined) return { path: 'lasts', message: 'expected how long each window lasts such as 2h' };
  if (from === undefined && /(^|;)COUNT=/.test(rrule)) {
    return { path: 'from', message: 'expected from when on COUNT counts such as 2026-01-04 00:00' };
  }
  const entry = maintenanceOf('', fields, 'UTC');
  const first = engineOfEntry(entry)?.first();
  if (first === undefined) return { path: 'rrule', message: 'expected a rule that comes about; there is no such time in 9 years' };
  if (!isEndless(entry, first, lasts)) return undefined;
  return { path: 'lasts', message: 'expected less time than from one window to the next; as it is, it would never end' };
}

/** Whether each window goes on until the next begins. */
function isEndless(entry: Maintenance, firstMs: number, lastsMs: number): boolean {
  const walls = wallsOf(entry);
  let endMs = Number.POSITIVE_INFINITY;
  let seen = 0;
  // A window a year, and none longer than a month: a year without one is a gap.
  for (let fromMs = firstMs; seen < GAP_AMONG; fromMs += LONGEST_MS) {
    const found = walls(fromMs, fromMs + LONGEST_MS);
    if (found.length === 0) return false;
    for (const wallMs of found) {
      if (wallMs > endMs) return false;
      endMs = wallMs + lastsMs;
      seen++;
    }
  }
  return true;
}

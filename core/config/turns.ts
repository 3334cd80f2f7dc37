/** Who is on call by turns, and who stands in: times as they are written, and the instants that they mean. */
import * as z from 'zod';
import { DAY_MS, instantOfWall, parseDay, parseWall } from '../wall.ts';
import type { Override, Rotation } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { timezoneSchema } from './timezone.ts';
import { text } from './units.ts';

const MOST_MEMBERS = 50;
const LONGEST_SHIFT_DAYS = 91;

/** Where a rotation begins that does not say so: the days from a Monday on. */
const FIRST_MONDAY_MS = Date.UTC(2024, 0, 1);
const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

const LOCAL = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}$/;
const WITH_OFFSET = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(:\d{2})?(Z|[+-]\d{2}:\d{2})$/;

/** One who stands in for a while. */
export function overrideSchema(person: z.ZodType<string>) {
  return z.object({
    from: momentSchema().describe("From when, in the team's time zone: 2026-12-24 18:00, or with an offset"),
    until: momentSchema().describe('Until when'),
    person: person.describe('Who is on call instead'),
    reason: text(120).optional().describe('Why, told to those who ask'),
  });
}

/** What may stand under `rotation:`. */
export function rotationSchema(person: z.ZodType<string>, listOf: (entry: z.ZodType<string>) => z.ZodType<string[]>) {
  const members = listOf(person).refine((list) => list.length > 0 && list.length <= MOST_MEMBERS, {
    error: `expected from 1 to ${MOST_MEMBERS} people`,
  });
  return z.object({
    members: members.describe('Who takes turns, in this order'),
    every: everySchema().describe('How long a turn is: daily, weekly, or whole days such as 14d'),
    handover: matching(/^([01]\d|2[0-3]):[0-5]\d$/, "expected a time of day such as '09:00'")
      .default('09:00')
      .describe('When turns change'),
    day: z.enum(WEEKDAYS).optional().describe('The day on which turns of weeks change; monday unless said'),
    from: matching(/^\d{4}-\d{2}-\d{2}$/, 'expected a day such as 2026-01-05')
      .refine((day) => parseDay(day) !== undefined, { error: 'expected a day that exists, such as 2026-01-05' })
      .optional()
      .describe('A day on which the first member takes over; before it the turns run backwards'),
    timezone: timezoneSchema().optional().describe('Of the times of the team; that of the file unless said'),
  });
}

const EXPECTED_EVERY = `expected daily, weekly or whole days from 1d to ${LONGEST_SHIFT_DAYS}d`;

/** Whole days, since turns change at a time on the wall. */
function everySchema() {
  return z
    .string({ error: EXPECTED_EVERY })
    .transform((written, context) => {
      const days = written === 'daily' ? 1 : written === 'weekly' ? 7 : Number(/^(\d{1,2})d$/.exec(written)?.[1] ?? 0);
      if (days >= 1 && days <= LONGEST_SHIFT_DAYS) return days;
      context.addIssue({ code: 'custom', message: EXPECTED_EVERY, input: written });
      return z.NEVER;
    })
    .meta({ pattern: String.raw`^(daily|weekly|[1-9]\d?d)$`, examples: ['weekly', '14d'], patternErrorMessage: EXPECTED_EVERY });
}

const EXPECTED_MOMENT = 'expected a time such as 2026-12-24 18:00, or with an offset 2026-12-24T18:00+01:00';

function momentSchema() {
  const exists = (written: string) => instantOf(written, 'UTC') !== undefined;
  return z
    .string({ error: EXPECTED_MOMENT })
    .refine((written) => LOCAL.test(written) || WITH_OFFSET.test(written), { error: EXPECTED_MOMENT, abort: true })
    .refine(exists, { error: 'expected a time that exists, such as 2026-12-24 18:00' })
    .meta({ pattern: String.raw`^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}`, patternErrorMessage: EXPECTED_MOMENT });
}

function instantOf(written: string, timezone: string): number | undefined {
  if (LOCAL.test(written)) {
    const wallMs = parseWall(written);
    return wallMs === undefined ? undefined : instantOfWall(wallMs, timezone);
  }
  // Date.parse makes the 2nd of March of the 30th of February.
  const day = WITH_OFFSET.exec(written)?.[1];
  const instantMs = day === undefined || parseWall(day) === undefined ? Number.NaN : Date.parse(written);
  return Number.isNaN(instantMs) ? undefined : instantMs;
}

function matching(form: RegExp, expected: string) {
  return z.string({ error: expected }).regex(form, { error: expected }).meta({ patternErrorMessage: expected });
}

interface At {
  /** Of times that name no offset. */
  timezone: string;
  problems: Problems;
}

/** The rotation, with the wall's time that it is counted from. */
export function readRotation(written: z.output<ReturnType<typeof rotationSchema>>, path: Path, at: At): Rotation {
  const { members, every, handover, day, from } = written;
  const ofWeeks = every % 7 === 0;
  const fromMs = from === undefined ? undefined : parseDay(from);
  if (day !== undefined && !ofWeeks)
    at.problems.atKey([...path, 'day'], 'a day goes with turns of whole weeks only; remove it, or write every: weekly');
  const weekday = fromMs === undefined ? undefined : WEEKDAYS[((((fromMs - FIRST_MONDAY_MS) / DAY_MS) % 7) + 7) % 7];
  if (day !== undefined && ofWeeks && weekday !== undefined && weekday !== day) {
    at.problems.atValue([...path, 'from'], `expected a ${day}, as day says; this one is a ${weekday}`);
  }
  const [hours = 0, minutes = 0] = handover.split(':').map(Number);
  const firstDayMs = fromMs ?? FIRST_MONDAY_MS + (ofWeeks ? WEEKDAYS.indexOf(day ?? 'monday') : 0) * DAY_MS;
  return { members, everyDays: every, anchorMs: firstDayMs + (hours * 60 + minutes) * 60_000, timezone: at.timezone };
}

/** Those who stand in, with their times as instants. Reports those that end before they begin, and two at one time. */
export function readOverrides(written: readonly z.output<ReturnType<typeof overrideSchema>>[], path: Path, at: At): Override[] {
  const read = written.map(({ from, until, person, reason }, index) => ({
    index,
    fromMs: instantOf(from, at.timezone) ?? 0,
    untilMs: instantOf(until, at.timezone) ?? 0,
    person,
    ...(reason === undefined ? {} : { reason }),
  }));
  const sorted = read.toSorted((a, b) => a.fromMs - b.fromMs);
  for (const { index, fromMs, untilMs } of read) {
    if (untilMs <= fromMs)
      at.problems.atValue([...path, index, 'until'], 'expected a time after from; this override ends before it begins');
  }
  sorted.forEach(({ index, fromMs }, place) => {
    const before = sorted[place - 1];
    if (before && fromMs < before.untilMs) {
      at.problems.atValue(
        [...path, index, 'from'],
        `expected no less than until of overrides[${before.index}]; two people cannot stand in at one time`,
      );
    }
  });
  return read.map(({ index: _index, ...override }) => override);
}

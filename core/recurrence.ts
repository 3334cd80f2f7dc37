/**
 * Rules of recurrence as iCalendar has them (RFC 5545, 3.3.10), worked out on the wall: which times of which days they name knows
 * nothing of time zones, so that a night of summer time takes no occurrence away. What a wall means in a zone is core/wall.ts's.
 *
 * A rule is held against the grammar here and against the RFC's combinations by the library, which by itself takes BYHOUR=25, unknown
 * parts and a COUNT of any size without a word (measured on rrule-temporal 2.2).
 */
import { RRuleTemporal } from 'rrule-temporal';
import { Temporal } from 'temporal-polyfill';
import { DAY_MS } from './wall.ts';

/** Where a rule begins that does not say so: a Monday, the first of a month and of a year, so that every second week stays the same one. */
export const ANCHOR_MS = Date.UTC(2024, 0, 1);

/** Nobody maintains more often than once an hour. */
export const MOST_A_DAY = 24;
/** More are written without COUNT: each is found by counting from the first. */
const MOST_COUNTED = 100;
const LONGEST_INTERVAL = 1_000;
/** A 29th of February is 8 years away at most; what has not come about in that time never will. */
const COMES_WITHIN_MS = 9 * 366 * DAY_MS;

const FREQUENCIES = ['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'];
const EXAMPLE = 'expected a rule of iCalendar such as FREQ=WEEKLY;BYDAY=SU;BYHOUR=2';

/** What each part may hold; numbers as ranges, without 0 where the range goes below it. */
const PARTS: Readonly<Record<string, { form: RegExp } | { from: number; to: number; single?: true }>> = {
  FREQ: { form: new RegExp(`^(${FREQUENCIES.join('|')})$`) },
  INTERVAL: { from: 1, to: LONGEST_INTERVAL, single: true },
  COUNT: { from: 1, to: MOST_COUNTED, single: true },
  WKST: { form: /^(MO|TU|WE|TH|FR|SA|SU)$/ },
  BYMONTH: { from: 1, to: 12 },
  BYWEEKNO: { from: -53, to: 53 },
  BYYEARDAY: { from: -366, to: 366 },
  BYMONTHDAY: { from: -31, to: 31 },
  BYDAY: { form: /^([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)$/ },
  BYHOUR: { from: 0, to: 23 },
  BYMINUTE: { from: 0, to: 59 },
  BYSECOND: { from: 0, to: 0 },
  BYSETPOS: { from: -366, to: 366 },
};

/** Said of a part that is known and not taken, with what to write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  UNTIL: 'expected no UNTIL in the rule; write until: 2026-12-31 23:59 beside it',
  DTSTART: 'expected no DTSTART in the rule; write from: 2026-01-04 02:00 and timezone beside it',
  EXDATE: 'expected no EXDATE in the rule; write exdates: [2026-12-27] beside it',
  DURATION: 'expected no DURATION in the rule; write lasts: 2h beside it',
};

/** A rule that has been held against the grammar. */
export interface Recurrence {
  /** Its parts in capital letters, without `RRULE:`. */
  text: string;
  counted: boolean;
}

/** The rule, or what is wrong with it: "expected …; remedy". */
export function readRecurrence(written: string): Recurrence | string {
  const text = written
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .replace(/;$/, '');
  const parts = new Map<string, string[]>();
  for (const part of text.split(';')) {
    const [name = '', value = '', ...rest] = part.split('=');
    const problem = INSTEAD[/^[A-Z]*/.exec(name)?.[0] ?? ''] ?? partProblem(name, value, rest.length, parts.has(name));
    if (problem !== undefined) return problem;
    parts.set(name, value.split(','));
  }
  if (!parts.has('FREQ')) return EXAMPLE;
  const aDay = timesADay(parts);
  if (aDay > MOST_A_DAY) return `expected at most ${MOST_A_DAY} windows a day; this rule has ${aDay}`;
  const rule: Recurrence = { text, counted: parts.has('COUNT') };
  return combinationProblem(rule) ?? rule;
}

function partProblem(name: string, value: string, more: number, twice: boolean): string | undefined {
  const known = PARTS[name];
  if (more > 0 || value === '' || (!known && !/^[A-Z]+$/.test(name))) return EXAMPLE;
  if (!known) return `expected the parts ${Object.keys(PARTS).join(', ')}; there is no ${name}`;
  if (twice) return `expected ${name} once`;
  if (name === 'FREQ') return FREQUENCIES.includes(value) ? undefined : 'expected FREQ=HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY';
  const values = value.split(',');
  if ('form' in known) return values.every((one) => known.form.test(one)) ? undefined : `expected ${name} of days such as SU or 1MO`;
  const { from, to, single } = known;
  const fits = (one: string) => /^[+-]?\d{1,4}$/.test(one) && Number(one) >= from && Number(one) <= to && (from >= 0 || Number(one) !== 0);
  if (values.every(fits) && (!single || values.length === 1)) return undefined;
  return from === to ? `expected ${name}=${from}` : `expected ${name} from ${from} to ${to}`;
}

/** How many windows begin on a day that the rule names. */
function timesADay(parts: ReadonlyMap<string, readonly string[]>): number {
  const distinct = (name: string) => new Set(parts.get(name)?.map(Number) ?? [0]).size;
  const hours = parts.get('FREQ')?.[0] === 'HOURLY' && !parts.has('BYHOUR') ? 24 : distinct('BYHOUR');
  return hours * distinct('BYMINUTE');
}

function combinationProblem(rule: Recurrence): string | undefined {
  try {
    engineOf(rule, ANCHOR_MS);
    return undefined;
  } catch (error) {
    return `expected a rule that RFC 5545 allows; ${(error as Error).message}`;
  }
}

/** Works out occurrences of one rule; made once, since making it is most of the work. */
export interface Engine {
  /** The walls in `[fromMs, untilMs)`, oldest first. */
  between(fromMs: number, untilMs: number): number[];
  /** The first wall of all; `undefined` when none comes about within 9 years. */
  first(): number | undefined;
}

/** The engine of a rule that begins at that wall; it takes from there what the rule leaves open: time of day, weekday, day of the month. */
export function engineOf(rule: Recurrence, beginMs: number): Engine {
  const dtstart = Temporal.Instant.fromEpochMilliseconds(beginMs).toZonedDateTimeISO('UTC');
  const engine = new RRuleTemporal({ rruleString: `RRULE:${rule.text}`, dtstart, strict: true, cache: false });
  const between = (fromMs: number, untilMs: number) => engine.between(new Date(fromMs), new Date(untilMs - 1), true);
  return {
    between: (fromMs, untilMs) => (unlessGivenUp(() => between(fromMs, untilMs)) ?? []).map((one) => one.epochMilliseconds),
    first: () => {
      const first = unlessGivenUp(() => engine.next(new Date(beginMs), true)?.epochMilliseconds);
      return first === undefined || first > beginMs + COMES_WITHIN_MS ? undefined : first;
    },
  };
}

/** The library gives up after 10,000 steps without an occurrence, which is years of hours and decades of days: there is none. */
function unlessGivenUp<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

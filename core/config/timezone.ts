/** Names of time zones, as the platform knows them. */
import * as z from 'zod';
import type { Problems } from './problems.ts';
import { didYouMean, shown } from './words.ts';

/** Reports a time zone that is missing or that the platform does not know. */
export function reportTimezone(value: unknown, problems: Problems): void {
  const expected = 'expected a time zone such as Europe/Berlin';
  if (value === undefined) problems.missing(['timezone'], `${expected}; it is missing`);
  else if (typeof value !== 'string') problems.atValue(['timezone'], `${expected}, got ${shown(value)}`);
  else if (!isTimezone(value))
    problems.atValue(['timezone'], `${expected}, got ${shown(value)}${didYouMean(value, Intl.supportedValuesOf('timeZone'))}`);
}

/** A time zone of its own, somewhere below the head of the file. */
export function timezoneSchema() {
  const expected = 'expected a time zone such as Europe/Berlin';
  return z.string({ error: expected }).superRefine((value, context) => {
    if (isTimezone(value)) return;
    context.addIssue({ code: 'custom', message: `${expected}${didYouMean(value, Intl.supportedValuesOf('timeZone'))}`, input: value });
  });
}

/** Whether the platform knows a time zone of that name. */
export function isTimezone(name: string): boolean {
  // Offsets such as +02:00 are taken by Intl, but know nothing of summer time.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en-GB', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

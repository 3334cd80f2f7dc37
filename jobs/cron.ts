/** Times in cron's five fields, as node-cron reads them. Its own timer is not used: slots are rows, decided on by whoever comes first. */
import { createTask, parse, validate } from 'node-cron';
import type { CronPattern } from '../core/report/slots.ts';

/** Whether it is a time in cron's five fields. A sixth one, for seconds, is refused: nobody reads a report a second. */
export function isCron(text: string): boolean {
  return text.trim().split(/\s+/).length === 5 && validate(text);
}

/** The pattern, asked by the clock on a wall. Throws when it is none. */
export function cronPattern(text: string): CronPattern {
  const { hour, minute } = parse(text);
  // A wall's clock knows no zone and no summer time, and so doesn't UTC: what a zone makes of its times is decided in core/report/slots.ts.
  const task = createTask(text, () => {}, { timezone: 'UTC' });
  // Takes it off node-cron's list of tasks; what it matches stays.
  void task.destroy();
  return { hours: hour, minutes: minute, matches: (wallMs) => task.match(new Date(wallMs)) };
}

/** A change in words, the same at the terminal and in Slack. */
import type { ChangeOutcome, ReportedChange } from '../change.ts';
import type { Config } from '../config/model.ts';
import { timeOfDay } from '../duration.ts';
import { listInWords } from '../words.ts';

const SOURCES: Readonly<Record<string, string>> = {
  github: 'GitHub',
  gitlab: 'GitLab',
  'argo-cd': 'Argo CD',
  flux: 'Flux',
  cli: 'typed in',
  api: 'API',
};

/** Who told, by the name that people know. */
export function sourceTitle(source: string): string {
  return (Object.hasOwn(SOURCES, source) ? SOURCES[source] : undefined) ?? source;
}

const OUTCOMES: Readonly<Record<ChangeOutcome, string>> = { begun: ', under way', done: '', failed: ', failed' };

/** "deployment, failed"; one that is done needs no word for it. */
export function kindInWords({ kind, outcome }: Pick<ReportedChange, 'kind' | 'outcome'>): string {
  return `${kind === 'other' ? 'other change' : kind}${OUTCOMES[outcome]}`;
}

/** What it touches, by titles: "Patient billing and Riverside Clinic"; empty when nobody said. */
export function touchedInWords(
  { services, components, tenants }: Pick<ReportedChange, 'services' | 'components' | 'tenants'>,
  config: Pick<Config, 'services' | 'components' | 'tenants'>,
): string {
  const titles = [
    ...services.map((id) => config.services[id]?.title ?? id),
    ...components.map((id) => config.components[id]?.title ?? id),
    ...tenants.map((id) => config.tenants[id]?.title ?? id),
  ];
  return listInWords(titles);
}

/** `10:41` of a change of today, `Fri 10:41` of this week, else `31 Jan 10:41`. */
export function momentInWords(atMs: number, nowMs: number, timeZone: string): string {
  const day = (ms: number) => new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short' }).format(ms);
  const time = timeOfDay(atMs, timeZone);
  if (day(atMs) === day(nowMs)) return time;
  const near = nowMs - atMs < 6 * 86_400_000;
  const format: Intl.DateTimeFormatOptions = near ? { weekday: 'short' } : { day: 'numeric', month: 'short' };
  return `${new Intl.DateTimeFormat('en-GB', { timeZone, ...format }).format(atMs)} ${time}`;
}

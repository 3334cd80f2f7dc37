/** A scenario that failed, so that one sees why: what was wanted, what came, and at which second. */
import { incidentName } from '../../core/incident.ts';
import type { Want } from './format.ts';
import type { Posting } from './judging.ts';
import { aboutOf, causeOf, type Match } from './match.ts';
import type { Outcome } from './simulate.ts';

const seconds = (ms: number) => `${ms / 1000}`;

/** What was wanted, in a line. */
export function wantInWords(want: Want): string {
  const { is, ...fields } = want;
  const skipped = new Set(['between', 'at', 'times', is]);
  const value = (fields as Record<string, unknown>)[is];
  const rest = Object.entries(fields).flatMap(([key, one]) => (one === undefined || skipped.has(key) ? [] : `${key} ${listed(one)}`));
  const when = want.is === 'shows' ? `at ${seconds(want.at)} s` : `${seconds(want.between[0])}–${seconds(want.between[1])} s`;
  const times = want.is === 'shows' || (want.times[0] === 1 && want.times[1] === 1) ? [] : [`times ${want.times.join('–')}`];
  return [when.padEnd(14), is, String(value), ...rest, ...times].join(' ');
}

function listed(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

/** What came, in a line. */
export function postingInWords({ atMs, kind, incident, class: klass, facts, entry, text }: Posting): string {
  const what = kind === 'line' || kind === 'notice' ? `${kind} ${entry}` : `${kind} ${klass}`;
  const about = facts
    ? ` about [${aboutOf(facts, klass)}] tenants [${facts.tenants.map((one) => one.id)}] cause ${causeOf(facts) ?? 'none'}`
    : '';
  return `${`${seconds(atMs)} s`.padEnd(14)} ${what} ${incidentName(incident)}${about}\n${' '.repeat(27)}"${text}"`;
}

/** All of it. */
export function outcomeInWords({ scenario, match, postings, error }: Outcome): string {
  const head = [`✗ ${scenario.id} (${scenario.file}): ${scenario.title}`, `    rule: ${scenario.rule}`];
  if (error !== undefined) return [...head, `    ${error.replaceAll('\n', '\n    ')}`].join('\n');
  return [...head, ...(match ? differences(match, postings) : [])].join('\n');
}

function differences({ unmet, unnamed }: Match, postings: readonly Posting[]): string[] {
  const met = postings.filter((one) => !unnamed.includes(one));
  return [
    ...unmet.map(({ want, why }) => `    wanted    ${wantInWords(want)}\n              ${why}`),
    ...unnamed.map((posting) => `    unnamed   ${postingInWords(posting)}`),
    ...met.map((posting) => `    as wanted ${postingInWords(posting)}`),
    ...(postings.length === 0 ? ['    nothing was posted at all'] : []),
  ];
}

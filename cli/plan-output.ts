/** How `rounds plan` says it: one line an entry, one a field, and then what people have to do. */
import { styleText } from 'node:util';
import type { EntryChange, FieldChange } from '../core/config/diff.ts';
import { ONE_OF } from '../core/config/schema.ts';
import { mayBeShown } from '../core/config/secrets.ts';
import { spanInWords } from '../core/duration.ts';
import { listInWords } from '../core/words.ts';
import type { ConfigPlan } from './plan.ts';

export interface PlanStyle {
  /** Where a person looks on. */
  colours: boolean;
  nowMs: number;
}

const MARKS = { added: ['+', 'green'], changed: ['~', 'yellow'], retired: ['-', 'red'] } as const;

/** The lines, without their ends. */
export function planInLines(plan: ConfigPlan, style: PlanStyle): string[] {
  const { diff, folder } = plan;
  const changed = diff.head.length + diff.entries.length > 0 || folder !== undefined;
  if (!changed)
    return [
      `Nothing changes: ${plan.file} says what ${plan.against?.name === 'in force' ? 'is in force' : `${plan.against?.name} says`}, revision ${plan.revision}.`,
    ];
  return [
    heading(plan, style.nowMs),
    '',
    ...diff.head.map((field) => `${mark('changed', style)} ${fieldLine(field)}`),
    ...diff.entries.flatMap((entry) => entryLines(entry, style)),
    '',
    ...consequences(plan),
    `${diff.entries.length + diff.head.length === 0 ? 'Nothing else changes' : counts(plan)}. To apply it: rounds reload ${plan.file}`,
  ];
}

function heading({ file, revision, against }: ConfigPlan, nowMs: number): string {
  if (!against) return `${file} (revision ${revision}): nothing is in force yet, all of it is new.`;
  if (against.appliedAtMs === undefined) return `${file} (revision ${revision}) against ${against.name} (revision ${against.revision}):`;
  const since = spanInWords(Math.max(0, nowMs - against.appliedAtMs));
  return `${file} (revision ${revision}) against revision ${against.revision}, in force for ${since}, applied by ${against.appliedBy}:`;
}

function mark(kind: EntryChange['kind'], { colours }: PlanStyle): string {
  const [sign, colour] = MARKS[kind];
  return colours ? styleText(colour, sign, { validateStream: false }) : sign;
}

function entryLines(entry: EntryChange, style: PlanStyle): string[] {
  const { section, id, checks } = entry;
  const what = section === 'checks' ? 'tenant' : 'check';
  const many = checks === undefined ? '' : ` (${checks} ${what}${checks === 1 ? '' : 's'})`;
  return [`${mark(entry.kind, style)} ${ONE_OF[section]} ${id}${many}`, ...entry.fields.map((field) => `    ${fieldLine(field)}`)];
}

/** `every: 60s → 30s`; of lists only what comes and goes: `locations: +west`. */
function fieldLine({ field, before, after }: FieldChange): string {
  const name = field === '' ? '' : `${field}: `;
  const key = field.split('.').at(-1) ?? '';
  const moved = listChange(before, after);
  if (moved !== undefined) return `${name}${moved}`;
  if (before === undefined) return `${name}${valueText(after, key)} (new)`;
  if (after === undefined) return `${name}${valueText(before, key)} (removed)`;
  return `${name}${valueText(before, key)} → ${valueText(after, key)}`;
}

function listChange(before: unknown, after: unknown): string | undefined {
  if (!isScalarList(before) || !isScalarList(after)) return undefined;
  const gained = after.filter((one) => !before.includes(one)).map((one) => `+${valueText(one)}`);
  const lost = before.filter((one) => !after.includes(one)).map((one) => `-${valueText(one)}`);
  return gained.length + lost.length === 0 ? undefined : [...gained, ...lost].join(' ');
}

function isScalarList(value: unknown): value is unknown[] {
  return Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null);
}

const LONGEST = 60;

/** A value as it could stand in the file, short and on one line; never one that may be a secret. */
function valueText(value: unknown, key = ''): string {
  const text = plainText(value, key);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function plainText(value: unknown, key: string): string {
  if (Array.isArray(value)) return `[${value.map((one) => plainText(one, key)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${name}: ${plainText(one, name)}`)
      .join(', ')} }`;
  }
  if (!mayBeShown(key, value) && !/^\$\{secret:[A-Z0-9_]+\}$/.test(String(value))) return '(not shown)';
  // Quoted where it would otherwise not read as one word, or would act upon a terminal.
  return typeof value === 'string' && !/^[\w./:#@%${}+-]+( [\w./:#@%${}+-]+)*$/.test(value) ? JSON.stringify(value) : String(value);
}

function consequences(plan: ConfigPlan): string[] {
  return [...folderLines(plan), ...loadLines(plan), ...secretLines(plan), ...locationLines(plan), ...incidentLines(plan)];
}

function folderLines({ folder }: ConfigPlan): string[] {
  return folder ? [`Journeys are looked for in ${folder.after} instead of ${folder.before}.`] : [];
}

function loadLines({ runsPerMinute, against }: ConfigPlan): string[] {
  const moved = runsPerMinute.filter(({ before, after }) => Math.abs(before - after) > 0.001);
  if (moved.length === 0) return [];
  const said = moved.map(({ location, before, after }) => `${location} ${against ? `${rate(before)} → ` : ''}${rate(after)}`);
  return [`Runs a minute: ${said.join(', ')}.`];
}

function rate(runs: number): string {
  return runs >= 10 || Number.isInteger(runs) ? String(Math.round(runs)) : String(Number(runs.toPrecision(2)));
}

function secretLines({ secrets }: ConfigPlan): string[] {
  if (secrets.length === 0) return [];
  // Locations that need the same are named together.
  const groups = Map.groupBy(secrets, (needed) => needed.secrets.join(', '));
  const said = [...groups].map(
    ([names, who]) =>
      `${names} at ${listInWords(
        who.map(({ location }) => location),
        20,
      )}`,
  );
  return [`Secrets that agents need and did not before: ${said.join('; ')}. Give them to the agents first.`];
}

function locationLines({ locations }: ConfigPlan): string[] {
  const added = locations.added.map(({ id, hasCredentials }) =>
    hasCredentials
      ? `Location ${id} is new: start its agent, with the credentials that were made for it.`
      : `Location ${id} is new: make its agent's credentials (rounds location add ${id}) and start it. "rounds up" does both by itself.`,
  );
  const retired = locations.retired.map((id) => `Location ${id} is retired: stop its agents once this is applied.`);
  return [...added, ...retired];
}

function incidentLines({ incidents = [] }: ConfigPlan): string[] {
  return incidents.map(({ id, about, fate }) =>
    fate === 'closes'
      ? `INC-${id} (${about}) closes: none of its checks is left.`
      : `INC-${id} (${about}) goes on with the services that its checks now belong to.`,
  );
}

function counts({ diff }: ConfigPlan): string {
  const of = (kind: EntryChange['kind']) =>
    diff.entries.filter((entry) => entry.kind === kind).length + (kind === 'changed' ? diff.head.length : 0);
  return `${of('added')} to add, ${of('changed')} to change, ${of('retired')} to retire`;
}

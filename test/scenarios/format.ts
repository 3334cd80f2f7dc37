/**
 * The format of the scenarios: one file holds an area, a scenario is a timeline of what happens and of what must be told. Reading it
 * names the file, the scenario and the field of everything that is wrong with it.
 */
import { parse } from 'yaml';
import * as z from 'zod';
import { CHANGE_KINDS } from '../../core/change.ts';
import { CLASSES } from '../../core/check.ts';
import { parseDurationMs } from '../../core/duration.ts';
import { LOAD_MEASURES } from '../../core/load.ts';

/** A second of the timeline or a span: `0s`, `90s`, `10m`. */
const span = z.string().transform((text, context) => {
  const ms = text === '0s' ? 0 : parseDurationMs(text);
  if (ms !== undefined) return ms;
  context.addIssue({ code: 'custom', message: `expected a time such as 0s, 90s or 10m, got "${text}"` });
  return z.NEVER;
});

/** A span with its sign: `+2h`, `-90s`. */
const signed = z.string().transform((text, context) => {
  const match = /^([+-])(.+)$/.exec(text);
  const ms = match?.[2] === undefined ? undefined : parseDurationMs(match[2]);
  if (ms !== undefined) return match?.[1] === '-' ? -ms : ms;
  context.addIssue({ code: 'custom', message: `expected a span with its sign such as +2h or -90s, got "${text}"` });
  return z.NEVER;
});

const oneOrMore = z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]);
const kebab = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, { error: 'expected a kind such as connection-refused' });
const letter = z.string().regex(/^[A-Z][A-Za-z0-9]{0,9}$/, { error: 'expected the letter of an incident such as A' });
const during = { at: span, until: span.optional() };
const target = z.record(z.string(), z.union([z.string(), z.number()]));

/** What an attempt finds instead of a target that is well. */
const failing = z.strictObject({
  ...during,
  fail: oneOrMore.describe('Checks: ids, or patterns with *'),
  from: z.array(z.string()).min(1).optional(),
  verdict: z.enum(['down', 'degraded']).default('down'),
  kind: kebab.optional(),
  takes: span.optional(),
  step: z.string().optional(),
  message: z.string().optional(),
  once: z.boolean().default(false).describe('Only the first attempt of each run'),
});

const EVENTS = {
  fail: failing,
  blips: z.strictObject({
    ...during,
    blips: oneOrMore,
    chance: z.number().min(0).max(1),
    seed: z.int(),
    from: z.array(z.string()).optional(),
  }),
  lose: z.strictObject({ ...during, lose: z.string() }),
  cut: z.strictObject({ ...during, cut: z.string(), checks: oneOrMore.default(['*']) }),
  fault: z.strictObject({ ...during, fault: z.string(), checks: oneOrMore.default(['*']), kind: kebab.default('probe-error') }),
  delay: z.strictObject({ ...during, delay: z.string(), by: span }),
  spool: z.strictObject({ at: span, until: span, spool: z.string() }).describe('Its reports wait on its disk, and all arrive at `until`'),
  duplicate: z.strictObject({ ...during, duplicate: z.string() }),
  clock: z.strictObject({ ...during, clock: z.literal('workers'), by: signed }),
  agent: z.strictObject({ ...during, agent: z.string(), by: signed }),
  stop: z.strictObject({ at: span, until: span, stop: z.literal('rounds') }),
  change: z.strictObject({
    at: span,
    change: z.strictObject({
      kind: z.enum(CHANGE_KINDS).default('deployment'),
      title: z.string(),
      outcome: z.enum(['begun', 'done', 'failed']).default('done'),
      by: z.string().optional(),
      source: z.string().default('api'),
      services: z.array(z.string()).default([]),
      components: z.array(z.string()).default([]),
      tenants: z.array(z.string()).default([]),
    }),
  }),
  silence: z.strictObject({
    at: span,
    silence: z.strictObject({
      title: z.string(),
      by: z.string(),
      for: span,
      services: z.array(z.string()).default([]),
      components: z.array(z.string()).default([]),
      tenants: z.array(z.string()).default([]),
      checks: z.array(z.string()).default([]),
    }),
  }),
  unsilence: z.strictObject({ at: span, unsilence: z.string(), by: z.string() }).describe('Ends the silence of that title early'),
  acknowledge: z.strictObject({ at: span, acknowledge: letter, by: z.string() }),
  load: z.strictObject({
    ...during,
    load: z.strictObject({
      tenant: z.string(),
      component: z.string(),
      measure: z.enum(LOAD_MEASURES),
      value: z.number(),
      usual: z.number(),
      share: z.number().min(0).max(1),
      text: z.string().optional(),
    }),
  }),
  finding: z.strictObject({ ...during, finding: z.string(), kind: kebab, text: z.string(), target: target.default({}) }),
  burn: z.strictObject({
    ...during,
    burn: z.strictObject({
      service: z.string(),
      slo: z.string(),
      rate: z.number(),
      tenant: z.string().optional(),
      title: z.string().optional(),
      objective: z.number().default(0.999),
      long: span.default(3_600_000),
      short: span.default(300_000),
      left: z.number().default(0.5).describe('Share of the budget that is left'),
    }),
  }),
  config: z.strictObject({ at: span, config: z.string() }),
} as const;

type EventKind = keyof typeof EVENTS;
/** An event that happens, by its kind: times in milliseconds after second 0. */
export type EventOf<K extends EventKind> = z.output<(typeof EVENTS)[K]>;
export type Event = { [K in EventKind]: { is: K } & EventOf<K> }[EventKind];

/** Reads a map by the shape that one of its keys says, so that what is wrong is told of that shape alone. */
function byKey<T>(shapes: Readonly<Record<string, z.ZodType>>) {
  return z.record(z.string(), z.unknown()).transform((raw, context): T => {
    const is = Object.keys(shapes).find((key) => key in raw) ?? '';
    const parsed = shapes[is]?.safeParse(raw);
    if (parsed?.success) return { is, ...(parsed.data as object) } as T;
    const issues = parsed?.error.issues ?? [
      { path: [], message: `expected one of ${Object.keys(shapes).join(', ')}; got ${Object.keys(raw).join(', ')}` },
    ];
    for (const { path, message } of issues) context.addIssue({ code: 'custom', path: path as (string | number)[], message });
    return z.NEVER;
  });
}

const between = z
  .tuple([span, span])
  .refine(([from, to]) => from <= to, { error: 'expected the earlier time first' })
  .describe('Milliseconds after second 0, both included');
const times = z.union([
  z
    .int()
    .min(0)
    .transform((n): [number, number] => [n, n]),
  z.tuple([z.int().min(0), z.int().min(0)]),
]);

/** What the post must say at that moment. Sets are exact; `says` are parts of its words, whatever their case, `omits` what none of them may be. */
const said = {
  about: z.array(z.string()).optional(),
  tenants: z.array(z.string()).optional(),
  cause: z.string().optional(),
  says: z.array(z.string()).optional(),
  omits: z.array(z.string()).optional(),
};
const posted = { between, times: times.default([1, 1]), ...said };

const WANTS = {
  open: z.strictObject({ ...posted, open: z.enum(CLASSES), as: letter.optional() }),
  raise: z.strictObject({ ...posted, raise: z.enum(CLASSES), of: letter }),
  lower: z.strictObject({ ...posted, lower: z.enum(CLASSES), of: letter }),
  resolve: z.strictObject({ ...posted, resolve: letter }),
  line: z.strictObject({ ...posted, line: kebab, of: letter }),
  notice: z.strictObject({ ...posted, notice: kebab }),
  shows: z
    .strictObject({ at: span, shows: letter, class: z.enum(CLASSES).optional(), ...said })
    .describe('What its post says at that second'),
} as const;

type WantKind = keyof typeof WANTS;
export type WantOf<K extends WantKind> = { is: K } & z.output<(typeof WANTS)[K]>;
export type Want = { [K in WantKind]: WantOf<K> }[WantKind];
export type Shows = WantOf<'shows'>;
export type WantedPost = Exclude<Want, Shows>;

const scenario = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{2,79}$/, { error: 'expected an id such as one-clinic-of-three' }),
  title: z.string(),
  rule: z.string().min(10),
  relabelled: z.string().min(10).optional().describe('Why the label is another than at first'),
  layout: z.string().optional(),
  start: z.iso
    .datetime({ offset: true, error: 'expected a time with its offset such as 2026-03-10T10:00:00+01:00' })
    .default('2026-03-10T10:00:00+01:00'),
  for: span,
  events: z.array(byKey<Event>(EVENTS)),
  want: z.array(byKey<Want>(WANTS)),
});

const file = z.strictObject({ area: z.string(), layout: z.string().optional(), scenarios: z.array(z.unknown()).min(1) });

export type Scenario = Omit<z.output<typeof scenario>, 'layout'> & { layout: string; area: string; file: string };

export class ScenarioError extends Error {}

/** The scenarios of one file. Throws a {@link ScenarioError} with a line for everything that is wrong with it. */
export function readScenarios(name: string, text: string): Scenario[] {
  const problems: string[] = [];
  const head = file.safeParse(parsed(name, text));
  if (!head.success) throw new ScenarioError(head.error.issues.map((issue) => lineOf(name, undefined, issue)).join('\n'));
  const read = head.data.scenarios.flatMap((raw, index) => {
    const id = idOf(raw) ?? `scenario ${index + 1}`;
    const parsed = scenario.safeParse(raw);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => lineOf(name, id, issue)));
      return [];
    }
    const layout = parsed.data.layout ?? head.data.layout;
    if (layout === undefined) problems.push(`${name} ${id} layout: expected a layout, here or at the head of the file`);
    problems.push(...untold(parsed.data).map((message) => `${name} ${id} ${message}`));
    return [{ ...parsed.data, layout: layout ?? '', area: head.data.area, file: name }];
  });
  if (problems.length > 0) throw new ScenarioError(problems.join('\n'));
  return read;
}

function parsed(name: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new ScenarioError(`${name}: ${(error as Error).message}`);
  }
}

function idOf(raw: unknown): string | undefined {
  const id = typeof raw === 'object' && raw !== null && 'id' in raw ? raw.id : undefined;
  return typeof id === 'string' ? id : undefined;
}

/** The letter of the incident that it is about, of one that was opened before. */
export function incidentOf(want: Want): string | undefined {
  if (want.is === 'resolve') return want.resolve;
  if (want.is === 'shows') return want.shows;
  return 'of' in want ? want.of : undefined;
}

/** Letters that no `open` introduces, and letters that two do. */
function untold({ want }: { want: Want[] }): string[] {
  const named = want.flatMap((one) => (one.is === 'open' && one.as ? [one.as] : []));
  const twice = named.filter((one, index) => named.indexOf(one) !== index);
  const used = want.flatMap((one) => incidentOf(one) ?? []);
  return [
    ...twice.map((one) => `want: ${one} is opened twice`),
    ...[...new Set(used)].filter((one) => !named.includes(one)).map((one) => `want: ${one} is opened nowhere; say open: …, as: ${one}`),
  ];
}

function lineOf(name: string, id: string | undefined, issue: z.core.$ZodIssue): string {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return [name, id, `${path.replace(/^\./, '')}:`, issue.message].filter(Boolean).join(' ');
}

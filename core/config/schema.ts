/** What may stand in `rounds.yaml`, one schema for an entry of each section. Probes and actions bring their own for their part. */
import * as z from 'zod';
import { parametersSchema } from './parameters.ts';
import { timezoneSchema } from './timezone.ts';
import { durationMs, text } from './units.ts';
import { didYouMean, list } from './words.ts';

export const SECTIONS = ['locations', 'people', 'teams', 'tenants', 'components', 'services', 'checks', 'runbooks', 'reports'] as const;
export type Section = (typeof SECTIONS)[number];

/** The ids that stand in the file, whether their entries are sound or not, so that one slip is not reported twice. */
export type KnownIds = Readonly<Record<Section, readonly string[]>>;

const EXPECTED_ID = 'expected an id of at most 40 small letters, digits and -, beginning with a letter';
export const idSchema = matching(/^[a-z][a-z0-9-]{0,39}$/, EXPECTED_ID);

const MAX_TIMEOUT = '5m';

/** The schemas, with every reference to another entry held against the ids that exist. `isCron` knows a cron expression of five fields. */
export function entrySchemas(known: KnownIds, isCron: (text: string) => boolean = () => true) {
  const title = text(80).optional();
  return {
    locations: z.object({ title }),
    people: z.object({
      name: title,
      slack: matching(/^[UW][A-Z0-9]+$/, "expected Slack's id of a member such as U024BE7LH"),
      roles: listOf(idSchema).default([]),
    }),
    teams: z.object({
      channel: channel(),
      members: listOf(idOf('people', known.people)).default([]),
    }),
    tenants: tenantSchema(),
    components: z.object({ title, layer: idSchema.optional(), dependsOn: listOf(idOf('components', known.components)).default([]) }),
    services: z.object({
      title,
      tier: z.literal([1, 2, 3]).default(2),
      owner: idOf('teams', known.teams),
      dependsOn: listOf(idOf('components', known.components)).default([]),
    }),
    checks: checkSchema(known, title),
    runbooks: runbookSchema(known, title),
    reports: reportSchema(known, title, isCron),
  };
}

export type EntrySchemas = ReturnType<typeof entrySchemas>;

function tenantSchema() {
  const field = z.union([z.string(), z.number(), z.boolean()]);
  const name = matching(/^(?!id$)[A-Za-z][A-Za-z0-9_]*$/, 'expected the name of a field, of letters, digits and _, other than id');
  return z.record(name, field).superRefine((fields, context) => {
    const sound = text(80).optional().safeParse(fields.title);
    for (const issue of sound.error?.issues ?? []) context.addIssue({ code: 'custom', path: ['title'], message: issue.message });
  });
}

function checkSchema(known: KnownIds, title: z.ZodType<string | undefined>) {
  const locations = listOf(idOf('locations', known.locations)).min(1, { error: 'expected at least one location' });
  return z.object({
    title,
    does: text(120).optional(),
    service: idOf('services', known.services).optional(),
    component: idOf('components', known.components).optional(),
    critical: z.boolean().optional(),
    forEach: z.literal('tenants').optional(),
    every: wholeSeconds('1s', '7d'),
    timeout: durationMs({ min: '100ms', max: MAX_TIMEOUT }).optional(),
    locations: locations.optional(),
    degraded: z.object({ above: durationMs() }).optional(),
    retries: whole(0, 3).default(1),
    resolveAfter: whole(1, 20).default(3),
  });
}

function runbookSchema(known: KnownIds, title: z.ZodType<string | undefined>) {
  return z.object({
    title,
    explains: text(200).optional(),
    when: z.object({
      service: oneOrMore(idOf('services', known.services)).optional(),
      component: oneOrMore(idOf('components', known.components)).optional(),
      check: oneOrMore(idOf('checks', known.checks)).optional(),
      failure: oneOrMore(idSchema).optional(),
      step: oneOrMore(text(120)).optional(),
    }),
    parameters: parametersSchema().optional(),
    action: z.record(z.string(), z.unknown()),
    mayRun: listOf(idSchema).default([]),
    verify: listOf(idOf('checks', known.checks)).default([]),
  });
}

const EXPECTED_CRON = 'expected a time in cron\'s five fields such as "0 7 * * *", in quotes (minute, hour, day, month, weekday)';

function reportSchema(known: KnownIds, title: z.ZodType<string | undefined>, isCron: (text: string) => boolean) {
  const everyService = z.literal('all', { error: 'expected all, or a list of services such as [billing]' });
  const someServices = listOf(idOf('services', known.services)).min(1, { error: 'expected at least one service' });
  return z.object({
    title,
    cron: z.string({ error: EXPECTED_CRON }).refine(isCron, { error: EXPECTED_CRON }),
    timezone: timezoneSchema().optional(),
    channel: channel(),
    services: z.union([everyService, someServices]).default('all'),
    window: durationMs({ min: '1h', max: '31d' }).optional(),
  });
}

function channel() {
  return matching(/^#[\p{Ll}\p{Lo}\p{N}_-]{1,80}$/u, "expected a channel such as '#billing', in quotes");
}

const ONE_OF: Readonly<Record<Section, string>> = {
  locations: 'location',
  people: 'person',
  teams: 'team',
  tenants: 'tenant',
  components: 'component',
  services: 'service',
  checks: 'check',
  runbooks: 'runbook',
  reports: 'report',
};

/** The id of something that stands in another section of the file. */
export function idOf(section: Section, ids: readonly string[]) {
  const one = ONE_OF[section];
  return z.string({ error: `expected the id of a ${one}` }).superRefine((value, context) => {
    if (ids.includes(value)) return;
    const choice = ids.length === 1 ? `${ids[0]}, the only ${one}` : `one of the ${section} ${list(ids)}`;
    const message = ids.length === 0 ? `expected the id of a ${one}; none is defined` : `expected ${choice}${didYouMean(value, ids)}`;
    context.addIssue({ code: 'custom', message, input: value });
  });
}

function listOf(entry: z.ZodType<string>) {
  return z.array(entry).superRefine((values, context) => {
    values.forEach((value, index) => {
      if (values.indexOf(value) < index) {
        context.addIssue({
          code: 'custom',
          path: [index],
          message: `"${value}" stands in the list a second time; remove it`,
          input: value,
        });
      }
    });
  });
}

function oneOrMore(entry: z.ZodType<string>) {
  const many = listOf(entry).min(1, { error: 'expected at least one entry' });
  return z.union([entry.transform((value) => [value]), many]);
}

function matching(form: RegExp, expected: string) {
  return z.string({ error: expected }).regex(form, { error: expected });
}

function whole(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Slots begin on whole seconds, since the checks that are due in one second travel together. */
function wholeSeconds(min: string, max: string) {
  return durationMs({ min, max }).refine((valueMs) => valueMs % 1000 === 0, { error: 'expected whole seconds, such as 30s' });
}

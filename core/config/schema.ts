/** What may stand in `rounds.yaml`, one schema for an entry of each section. Probes and actions bring their own for their part. */
import * as z from 'zod';
import { changeNameSchema } from './changed-by.ts';
import { maintenanceSchema } from './maintenance.ts';
import { parametersSchema } from './parameters.ts';
import { slosSchema } from './slos.ts';
import { teamFields } from './teams.ts';
import { timezoneSchema } from './timezone.ts';
import { durationMs, text } from './units.ts';
import { didYouMean, list } from './words.ts';

export const SECTIONS = [
  ...(['locations', 'people', 'teams', 'tenants', 'components', 'services'] as const),
  ...(['checks', 'runbooks', 'reports', 'maintenance'] as const),
] as const;
export type Section = (typeof SECTIONS)[number];

/** The ids that stand in the file, whether their entries are sound or not, so that one slip is not reported twice. */
export type KnownIds = Readonly<Record<Section, readonly string[]>>;

const EXPECTED_ID = 'expected an id of at most 40 small letters, digits and -, beginning with a letter';
export const idSchema = matching(/^[a-z][a-z0-9-]{0,39}$/, EXPECTED_ID);

const MAX_TIMEOUT = '5m';

/** The schemas, with every reference to another entry held against the ids that exist. `isCron` knows a cron expression of five fields. */
export function entrySchemas(known: KnownIds, isCron: (text: string) => boolean = () => true) {
  const title = text(80).optional().describe('What people are shown; the id in words unless said');
  const dependsOn = listOf(idOf('components', known.components)).default([]);
  return {
    locations: z.object({ title }),
    people: z.object({
      name: title,
      slack: matching(/^[UW][A-Z0-9]+$/, "expected Slack's id of a member such as U024BE7LH").describe('The member id in Slack'),
      roles: listOf(idSchema).default([]).describe('What this person may do: named by runbooks under `mayRun`'),
    }),
    teams: z.object({
      title,
      channel: channel().describe('Where the team is told, in quotes'),
      members: listOf(idOf('people', known.people)).default([]).describe('Who is called by name'),
      ...teamFields({ person: idOf('people', known.people), listOf, role: idSchema, people: known.people, teams: known.teams }),
    }),
    tenants: tenantSchema(listOf(idOf('components', known.components))),
    components: z.object({
      title,
      layer: idSchema.optional().describe('Such as data, platform or infrastructure'),
      dependsOn: dependsOn.describe('The components that it stands on'),
      changedBy: changedBy(),
    }),
    services: z.object({
      title,
      tier: z.literal([1, 2, 3]).default(2).describe('1: care or money stops; 2: work is slowed; 3: comfort'),
      owner: idOf('teams', known.teams).describe('The team that is told'),
      slos: slosSchema({ title, id: idSchema, check: idOf('checks', known.checks) })
        .optional()
        .describe('What is promised of it, by ids'),
      dependsOn: dependsOn.describe('The components that it stands on'),
      changedBy: changedBy(),
    }),
    checks: checkSchema(known, title),
    runbooks: runbookSchema(known, title),
    reports: reportSchema(known, title, isCron),
    maintenance: maintenanceSchema({
      title,
      services: listOf(idOf('services', known.services)),
      components: listOf(idOf('components', known.components)),
      tenants: listOf(idOf('tenants', known.tenants)),
      checks: listOf(checkOrTemplate(known)),
    }),
  };
}

export type EntrySchemas = ReturnType<typeof entrySchemas>;

const TENANT_FIELD = /^(?!id$)[A-Za-z][A-Za-z0-9_]*$/;
const EXPECTED_TENANT_FIELD = 'expected the name of a field, of letters, digits and _, other than id';

const EXPECTED_SERVER_NAME = 'expected its name on the server, a text of at most 63 characters without references';

function tenantSchema(components: z.ZodType<string[]>) {
  const field = z.union([z.string(), z.number(), z.boolean()]);
  const onServer = (what: string) =>
    matching(/^(?!.*\$\{)\S(.{0,61}\S)?$/, EXPECTED_SERVER_NAME)
      .optional()
      .describe(what);
  return z
    .object({
      changedBy: changedBy(),
      database: onServer('Its database, by which its load is known'),
      role: onServer('Its role in the database, by which its load is known'),
      queue: onServer('Its queue of jobs, by which its load is known; one that ends in * stands for all that begin so'),
      namespace: onServer('Its namespace in Kubernetes'),
      components: components.optional().describe('The components on which that is; unless said, wherever the name is seen'),
    })
    .catchall(field)
    .superRefine((fields, context) => {
      for (const key of Object.keys(fields).filter((one) => !TENANT_FIELD.test(one))) {
        const issues = [{ code: 'custom' as const, path: [], message: EXPECTED_TENANT_FIELD, input: key }];
        context.addIssue({ code: 'invalid_key', origin: 'record', issues, path: [key], input: fields });
      }
      const sound = text(80).optional().safeParse(fields.title);
      for (const issue of sound.error?.issues ?? []) context.addIssue({ code: 'custom', path: ['title'], message: issue.message });
    })
    .meta({ propertyNames: { type: 'string', pattern: TENANT_FIELD.source, patternErrorMessage: EXPECTED_TENANT_FIELD } });
}

function changedBy() {
  return listOf(changeNameSchema())
    .min(1, { error: 'expected at least one name' })
    .optional()
    .describe('How those who report changes call what changes it: repositories, applications, releases, environments');
}

function checkSchema(known: KnownIds, title: z.ZodType<string | undefined>) {
  const locations = listOf(idOf('locations', known.locations)).min(1, { error: 'expected at least one location' });
  return z.object({
    title,
    does: text(120).optional().describe('The words after "cannot": post invoices; the title unless said'),
    service: idOf('services', known.services).optional().describe('The service that it is for; else name a component'),
    component: idOf('components', known.components).optional().describe('The component that it is for; else name a service'),
    critical: z.boolean().optional().describe('When it fails, care or money stops; only of a service, false unless said'),
    forEach: z.literal('tenants').optional().describe(`Makes one check for each tenant, with its fields as \${tenant.FIELD}`),
    every: wholeSeconds('1s', '7d').describe('How often it runs: whole seconds, from 1s to 7d'),
    timeout: durationMs({ min: '100ms', max: MAX_TIMEOUT })
      .optional()
      .describe('What one attempt may take, at most 5m; 10s unless said, less where all attempts must fit into `every`'),
    locations: locations.optional().describe('Where it runs; everywhere unless said. More than half of them must agree'),
    degraded: z
      .object({ above: durationMs().describe('Works, but slower than people bear') })
      .optional()
      .describe('When it counts as degraded'),
    retries: whole(0, 3).default(1).describe('How often a failing run is made again at once'),
    resolveAfter: whole(1, 20).default(3).describe('Good rounds in a row before what failed counts as well again'),
  });
}

function runbookSchema(known: KnownIds, title: z.ZodType<string | undefined>) {
  return z.object({
    title,
    explains: text(200).optional().describe('What it does, in a sentence for who is about to press'),
    when: z
      .object({
        service: oneOrMore(idOf('services', known.services)).optional().describe('One service, or a list of which one is hit'),
        component: oneOrMore(idOf('components', known.components)).optional().describe('One component, or a list'),
        check: oneOrMore(idOf('checks', known.checks)).optional().describe('One check, or a list'),
        failure: oneOrMore(idSchema).optional().describe('How the check fails, one kind or a list: see the probes'),
        step: oneOrMore(text(120)).optional().describe('The step at which it fails, in its words, or a list'),
      })
      .describe('When it is offered: all that is given must fit one failing check'),
    parameters: parametersSchema().optional().describe(`What is asked for before it runs, as \${param.NAME} in the action`),
    action: z.record(z.string(), z.unknown()).describe('One action, with its options and the location whose agent runs it'),
    mayRun: listOf(idSchema).default([]).describe('Roles that may press it; nobody unless said'),
    verify: listOf(idOf('checks', known.checks)).default([]).describe('Checks that run again afterwards, to see whether it helped'),
  });
}

const EXPECTED_CRON = 'expected a time in cron\'s five fields such as "0 7 * * *", in quotes (minute, hour, day, month, weekday)';

function reportSchema(known: KnownIds, title: z.ZodType<string | undefined>, isCron: (text: string) => boolean) {
  const everyService = z.literal('all', { error: 'expected all, or a list of services such as [billing]' });
  const someServices = listOf(idOf('services', known.services)).min(1, { error: 'expected at least one service' });
  return z.object({
    title,
    cron: z
      .string({ error: EXPECTED_CRON })
      .refine(isCron, { error: EXPECTED_CRON })
      .meta({ examples: ['0 7 * * *'] })
      .describe('When it is posted: minute, hour, day, month, weekday, in quotes'),
    timezone: timezoneSchema().optional().describe('Of the times under `cron`; that of the file unless said'),
    channel: channel().describe('Where it is posted, in quotes'),
    services: z.union([everyService, someServices]).default('all').describe('`all`, or a list of services'),
    window: durationMs({ min: '1h', max: '31d' }).optional().describe('How far back it looks; to the time before unless said'),
  });
}

function channel() {
  return matching(/^#[\p{Ll}\p{Lo}\p{N}_-]{1,80}$/u, "expected a channel such as '#billing', in quotes");
}

/** What an entry of a section is called. */
export const ONE_OF: Readonly<Record<Section, string>> = {
  locations: 'location',
  people: 'person',
  teams: 'team',
  tenants: 'tenant',
  components: 'component',
  services: 'service',
  checks: 'check',
  runbooks: 'runbook',
  reports: 'report',
  maintenance: 'maintenance',
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

/** The id of a check; of one that is made for each tenant also with a tenant: `post-invoice/riverside`. */
function checkOrTemplate(known: KnownIds) {
  return z.string({ error: 'expected the id of a check' }).superRefine((value, context) => {
    const [template = '', tenant] = value.split('/', 2);
    const sound = idOf('checks', known.checks).safeParse(template);
    for (const { message } of sound.error?.issues ?? []) context.addIssue({ code: 'custom', message, input: value });
    if (!sound.success || tenant === undefined || (value === `${template}/${tenant}` && known.tenants.includes(tenant))) return;
    const message = `expected the check alone, or with a tenant behind a /${didYouMean(tenant, known.tenants)}`;
    context.addIssue({ code: 'custom', message, input: value });
  });
}

function listOf(entry: z.ZodType<string>) {
  const unique = z.array(entry).superRefine((values, context) => {
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
  return unique.meta({ uniqueItems: true });
}

function oneOrMore(entry: z.ZodType<string>) {
  const many = listOf(entry).min(1, { error: 'expected at least one entry' });
  return z.union([entry.transform((value) => [value]), many]);
}

function matching(form: RegExp, expected: string) {
  return z.string({ error: expected }).regex(form, { error: expected }).meta({ patternErrorMessage: expected });
}

function whole(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** Slots begin on whole seconds, since the checks that are due in one second travel together. */
function wholeSeconds(min: string, max: string) {
  return durationMs({ min, max }).refine((valueMs) => valueMs % 1000 === 0, { error: 'expected whole seconds, such as 30s' });
}

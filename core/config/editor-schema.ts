/**
 * `rounds.yaml` as a JSON Schema, for editors: completion, help and the first errors while typing. Made of the same schemas that read the
 * file. What it cannot say (whether a named service is there, what fits together) `rounds validate` says.
 *
 * Draft 7, since that is what the YAML extensions of VS Code, JetBrains and Neovim understand without a remark.
 */
import * as z from 'zod';
import { fallbackSchema } from './fallback.ts';
import type { ConfigParts } from './load.ts';
import { entrySchemas, idSchema, SECTIONS, type Section } from './schema.ts';
import { storageSchema } from './storage.ts';
import { ANY_TEXT } from './units.ts';

/** A node of a JSON Schema. */
export interface SchemaNode {
  [key: string]: unknown;
  type?: string | string[];
  description?: string;
  properties?: Record<string, SchemaNode>;
  additionalProperties?: boolean | SchemaNode;
  items?: SchemaNode;
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  allOf?: SchemaNode[];
}

const SECTION_HELP: Readonly<Record<Section, string>> = {
  locations: 'Where agents run',
  people: 'Who is told, and who may press what',
  teams: 'Who owns services, and where they are told',
  tenants: 'The customers, with any fields that checks need',
  components: 'What the services stand on',
  services: 'What users name when they call',
  checks: 'What is to be probed, how often, from where',
  runbooks: 'What can be pressed, and when it is offered',
  reports: 'What is posted at certain times',
  maintenance: 'When what is measured is not told',
};

/** The schema, with the options of every probe and action that is installed. */
export function editorSchema({ probes, actions }: Pick<ConfigParts, 'probes' | 'actions'>): SchemaNode {
  const known = Object.fromEntries(SECTIONS.map((section) => [section, []])) as unknown as Record<Section, string[]>;
  const entries = entrySchemas(known);
  const options = Object.fromEntries([...probes].map(([type, { schema, summary }]) => [type, described(schema, summary).optional()]));
  const located = [...actions].map(([type, { schema, summary }]) => [type, described(withLocation(schema), summary).optional()]);
  const check = z.object({ ...entries.checks.shape, ...options });
  const action = z.strictObject(Object.fromEntries(located)).describe('One action, with its options and the location whose agent runs it');
  const runbook = z.object({ ...entries.runbooks.shape, action });
  const sections = { ...entries, checks: check, runbooks: runbook };
  const file = z.object({
    version: z.literal(1).describe('The shape of this file'),
    timezone: z
      .string()
      .regex(/^[A-Za-z]/)
      .meta({ examples: ['Europe/Berlin'] })
      .describe('Of all times that people read'),
    fallback: fallbackSchema().optional().describe('How people are told when Slack is away'),
    slos: z
      .array(z.union([z.string().describe('A file, with * for any characters'), z.looseObject({ apiVersion: z.literal('openslo/v1') })]))
      .optional()
      .describe('Objectives as OpenSLO v1 documents, here or in files'),
    storage: storageSchema().optional().describe('How long what was measured and decided is kept'),
    ...Object.fromEntries(
      SECTIONS.map((section) => {
        const entriesOf = z.record(idSchema, sections[section]).describe(SECTION_HELP[section]);
        return [section, section === 'locations' || section === 'checks' ? entriesOf : entriesOf.optional()];
      }),
    ),
  });
  const made = z.toJSONSchema(file, { target: 'draft-7', io: 'input', unrepresentable: 'any' }) as SchemaNode;
  return finished(made, [...probes.keys()]);
}

function described(schema: z.ZodObject, summary: string | undefined): z.ZodObject {
  return summary === undefined ? schema : schema.describe(summary);
}

function withLocation(schema: z.ZodObject): z.ZodObject {
  return z.strictObject({ ...schema.shape, location: idSchema.describe('The location whose agent runs it') });
}

const REFERENCE = { type: 'string', pattern: String.raw`^\$\{[^{}]+\}$`, description: 'Filled in: a field of the tenant, or a secret' };

/** What zod's schemas mean and do not say: unknown keys are errors, one probe a check, references wherever options stand. */
function finished(root: SchemaNode, probes: readonly string[]): SchemaNode {
  const check = entryOf(root, 'checks');
  const action = entryOf(root, 'runbooks')?.properties?.action;
  for (const type of probes) open(check?.properties, type);
  for (const type of Object.keys(action?.properties ?? {})) open(action?.properties, type);
  walk(root, tidy);
  for (const section of ['locations', 'checks']) Object.assign(root.properties?.[section] ?? {}, { minProperties: 1 });
  if (check) check.allOf = [exactlyOne(['service', 'component']), exactlyOne(probes)];
  if (action) Object.assign(action, { minProperties: 1, maxProperties: 1 });
  const when = entryOf(root, 'runbooks')?.properties?.when;
  if (when) when.minProperties = 1;
  root.definitions = { reference: REFERENCE, ...(root.definitions as object | undefined) };
  return { $schema: 'http://json-schema.org/draft-07/schema#', title: 'rounds.yaml', ...root };
}

function open(properties: Record<string, SchemaNode> | undefined, type: string): void {
  const options = properties?.[type];
  if (!properties || !options?.properties) return;
  // Which agent runs it is decided when the file is read.
  const { location } = options.properties;
  const opened = openToReferences(options);
  properties[type] = { ...opened, properties: { ...opened.properties, ...(location ? { location } : {}) } };
}

/** The schema of one entry of a section. */
function entryOf(root: SchemaNode, section: string): SchemaNode | undefined {
  const entries = root.properties?.[section]?.additionalProperties;
  return typeof entries === 'object' ? entries : undefined;
}

function exactlyOne(keys: readonly string[]): SchemaNode {
  return { oneOf: keys.map((key) => ({ required: [key] })) };
}

/** Wherever a number, a choice or a text of some form is expected, a reference may stand instead: `port: ${tenant.port}`. */
function openToReferences(node: SchemaNode): SchemaNode {
  const each = (nodes: Record<string, SchemaNode>) =>
    Object.fromEntries(Object.entries(nodes).map(([name, one]) => [name, openToReferences(one)]));
  if (node.properties) return { ...node, properties: each(node.properties) };
  if (typeof node.additionalProperties === 'object') return { ...node, additionalProperties: openToReferences(node.additionalProperties) };
  if (node.items) return { ...node, items: openToReferences(node.items) };
  if (node.anyOf) {
    const branches = node.anyOf.map((branch) => (isNarrow(branch) ? branch : openToReferences(branch)));
    return { ...node, anyOf: node.anyOf.some(isNarrow) && !node.anyOf.some(isFreeText) ? [...branches, TO_REFERENCE] : branches };
  }
  if (!isNarrow(node)) return node;
  const { description, default: usual, ...own } = node;
  return {
    ...(description === undefined ? {} : { description }),
    ...(usual === undefined ? {} : { default: usual }),
    anyOf: [own, TO_REFERENCE],
  };
}

const TO_REFERENCE: SchemaNode = { $ref: '#/definitions/reference' };

function isFreeText(node: SchemaNode): boolean {
  return (
    [node.type].flat().includes('string') &&
    !('enum' in node || 'const' in node || 'format' in node) &&
    (node.pattern === undefined || node.pattern === ANY_TEXT)
  );
}

function isNarrow(node: SchemaNode): boolean {
  const types = [node.type].flat();
  return !isFreeText(node) && ['string', 'number', 'integer', 'boolean'].some((type) => types.includes(type));
}

function walk(node: SchemaNode, visit: (node: SchemaNode) => void): void {
  visit(node);
  const below = [node.items, node.additionalProperties, node.propertyNames, node.definitions, node.not]
    .flatMap((one) => (typeof one === 'object' && one !== null ? [one as SchemaNode] : []))
    .concat(Object.values(node.properties ?? {}), node.anyOf ?? [], node.oneOf ?? [], node.allOf ?? []);
  for (const one of below) walk(one, visit);
}

function tidy(node: SchemaNode): void {
  // zod leaves out examples of what is transformed, since it takes them to be of the result.
  if (node.samples) node.examples = node.samples;
  delete node.samples;
  // Not of the draft: editors say it instead of the pattern.
  if (node.written) node.patternErrorMessage = `expected ${node.written}`;
  delete node.written;
  if (typeof node.default === 'number' && (node.type === 'string' || JSON.stringify(node.anyOf ?? '').includes('"pattern"')))
    delete node.default;
  // An editor would offer to write out what is there anyway.
  if (typeof node.default === 'object') delete node.default;
  if (node.properties && node.additionalProperties === undefined) node.additionalProperties = false;
}

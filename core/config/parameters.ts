/** Reads the parameters that a runbook declares, and holds its action against all that may be typed into them. */
import * as z from 'zod';
import { parseDurationMs } from '../duration.ts';
import { fillParameters, type ParameterValue, readParameter, sampleParameters, usualParameters, wanted } from '../parameter.ts';
import { wordsOf } from './checks.ts';
import type { Parameter } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { type At, isPlain, type Plain, read } from './reader.ts';
import { isReference, type Reference, referencesIn } from './references.ts';
import { mayBeShown } from './secrets.ts';
import { durationMs, text } from './units.ts';
import { didYouMean, shown } from './words.ts';

/** As many fields as anybody fills in at three in the morning. */
const MOST_PARAMETERS = 20;
/** Slack: 100 options of 75 characters. */
const MOST_OPTIONS = 100;
const OPTION_CHARACTERS = 75;
/** Slack's text fields end here. */
const MOST_CHARACTERS = 3_000;

const NAME = 'expected the name of a parameter: a letter, then at most 39 letters, digits and _';

/** The schema of `parameters:`, by the parameter's name. */
export function parametersSchema() {
  const common = {
    title: text(80).optional().describe('What the field is called; made of the name unless given'),
    help: text(300).optional().describe('Said below the field'),
  };
  const usual = 'What stands in the field before anybody types';
  const bounds = <T extends z.ZodType>(value: T, least: string, most: string) => ({
    min: value.optional().describe(least),
    max: value.optional().describe(most),
  });
  const number = z.number({ error: 'expected a number' });
  const declared = z.discriminatedUnion('type', [
    z.strictObject({
      ...common,
      type: z.literal('text').describe('A text on one line; in the action it stands alone, as a whole value'),
      default: text(MOST_CHARACTERS).optional().describe(usual),
      ...bounds(z.int().min(1).max(MOST_CHARACTERS), 'Characters at least', 'Characters at most; 300 unless given'),
    }),
    z.strictObject({
      ...common,
      type: z.literal('number').describe('A number'),
      default: number.optional().describe(usual),
      ...bounds(number, 'The smallest', 'The largest'),
    }),
    z.strictObject({
      ...common,
      type: z.literal('duration').describe('A duration such as 30s'),
      default: durationText().optional().describe(usual),
      ...bounds(durationMs(), 'The shortest', 'The longest'),
    }),
    z.strictObject({
      ...common,
      type: z.literal('choice').describe('One of the options'),
      default: text(OPTION_CHARACTERS).optional().describe('What is chosen before anybody chooses'),
      options: z
        .array(text(OPTION_CHARACTERS))
        .min(1, { error: 'expected at least one option' })
        .max(MOST_OPTIONS)
        .describe('What can be chosen'),
    }),
  ]);
  const name = z.string({ error: NAME }).regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, { error: NAME });
  return z.record(name, declared).refine((all) => Object.keys(all).length <= MOST_PARAMETERS, {
    error: `expected at most ${MOST_PARAMETERS} parameters`,
  });
}

type Declared = z.output<ReturnType<typeof parametersSchema>>[string];

function durationText() {
  const error = 'expected a duration such as 30s or 5m';
  return z.string({ error }).refine((value) => parseDurationMs(value) !== undefined, { error });
}

/** The parameters in the order of the file; what does not fit together is reported. */
export function parametersOf(declared: Readonly<Record<string, Declared>>, path: Path, problems: Problems): Parameter[] {
  return Object.entries(declared).map(([name, fields]) => {
    const parameter = parameterOf(name, fields);
    const at = (key: string): Path => [...path, name, key];
    const { min, max, options } = parameter;
    if (min !== undefined && max !== undefined && min > max) problems.atValue(at('min'), 'expected at most max; swap them');
    options?.forEach((option, index) => {
      if (options.indexOf(option) < index)
        problems.atValue([...at('options'), index], `${shown(option)} stands in the list a second time; remove it`);
    });
    if (parameter.default !== undefined && 'error' in readParameter(parameter, parameter.default)) {
      problems.atValue(at('default'), `expected ${wanted(parameter)}, got ${shown(fields.default)}`);
    }
    return parameter;
  });
}

function parameterOf(name: string, fields: Declared): Parameter {
  const { title, help, type } = fields;
  const bounds = 'min' in fields || 'max' in fields ? { min: fields.min, max: fields.max } : {};
  return {
    name,
    title: title ?? wordsOf(name),
    type,
    ...(help === undefined ? {} : { help }),
    ...(fields.default === undefined ? {} : { default: String(fields.default) }),
    ...(bounds.min === undefined ? {} : { min: bounds.min }),
    ...(bounds.max === undefined ? {} : { max: bounds.max }),
    ...(fields.type === 'choice' ? { options: fields.options } : {}),
  };
}

/** Whether any `${param.…}` stands in it. */
export function takesParameters(options: unknown): boolean {
  return JSON.stringify(options ?? null).includes('${param.');
}

/**
 * The action's parameters as they usually will be, held against the schema with everything that can be typed: the smallest, the
 * largest, each choice. `undefined` when something does not fit, which is then reported with the value that showed it.
 */
export function readTemplate(schema: z.ZodObject, template: Plain, parameters: readonly Parameter[], at: At): Plain | undefined {
  for (const values of sampleParameters(parameters)) {
    const note = (inner: Path) => noteOf(template, inner, values);
    if (!read(schema, fillParameters(template, values), { ...at, note })) return undefined;
  }
  return read(schema, fillParameters(template, usualParameters(parameters)), at);
}

function noteOf(template: unknown, inner: Path, values: ReadonlyMap<string, ParameterValue>): string {
  let value = template;
  for (const segment of inner) value = (value as Record<string | number, unknown> | undefined)?.[segment];
  const found = typeof value === 'string' ? referencesIn(value).find((reference) => reference.kind === 'param') : undefined;
  if (found?.kind !== 'param' || !values.has(found.name)) return '';
  return ` (with ${found.name} = ${shown(values.get(found.name))}, which may be typed)`;
}

/** What is wrong with a `${param.…}` that stands at this path, if anything. */
export function parameterProblem(reference: Reference & { kind: 'param' }, path: Path, value: string, raw: Plain): string | undefined {
  const [section, id, place] = path;
  const runbook = section === 'runbooks' && place === 'action' && isPlain(raw.runbooks) ? raw.runbooks[String(id)] : undefined;
  if (!isPlain(runbook))
    return `${shown(reference.written)} is filled in by a runbook's form, and this is no action of a runbook; write the text out`;
  const declared = isPlain(runbook.parameters) ? runbook.parameters : {};
  const parameter = declared[reference.name];
  if (parameter === undefined) {
    const meant = didYouMean(reference.name, Object.keys(declared)) || '; add it under parameters of this runbook';
    return `this runbook has no parameter ${shown(reference.name)}${meant}`;
  }
  const key = path.findLast((segment) => typeof segment === 'string');
  if (!mayBeShown(String(key), '')) return `a secret is never typed into a form; write \${secret:NAME}`;
  if (isPlain(parameter) && parameter.type === 'text' && !isReference(value)) {
    return `${reference.written} is a text that people type, so it may only stand alone, as the whole value; make it a choice, or give it a place of its own`;
  }
  return undefined;
}

/**
 * Parameters of a runbook: what somebody types into the form before it runs. Every value is held against its declaration here, on the
 * server, whatever the form allowed; nothing typed is ever taken for a reference, so that nobody types `${secret:…}` into an action.
 */

import type { Parameter } from './config/model.ts';
import { expandParameters } from './config/references.ts';
import { parseDurationMs, spanInWords } from './duration.ts';
import { listInWords } from './words.ts';

/** A number where one was asked for, else the text: durations stay as they are written, since actions read them so. */
export type ParameterValue = string | number;

/** Characters of a text unless its declaration says else: it is told in the thread in one line. */
export const TEXT_CHARACTERS = 300;

/** The value of one parameter, or what was expected instead. */
export function readParameter(parameter: Parameter, typed: string): { value: ParameterValue } | { error: string } {
  const text = typed.trim();
  if (text === '') return { error: `Expected ${wanted(parameter)}; it is empty.` };
  // The agent would resolve it: a secret in the place of a word.
  if (parameter.type === 'text' && text.includes('${')) return { error: 'Expected a text without "${": nothing is filled in here.' };
  const value = READ[parameter.type](parameter, text);
  return value === undefined ? { error: `Expected ${wanted(parameter)}, got "${text.slice(0, 60)}".` } : { value };
}

/** All values, or the errors by the parameter's name. What was not typed is missing, also when there is a default: the form shows that. */
export function readParameters(
  parameters: readonly Parameter[],
  typed: (name: string) => string | undefined,
): { ok: true; values: Map<string, ParameterValue> } | { ok: false; errors: Map<string, string> } {
  const values = new Map<string, ParameterValue>();
  const errors = new Map<string, string>();
  for (const parameter of parameters) {
    const found = readParameter(parameter, typed(parameter.name) ?? '');
    if ('error' in found) errors.set(parameter.name, found.error);
    else values.set(parameter.name, found.value);
  }
  return errors.size > 0 ? { ok: false, errors } : { ok: true, values };
}

/** The action's parameters as written, with every `${param.NAME}` filled in. Not yet held against the action's schema. */
export function fillParameters(template: unknown, values: ReadonlyMap<string, ParameterValue>): unknown {
  return expandParameters(template, values);
}

/**
 * Sets of values that stand for all that can be typed: the smallest, the largest, every choice. An action that takes all of them at its
 * schema takes what people will type, but for the length of a text.
 */
export function sampleParameters(parameters: readonly Parameter[]): Map<string, ParameterValue>[] {
  const base = new Map(parameters.map((parameter) => [parameter.name, samplesOf(parameter)[0] ?? 'x']));
  const others = parameters.flatMap((parameter) =>
    samplesOf(parameter)
      .slice(1)
      .map((value) => new Map(base).set(parameter.name, value)),
  );
  return [base, ...others];
}

/** What the form holds before anybody types: the defaults, and for the rest the first of what could be. */
export function usualParameters(parameters: readonly Parameter[]): Map<string, ParameterValue> {
  return new Map(
    parameters.map((parameter) => {
      const usual = parameter.default === undefined ? undefined : readParameter(parameter, parameter.default);
      return [parameter.name, usual && 'value' in usual ? usual.value : (samplesOf(parameter)[0] ?? 'x')];
    }),
  );
}

const READ: Record<Parameter['type'], (parameter: Parameter, text: string) => ParameterValue | undefined> = {
  text: (parameter, text) => {
    const most = parameter.max ?? TEXT_CHARACTERS;
    return !/\p{Cc}/u.test(text) && text.length <= most && text.length >= (parameter.min ?? 1) ? text : undefined;
  },
  number: (parameter, text) => {
    const value = /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
    return within(parameter, value) ? value : undefined;
  },
  duration: (parameter, text) => {
    const ms = parseDurationMs(text);
    return ms !== undefined && within(parameter, ms) ? text : undefined;
  },
  choice: (parameter, text) => parameter.options?.find((option) => option === text),
};

function within({ min, max }: Parameter, value: number): boolean {
  return Number.isFinite(value) && value >= (min ?? Number.NEGATIVE_INFINITY) && value <= (max ?? Number.POSITIVE_INFINITY);
}

/** What may be typed, in words: "a number from 1 to 5", "one of rolling or all". */
export function wanted(parameter: Parameter): string {
  const { type, min, max, options } = parameter;
  if (type === 'choice') return `one of ${listInWords(options ?? [], 8, 'or')}`;
  if (type === 'text') {
    const least = min !== undefined && min > 1 ? `from ${min} to` : 'at most';
    return `a text of ${least} ${max ?? TEXT_CHARACTERS} characters on one line`;
  }
  if (type === 'number') return `a number${range(min, max, String)}`;
  return `a duration such as 30s or 5m${range(min, max, spanInWords)}`;
}

function range(min: number | undefined, max: number | undefined, words: (value: number) => string): string {
  if (min !== undefined && max !== undefined) return ` from ${words(min)} to ${words(max)}`;
  if (min !== undefined) return ` of at least ${words(min)}`;
  return max === undefined ? '' : ` of at most ${words(max)}`;
}

/** A text is never its own default here: an address as a default must not make room for any address. */
function samplesOf(parameter: Parameter): ParameterValue[] {
  const { type, min, max, options } = parameter;
  if (type === 'choice') return options ?? [];
  if (type === 'text') return ['x'.repeat(Math.max(1, min ?? 1))];
  const bounds = [min, max].filter((bound) => bound !== undefined);
  if (type === 'number') return bounds.length > 0 ? bounds : [1];
  return bounds.length > 0 ? bounds.map((ms) => `${ms}ms`) : ['30s'];
}

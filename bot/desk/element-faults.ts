/** Slack's limits on what can be pressed, chosen or filled in: docs.slack.dev/reference/block-kit/block-elements. */

import { fault, faultsOfText, missing, tooFew, tooLong, tooMany } from './faults.ts';
import type { Element, Option } from './shapes.ts';
import { asObject, optionsOf } from './shapes.ts';

const MAX_BUTTON_CHARACTERS = 75;
const MAX_VALUE_CHARACTERS = 2_000;
const MAX_ID_CHARACTERS = 255;
const MAX_PLACEHOLDER_CHARACTERS = 150;
const MAX_OPTIONS = 100;
const MAX_BOXES = 10;
const MAX_OVERFLOW_OPTIONS = 5;
const MAX_OPTION_CHARACTERS = 75;
const MAX_OPTION_VALUE_CHARACTERS = 150;
const MAX_INPUT_CHARACTERS = 3_000;

const MENUS = ['static_select', 'external_select', 'users_select', 'conversations_select', 'channels_select'];
const MULTI_MENUS = MENUS.map((menu) => `multi_${menu}`);
const CHOICES = ['checkboxes', 'radio_buttons'];
const PICKERS = ['datepicker', 'timepicker', 'datetimepicker'];
const TEXTS = ['plain_text_input', 'number_input', 'email_text_input', 'url_text_input', 'rich_text_input', 'file_input'];

/** Which elements stand where. */
export const ALLOWED: Readonly<Record<'actions' | 'accessory' | 'input', ReadonlySet<string>>> = {
  actions: new Set(['button', 'overflow', 'workflow_button', ...MENUS, ...CHOICES, ...PICKERS]),
  accessory: new Set(['button', 'overflow', 'workflow_button', 'image', ...MENUS, ...MULTI_MENUS, ...CHOICES, ...PICKERS]),
  input: new Set([...TEXTS, ...MENUS, ...MULTI_MENUS, ...CHOICES, ...PICKERS]),
};

/** The faults of one element. */
export function faultsOfElement(element: Element, at: string, within: keyof typeof ALLOWED): string[] {
  if (!ALLOWED[within].has(element.type)) return [fault(`unsupported type: ${String(element.type)}`, `${at}/type`)];
  return [
    ...tooLong(element.action_id, MAX_ID_CHARACTERS, `${at}/action_id`),
    ...faultsOfText(element.placeholder, `${at}/placeholder`, { most: MAX_PLACEHOLDER_CHARACTERS, plain: true }),
    ...(RULES[element.type]?.(element, at) ?? []),
  ];
}

type Rule = (element: Element, at: string) => string[];

const RULES: Readonly<Record<string, Rule>> = {
  button: (element, at) => [
    ...missing('text', element.text, at),
    ...faultsOfText(element.text, `${at}/text`, { most: MAX_BUTTON_CHARACTERS, plain: true }),
    ...tooLong(element.value, MAX_VALUE_CHARACTERS, `${at}/value`),
  ],
  image: (element, at) => missing('alt_text', element.alt_text, at),
  overflow: (element, at) => faultsOfOptions(element, at, MAX_OVERFLOW_OPTIONS, true),
  static_select: (element, at) => faultsOfMenu(element, at),
  multi_static_select: (element, at) => faultsOfMenu(element, at),
  checkboxes: (element, at) => [...faultsOfOptions(element, at, MAX_BOXES, false), ...faultsOfInitial(element, at)],
  radio_buttons: (element, at) => [...faultsOfOptions(element, at, MAX_BOXES, false), ...faultsOfInitial(element, at)],
  plain_text_input: (element, at) => [
    ...tooLong(element.initial_value, MAX_INPUT_CHARACTERS, `${at}/initial_value`),
    ...outside(element.min_length, 0, MAX_INPUT_CHARACTERS, `${at}/min_length`),
    ...outside(element.max_length, 1, MAX_INPUT_CHARACTERS, `${at}/max_length`),
  ],
  number_input: (element, at) => [
    ...missing('is_decimal_allowed', element.is_decimal_allowed, at),
    ...['initial_value', 'min_value', 'max_value'].flatMap((field) => notNumeric(element[field], `${at}/${field}`)),
  ],
  datepicker: (element, at) => unlike(element.initial_date, /^\d{4}-\d{2}-\d{2}$/, 'YYYY-MM-DD', `${at}/initial_date`),
  timepicker: (element, at) => unlike(element.initial_time, /^([01]\d|2[0-3]):[0-5]\d$/, 'HH:mm', `${at}/initial_time`),
};

function faultsOfMenu(element: Element, at: string): string[] {
  if (!element.option_groups) return [...faultsOfOptions(element, at, MAX_OPTIONS, true), ...faultsOfInitial(element, at)];
  const groups = element.option_groups;
  return [
    ...tooFew(groups.length, `${at}/option_groups`),
    ...tooMany(groups.length, MAX_OPTIONS, `${at}/option_groups`),
    ...groups.flatMap((group, index) => [
      ...missing('label', group.label, `${at}/option_groups/${index}`),
      ...faultsOfOptions({ type: element.type, options: group.options }, `${at}/option_groups/${index}`, MAX_OPTIONS, true),
    ]),
    ...faultsOfInitial(element, at),
  ];
}

function faultsOfOptions(element: Element, at: string, most: number, plain: boolean): string[] {
  const { options } = element;
  if (!Array.isArray(options)) return missing('options', undefined, at);
  return [
    ...tooFew(options.length, `${at}/options`),
    ...tooMany(options.length, most, `${at}/options`),
    ...options.flatMap((option, index) => faultsOfOption(option, `${at}/options/${index}`, plain)),
  ];
}

function faultsOfOption(option: Option, at: string, plain: boolean): string[] {
  if (!asObject(option)) return [fault('must provide an object', at)];
  return [
    ...missing('text', option.text, at),
    ...faultsOfText(option.text, `${at}/text`, { most: MAX_OPTION_CHARACTERS, plain }),
    ...tooLong(option.value, MAX_OPTION_VALUE_CHARACTERS, `${at}/value`),
    ...faultsOfText(option.description, `${at}/description`, { most: MAX_OPTION_CHARACTERS, plain }),
  ];
}

/** What is chosen at first must be one of the options, in every part. */
function faultsOfInitial(element: Element, at: string): string[] {
  const known = new Set(optionsOf(element).map((option) => essence(option)));
  const one = 'initial_option' in element ? [{ option: element.initial_option, at: `${at}/initial_option` }] : [];
  const many = Array.isArray(element.initial_options)
    ? element.initial_options.map((option: unknown, index) => ({ option, at: `${at}/initial_options/${index}` }))
    : [];
  return [...one, ...many].flatMap(({ option, at: place }) => {
    if (!asObject(option)) return [fault('must provide an object', place)];
    return known.has(essence(option as Option)) ? [] : [fault('must match one of the options', place)];
  });
}

function essence(option: Option): string {
  return JSON.stringify([option.value, option.text?.type, option.text?.text, option.description?.text]);
}

function outside(value: unknown, least: number, most: number, at: string): string[] {
  if (value === undefined) return [];
  if (typeof value !== 'number' || !Number.isInteger(value)) return [fault('must provide an integer', at)];
  return value < least || value > most ? [fault(`must be between ${least} and ${most}`, at)] : [];
}

function notNumeric(value: unknown, at: string): string[] {
  if (value === undefined) return [];
  if (typeof value !== 'string') return [fault('must provide a string', at)];
  return /^-?\d+(\.\d+)?$/.test(value) ? [] : [fault('must be a number in a string', at)];
}

function unlike(value: unknown, pattern: RegExp, shape: string, at: string): string[] {
  if (value === undefined) return [];
  return typeof value === 'string' && pattern.test(value) ? [] : [fault(`must be in the format ${shape}`, at)];
}

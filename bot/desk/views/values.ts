/** What was filled in, in Slack's shapes: `state.values` of a view or a message, and the fields of an action. */

import type { Block, Element, Json, Option } from '../shapes.ts';
import { asArray, asObject, asText, elementsOf, optionsOf } from '../shapes.ts';

/** What the page sends of one field: its text, the values chosen, or the option that came from the bot. */
export type RawValue = string | string[] | Option | null;
/** By block and by action. */
export type RawValues = Readonly<Record<string, Readonly<Record<string, RawValue>>>>;

interface Kind {
  /** The field of the element that holds what it begins with. */
  initial: string;
  /** What Slack says of it. */
  state(element: Element, raw: RawValue): Json;
}

const KINDS: Readonly<Record<string, Kind>> = {
  plain_text_input: text('initial_value'),
  number_input: text('initial_value'),
  email_text_input: text('initial_value'),
  url_text_input: text('initial_value'),
  static_select: { initial: 'initial_option', state: (element, raw) => ({ selected_option: optionFor(element, raw) }) },
  external_select: { initial: 'initial_option', state: (element, raw) => ({ selected_option: optionFor(element, raw) }) },
  radio_buttons: { initial: 'initial_option', state: (element, raw) => ({ selected_option: optionFor(element, raw) }) },
  overflow: { initial: '', state: (element, raw) => ({ selected_option: optionFor(element, raw) }) },
  multi_static_select: { initial: 'initial_options', state: (element, raw) => ({ selected_options: optionsFor(element, raw) }) },
  checkboxes: { initial: 'initial_options', state: (element, raw) => ({ selected_options: optionsFor(element, raw) }) },
  users_select: single('initial_user', 'selected_user'),
  channels_select: single('initial_channel', 'selected_channel'),
  conversations_select: single('initial_conversation', 'selected_conversation'),
  multi_users_select: { initial: 'initial_users', state: (_element, raw) => ({ selected_users: asArray(raw) ?? [] }) },
  datepicker: single('initial_date', 'selected_date'),
  timepicker: single('initial_time', 'selected_time'),
};

/** What is known of an element only while its menu is open: it has no state of its own. */
const WITHOUT_STATE = new Set(['overflow']);

function text(initial: string): Kind {
  return { initial, state: (_element, raw) => ({ value: asText(raw) === '' ? null : asText(raw) }) };
}

function single(initial: string, selected: string): Kind {
  return { initial, state: (_element, raw) => ({ [selected]: asText(raw) === '' ? null : asText(raw) }) };
}

function optionFor(element: Element, raw: RawValue): Option | null {
  if (asObject(raw)) return raw as Option;
  return optionsOf(element).find((option) => option.value === raw) ?? null;
}

/** In the order of the options, as Slack has them. */
function optionsFor(element: Element, raw: RawValue): Option[] {
  const chosen = new Set(asArray(raw) ?? []);
  return optionsOf(element).filter((option) => chosen.has(option.value));
}

/** What an element holds before anybody touched it. */
export function initialOf(element: Element): RawValue {
  const initial = element[KINDS[element.type]?.initial ?? ''];
  if (Array.isArray(initial)) return initial.map((one: unknown) => asText(asObject(one)?.value) || asText(one));
  if (element.type === 'external_select') return (asObject(initial) as Option | undefined) ?? null;
  return asText(asObject(initial)?.value) || asText(initial) || null;
}

/** Whether the desk can show and fill in elements of this type. */
export function isStateful(element: Element): boolean {
  return KINDS[element.type] !== undefined && !WITHOUT_STATE.has(element.type);
}

/** `state.values` of these blocks. What the page does not tell is as it was at first. */
export function stateOf(blocks: readonly Block[], raw: RawValues): Json {
  const perBlock = blocks.map((block) => [block.block_id ?? '', stateOfBlock(block, raw[block.block_id ?? ''] ?? {})] as const);
  return Object.fromEntries(perBlock.filter(([, state]) => Object.keys(state).length > 0));
}

function stateOfBlock(block: Block, raw: Readonly<Record<string, RawValue>>): Json {
  const stateful = elementsOf(block).filter(isStateful);
  return Object.fromEntries(stateful.map((element) => [element.action_id ?? '', stateOfElement(element, raw[element.action_id ?? ''])]));
}

/** The type of an element and what is in it. */
export function stateOfElement(element: Element, raw: RawValue | undefined): Json {
  const value = raw === undefined ? initialOf(element) : raw;
  return { type: element.type, ...KINDS[element.type]?.state(element, value) };
}

/** The entry in `actions` for something that was pressed or chosen. */
export function actionOf(element: Element, block: string, raw: RawValue | undefined): Json {
  const { action_id, text: label, value, style, type, placeholder } = element;
  const pressed = KINDS[type] ? { placeholder, ...stateOfElement(element, raw) } : { text: label, value, style };
  const given = Object.entries({ action_id, block_id: block, ...pressed, type }).filter(([, one]) => one !== undefined);
  return { ...Object.fromEntries(given), action_ts: (Date.now() / 1_000).toFixed(6) };
}

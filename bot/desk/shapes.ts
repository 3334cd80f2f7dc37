/** The parts of Slack's objects that the desk reads. Everything else passes through untouched. */

export type Json = Record<string, unknown>;

export interface TextObject {
  type: string;
  text: string;
}

export interface Confirm {
  title?: TextObject;
  text?: TextObject;
  confirm?: TextObject;
  deny?: TextObject;
  style?: string;
}

export interface Option {
  text: TextObject;
  value: string;
  description?: TextObject;
}

export interface OptionGroup {
  label: TextObject;
  options: Option[];
}

export interface Element extends Json {
  type: string;
  action_id?: string;
  text?: TextObject | string;
  value?: string;
  style?: string;
  url?: string;
  confirm?: Confirm;
  placeholder?: TextObject;
  options?: Option[];
  option_groups?: OptionGroup[];
}

export interface Block extends Json {
  type: string;
  block_id?: string;
  text?: TextObject;
  fields?: TextObject[];
  elements?: Element[];
  accessory?: Element;
  /** The field of an input block, with its label and its hint. */
  element?: Element;
  label?: TextObject;
  hint?: TextObject;
  optional?: boolean;
}

/** A modal or a Home tab as an app sends it. */
export interface ViewPayload {
  type: 'modal' | 'home';
  blocks: Block[];
  title?: TextObject | null;
  submit?: TextObject | null;
  close?: TextObject | null;
  private_metadata?: unknown;
  callback_id?: unknown;
  external_id?: unknown;
  clear_on_close?: unknown;
  notify_on_close?: unknown;
}

/** A modal or a Home tab as Slack keeps it and tells it to apps. */
export interface View extends ViewPayload {
  id: string;
  hash: string;
  team_id: string;
  title: TextObject | null;
  submit: TextObject | null;
  close: TextObject | null;
  private_metadata: string;
  callback_id: string;
  external_id: string;
  root_view_id: string;
  previous_view_id: string | null;
  clear_on_close: boolean;
  notify_on_close: boolean;
  state: { values: Json };
  app_id: string;
  app_installed_team_id: string;
  bot_id: string;
}

export interface SlackFile extends Json {
  id: string;
  name?: string;
  title?: string;
  mimetype?: string;
}

export interface Message extends Json {
  ts: string;
  user?: string;
  text?: string;
  thread_ts?: string;
  blocks?: Block[];
  attachments?: Json[];
  files?: SlackFile[];
  reply_count?: number;
  reply_users?: string[];
  edited?: { user: string; ts: string };
  reactions?: { name: string; count: number }[];
}

export interface Channel {
  id: string;
  name: string;
  kind: 'channel' | 'direct';
}

/** The value when it is a string, else the empty string. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value when it is an object, else undefined. */
export function asObject(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The value when it is an array, or the array that the JSON text holds (Slack takes both), else undefined. */
export function asArray(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string' || value === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The object, or the one that the JSON text holds (Slack takes both), else undefined. */
export function asObjectOrJson(value: unknown): Json | undefined {
  if (typeof value !== 'string') return asObject(value);
  try {
    return asObject(JSON.parse(value));
  } catch {
    return undefined;
  }
}

/** Every element of a block that somebody can press, choose in or fill in. */
export function elementsOf(block: Block): Element[] {
  return [
    ...(block.type === 'actions' ? (block.elements ?? []) : []),
    ...(block.accessory ? [block.accessory] : []),
    ...(block.type === 'input' && block.element ? [block.element] : []),
  ];
}

/** The options of a menu, whether they stand in groups or not. */
export function optionsOf(element: Element): Option[] {
  return [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
}

/** Whether Slack would take the value as true. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 'true' || value === '1';
}

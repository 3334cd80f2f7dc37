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

export interface Element extends Json {
  type: string;
  action_id?: string;
  text?: TextObject | string;
  value?: string;
  style?: string;
  url?: string;
  confirm?: Confirm;
}

export interface Block extends Json {
  type: string;
  block_id?: string;
  text?: TextObject;
  fields?: TextObject[];
  elements?: Element[];
  accessory?: Element;
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

/** Whether Slack would take the value as true. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 'true' || value === '1';
}

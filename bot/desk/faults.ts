/**
 * What Slack would not take, as it words it in `response_metadata.messages`. The wordings are Slack's own where they are known from its
 * answers (`must be less than 25 characters`, `no more than 10 items allowed`, `already exists` …).
 */

import { asArray, asObject } from './shapes.ts';

/** A fault at a place, such as `/view/title/text`. */
export function fault(text: string, at: string): string {
  return `[ERROR] ${text} [json-pointer:${at}]`;
}

/** A field that must be there. */
export function missing(field: string, value: unknown, at: string): string[] {
  return value === undefined || value === null || value === '' ? [fault(`missing required field: ${field}`, at)] : [];
}

/** A string of at most so many characters; nothing is said when it is absent. */
export function tooLong(text: unknown, most: number, at: string): string[] {
  if (text === undefined || text === null) return [];
  if (typeof text !== 'string') return [fault('must provide a string', at)];
  return text.length > most ? [fault(`must be less than ${most + 1} characters`, at)] : [];
}

/** A list of at most so many items. */
export function tooMany(count: number, most: number, at: string): string[] {
  return count > most ? [fault(`no more than ${most} items allowed`, at)] : [];
}

/** A list of at least one item. */
export function tooFew(count: number, at: string): string[] {
  return count === 0 ? [fault('no less than 1 items required', at)] : [];
}

/** How a text object must be. */
export interface TextRule {
  most: number;
  /** Only `plain_text` is taken. */
  plain?: boolean;
}

/** The faults of a text object; nothing is said when it is absent. */
export function faultsOfText(value: unknown, at: string, rule: TextRule): string[] {
  if (value === undefined || value === null) return [];
  const text = asObject(value);
  if (!text) return [fault('must provide an object', at)];
  const isPlain = text.type === 'plain_text';
  if (!isPlain && (rule.plain || text.type !== 'mrkdwn')) return [fault(`unsupported type: ${String(text.type)}`, `${at}/type`)];
  if (text.text === '') return [fault('must be more than 0 characters', `${at}/text`)];
  return [...missing('text', text.text, at), ...tooLong(text.text, rule.most, `${at}/text`)];
}

/** The list that a required field holds; when it is none, that is the fault. */
export function listOf(value: unknown, field: string, at: string): { items: unknown[]; faults: string[] } {
  const items = asArray(value);
  if (items) return { items, faults: [] };
  return { items: [], faults: value === undefined ? missing(field, value, at) : [fault('must provide an array', `${at}/${field}`)] };
}

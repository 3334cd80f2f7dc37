/** What Slack's own client says at a field before anything is sent. The limits are those of the element; the sentences are the desk's. */

import type { Block, Element } from '../shapes.ts';
import { asText } from '../shapes.ts';
import type { RawValue, RawValues } from './values.ts';
import { initialOf, isStateful } from './values.ts';

const REQUIRED = 'Please complete this required field.';

/** A sentence for each input block that cannot be sent as it is, by block id. */
export function complaintsOf(blocks: readonly Block[], raw: RawValues): Record<string, string> {
  const inputs = blocks.filter((block) => block.type === 'input' && block.element !== undefined && isStateful(block.element));
  const complaints = inputs.map((block) => [block.block_id ?? '', complaintOf(block, raw)] as const);
  return Object.fromEntries(complaints.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function complaintOf(block: Block, raw: RawValues): string | undefined {
  const element = block.element as Element;
  const given = raw[block.block_id ?? '']?.[element.action_id ?? ''];
  const value = given === undefined ? initialOf(element) : given;
  if (isEmpty(value)) return block.optional ? undefined : REQUIRED;
  return CHECKS[element.type]?.(element, asText(value));
}

function isEmpty(value: RawValue): boolean {
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

const CHECKS: Readonly<Record<string, (element: Element, value: string) => string | undefined>> = {
  plain_text_input: (element, value) => {
    const [least, most] = [Number(element.min_length ?? 0), Number(element.max_length ?? 3_000)];
    if (value.length < least) return `Enter at least ${least} characters.`;
    return value.length > most ? `Enter at most ${most} characters.` : undefined;
  },
  number_input: (element, value) => {
    const decimal = element.is_decimal_allowed === true;
    if (!(decimal ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/).test(value)) return decimal ? 'Enter a number.' : 'Enter a whole number.';
    if (element.min_value !== undefined && Number(value) < Number(element.min_value)) return `Enter ${element.min_value} or more.`;
    return element.max_value !== undefined && Number(value) > Number(element.max_value) ? `Enter ${element.max_value} or less.` : undefined;
  },
  email_text_input: (_element, value) => (/^[^@\s]+@[^@\s]+$/.test(value) ? undefined : 'Enter an email address.'),
  url_text_input: (_element, value) => (/^https?:\/\/\S+$/.test(value) ? undefined : 'Enter a web address.'),
};

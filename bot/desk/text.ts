/** Text objects of Block Kit as HTML. */

import type { Names } from './mrkdwn.ts';
import { mrkdwn, plainText } from './mrkdwn.ts';
import type { TextObject } from './shapes.ts';

/** A text object as HTML. */
export function textHtml(text: TextObject | undefined, names: Names): string {
  if (!text) return '';
  return text.type === 'mrkdwn' ? mrkdwn(text.text, names) : plainText(text.text);
}

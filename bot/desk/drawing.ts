/** For whom and where blocks are drawn. */

import type { Names } from './mrkdwn.ts';
import type { Person } from './settings.ts';
import type { Channel } from './shapes.ts';

export interface Drawing extends Names {
  /** Makes ids in the page unlike those of other messages and views. */
  scope: string;
  people: readonly Person[];
  channels: readonly Channel[];
}

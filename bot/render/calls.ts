/** Lines of the thread about who was called, who takes over, and what was told elsewhere. Pure. */
import { spanInWords } from '../../core/duration.ts';
import type { TimelineEntry } from '../../core/incident.ts';
import { listInWords } from '../../core/words.ts';
import { data } from './blocks.ts';

/** What is called by name in a message, by a person's id: Slack's mention, or the name where there is none. */
type Call = (person: string) => string;

/** `Nobody acknowledged for 10 min. Called: @Ana and @Ben.` */
export function escalatedLine(entry: Extract<TimelineEntry, { kind: 'escalated' }>, call: Call): string {
  const { by, afterMs } = entry;
  const waited = afterMs > 0 ? `Nobody acknowledged for ${spanInWords(afterMs)}. ` : '';
  return `${by === undefined ? waited : `${data(by)} escalated. `}${calledWords(entry, call)}`;
}

function calledWords({ to, people, team, channel }: Extract<TimelineEntry, { kind: 'escalated' }>, call: Call): string {
  if (to === 'channel') return `Told ${data(channel ?? '')}.`;
  const where = channel === undefined ? '' : `, told in ${data(channel)}`;
  const whose = team === undefined ? '' : ` for ${data(team)}`;
  if (people.length === 0) return `Nobody is on call${whose}${where}: the next step calls others.`;
  const whoIsIt = to === 'on-call' || to === 'other-team' ? `, on call${whose}` : '';
  return `Called: ${listInWords(people.map(call), 10)}${whoIsIt}${where}.`;
}

/** `On call for Billing operations from now on: @Ben. Before: Ana.` */
export function handedOverLine({ team, from, to }: Extract<TimelineEntry, { kind: 'handed-over' }>, nameOf: Call, call: Call): string {
  const now = to.length === 0 ? 'nobody' : listInWords(to.map(call), 10);
  const before = from.length === 0 ? '' : ` Before: ${data(listInWords(from.map(nameOf), 10))}.`;
  return `On call for ${data(team)} from now on: ${now}.${before}`;
}

const WAYS = { email: 'by mail', webhook: 'by webhook' } as const;

/** `Slack was away: told by mail.` */
export function toldElsewhereLine({ way, about }: Extract<TimelineEntry, { kind: 'told-elsewhere' }>): string {
  return about === 'resolved' ? `Slack was away: that it is over was told ${WAYS[way]}.` : `Slack was away: told ${WAYS[way]} (${about}).`;
}

/** What the thread tells: one line an entry, with its time. Pure. */
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { incidentName, type TimelineEntry } from '../../core/incident.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import { data, type Message, message, section } from './blocks.ts';
import { escalatedLine, handedOverLine, toldElsewhereLine } from './calls.ts';

/** Reasons of a class, in words; those that the headline says already are not repeated. */
const WHY: Record<string, string> = {
  'some-locations-below-quorum': 'It fails from several locations, but not from most.',
  'one-location-alone': 'One location alone sees it, three rounds in a row.',
  'objective-missed': 'Slower than its objective.',
};

/**
 * One entry as a line. `nameOf` gives the name for a person's id, `mentionOf` what Slack takes for calling them: a raise calls who
 * is on call, since Slack tells nobody of a post that was changed.
 */
export function renderThread(
  entry: TimelineEntry,
  atMs: number,
  timeZone: string,
  nameOf: (person: string) => string,
  mentionOf: (person: string) => string = () => '',
): Message {
  const called = entry.kind === 'class-raised' ? (entry.onCall ?? []).map(mentionOf).join(' ') : '';
  const line =
    `${timeOfDay(atMs, timeZone)} ${words(entry, timeZone, nameOf, (person) => mentionOf(person) || data(nameOf(person)))} ${called}`.trim();
  return message(line.replaceAll(/[*\u200b]/g, ''), [section(line)]);
}

function words(entry: TimelineEntry, timeZone: string, nameOf: (person: string) => string, call: (person: string) => string): string {
  switch (entry.kind) {
    case 'opened':
      return `${MARKS[entry.class]} ${data(entry.headline)}${seen(entry.seenFrom)}${why(entry.reason)}`;
    case 'class-raised':
      return `${MARKS[entry.to]} Raised from ${entry.from} to *${entry.to}*: ${data(entry.headline)}${why(entry.reason)}`;
    case 'class-lowered':
      return `${MARKS[entry.to]} Lowered from ${entry.from} to *${entry.to}*: ${data(entry.headline)}${why(entry.reason)}`;
    case 'impact-changed':
      return `Now: ${data(entry.headline)}`;
    case 'outlived-cause':
      return `${data(entry.cause)} is well again, but this goes on: ${data(entry.headline)}`;
    case 'merged':
      return `Told on in ${incidentName(entry.into)}: ${data(entry.cause)}.`;
    case 'acknowledged':
      return `${data(nameOf(entry.by))} acknowledged.`;
    case 'silenced':
      return `${data(nameOf(entry.by))} silenced it until ${timeOfDay(entry.untilMs, timeZone)}: ${sentenceOf(entry.reason)}`;
    case 'asked':
      return `${data(nameOf(entry.by))} asked for "${data(entry.title)}"${given(entry.parameters)}. Shown: ${sentenceOf(entry.preview)}`;
    case 'refused':
      return `${data(nameOf(entry.by))} was refused: ${sentenceOf(entry.text)}`;
    case 'posted-anew':
      return 'Posted anew: the earlier post was gone from Slack.';
    case 'handed-over':
      return handedOverLine(entry, nameOf, call);
    case 'escalated':
      return escalatedLine(entry, call);
    case 'told-elsewhere':
      return toldElsewhereLine(entry);
    default:
      return ending(entry);
  }
}

/** What was filled in: ` with Why: the queue is stuck, Wait: 30s`. */
function given(parameters: Extract<TimelineEntry, { kind: 'asked' }>['parameters']): string {
  const words = (parameters ?? []).map(({ title, value }) => `${data(title)}: ${data(String(value))}`);
  return words.length === 0 ? '' : ` with ${words.join(', ')}`;
}

function ending(entry: Extract<TimelineEntry, { kind: 'acted' | 'verified' | 'resolved' }>): string {
  if (entry.kind === 'acted') return `${ACTED[entry.outcome](data(entry.title))} ${sentenceOf(entry.summary)}`;
  if (entry.kind === 'verified') return sentenceOf(entry.text);
  return `${MARKS.resolved} Resolved after ${spanInWords(entry.afterMs)}. ${data(entry.text)}`.trim();
}

const ACTED: Record<'done' | 'failed' | 'refused' | 'unclear', (title: string) => string> = {
  done: (title) => `"${title}" is done.`,
  failed: (title) => `"${title}" failed.`,
  refused: (title) => `"${title}" was not run.`,
  unclear: (title) => `"${title}" is unclear:`,
};

function seen(locations: readonly string[]): string {
  return locations.length === 0 ? '' : ` Seen from ${data(listInWords(locations))}.`;
}

function why(reason: string): string {
  return WHY[reason] ? ` ${WHY[reason]}` : '';
}

/** Data that ends as a sentence does. */
function sentenceOf(text: string): string {
  const clean = data(text);
  return clean === '' || /[.!?…]$/.test(clean) ? clean : `${clean}.`;
}

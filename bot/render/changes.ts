/** What was changed of late, the latest first. Pure. */
import { kindInWords, momentInWords, sourceTitle, touchedInWords } from '../../core/change/words.ts';
import { isUnscoped, type ReportedChange } from '../../core/change.ts';
import type { Config } from '../../core/config/model.ts';
import { spanInWords } from '../../core/duration.ts';
import { countInWords } from '../../core/report/words.ts';
import { type Block, context, data, few, LIMITS, label, type Message, message, section } from './blocks.ts';

const DAY_MS = 86_400_000;
const MOST = 20;
/** A longer address is not worth the room. */
const MOST_LINK_CHARACTERS = 400;
const MOST_TITLE_CHARACTERS = 120;

export interface ChangesView {
  config: Pick<Config, 'services' | 'components' | 'tenants' | 'timezone'>;
  nowMs: number;
  spanMs: number;
  changes: readonly ReportedChange[];
  /** What was asked for; without it, everything. */
  subject?: string;
}

/** One line for each change. */
export function renderChanges(view: ChangesView): Message {
  const { changes, spanMs, subject } = view;
  const last = `in the last ${spanMs === DAY_MS ? '24 h' : spanInWords(spanMs)}`;
  const of = subject === undefined ? '' : ` that ${changes.length === 1 ? 'concerns' : 'concern'} ${data(subject)}`;
  if (changes.length === 0) {
    const none =
      subject === undefined ? `No change was reported ${last}.` : `No change that concerns ${data(subject)} was reported ${last}.`;
    return message(none, [section(none)]);
  }
  const first = `${countInWords(changes.length)} ${changes.length === 1 ? 'change' : 'changes'}${of} ${last}`;
  const lines = few(
    changes.map((change) => lineOf(view, change)),
    MOST,
    'changes',
  );
  const blocks: Block[] = [section(`*${first}*`), ...packed(lines).map((some) => section(...some))];
  const unscoped = changes.slice(0, MOST).some(isUnscoped);
  if (subject !== undefined && unscoped) blocks.push(context('Of those without a name at the end nobody said what they touch.'));
  return message(first, blocks);
}

/** As many lines to a block as Slack takes. */
function packed(lines: readonly string[]): string[][] {
  const blocks: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    size += line.length + 1;
    if (size <= LIMITS.section) blocks.at(-1)?.push(line);
    else {
      blocks.push([line]);
      size = line.length;
    }
  }
  return blocks;
}

function lineOf({ config, nowMs }: ChangesView, change: ReportedChange): string {
  const parts = [
    `*${momentInWords(change.atMs, nowMs, config.timezone)}* ${titleOf(change)}`,
    change.outcome === 'failed' ? `*${kindInWords(change)}*` : kindInWords(change),
    ...(change.by === undefined ? [] : [`by ${data(label(change.by, 40))}`]),
    sourceTitle(change.source),
    ...(isUnscoped(change) ? [] : [data(touchedInWords(change, config))]),
  ];
  return parts.join(' · ');
}

/** A link when there is where to look. */
function titleOf({ title, url }: ReportedChange): string {
  const shown = data(label(title, MOST_TITLE_CHARACTERS));
  // A stroke would end the address; an ampersand is escaped as everywhere in Slack.
  const link = url?.replaceAll('|', '%7C').replaceAll('>', '%3E').replaceAll('&', '&amp;');
  return link === undefined || link.length > MOST_LINK_CHARACTERS ? shown : `<${link}|${shown.replaceAll('|', '¦')}>`;
}

/**
 * `rounds replay`: decides once more what was decided, from the decision log, and holds it against what is stored. With `--config`, the same
 * history under another configuration: what would have been posted.
 */
import { parseMoment } from '../core/change/moment.ts';
import type { Config } from '../core/config/model.ts';
import { shown } from '../core/config/words.ts';
import { timeOfDay } from '../core/duration.ts';
import { WhatIf, type WouldPost } from '../core/replay/what-if.ts';
import type { Difference, Replayed } from '../core/replay.ts';
import { Replay } from '../core/replay.ts';
import { VERSION } from '../core/version.ts';
import { MARKS } from '../core/words.ts';
import { loadActions } from '../runbooks/registry.ts';
import { changesBetween } from '../store/change.ts';
import { type Db, inTransaction, openPool } from '../store/db.ts';
import { type LogReader, NotReplayable, openLog } from '../store/decision-log-read.ts';
import { postsBetween, silencesBetween, timezoneInForce } from '../store/what-if.ts';
import { withTables } from './apply.ts';
import { ConfigError, readConfig } from './config.ts';
import type { CliContext } from './context.ts';
import { databaseUrlOf } from './places.ts';

const DIFFERENT = 1;
const CANNOT = 2;
/** More differences than that have one cause, and the first ones show it. */
const MOST_DIFFERENCES = 50;
const HOUR_MS = 3_600_000;

/** Resolves to the exit code: 0 when it comes out the same, 1 when not, 2 with one sentence when it cannot be done. */
export async function replay({ env, io, log, options }: CliContext): Promise<number> {
  try {
    const other = options.config === undefined ? undefined : await readConfig(options.config);
    const pool = openPool({ url: databaseUrlOf(env), name: 'replay', max: 1, log });
    try {
      const begin = (db: Db) => db.query('begin isolation level repeatable read; set local statement_timeout = 0');
      return await withTables(pool, () => inTransaction(pool, (db) => run(db, { io, options }, other), begin));
    } finally {
      await pool.end();
    }
  } catch (error) {
    if (!(error instanceof NotReplayable || error instanceof ConfigError)) throw error;
    io.err(`${error.message}\n`);
    return CANNOT;
  }
}

type Asked = Pick<CliContext, 'io' | 'options'>;

async function run(db: Db, { io, options }: Asked, other: Config | undefined): Promise<number> {
  const zone = await timezoneInForce(db);
  const [fromMs, untilMs] = [momentOf('--from', options.from, zone), momentOf('--until', options.until, zone)];
  const reader = await openLog(db, { ...(fromMs === undefined ? {} : { fromMs }), ...(untilMs === undefined ? {} : { untilMs }) });
  if (other) return whatIf(db, reader, other, { io, options });
  const actions = await loadActions();
  const found = await verify(reader, new Replay(reader.checkpoint.content, reader.config, actions));
  const versions = [...reader.versions].filter((version) => version !== VERSION);
  if (options.json)
    io.out(
      `${JSON.stringify({ from: new Date(reader.checkpoint.takenAtMs).toISOString(), ...found, otherVersions: versions }, undefined, 2)}\n`,
    );
  else io.out(`${linesOf(found, reader, versions).join('\n')}\n`);
  return found.differences.length === 0 ? 0 : DIFFERENT;
}

function momentOf(option: string, text: string | undefined, zone: string): number | undefined {
  if (text === undefined) return undefined;
  const atMs = parseMoment(text, Date.now(), zone);
  if (atMs !== undefined) return atMs;
  throw new NotReplayable(`${option}: expected a time such as 10:41, "2026-01-31 10:41" or 2026-01-31T10:41:00Z, got ${shown(text)}`);
}

interface Found {
  counts: Replayed;
  differences: Difference[];
  /** How many there are beyond those. */
  more: number;
}

async function verify(reader: LogReader, replaying: Replay): Promise<Found> {
  const differences: Difference[] = [];
  let total = 0;
  const add = (list: readonly Difference[]) => {
    total += list.length;
    differences.push(...list.slice(0, MOST_DIFFERENCES - differences.length));
  };
  for await (const entry of reader.entries()) {
    if (entry.kind === 'unreadable') add([{ seq: entry.seq, atMs: entry.atMs, place: `entry ${entry.seq} of the log`, text: entry.why }]);
    else add(replaying.step(entry));
  }
  if (reader.isWhole) add(replaying.compare(await reader.stored(replaying.incidents)));
  return { counts: replaying.counts, differences, more: total - differences.length };
}

function linesOf({ counts, differences, more }: Found, { checkpoint, config }: LogReader, versions: readonly string[]): string[] {
  const number = (count: number, one: string, many = `${one}s`) => `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
  const what = [number(counts.results, 'result'), number(counts.judgements, 'judgement'), number(counts.decisions, 'decision')].join(', ');
  const since = `since ${momentInWords(checkpoint.takenAtMs, config.timezone)}`;
  if (differences.length === 0) return [`${what}: the same (${since})`];
  const lines = differences.map(({ seq, atMs, place, text }) => {
    const where = seq === undefined || atMs === undefined ? 'at the end' : `${momentInWords(atMs, config.timezone)} (entry ${seq})`;
    return `${where}  ${place}: ${text}`;
  });
  return [
    `${what}: ${number(differences.length + more, 'difference')} (${since})`,
    ...lines,
    ...(more > 0 ? [`and ${number(more, 'more difference')}`] : []),
    ...(versions.length > 0
      ? [`Some of it was decided by version ${versions.join(', ')}; this is ${VERSION}, which may decide otherwise.`]
      : []),
  ];
}

function momentInWords(atMs: number, timezone: string): string {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone: timezone }).format(atMs);
  return `${day} ${timeOfDay(atMs, timezone, true)}`;
}

async function whatIf(db: Db, reader: LogReader, config: Config, { io, options }: Asked): Promise<number> {
  const { atMs: fromMs, content } = reader.checkpoint;
  const signals = {
    changes: await changesBetween(db, fromMs - HOUR_MS, Date.now()),
    silences: await silencesBetween(db, fromMs, Date.now()),
  };
  const telling = new WhatIf({ ...content, atMs: fromMs }, config, await loadActions(), signals);
  let lastMs = fromMs;
  for await (const entry of reader.entries()) {
    if (entry.kind === 'unreadable') continue;
    telling.step(entry);
    if (entry.kind === 'fold') lastMs = Math.max(lastMs, entry.atMs);
  }
  telling.end(lastMs);
  const posted = await postsBetween(db, fromMs, lastMs);
  const unseen = Object.keys(config.checks).filter((check) => !telling.seen.has(check));
  const span = { from: new Date(fromMs).toISOString(), until: new Date(lastMs).toISOString() };
  if (options.json) io.out(`${JSON.stringify({ ...span, posts: telling.posts, posted, checksWithoutResults: unseen }, undefined, 2)}\n`);
  else io.out(`${whatIfLines(telling.posts, { config, fromMs, lastMs, posted, unseen }).join('\n')}\n`);
  return 0;
}

interface Told {
  config: Config;
  fromMs: number;
  lastMs: number;
  posted: number;
  unseen: readonly string[];
}

function whatIfLines(posts: readonly WouldPost[], { config, fromMs, lastMs, posted, unseen }: Told): string[] {
  const at = (ms: number) => momentInWords(ms, config.timezone);
  const opened = posts.filter(({ kind }) => kind === 'opened').length;
  const lines = posts.map(({ atMs, number, kind, class: klass, text }) => {
    const mark = kind === 'resolved' || kind === 'merged' ? MARKS.resolved : MARKS[klass];
    return `${at(atMs)}  #${number} ${mark} ${kind}: ${text}`;
  });
  return [
    `From ${at(fromMs)} until ${at(lastMs)}: ${opened} ${opened === 1 ? 'post' : 'posts'} under this configuration, ${posted} as it was.`,
    ...lines,
    ...(unseen.length > 0
      ? [
          `Not known: ${unseen.length} of its checks had no results then (${unseen.slice(0, 5).join(', ')}${unseen.length > 5 ? ' …' : ''}).`,
        ]
      : []),
  ];
}

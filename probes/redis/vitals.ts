/**
 * The vital signs of a Redis: what `INFO` tells, how long a PING takes, what happened within a short window, and the slow log.
 * A probe remembers nothing, and the counters of `INFO` count from the server's start, so what happens now (evictions, refused
 * connections) is the difference of two readings within one run. What happened between two runs is left to the counters
 * themselves, which are measurements.
 */
import type { Finding } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import { both, type Reading } from '../signs.ts';
import { limitInWords, plain } from '../words.ts';
import { type Info, numberOf, parseInfo } from './info.ts';
import type { Session } from './session.ts';

/** Enough for a median that one late answer does not move. */
const PINGS = 5;
/** As many entries as Redis keeps unless told otherwise; each may be 4 kB. */
export const SLOW_LOG_ENTRIES = 128;

export interface Vitals {
  info: Info;
  pingMedianMs: number;
  pingMaxMs: number;
  /** In the window; `undefined` when none was asked for. */
  evictionsPerS?: Reading;
  rejectionsPerS?: Reading;
  /** Commands in the slow log that ran within the time asked for. */
  slowCommands?: Reading;
  slowest?: Finding;
}

export interface Wanted {
  /** How far apart counters are read; 0 for not at all. */
  windowMs: number;
  /** How far back the slow log is read; 0 for not at all. */
  slowLogMs: number;
  monotonic(): number;
}

/** Reads all that is wanted. Throws {@link TargetTrouble} when the server fails under it. */
export async function readVitals(session: Session, wanted: Wanted): Promise<Vitals> {
  const pingsMs = [await ping(session, wanted)];
  const startedMs = wanted.monotonic();
  const before = await readInfo(session);
  while (pingsMs.length < PINGS) {
    if (wanted.windowMs > 0) await session.rest(wanted.windowMs / (PINGS - 1));
    pingsMs.push(await ping(session, wanted));
  }
  const elapsedS = (wanted.monotonic() - startedMs) / 1000;
  const info = wanted.windowMs > 0 ? await readInfo(session) : before;
  return {
    info,
    ...summary(pingsMs),
    ...(wanted.windowMs > 0 ? rates(before, info, elapsedS) : {}),
    ...(wanted.slowLogMs > 0 ? await readSlowLog(session, info, wanted.slowLogMs) : {}),
  };
}

async function ping(session: Session, { monotonic }: Wanted): Promise<number> {
  const startedMs = monotonic();
  await session.ask('PING');
  return monotonic() - startedMs;
}

function summary(pingsMs: readonly number[]): Pick<Vitals, 'pingMedianMs' | 'pingMaxMs'> {
  const sorted = pingsMs.toSorted((a, b) => a - b);
  return { pingMedianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, pingMaxMs: sorted.at(-1) ?? 0 };
}

async function readInfo(session: Session): Promise<Info> {
  const answer = await session.ask('INFO');
  const info = parseInfo(typeof answer === 'string' ? answer : '');
  if (!info.has('role')) throw new TargetTrouble('unreadable', `${session.name} does not tell its role in INFO`);
  return info;
}

function rates(before: Info, after: Info, elapsedS: number): Pick<Vitals, 'evictionsPerS' | 'rejectionsPerS'> {
  const rate = (field: string) =>
    both(numberOf(before, field), numberOf(after, field), (first, last) =>
      last < first ? `${field} was reset in between` : (last - first) / elapsedS,
    );
  return { evictionsPerS: rate('evicted_keys'), rejectionsPerS: rate('rejected_connections') };
}

/** Of the server's own clock, in seconds. The agent's is never asked. */
export function serverTimeS(info: Info): Reading {
  const nowUs = numberOf(info, 'server_time_usec');
  return 'value' in nowUs ? { value: nowUs.value / 1e6 } : nowUs;
}

/** An entry of the slow log. Arguments are never looked at: they may name a patient. */
interface SlowCommand {
  atS: number;
  tookUs: number;
  command: string;
}

async function readSlowLog(session: Session, info: Info, slowLogMs: number): Promise<Pick<Vitals, 'slowCommands' | 'slowest'>> {
  const now = serverTimeS(info);
  if ('unreadable' in now) return { slowCommands: now };
  const answer = await session.ask('SLOWLOG GET', String(SLOW_LOG_ENTRIES));
  const entries = Array.isArray(answer) ? answer.map(toSlowCommand) : [undefined];
  if (entries.includes(undefined)) return { slowCommands: { unreadable: 'the slow log is not as expected' } };
  const recent = (entries as SlowCommand[]).filter(({ atS }) => (now.value - atS) * 1000 <= slowLogMs);
  const [slowest] = recent.toSorted((a, b) => b.tookUs - a.tookUs);
  return { slowCommands: { value: recent.length }, ...(slowest ? { slowest: findingOf(slowest) } : {}) };
}

function toSlowCommand(entry: unknown): SlowCommand | undefined {
  if (!Array.isArray(entry)) return undefined;
  const [, atS, tookUs, words] = entry as unknown[];
  if (typeof atS !== 'number' || typeof tookUs !== 'number' || !Array.isArray(words)) return undefined;
  return { atS, tookUs, command: String(words[0]) };
}

function findingOf({ command, tookUs }: SlowCommand): Finding {
  const name = plain(command.replaceAll(/[^\w.|-]/g, ''), 40).toUpperCase();
  return {
    kind: 'slow-command',
    text: `the slowest command was ${name}, ${limitInWords(tookUs / 1000)}`,
    target: { command: name, tookUs },
  };
}

/** From vital signs to a verdict. What a limit needs and cannot be read never passes. */
import type { Failure } from '../../core/result.ts';
import type { Outcome } from '../probe.ts';
import { limitInWords } from '../words.ts';
import { type Info, numberOf } from './info.ts';
import { memoryRatio, type Sign, signsOf, type Thresholds } from './signs.ts';
import type { Vitals } from './vitals.ts';

export interface Expectations extends Thresholds {
  role?: 'primary' | 'replica' | undefined;
  /** Whether failed writes to disk are judged. */
  persistence: boolean;
  /** A server that runs for less than this has been restarted. */
  restartedWithin?: number | undefined;
}

type Judged = Pick<Outcome, 'verdict' | 'failure'>;

const WELL: Judged = { verdict: 'up' };
const ORDER = ['down', 'fault', 'degraded'] as const;

/** The worst of all signs, with its words; among equals the one that explains most comes first. */
export function judge(vitals: Vitals, expected: Expectations): Judged {
  const { info } = vitals;
  const following = link(info);
  const facts = [fullMemory(info), following, role(info, expected), ...disk(info, expected)];
  // Without a link there is no lag to be read, and the link says it already.
  const signs = signsOf(vitals, expected).filter(({ option }) => following === WELL || option !== 'replicationLag');
  const limited = signs.map((sign) => judgeSign(sign, expected[sign.option]));
  const all = [...facts, ...limited, restart(info, expected)];
  return ORDER.map((verdict) => all.find((one) => one.verdict === verdict)).find((one) => one !== undefined) ?? WELL;
}

function failing(verdict: 'down' | 'degraded' | 'fault', kind: string, message: string): Judged {
  return { verdict, failure: { kind, message } };
}

function unreadable(option: string, why: string): Judged {
  return failing('fault', 'unreadable', `${option} cannot be judged: ${why}`);
}

/** Full, and nothing may be thrown out: every write is refused, whatever the limits. */
function fullMemory(info: Info): Judged {
  const ratio = memoryRatio(info);
  const full = 'value' in ratio && ratio.value >= 1 && info.get('maxmemory_policy') === 'noeviction';
  return full ? failing('down', 'oom', 'refuses writes: its memory is full and nothing may be thrown out (noeviction)') : WELL;
}

/** A replica that does not follow serves what was true once. */
function link(info: Info): Judged {
  if (info.get('role') !== 'slave') return WELL;
  const status = info.get('master_link_status');
  if (status === 'up') return WELL;
  if (status === undefined)
    return failing('fault', 'unreadable', 'the link to the primary cannot be judged: INFO tells no master_link_status');
  if (info.get('master_sync_in_progress') === '1')
    return failing('degraded', 'replication-broken', 'the replica is fetching all data anew from its primary');
  const since = numberOf(info, 'master_link_down_since_seconds');
  const forHowLong = 'value' in since && since.value > 0 ? ` for ${limitInWords(since.value * 1000)}` : '';
  return failing('down', 'replication-broken', `the replica has had no link to its primary${forHowLong}`);
}

function role(info: Info, { role: wanted }: Expectations): Judged {
  if (wanted === undefined) return WELL;
  const told = info.get('role');
  const found = told === 'slave' ? 'replica' : told === 'master' ? 'primary' : undefined;
  if (found === undefined) return unreadable('role', 'INFO tells another role than those of a primary and a replica');
  return found === wanted ? WELL : failing('down', 'wrong-role', `it is a ${found}, expected a ${wanted}`);
}

const WRITES: readonly [field: string, words: string][] = [
  ['aof_last_write_status', 'the append-only file could not be written'],
  ['rdb_last_bgsave_status', 'the last snapshot could not be stored'],
  ['aof_last_bgrewrite_status', 'the append-only file could not be rewritten'],
];

function disk(info: Info, { persistence }: Expectations): Judged[] {
  if (!persistence) return [];
  return WRITES.map(([field, words]) => {
    const status = info.get(field);
    if (status === undefined) return unreadable('persistence', `INFO tells no ${field} (\`persistence: false\` leaves it out)`);
    return status === 'ok' ? WELL : failing('degraded', 'persistence', words);
  });
}

function restart(info: Info, { restartedWithin }: Expectations): Judged {
  if (restartedWithin === undefined) return WELL;
  const uptime = numberOf(info, 'uptime_in_seconds');
  if ('unreadable' in uptime) return unreadable('restartedWithin', uptime.unreadable);
  const uptimeMs = uptime.value * 1000;
  return uptimeMs < restartedWithin ? failing('degraded', 'restarted', `it was started ${limitInWords(uptimeMs)} ago`) : WELL;
}

function judgeSign(sign: Sign, limits: Thresholds[keyof Thresholds]): Judged {
  const { down, degraded } = limits ?? {};
  if (down === undefined && degraded === undefined) return WELL;
  if ('unreadable' in sign.reading) return unreadable(sign.option, sign.reading.unreadable);
  const { value } = sign.reading;
  const beyond = (limit: number | undefined): limit is number => limit !== undefined && (sign.below ? value < limit : value >= limit);
  if (beyond(down)) return { verdict: 'down', failure: failureOf(sign, value, down) };
  if (beyond(degraded)) return { verdict: 'degraded', failure: failureOf(sign, value, degraded) };
  return WELL;
}

function failureOf(sign: Sign, value: number, limit: number): Failure {
  return { kind: sign.kind, message: sign.words(sign.show(value), sign.show(limit)) };
}

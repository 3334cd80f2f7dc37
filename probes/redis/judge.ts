/** From vital signs to a verdict. What a limit needs and cannot be read never passes. */
import { failing, type Judged, judgeSign, unreadable, WELL, worst } from '../signs.ts';
import { limitInWords } from '../words.ts';
import { type Info, numberOf } from './info.ts';
import { memoryRatio, signsOf, type Thresholds } from './signs.ts';
import type { Vitals } from './vitals.ts';

export interface Expectations extends Thresholds {
  role?: 'primary' | 'replica' | undefined;
  /** Whether failed writes to disk are judged. */
  persistence: boolean;
  /** A server that runs for less than this has been restarted. */
  restartedWithin?: number | undefined;
}

/** The worst of all signs, with its words; among equals the one that explains most comes first. */
export function judge(vitals: Vitals, expected: Expectations): Judged {
  const { info } = vitals;
  const following = link(info);
  const facts = [fullMemory(info), following, role(info, expected), ...disk(info, expected)];
  // Without a link there is no lag to be read, and the link says it already.
  const signs = signsOf(vitals, expected).filter(({ option }) => following === WELL || option !== 'replicationLag');
  const limited = signs.map((sign) => judgeSign(sign, expected[sign.option]));
  return worst([...facts, ...limited, restart(info, expected)]);
}

/** Full, and nothing may be thrown out: every write is refused, whatever the limits. */
function fullMemory(info: Info): Judged {
  const ratio = memoryRatio(info);
  const full = 'value' in ratio && ratio.value >= 1 && info.get('maxmemory_policy') === 'noeviction';
  return full ? failing('down', 'oom', 'it refuses writes: its memory is full and nothing may be thrown out (noeviction)') : WELL;
}

/** A replica that does not follow serves what was true once. */
function link(info: Info): Judged {
  if (info.get('role') !== 'slave') return WELL;
  const status = info.get('master_link_status');
  if (status === 'up') return WELL;
  if (status === undefined) return unreadable('the link to the primary', 'INFO tells no master_link_status');
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
  // Told in whole seconds, and in the first one as none.
  const uptimeMs = Math.max(1, uptime.value) * 1000;
  return uptimeMs < restartedWithin
    ? failing('degraded', 'restarted', `it was started ${limitInWords(uptimeMs)} ago, limit ${limitInWords(restartedWithin)}`)
    : WELL;
}

/** From vital signs and thresholds to a verdict. A threshold whose value cannot be read never passes. */
import type { Failure } from '../../core/result.ts';
import type { Outcome } from '../probe.ts';
import { limitInWords } from '../words.ts';
import type { Reading, Vitals } from './vitals.ts';

export interface Threshold {
  degraded?: number | undefined;
  down?: number | undefined;
}

/** In milliseconds, but `connections`, which is a ratio. */
export interface Thresholds {
  connections?: Threshold | undefined;
  lockWait?: Threshold | undefined;
  replicationLag?: Threshold | undefined;
  longQuery?: Threshold | undefined;
}

interface Sign {
  kind: string;
  reading: Reading;
  /** How many of the threshold's units one of the reading's is: 1000 for seconds. */
  scale: number;
  threshold: Threshold | undefined;
  words(value: string, limit: string): string;
  what: string;
}

type Judged = Pick<Outcome, 'verdict' | 'failure'>;

/** The worst sign's verdict, with its words; among equals the first of connections, locks, replication, queries. */
export function judge(vitals: Vitals, thresholds: Thresholds): Judged {
  const judged = signs(vitals, thresholds).map(judgeSign);
  const order = ['down', 'fault', 'degraded'] as const;
  return order.map((verdict) => judged.find((one) => one.verdict === verdict)).find((one) => one !== undefined) ?? { verdict: 'up' };
}

function signs(vitals: Vitals, thresholds: Thresholds): Sign[] {
  return [
    {
      kind: 'connections',
      what: 'connections',
      reading: vitals.connectionsRatio,
      scale: 1,
      threshold: thresholds.connections,
      words: (value, limit) => `${value} of the connections are taken, limit ${limit}`,
    },
    {
      kind: 'lock-wait',
      what: 'lockWait',
      reading: vitals.lockWaitS,
      scale: 1000,
      threshold: thresholds.lockWait,
      words: (value, limit) => `${blockedInWords(vitals)} for a lock since ${value}, limit ${limit}`,
    },
    {
      kind: 'replication-lag',
      what: 'replicationLag',
      reading: vitals.replicationLagS,
      scale: 1000,
      threshold: thresholds.replicationLag,
      words: (value, limit) => `a replica is ${value} behind, limit ${limit}`,
    },
    {
      kind: 'long-query',
      what: 'longQuery',
      reading: vitals.longestQueryS,
      scale: 1000,
      threshold: thresholds.longQuery,
      words: (value, limit) => `a query runs for ${value}, limit ${limit}`,
    },
  ];
}

function blockedInWords(vitals: Vitals): string {
  const count = 'value' in vitals.blockedSessions ? vitals.blockedSessions.value : 0;
  return count === 1 ? '1 session waits' : `${count} sessions wait`;
}

function judgeSign(sign: Sign): Judged {
  const { down, degraded } = sign.threshold ?? {};
  if (down === undefined && degraded === undefined) return { verdict: 'up' };
  if ('unreadable' in sign.reading) {
    return { verdict: 'fault', failure: { kind: 'unreadable', message: `${sign.what} cannot be judged: ${sign.reading.unreadable}` } };
  }
  const value = sign.reading.value * sign.scale;
  if (down !== undefined && value >= down) return { verdict: 'down', failure: failureOf(sign, value, down) };
  if (degraded !== undefined && value >= degraded) return { verdict: 'degraded', failure: failureOf(sign, value, degraded) };
  return { verdict: 'up' };
}

function failureOf(sign: Sign, value: number, limit: number): Failure {
  const shown = (one: number) => (sign.scale === 1 ? `${Math.round(one * 100)} %` : limitInWords(one));
  return { kind: sign.kind, message: sign.words(shown(value), shown(limit)) };
}

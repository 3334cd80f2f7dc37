/** From vital signs and limits to a verdict. */
import { percentInWords } from '../../core/quantity.ts';
import { type Judged, judgeSign, type Limits, type Sign, times, worst } from '../signs.ts';
import { limitInWords } from '../words.ts';
import type { Vitals } from './vitals.ts';

/** In milliseconds, but `connections`, which is a ratio. */
export type Thresholds = { [option in 'connections' | 'lockWait' | 'replicationLag' | 'longQuery']?: Limits | undefined };

/** The worst sign's verdict, with its words; among equals the first of connections, locks, replication, queries. */
export function judge(vitals: Vitals, thresholds: Thresholds): Judged {
  return worst(signs(vitals).map((sign) => judgeSign(sign, thresholds[sign.option])));
}

function signs(vitals: Vitals): (Sign & { option: keyof Thresholds })[] {
  return [
    {
      kind: 'connections',
      option: 'connections',
      reading: vitals.connectionsRatio,
      show: percentInWords,
      words: (value, limit) => `${value} of the connections are taken, limit ${limit}`,
    },
    {
      kind: 'lock-wait',
      option: 'lockWait',
      reading: times(vitals.lockWaitS, 1000),
      show: limitInWords,
      words: (value, limit) => `${waitInWords(vitals, value)}, limit ${limit}`,
    },
    {
      kind: 'replication-lag',
      option: 'replicationLag',
      reading: times(vitals.replicationLagS, 1000),
      show: limitInWords,
      words: (value, limit) => `a replica is ${value} behind, limit ${limit}`,
    },
    {
      kind: 'long-query',
      option: 'longQuery',
      reading: times(vitals.longestQueryS, 1000),
      show: limitInWords,
      words: (value, limit) => `a query runs for ${value}, limit ${limit}`,
    },
  ];
}

function waitInWords({ blockedSessions }: Vitals, longest: string): string {
  const count = 'value' in blockedSessions ? blockedSessions.value : 0;
  return count === 1 ? `1 session has waited ${longest} for a lock` : `${count} sessions wait for a lock, the longest for ${longest}`;
}

/** From what is on queues to a verdict: each queue by itself, the worst is told. */
import { countInWords } from '../../core/report/words.ts';
import type { Finding } from '../../core/result.ts';
import { type Judged, judgeSign, type Limits, type Sign, WELL, worst } from '../signs.ts';
import { limitInWords, plain } from '../words.ts';
import type { Backlog } from './backlog.ts';

/** Numbers of jobs, but `oldest`, which is in milliseconds. */
export type Thresholds = { [option in 'waiting' | 'delayed' | 'active' | 'failed' | 'oldest']?: Limits | undefined };

type QueueSign = Sign & { option: keyof Thresholds };

/** The worst queue's verdict, and what is on that queue. */
export function judge(backlogs: readonly Backlog[], thresholds: Thresholds): { judged: Judged; findings: Finding[] } {
  const each = backlogs.map((backlog) => ({
    backlog,
    judged: worst(signsOf(backlog).map((sign) => judgeSign(sign, thresholds[sign.option]))),
  }));
  const judged = worst(each.map((one) => one.judged));
  const found = judged === WELL ? undefined : each.find((one) => one.judged === judged);
  return { judged, findings: found ? [findingOf(found.backlog)] : [] };
}

function signsOf(backlog: Backlog): QueueSign[] {
  const queue = plain(backlog.queue, 60);
  const jobs = (count: number) => `${countInWords(count)} ${count === 1 ? 'job' : 'jobs'}`;
  const counted = (kind: string, option: keyof Thresholds, count: number, doing: string): QueueSign => ({
    kind,
    option,
    reading: { value: count },
    show: jobs,
    words: (value, limit) => `${queue}: ${value} ${doing}, limit ${limit.replace(/ jobs?$/, '')}`,
  });
  return [
    {
      kind: 'oldest-job',
      option: 'oldest',
      reading: { value: backlog.oldestMs },
      show: limitInWords,
      words: (value, limit) =>
        `${queue}: the oldest job has waited ${value}, limit ${limit}${backlog.paused ? '; the queue is paused' : ''}`,
    },
    counted('waiting', 'waiting', backlog.waiting, backlog.paused ? 'wait while the queue is paused' : 'wait'),
    counted('failed-jobs', 'failed', backlog.failed, 'failed of late'),
    counted('delayed', 'delayed', backlog.delayed, 'are put off'),
    counted('active', 'active', backlog.active, 'are being worked on'),
  ];
}

/** Named, so that the tenant whose queue it is can be. */
function findingOf({ queue, waiting, active, oldestMs, paused }: Backlog): Finding {
  const oldest = oldestMs > 0 ? `, the oldest for ${limitInWords(oldestMs)}` : '';
  const text = `${plain(queue, 60)}: ${countInWords(waiting)} ${waiting === 1 ? 'job waits' : 'jobs wait'}${oldest}, ${countInWords(active)} being worked on`;
  return {
    kind: 'queue-backlog',
    text: `${text}${paused ? '; the queue is paused' : ''}`,
    target: { queue: plain(queue, 200) },
    ...(isName(queue) ? { whose: { queue } } : {}),
  };
}

/** What a result may carry as a name. */
export function isName(queue: string): boolean {
  return queue.length <= 63 && !/[\p{Cc}\p{Cs}]/u.test(queue);
}

/** Vital signs of a server against limits. What a limit needs and cannot be read never passes, and is never taken for zero. */
import * as z from 'zod';
import type { Outcome } from './probe.ts';

/** A value, or why there is none. */
export type Reading = { value: number } | { unreadable: string };

/** Where `degraded` and `down` begin. */
export interface Limits {
  degraded?: number | undefined;
  down?: number | undefined;
}

export interface Sign {
  kind: string;
  /** The option that limits it. */
  option: string;
  /** In the units of the option. */
  reading: Reading;
  /** True when too little is what is wrong. */
  below?: boolean;
  show(value: number): string;
  words(value: string, limit: string): string;
}

export type Judged = Pick<Outcome, 'verdict' | 'failure'>;

export const WELL: Judged = { verdict: 'up' };
const WORST_FIRST = ['down', 'fault', 'degraded'] as const;

const WORSE = { more: 'With so much or more', less: 'With so much or less', fewer: 'With fewer' } as const;
type Worse = keyof typeof WORSE;

/** The limits of one sign, each written as `value`. `worse` says which way is worse: the warning must come first. */
export function limits<T extends z.ZodType<number>>(value: T, worse: Worse = 'more') {
  return inOrder(z.strictObject(pair(value, worse)), worse);
}

/** The same with further options in the same map. */
export function limitsWith<T extends z.ZodType<number>, S extends z.ZodRawShape>(value: T, further: S) {
  return inOrder(z.strictObject({ ...pair(value, 'more'), ...further }), 'more');
}

function pair<T extends z.ZodType<number>>(value: T, worse: Worse) {
  return {
    degraded: value.optional().describe(`${WORSE[worse]} it is degraded`),
    down: value.optional().describe(`${WORSE[worse]} it is down`),
  };
}

function inOrder<T extends z.ZodObject>(map: T, worse: Worse): T {
  return map.superRefine((found, context) => {
    // A mistyped key is told by itself.
    if (context.issues.length > 0) return;
    const { degraded, down } = found as Limits;
    const report = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message, input: found });
    if (degraded === undefined && down === undefined) return report([], 'expected degraded, down or both');
    if (degraded === undefined || down === undefined || (worse === 'more' ? degraded < down : degraded > down)) return;
    report(['degraded'], `expected ${worse === 'more' ? 'less' : 'more'} than for down, so that the warning comes first`);
  });
}

/** The verdict of one sign. */
export function judgeSign(sign: Sign, { degraded, down }: Limits = {}): Judged {
  if (down === undefined && degraded === undefined) return WELL;
  if ('unreadable' in sign.reading) return unreadable(sign.option, sign.reading.unreadable);
  const { value } = sign.reading;
  const beyond = (limit: number | undefined): limit is number => limit !== undefined && (sign.below ? value < limit : value >= limit);
  const words = (limit: number) => sign.words(sign.show(value), sign.show(limit));
  if (beyond(down)) return failing('down', sign.kind, words(down));
  return beyond(degraded) ? failing('degraded', sign.kind, words(degraded)) : WELL;
}

/** A verdict with its failure. */
export function failing(verdict: 'down' | 'degraded' | 'fault', kind: string, message: string): Judged {
  return { verdict, failure: { kind, message } };
}

/** The fault that an option asks for what cannot be read. */
export function unreadable(option: string, why: string): Judged {
  return failing('fault', 'unreadable', `${option} cannot be judged: ${why}`);
}

/** The worst of all; among equals the first. */
export function worst(judged: readonly Judged[]): Judged {
  return WORST_FIRST.map((verdict) => judged.find((one) => one.verdict === verdict)).find((one) => one !== undefined) ?? WELL;
}

/** What `combine` makes of both; unreadable when one of them is, or when `combine` says why. */
export function both(one: Reading, other: Reading, combine: (one: number, other: number) => number | string): Reading {
  if ('unreadable' in one) return one;
  if ('unreadable' in other) return other;
  const made = combine(one.value, other.value);
  return typeof made === 'number' ? { value: made } : { unreadable: made };
}

/** The reading times `factor`, for another unit. */
export function times(reading: Reading, factor: number): Reading {
  return 'value' in reading ? { value: reading.value * factor } : reading;
}

/** The values that could be read, by name. */
export function readable(named: readonly (readonly [name: string, reading: Reading | undefined])[]): Record<string, number> {
  return Object.fromEntries(named.flatMap(([name, reading]) => (reading && 'value' in reading ? [[name, reading.value]] : [])));
}

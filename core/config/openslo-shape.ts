/** The shape of OpenSLO v1 documents, as far as Rounds reads it; whatever else stands in them is kept. */
import * as z from 'zod';
import { parseDurationMs } from '../duration.ts';
import { idOf } from './schema.ts';
import { durationMs } from './units.ts';

/** The kinds of OpenSLO v1. Only `SLO` is acted upon, with what it refers to. */
export const KINDS = ['DataSource', 'SLO', 'SLI', 'AlertPolicy', 'AlertCondition', 'AlertNotificationTarget', 'Service'] as const;

const name = z.string({ error: 'expected a name' });
const metadata = z.looseObject({ name, displayName: z.string().optional(), annotations: z.record(z.string(), z.string()).optional() });
export const source = z.looseObject({
  metricSource: z.looseObject({ type: z.string().optional(), metricSourceRef: name.optional(), spec: z.looseObject({}).optional() }),
});
export const sliSpec = z.looseObject({
  thresholdMetric: source.optional(),
  ratioMetric: z
    .looseObject({ good: source.optional(), bad: source.optional(), total: source.optional(), raw: source.optional() })
    .optional(),
});
const objective = z.looseObject({
  op: z.enum(['lt', 'lte', 'gt', 'gte']).optional(),
  value: z.number().optional(),
  target: z.number().optional(),
  targetPercent: z.number().optional(),
});
export const sloSchema = z.looseObject({
  metadata,
  spec: z.looseObject({
    service: name,
    indicator: z.looseObject({ spec: sliSpec }).optional(),
    indicatorRef: name.optional(),
    timeWindow: z
      .array(
        z.looseObject({
          duration: z.string({ error: 'expected a duration such as 28d, 1w or 1M' }),
          isRolling: z.boolean().optional(),
          calendar: z.looseObject({ startTime: z.string(), timeZone: z.string() }).optional(),
        }),
      )
      .length(1, { error: 'expected a list of one window' }),
    budgetingMethod: z.string({ error: 'expected Occurrences' }),
    objectives: z.array(objective).min(1, { error: 'expected an objective' }),
  }),
});
export type SloFields = z.output<typeof sloSchema>;

/** What stands in a metric source of ours. */
export function roundsSource(checks: readonly string[]) {
  return z.strictObject({
    check: idOf('checks', checks),
    slots: z.enum(['good', 'bad', 'seen']).optional(),
    faster: durationMs().optional(),
    measurement: z.string().optional(),
  });
}

const DAY_MS = 86_400_000;
/** Other ways to write a period. */
export const SAME_AS = { week: '7d', month: '', quarter: '3M' } as const;

/** Of a window that rolls, milliseconds; `undefined` when it is none that can be counted. */
export function rollingMs(duration: string): number | undefined {
  const weeks = /^(\d+)w$/.exec(duration);
  const foundMs = weeks ? Number(weeks[1]) * 7 * DAY_MS : parseDurationMs(duration);
  return foundMs !== undefined && foundMs >= DAY_MS && foundMs <= 92 * DAY_MS ? foundMs : undefined;
}

/** Whether such a period begins at that time on a wall. */
export function begins(period: 'week' | 'month' | 'quarter', startTime: string): boolean {
  const match = /^(\d{4}-\d{2}-\d{2})[ T]00:00(:00)?$/.exec(startTime);
  const day = new Date(`${match?.[1] ?? ''}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return false;
  if (period === 'week') return day.getUTCDay() === 1;
  return day.getUTCDate() === 1 && (period === 'month' || day.getUTCMonth() % 3 === 0);
}

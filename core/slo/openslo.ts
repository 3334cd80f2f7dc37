/**
 * Objectives as OpenSLO v1 documents: https://github.com/OpenSLO/OpenSLO. Slots are counted one by one, so the budgeting method is Occurrences; where
 * they come from is a metric source of the type `rounds`:
 *
 *   ratioMetric       good: { check, slots: good, faster? }   total: { check, slots: seen }
 *   thresholdMetric   { check, measurement }, with `op` and `value` of the objective
 *
 * Whose budgets are counted is an annotation, since OpenSLO knows no tenants.
 */
import type { BudgetKind, Sli, Slo } from './slo.ts';
import type { CalendarPeriod, SloWindow } from './window.ts';

export const API_VERSION = 'openslo/v1';
/** The type of a metric source that is ours. */
export const SOURCE_TYPE = 'rounds';
/** `service,tenant`; without it, of the service alone. */
export const BUDGETS_ANNOTATION = 'rounds/budgets';

/** A document as it is written, whatever its kind. */
export type OpenSloDocument = Readonly<Record<string, unknown>>;

/** The document that says the same as the objective. */
export function writeSlo({ id, service, title, sli, objective, window, budgets }: Slo): OpenSloDocument {
  return {
    apiVersion: API_VERSION,
    kind: 'SLO',
    metadata: { name: id, displayName: title, ...annotations(budgets) },
    spec: {
      service,
      indicator: { metadata: { name: id }, spec: writeSli(sli) },
      timeWindow: [writeWindow(window)],
      budgetingMethod: 'Occurrences',
      objectives: [{ ...(sli.kind === 'measurement' ? { op: sli.op, value: sli.limit } : {}), target: objective }],
    },
  };
}

/** The service that objectives are of. */
export function writeService({ id, title }: { id: string; title: string }): OpenSloDocument {
  return { apiVersion: API_VERSION, kind: 'Service', metadata: { name: id, displayName: title }, spec: {} };
}

function annotations(budgets: readonly BudgetKind[]) {
  return budgets.length === 1 && budgets[0] === 'service' ? {} : { annotations: { [BUDGETS_ANNOTATION]: budgets.join(',') } };
}

function writeSli(sli: Sli) {
  const source = (spec: object) => ({ metricSource: { type: SOURCE_TYPE, spec: { check: sli.check, ...spec } } });
  if (sli.kind === 'measurement') return { thresholdMetric: source({ measurement: sli.measurement }) };
  const faster = sli.kind === 'latency' ? { faster: durationText(sli.fasterMs) } : {};
  return { ratioMetric: { counter: true, good: source({ slots: 'good', ...faster }), total: source({ slots: 'seen' }) } };
}

/** How each period is written, and a time at which one of them began on the wall. */
export const PERIOD_DURATIONS: Readonly<Record<CalendarPeriod, string>> = { week: '1w', month: '1M', quarter: '1Q' };
const A_BEGINNING = '2024-01-01 00:00:00';

function writeWindow(window: SloWindow) {
  if (window.kind === 'rolling') return { duration: durationText(window.durationMs), isRolling: true };
  return { duration: PERIOD_DURATIONS[window.period], isRolling: false, calendar: { startTime: A_BEGINNING, timeZone: window.timezone } };
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const;

/** `28d`, `4s`, `250ms`: in the largest unit that fits. */
export function durationText(durationMs: number): string {
  const [unitMs, unit] = UNITS.find(([ms]) => durationMs % ms === 0) ?? [1, 'ms'];
  return `${durationMs / unitMs}${unit}`;
}

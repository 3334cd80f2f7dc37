/** What a service promises: an objective over the slots of a check, in a window, with a budget for what may go wrong. */
import type { SloWindow } from './window.ts';

/** How a measurement is held against its limit, as OpenSLO names it: `lt` is good when it is less. */
export type LimitOp = 'lt' | 'lte' | 'gt' | 'gte';

/**
 * What is counted of the slots of a check, the template of which is named: that they succeed, that they do so within a time, or that a
 * measurement of theirs keeps to a limit.
 */
export type Sli =
  | { kind: 'availability'; check: string }
  | { kind: 'latency'; check: string; fasterMs: number }
  | { kind: 'measurement'; check: string; measurement: string; op: LimitOp; limit: number };

/** Whose budget is counted: one for the service over all checks of the template, or one for each tenant. */
export const BUDGETS = ['service', 'tenant'] as const;
export type BudgetKind = (typeof BUDGETS)[number];

export interface Slo {
  /** Id under the service: `invoices`. */
  id: string;
  service: string;
  /** "Invoices can be posted". */
  title: string;
  sli: Sli;
  /** The share of slots that must be good: 0.999. */
  objective: number;
  window: SloWindow;
  budgets: BudgetKind[];
  /** It stands in an OpenSLO document, and not with its service. */
  source?: 'document';
}

/** The limit that a measurement keeps to is good on this side. */
export function keepsTo(op: LimitOp, value: number, limit: number): boolean {
  if (op === 'lt') return value < limit;
  if (op === 'lte') return value <= limit;
  return op === 'gt' ? value > limit : value >= limit;
}

/** A name for what is counted, whatever the check: two SLOs that count the same of a check share their counts. Availability is empty. */
export function criterionOf(sli: Sli): string {
  if (sli.kind === 'availability') return '';
  return sli.kind === 'latency' ? `faster ${sli.fasterMs}` : `${sli.measurement} ${sli.op} ${sli.limit}`;
}

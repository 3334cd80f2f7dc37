/** Error budgets that burn too fast. */

/** An objective whose budget burns faster than one of the pairs of windows allows. */
export interface Burn {
  /** Id under the service: `invoices`. */
  slo: string;
  service: string;
  /** Of whose budget; without it, of the whole service. */
  tenant?: string;
  /** "Invoices can be posted". */
  title: string;
  /** 0.999. */
  objective: number;
  /** How many times faster than the budget allows, over the long window. */
  rate: number;
  longMs: number;
  shortMs: number;
  /** `page`: people are told at once; `ticket`: it can wait for the day. */
  severity: 'page' | 'ticket';
  sinceMs: number;
  /** Share of the window's budget that is left; negative when overspent. */
  budgetLeft: number;
  /** "28 days", "November". */
  window: string;
}

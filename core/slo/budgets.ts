/** The budgets that a configuration keeps: of each objective that of the service, those of its tenants, or both. */
import type { Check } from '../check.ts';
import type { Config } from '../config/model.ts';
import { criterionOf, type Slo } from './slo.ts';

export interface BudgetRef {
  slo: Slo;
  /** Of whose budget; without it, of the whole service. */
  tenant?: string;
  /** The checks of today. */
  checks: Check[];
  /** How many slots are due in a minute. */
  slotsPerMinute: number;
}

const MINUTE_MS = 60_000;

/** The budgets of these services, or of all. */
export function budgetsIn(config: Pick<Config, 'services' | 'checks'>, services?: readonly string[]): BudgetRef[] {
  const byTemplate = Map.groupBy(Object.values(config.checks), (check) => check.template);
  const wanted = Object.values(config.services).filter((service) => !services || services.includes(service.id));
  return wanted.flatMap((service) =>
    (service.slos ?? []).flatMap((slo) => {
      const checks = byTemplate.get(slo.sli.check) ?? [];
      return slo.budgets.flatMap((kind) => (kind === 'service' ? [budgetRef(slo, checks)] : ofTenants(slo, checks)));
    }),
  );
}

function ofTenants(slo: Slo, checks: readonly Check[]): BudgetRef[] {
  const own = checks.filter((check) => check.tenant !== undefined);
  return [...Map.groupBy(own, (check) => check.tenant ?? '')].map(([tenant, list]) => budgetRef(slo, list, tenant));
}

function budgetRef(slo: Slo, checks: Check[], tenant?: string): BudgetRef {
  const slotsPerMinute = checks.reduce((sum, check) => sum + MINUTE_MS / check.everyMs, 0);
  return { slo, checks, slotsPerMinute, ...(tenant === undefined ? {} : { tenant }) };
}

/** Under which a budget is known, whatever else is said of it. */
export function budgetKey({ slo, tenant = '' }: Pick<BudgetRef, 'tenant'> & { slo: Pick<Slo, 'service' | 'id'> }): string {
  return `${slo.service}/${slo.id}/${tenant}`;
}

/**
 * Whether what was counted of this check, perhaps one of the past, belongs to the budget: the service's is over all checks that were ever
 * made of the template, so that a tenant who leaves takes no failure along.
 */
export function countsFor({ slo, tenant }: BudgetRef, series: { check: string; criterion: string }): boolean {
  const [template, of] = series.check.split('/', 2);
  return template === slo.sli.check && series.criterion === criterionOf(slo.sli) && (tenant === undefined || of === tenant);
}

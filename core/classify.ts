/**
 * The class of a service, from what is held of its checks, with the reason by name:
 *
 *   full interruption   no critical check succeeds for any tenant                         no-critical-journey-succeeds
 *   partial outage      a critical check is down for some tenants                         critical-some-tenants
 *                       some critical checks are down for all tenants                     some-critical-for-all
 *                       two or more locations fail, below the quorum                      some-locations-below-quorum
 *   degradation         a check that is not critical is down                              non-critical-failed
 *                       one location alone fails for three slots                          one-location-alone
 *                       slower than its objective, by quorum                              objective-missed
 *   none                                                                                  none
 *
 * A critical check of which nothing is known yet has not failed, so it keeps a service from `full interruption`.
 */
import type { Check, IncidentClass } from './check.ts';
import type { CheckState, LocationState } from './evaluate.ts';
import type { Named, Symptom } from './incident.ts';

export interface CheckView {
  check: Check;
  state: CheckState;
}

export interface ServiceClass {
  class: IncidentClass | 'none';
  reason: string;
}

/** Whether incidents count the check as not well. */
export function isBad(view: CheckView): boolean {
  return view.state.held === 'down' || view.state.held === 'degraded';
}

/** The class that a service's checks amount to. */
export function classifyService(views: readonly CheckView[]): ServiceClass {
  const critical = views.filter((view) => view.check.critical);
  const down = critical.filter((view) => view.state.held === 'down');
  if (critical.length > 0 && down.length === critical.length) return { class: 'full interruption', reason: 'no-critical-journey-succeeds' };
  if (down.length > 0) return { class: 'partial outage', reason: downForAll(critical) ? 'some-critical-for-all' : 'critical-some-tenants' };
  if (critical.some((view) => isBad(view) && view.state.split)) return { class: 'partial outage', reason: 'some-locations-below-quorum' };
  const bad = views.filter(isBad);
  if (bad.some((view) => view.state.held === 'down')) return { class: 'degradation', reason: 'non-critical-failed' };
  if (bad.some((view) => view.state.lone || view.state.split)) return { class: 'degradation', reason: 'one-location-alone' };
  if (bad.length > 0) return { class: 'degradation', reason: 'objective-missed' };
  return { class: 'none', reason: 'none' };
}

/** Whether some critical template is down for every tenant that has it. */
function downForAll(critical: readonly CheckView[]): boolean {
  const templates = Map.groupBy(critical, (view) => view.check.template);
  return [...templates.values()].some((group) => group.every((view) => view.state.held === 'down'));
}

/** What a location said last that was not well, the freshest of all; of what is down only what was down, not merely slow. */
export function freshestFailure(views: readonly CheckView[]): LocationState | undefined {
  const found = views.flatMap(({ state }) =>
    Object.values(state.locations).filter((said) => said.verdict === 'down' || (said.verdict === 'degraded' && state.held !== 'down')),
  );
  return found.sort((a, b) => b.plannedAtMs - a.plannedAtMs)[0];
}

/** The symptoms of a service: its checks that are not well, joined over their tenants, the critical and the worst first. */
export function symptomsOf(views: readonly CheckView[], tenantTitle: (id: string) => string): Symptom[] {
  const templates = Map.groupBy(views, (view) => view.check.template);
  const symptoms = [...templates.values()].flatMap((group) => symptomOf(group, tenantTitle) ?? []);
  const weight = (symptom: Symptom) => (symptom.critical ? 2 : 0) + (symptom.verdict === 'down' ? 1 : 0);
  return symptoms.sort((a, b) => weight(b) - weight(a) || a.template.localeCompare(b.template));
}

function symptomOf(group: readonly CheckView[], tenantTitle: (id: string) => string): Symptom | undefined {
  const bad = group.filter(isBad);
  const first = bad[0]?.check;
  if (!first) return undefined;
  const down = bad.filter((view) => view.state.held === 'down');
  const worst = down.length > 0 ? down : bad;
  const shown = freshestFailure(worst);
  const tenants: Named[] = worst.flatMap(({ check }) => (check.tenant ? [{ id: check.tenant, title: tenantTitle(check.tenant) }] : []));
  return {
    template: first.template,
    title: first.title,
    does: first.does,
    critical: first.critical,
    checks: worst.map((view) => view.check.id),
    verdict: down.length > 0 ? 'down' : 'degraded',
    tenants: tenants.sort((a, b) => a.id.localeCompare(b.id)),
    tenantsTotal: group.filter((view) => view.check.tenant).length,
    ...(shown?.failure ? { failure: shown.failure } : {}),
    ...(shown ? { durationMs: shown.durationMs } : {}),
  };
}

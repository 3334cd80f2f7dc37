/** What is known of a problem now: its services' classes, who is hit, since when, what may have caused it, and what can be pressed. */

import { CHANGE_WINDOW_MS, findingInWords, suspectsOf, TOLD_FROM_SCORE, touches } from './cause.ts';
import type { ReportedChange } from './change.ts';
import { CLASSES, freshForMs, type IncidentClass } from './check.ts';
import { type CheckView, classifyService, freshestFailure, isBad, type ServiceClass, symptomsOf } from './classify.ts';
import type { Config, Scope } from './config/model.ts';
import type { Group } from './correlate.ts';
import { roundsLeft } from './evaluate.ts';
import type { ComponentTrouble, Facts, Named, NearChange, ServiceImpact } from './incident.ts';
import type { NoisyTenant } from './load.ts';
import { onCallOf } from './oncall.ts';
import { type ActionWords, offersFor } from './runbook.ts';
import type { Burn } from './slo/burn.ts';
import { namedCheck } from './words.ts';

/** One problem of a scope, and what judging it needs. */
export interface Problem extends Pick<Group, 'root'> {
  /** Its checks that are not well. */
  bad: readonly CheckView[];
  config: Config;
  scope: Scope;
  /** All checks of the scope. */
  views: readonly CheckView[];
  /** Components in trouble that are not to be told, and still say why. */
  mute?: readonly CheckView[];
  /** Checks that nobody sees, told with this problem. */
  blind: readonly CheckView[];
  /** Budgets that burn too fast, of services of this problem. */
  burns: readonly Burn[];
  changes: readonly ReportedChange[];
  noisy: readonly NoisyTenant[];
  nowMs: number;
  actions: ReadonlyMap<string, ActionWords>;
  /** The usual duration of a template's runs, for comparison. */
  usuallyMs?: ReadonlyMap<string, number>;
}

export interface Reasoned {
  subject: string;
  reason: string;
  inputs: Record<string, unknown>;
}

export interface Assessment {
  facts: Facts;
  klass: IncidentClass;
  decisions: Reasoned[];
}

const MOST_CHANGES = 5;

/** What is known of a problem now, the class it amounts to, and why. */
export function assess(problem: Problem): Assessment {
  const { config, scope } = problem;
  const decisions: Reasoned[] = [];
  const services: ServiceImpact[] = [];
  const bad = new Set(problem.bad.map((view) => view.check.id));
  const burning = problem.burns.map((burn) => burn.service);
  for (const id of new Set([...problem.bad.flatMap((view) => view.check.service ?? []), ...burning])) {
    const service = config.services[id];
    if (!service) continue;
    const all = problem.views.filter((view) => view.check.service === id);
    const own = all.map((view) => (!isBad(view) || bad.has(view.check.id) ? view : asIfWell(view)));
    const result = classOf(own, all, burning.includes(id));
    decisions.push({ subject: `class ${id}`, reason: result.reason, inputs: { class: result.class, ...tally(all) } });
    if (result.class === 'none') continue;
    const symptoms = symptomsOf(own, (tenant) => config.tenants[tenant]?.title ?? tenant).map((symptom) => withUsual(symptom, problem));
    services.push({ id, title: service.title, tier: service.tier, class: result.class, reason: result.reason, symptoms });
  }
  services.sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) || a.tier - b.tier || a.title.localeCompare(b.title));
  const components = componentTroubles(problem);
  const klass = services[0]?.class ?? (components.length > 0 ? 'risk' : 'blind');
  if (services.length === 0) {
    const about = klass === 'risk' ? components.map((one) => one.id) : problem.blind.map((view) => view.check.id);
    decisions.push({
      subject: `class ${scope.id}`,
      reason: klass === 'risk' ? 'component-only' : 'blind',
      inputs: { class: klass, about },
    });
  }
  return { facts: factsOf(problem, services, components), klass, decisions };
}

/** Another problem is told by its own incident. */
function asIfWell({ check, state }: CheckView): CheckView {
  return { check, state: { ...state, held: 'up', lone: false, split: false } };
}

/** The class by what fails of this problem; when with others nothing that matters succeeds any more, that is the class of each. */
function classOf(own: readonly CheckView[], all: readonly CheckView[], burns: boolean): ServiceClass {
  const alone = classifyService(own);
  if (alone.class === 'none') return burns ? { class: 'degradation', reason: 'budget-burning' } : alone;
  const together = alone.class === 'partial outage' ? classifyService(all) : alone;
  return together.class === 'full interruption' ? together : alone;
}

function withUsual<T extends { template: string }>(symptom: T, problem: Problem): T & { usuallyMs?: number } {
  const usuallyMs = problem.usuallyMs?.get(symptom.template);
  return usuallyMs === undefined ? symptom : { ...symptom, usuallyMs };
}

/** What a class was decided from. */
function tally(views: readonly CheckView[]): Record<string, unknown> {
  const critical = views.filter((view) => view.check.critical);
  const down = critical.filter((view) => view.state.held === 'down');
  const names = (list: readonly CheckView[]) => list.slice(0, 20).map((view) => view.check.id);
  return {
    criticalTotal: critical.length,
    criticalDown: down.length,
    tenantsDown: new Set(down.flatMap((view) => view.check.tenant ?? [])).size,
    tenantsTotal: new Set(views.flatMap((view) => view.check.tenant ?? [])).size,
    down: names(views.filter((view) => view.state.held === 'down')),
    degraded: names(views.filter((view) => view.state.held === 'degraded')),
  };
}

function componentTroubles(problem: Problem): ComponentTrouble[] {
  return problem.bad.flatMap((view) => {
    const component = view.check.component ? problem.config.components[view.check.component] : undefined;
    if (!component) return [];
    const said = freshestFailure([view]);
    return [
      {
        id: component.id,
        title: component.title,
        check: view.check.id,
        verdict: view.state.held === 'down' ? ('down' as const) : ('degraded' as const),
        ...(said?.failure ? { failure: said.failure } : {}),
        findings: (said?.findings ?? []).map((one) => ({ ...one, text: findingInWords(one, problem.config, component.id) })),
        sinceMs: view.state.heldSinceMs,
      },
    ];
  });
}

function factsOf(problem: Problem, services: ServiceImpact[], components: ComponentTrouble[]): Facts {
  const { config, views, bad } = problem;
  const serviceBad = bad.filter((view) => view.check.service);
  const shown = serviceBad.length > 0 ? serviceBad : bad;
  const tenants = new Map(
    services.flatMap((service) => service.symptoms.flatMap((one) => one.tenants.map((tenant) => [tenant.id, tenant]))),
  );
  const sinceMs = Math.min(
    problem.nowMs,
    ...shown.map((view) => view.state.heldSinceMs),
    ...(bad.length === 0 ? problem.burns.map((burn) => burn.sinceMs) : []),
  );
  const owner = ownerOf(problem, services);
  const recovering = bad.length > 0 && bad.every((view) => view.state.moment === 'up' && !view.state.lone && !view.state.split);
  const members = new Set(bad.map((view) => view.check.id));
  const others = views.some((view) => isBad(view) && view.check.service !== undefined && !members.has(view.check.id));
  const suspects = bad.length === 0 ? [] : suspectsOf({ ...problem, bad: [...bad, ...(problem.mute ?? [])] });
  const [first] = suspects;
  return {
    root: problem.root,
    members: [...members],
    services,
    components,
    tenants: [...tenants.values(), ...burningTenants(problem, tenants)].sort((a, b) => a.id.localeCompare(b.id)),
    tenantsTotal: new Set(views.flatMap((view) => view.check.tenant ?? [])).size,
    seenFrom: seenFrom(problem, shown),
    locationsTotal: new Set(shown.flatMap((view) => view.check.locations)).size,
    sinceMs,
    ...(first && first.score >= TOLD_FROM_SCORE
      ? { likelyCause: { text: `${first.title}: ${first.text}`, evidence: first.evidence.join(' ') } }
      : {}),
    suspects,
    changes: nearChanges(problem, sinceMs),
    burns: [...problem.burns],
    locations: [],
    owner,
    onCall: owner === '' ? [] : onCallOf(config, owner, problem.nowMs).people.map((id) => ({ id, title: config.people[id]?.name ?? id })),
    offers: offersFor(config, services, components, problem.actions),
    recovering,
    roundsLeft: recovering ? Math.max(0, ...bad.map((view) => roundsLeft(view.check, view.state))) : 0,
    ...(others ? { othersFail: true } : {}),
    blind: problem.blind.map(({ check }) => namedCheck(config, check.id)),
    shown: { atMs: [], visible: 0, material: 0, headline: '' },
  };
}

/** Tenants whose own budget burns, and who are not known to be hit by a check. */
function burningTenants({ config, burns }: Problem, known: ReadonlyMap<string, Named>): Named[] {
  const ids = new Set(burns.flatMap((burn) => burn.tenant ?? [])).difference(known);
  return [...ids].map((id) => ({ id, title: config.tenants[id]?.title ?? id }));
}

/** Changes of the hour before the first failure, and since, that touch what is hit or may. */
function nearChanges(problem: Problem, sinceMs: number): NearChange[] {
  if (problem.bad.length === 0) return [];
  const near = problem.changes.filter((change) => change.atMs >= sinceMs - CHANGE_WINDOW_MS && touches(change, problem) !== 'else');
  const newest = near.toSorted((a, b) => b.atMs - a.atMs || b.id - a.id).slice(0, MOST_CHANGES);
  return newest.map(({ id, atMs, kind, title }) => ({ id, atMs, kind, title }));
}

/** Titles of the locations that see it now; while recovering, none does. What is no longer fresh sees nothing. */
function seenFrom(problem: Problem, views: readonly CheckView[]): string[] {
  const seeing = views.flatMap(({ check, state }) =>
    check.locations.filter((location) => {
      const said = state.locations[location];
      return said && said.verdict !== 'up' && problem.nowMs - said.plannedAtMs <= freshForMs(check);
    }),
  );
  return [...new Set(seeing)].sort().map((id) => problem.config.locations[id]?.title ?? id);
}

function ownerOf(problem: Problem, services: readonly ServiceImpact[]): string {
  const id = services[0]?.id ?? problem.scope.services[0];
  return (id ? problem.config.services[id]?.owner : undefined) ?? Object.keys(problem.config.teams)[0] ?? '';
}

/** The freshest picture of what fails. */
export function pictureOf({ bad }: Pick<Problem, 'bad'>): { pictureId?: number } {
  const withPicture = bad.flatMap((view) => Object.values(view.state.locations)).filter((said) => said.verdict !== 'up' && said.pictureId);
  const freshest = withPicture.sort((a, b) => b.plannedAtMs - a.plannedAtMs)[0];
  return freshest?.pictureId ? { pictureId: freshest.pictureId } : {};
}

/** What is known of a scope now: its services' classes, who is hit, since when, the likely cause, and what can be pressed. */
import { CLASSES, freshForMs, type IncidentClass } from './check.ts';
import { type CheckView, classifyService, freshestFailure, isBad, symptomsOf } from './classify.ts';
import type { Config, Scope } from './config/model.ts';
import { spanInWords } from './duration.ts';
import { roundsLeft } from './evaluate.ts';
import type { ComponentTrouble, Facts, Incident, Named, ServiceImpact } from './incident.ts';
import { type ActionWords, offersFor } from './runbook.ts';

/** Checks look every few seconds at best. */
const SAME_ONSET_MS = 5_000;

export interface JudgeInput {
  config: Config;
  scope: Scope;
  views: readonly CheckView[];
  /** The scope's open incident. */
  open?: Incident;
  nowMs: number;
  actions: ReadonlyMap<string, ActionWords>;
  /** The last action that was done in this incident. */
  repair?: { title: string; by: string };
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
  klass: IncidentClass | 'none';
  decisions: Reasoned[];
}

/** What is known of a scope now, the class it amounts to, and why. */
export function assess(input: JudgeInput): Assessment {
  const { config, views } = input;
  const decisions: Reasoned[] = [];
  const services: ServiceImpact[] = [];
  for (const id of input.scope.services) {
    const own = views.filter((view) => view.check.service === id);
    const result = classifyService(own);
    const service = config.services[id];
    if (!service || result.class === 'none') continue;
    decisions.push({ subject: `class ${id}`, reason: result.reason, inputs: { class: result.class, ...tally(own) } });
    const symptoms = symptomsOf(own, (tenant) => config.tenants[tenant]?.title ?? tenant).map((symptom) => withUsual(symptom, input));
    services.push({ id, title: service.title, tier: service.tier, class: result.class, reason: result.reason, symptoms });
  }
  services.sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) || a.tier - b.tier || a.title.localeCompare(b.title));
  const components = componentTroubles(input);
  const blind = views.filter((view) => view.state.moment === 'blind').map(({ check }) => named(input, check.id));
  const klass = services[0]?.class ?? (components.length > 0 ? 'risk' : blind.length > 0 ? 'blind' : 'none');
  if (services.length === 0 && klass !== 'none') {
    const about = klass === 'risk' ? components.map((one) => one.id) : blind.map((one) => one.id);
    decisions.push({
      subject: `class ${input.scope.id}`,
      reason: klass === 'risk' ? 'component-only' : 'blind',
      inputs: { class: klass, about },
    });
  }
  return { facts: factsOf(input, services, components, blind), klass, decisions };
}

function withUsual<T extends { template: string }>(symptom: T, input: JudgeInput): T & { usuallyMs?: number } {
  const usuallyMs = input.usuallyMs?.get(symptom.template);
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

function named(input: JudgeInput, id: string): Named {
  const check = input.config.checks[id];
  const tenant = check?.tenant ? input.config.tenants[check.tenant]?.title : undefined;
  return { id, title: tenant ? `${check?.title} (${tenant})` : (check?.title ?? id) };
}

function componentTroubles(input: JudgeInput): ComponentTrouble[] {
  return input.views.filter(isBad).flatMap((view) => {
    const component = view.check.component ? input.config.components[view.check.component] : undefined;
    if (!component) return [];
    const said = freshestFailure([view]);
    return [
      {
        id: component.id,
        title: component.title,
        check: view.check.id,
        verdict: view.state.held === 'down' ? ('down' as const) : ('degraded' as const),
        ...(said?.failure ? { failure: said.failure } : {}),
        findings: said?.findings ?? [],
        sinceMs: view.state.heldSinceMs,
      },
    ];
  });
}

function factsOf(input: JudgeInput, services: ServiceImpact[], components: ComponentTrouble[], blind: Named[]): Facts {
  const { config, views } = input;
  const bad = views.filter(isBad);
  const serviceBad = bad.filter((view) => view.check.service);
  const shown = serviceBad.length > 0 ? serviceBad : bad;
  const tenants = new Map(
    services.flatMap((service) => service.symptoms.flatMap((one) => one.tenants.map((tenant) => [tenant.id, tenant]))),
  );
  const sinceMs = Math.min(input.nowMs, ...shown.map((view) => view.state.heldSinceMs));
  const owner = ownerOf(input, services);
  const recovering = bad.length > 0 && bad.every((view) => view.state.moment === 'up' && !view.state.lone && !view.state.split);
  return {
    services,
    components,
    tenants: [...tenants.values()].sort((a, b) => a.id.localeCompare(b.id)),
    tenantsTotal: new Set(views.flatMap((view) => view.check.tenant ?? [])).size,
    seenFrom: seenFrom(input, shown),
    locationsTotal: new Set(shown.flatMap((view) => view.check.locations)).size,
    sinceMs,
    ...likelyCause(services, components, sinceMs),
    owner,
    onCall: (config.teams[owner]?.members ?? []).flatMap((id) => {
      const person = config.people[id];
      return person && person.roles.length > 0 ? [{ id, title: person.name }] : [];
    }),
    offers: offersFor(config, services, components, input.actions),
    recovering,
    roundsLeft: recovering ? Math.max(0, ...bad.map((view) => roundsLeft(view.check, view.state))) : 0,
    blind,
  };
}

/** Titles of the locations that see it now; while recovering, none does. What is no longer fresh sees nothing. */
function seenFrom(input: JudgeInput, views: readonly CheckView[]): string[] {
  const seeing = views.flatMap(({ check, state }) =>
    check.locations.filter((location) => {
      const said = state.locations[location];
      return said && said.verdict !== 'up' && input.nowMs - said.plannedAtMs <= freshForMs(check);
    }),
  );
  return [...new Set(seeing)].sort().map((id) => input.config.locations[id]?.title ?? id);
}

function ownerOf(input: JudgeInput, services: readonly ServiceImpact[]): string {
  const id = services[0]?.id ?? input.scope.services[0];
  return (id ? input.config.services[id]?.owner : undefined) ?? Object.keys(input.config.teams)[0] ?? '';
}

/** A component in trouble below services that fail is suspected, with its onset against theirs. */
function likelyCause(
  services: readonly ServiceImpact[],
  components: readonly ComponentTrouble[],
  sinceMs: number,
): Pick<Facts, 'likelyCause'> {
  const suspect = [...components].sort((a, b) => a.sinceMs - b.sinceMs)[0];
  if (services.length === 0 || !suspect) return {};
  const what = suspect.findings[0]?.text ?? suspect.failure?.message ?? 'in trouble';
  const leadMs = sinceMs - suspect.sinceMs;
  const evidence = onsetInWords(leadMs);
  return { likelyCause: { text: `${suspect.title}: ${what}`, evidence } };
}

/** How long before its victims a suspect was in trouble. Both are sampled, so little difference is none. */
function onsetInWords(leadMs: number): string {
  if (leadMs > SAME_ONSET_MS) return `Began ${spanInWords(leadMs)} before.`;
  return leadMs < -SAME_ONSET_MS ? `Seen ${spanInWords(-leadMs)} later.` : 'Began at the same time.';
}

export function pictureOf(input: JudgeInput): { pictureId?: number } {
  const withPicture = input.views
    .filter(isBad)
    .flatMap((view) => Object.values(view.state.locations))
    .filter((said) => said.verdict !== 'up' && said.pictureId);
  const freshest = withPicture.sort((a, b) => b.plannedAtMs - a.plannedAtMs)[0];
  return freshest?.pictureId ? { pictureId: freshest.pictureId } : {};
}

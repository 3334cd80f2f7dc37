/**
 * What may have caused a problem: suspects, each with its evidence, ranked by a score. Shown as suspicion, never as fact.
 *
 *   component   in trouble, below what fails: how much of it it explains, and whether it began before; the deepest first
 *   tenant      puts far more load than usual on a component that what fails stands on, since about then
 *   change      in the hour before, of what is hit or of what that stands on: the nearer the more suspicious
 *   component   without a check of its own, when everything that fails stands on it and nothing else is known
 */
import type { ReportedChange } from './change.ts';
import { freshForMs } from './check.ts';
import { type CheckView, freshestFailure, isBad } from './classify.ts';
import type { Config } from './config/model.ts';
import { seenWellSince } from './correlate.ts';
import { spanInWords } from './duration.ts';
import { componentsBelow, standsOn } from './graph.ts';
import type { Suspect } from './incident.ts';
import { nameTenant } from './load/owners.ts';
import type { NoisyTenant } from './load.ts';
import type { Finding } from './result.ts';
import type { Burn } from './slo/burn.ts';

export interface CauseInput {
  config: Config;
  /** All checks of the scope. */
  views: readonly CheckView[];
  /** The failing checks of one problem. */
  bad: readonly CheckView[];
  /** `component:postgres-main`, or `service:billing`. */
  root: string;
  changes: readonly ReportedChange[];
  noisy: readonly NoisyTenant[];
  /** Budgets of services that stand on the root burn: it is the cause of that, though no check fails. */
  burns?: readonly Burn[];
}

/** A suspect below this is kept for who asks, and not told. */
export const TOLD_FROM_SCORE = 0.4;
/** What was changed longer before is no suspect. */
export const CHANGE_WINDOW_MS = 60 * 60_000;
/** A change that was told this much later than the first failure may still have come before: checks look once in their interval. */
const CHANGE_SLACK_MS = 2 * 60_000;
/** Checks look every few seconds at best. */
const SAME_ONSET_MS = 5_000;
const MOST_SUSPECTS = 5;

/** The suspects of a problem, the most suspicious first. */
export function suspectsOf(input: CauseInput): Suspect[] {
  const symptoms = input.bad.filter(({ check }) => check.service !== undefined || input.root !== `component:${check.component}`);
  const others = [...tenantSuspects(input), ...changeSuspects(input)];
  if (symptoms.length === 0) return ranked(input.burns?.length ? [...componentSuspects(input, input.bad), ...others] : others);
  const found = [...componentSuspects(input, symptoms), ...others];
  const shared = found.some((one) => one.score >= TOLD_FROM_SCORE) ? [] : sharedSuspects(input, symptoms);
  return ranked([...found, ...shared]);
}

function ranked(suspects: readonly Suspect[]): Suspect[] {
  return suspects.toSorted((a, b) => b.score - a.score || a.id.localeCompare(b.id)).slice(0, MOST_SUSPECTS);
}

function onsetOf(views: readonly CheckView[]): number {
  return Math.min(...views.map((view) => view.state.heldSinceMs));
}

function titleOf(config: Config, component: string): string {
  return config.components[component]?.title ?? component;
}

/** Components in trouble of the problem itself. */
function componentSuspects(input: CauseInput, symptoms: readonly CheckView[]): Suspect[] {
  const { config, bad, root } = input;
  const own = Map.groupBy(
    bad.filter((view) => view.check.component !== undefined),
    (view) => view.check.component ?? '',
  );
  const beganMs = onsetOf(symptoms);
  return [...own].map(([id, views]) => {
    const explained = symptoms.filter((view) => standsOn(config, view.check).has(id)).length / symptoms.length;
    const leadMs = beganMs - onsetOf(views);
    const inTime = leadMs >= -Math.max(CHANGE_SLACK_MS, ...views.map((view) => freshForMs(view.check)));
    const said = freshestFailure(views);
    const load = input.noisy.find((one) => one.component === id && one.sinceMs <= beganMs + CHANGE_SLACK_MS);
    const [finding] = said?.findings ?? [];
    const text = (finding && findingInWords(finding, config, id)) ?? load?.text ?? said?.failure?.message ?? 'in trouble';
    const share = explained === 1 ? [] : [`Explains ${Math.round(explained * 100)} % of what fails.`];
    const score = 0.45 + 0.3 * explained + (inTime ? 0.1 : -0.2) + (root === `component:${id}` ? 0.1 : 0);
    return { kind: 'component' as const, id, title: titleOf(config, id), text, evidence: [onsetInWords(leadMs), ...share], score };
  });
}

/** What was found, with the name of the tenant whose role, database or queue it is about: "Hillcrest Dental: a report (pid 4121) blocks 23 sessions". */
export function findingInWords(finding: Finding, config: Pick<Config, 'tenants'>, component: string): string {
  const tenant = nameTenant(finding, config, component);
  return tenant === undefined || finding.text.includes(tenant.title) ? finding.text : `${tenant.title}: ${finding.text}`;
}

/** How long before its victims a suspect was in trouble. Both are sampled, so little difference is none. */
function onsetInWords(leadMs: number): string {
  if (leadMs > SAME_ONSET_MS) return `Began ${spanInWords(leadMs)} before.`;
  return leadMs < -SAME_ONSET_MS ? `Seen ${spanInWords(-leadMs)} later.` : 'Began at the same time.';
}

/** Tenants that drive the load of what the problem stands on. */
function tenantSuspects({ config, bad, noisy, root }: CauseInput): Suspect[] {
  const below = new Set(bad.flatMap((view) => [...standsOn(config, view.check)]));
  const beganMs = onsetOf(bad);
  const near = noisy.filter((one) => below.has(one.component) && one.sinceMs <= beganMs + CHANGE_SLACK_MS);
  const byTenant = Map.groupBy(near, (one) => one.tenant);
  return [...byTenant].map(([tenant, loads]) => {
    const [worst] = loads.toSorted((a, b) => b.share * (b.value / Math.max(b.usual, 1)) - a.share * (a.value / Math.max(a.usual, 1)));
    const onRoot = loads.some((one) => root === `component:${one.component}`);
    return {
      kind: 'tenant' as const,
      id: tenant,
      title: config.tenants[tenant]?.title ?? tenant,
      text: worst?.text ?? '',
      evidence: [`On ${titleOf(config, worst?.component ?? '')}. ${onsetInWords(beganMs - Math.min(...loads.map((one) => one.sinceMs)))}`],
      score: 0.5 + 0.25 * (worst?.share ?? 0) + (onRoot ? 0.1 : 0),
    };
  });
}

/** Changes of the hour before that touch what is hit, or may. */
function changeSuspects(input: CauseInput): Suspect[] {
  const beganMs = onsetOf(input.bad);
  return input.changes.flatMap((change) => {
    const leadMs = beganMs - change.atMs;
    const reach = touches(change, input);
    if (leadMs > CHANGE_WINDOW_MS || leadMs < -CHANGE_SLACK_MS || reach === 'else') return [];
    const nearness = 1 - Math.max(0, leadMs) / CHANGE_WINDOW_MS;
    const score = (reach === 'hit' ? 0.45 : reach === 'below' ? 0.4 : 0.1) + 0.25 * nearness + (change.outcome === 'failed' ? 0.1 : 0);
    const when = leadMs > SAME_ONSET_MS ? `${spanInWords(leadMs)} before.` : 'At the same time.';
    const what = change.outcome === 'failed' ? `${change.kind} that failed` : change.kind;
    const evidence = [when[0]!.toUpperCase() + when.slice(1), ...(change.by ? [`By ${change.by}.`] : [])];
    return [{ kind: 'change' as const, id: String(change.id), title: change.title, text: what, evidence, score }];
  });
}

/** Whether a change is of what is hit, of what that stands on, of something else, or of nobody knows what. */
export function touches(change: ReportedChange, { config, bad }: Pick<CauseInput, 'config' | 'bad'>): 'hit' | 'below' | 'unknown' | 'else' {
  const { services, components, tenants } = change;
  if (services.length + components.length + tenants.length === 0) return 'unknown';
  const hit = (view: CheckView) =>
    (view.check.service !== undefined && services.includes(view.check.service)) ||
    (view.check.component !== undefined && components.includes(view.check.component)) ||
    (view.check.tenant !== undefined && tenants.includes(view.check.tenant));
  if (bad.some(hit)) return 'hit';
  return bad.some((view) => components.some((component) => standsOn(config, view.check).has(component))) ? 'below' : 'else';
}

/** What all of it stands on, has no check of its own, or none that was well since: suspected when several services fail and nothing else is. */
function sharedSuspects({ config, views, bad }: CauseInput, symptoms: readonly CheckView[]): Suspect[] {
  const services = new Set(symptoms.map((view) => view.check.service));
  if (services.size < 2) return [];
  const beganMs = onsetOf(bad);
  const all = symptoms.map((view) => standsOn(config, view.check)).reduce((one, other) => one.intersection(other));
  const open = [...all].filter((component) => !seenWellSince(component, beganMs, views) && !isTrusted(component, views));
  const deepest = open.filter((one) => !open.some((other) => other !== one && componentsBelow(config, one).has(other)));
  return deepest.map((id) => ({
    kind: 'component' as const,
    id,
    title: titleOf(config, id),
    text: 'all that fails stands on it',
    evidence: [views.some((view) => view.check.component === id) ? 'Not seen well since.' : 'It has no check of its own.'],
    score: deepest.length === 1 ? TOLD_FROM_SCORE : 0.2,
  }));
}

/** Its own check is in trouble: then it is a suspect by that, or was found not to be one. */
function isTrusted(component: string, views: readonly CheckView[]): boolean {
  return views.some((view) => view.check.component === component && isBad(view));
}

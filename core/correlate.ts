/**
 * Which failing checks are one problem. A scope's bad checks are put together into groups, and each group is an incident.
 *
 *   root       a component in trouble (its own check is held down or degraded) that has no other in trouble below it. What stands on it,
 *              however far up, belongs to it when it did not begin to fail before it. Both are sampled, so "before" leaves the
 *              component the time that its own check needs to see it.
 *   member     what belongs to an open incident stays there, unless a root explains it better, also after the root is well again.
 *   company    what no root explains joins what fails in the same service; else what began to fail at the same time and is of the same
 *              one tenant, or stands on a component that some of it stands on, unless that was seen well since.
 *
 * An open incident follows the group of its first member. Two that follow the same group are one: the older stays, the younger is merged
 * into it. So what fails together is one problem until something shows otherwise, and comes apart when something does.
 */
import { freshForMs, quorumOf } from './check.ts';
import type { CheckView } from './classify.ts';
import type { Config } from './config/model.ts';
import { componentsBelow, standsOn } from './graph.ts';
import type { Incident } from './incident.ts';
import type { NoisyTenant } from './load.ts';
import { gapBegan } from './recent.ts';

export interface Group {
  /** `component:postgres-main`, or `service:billing` when no root is known. */
  root: string;
  /** Not well, the first to fail first. */
  bad: CheckView[];
  /** The oldest of the open incidents that it continues. */
  incident?: Incident;
  /** Younger ones that are the same problem. */
  absorbs: Incident[];
}

export interface CorrelateInput {
  config: Config;
  /** All checks of the scope. */
  views: readonly CheckView[];
  /** Those that are not well. */
  bad: readonly CheckView[];
  /** Of them, those that are not to be told: no incident goes on as what nobody is told of. */
  mute?: ReadonlySet<CheckView>;
  /** The scope's open incidents, in any order. */
  open: readonly Incident[];
  /** Tenants that load a component since a time: that is when its trouble began, whatever its own check says later. */
  noisy?: readonly Pick<NoisyTenant, 'component' | 'sinceMs'>[];
}

/** Checks look once in their interval: what began within this time of each other may have begun at once. */
const SAME_TIME_MS = 2 * 60_000;

interface Trouble {
  sinceMs: number;
  slackMs: number;
}

/** The problems of a scope, the oldest first. Open incidents of which nothing is bad any more are in none of them. */
export function correlate(input: CorrelateInput): Group[] {
  const inOrder = input.bad.toSorted((a, b) => sinceOf(a) - sinceOf(b) || a.check.id.localeCompare(b.check.id));
  const open = input.open.toSorted((a, b) => a.id - b.id);
  const homes = homesOf(open);
  const troubles = troublesOf(inOrder, input.noisy ?? []);
  const found = inOrder.map((view) => ({ view, root: rootOf(view, troubles, input.config, homes.get(view.check.id)) }));
  const leftovers = leftoversOf(inOrder, open, homes, troubles);
  const rooted = [...Map.groupBy(found, ({ root }) => (root !== undefined && leftovers.has(root) ? undefined : root))].flatMap(
    ([root, all]): Group[] => (root === undefined ? [] : [{ root: `component:${root}`, bad: all.map(({ view }) => view), absorbs: [] }]),
  );
  for (const { view, root } of found) {
    const incident = root === undefined ? undefined : leftovers.get(root);
    if (incident) homes.set(view.check.id, incident);
  }
  const inRoots = new Set(rooted.flatMap((group) => group.bad));
  const loose = inOrder.filter((view) => !inRoots.has(view));
  const followers = new Set<Incident>();
  const loud = rooted.filter((group) => group.bad.some((view) => !input.mute?.has(view)));
  for (const incident of open) {
    const heir = heirOf(incident, loud, inOrder, homes);
    if (!heir) continue;
    followers.add(incident);
    if (heir.incident) heir.absorbs.push(incident);
    else heir.incident = incident;
  }
  const companies = gather(loose, (view) => unless(followers, homes.get(view.check.id)), input);
  return [...rooted, ...companies].toSorted((one, other) => begin(one) - begin(other) || one.root.localeCompare(other.root));
}

function unless(taken: ReadonlySet<Incident>, incident: Incident | undefined): Incident | undefined {
  return incident && !taken.has(incident) ? incident : undefined;
}

/** When the first of it began to fail. */
function begin(group: Group): number {
  return Math.min(...group.bad.map(sinceOf));
}

/** What was slow before and is down now may be down by something new. */
const worseSince = ({ state }: CheckView) => state.worseSinceMs ?? state.heldSinceMs;

const sinceOf = (view: CheckView) => view.state.heldSinceMs;

function homesOf(open: readonly Incident[]): Map<string, Incident> {
  const oldestLast = open.toSorted((a, b) => b.id - a.id);
  return new Map(oldestLast.flatMap((incident) => incident.facts.members.map((member): [string, Incident] => [member, incident])));
}

/**
 * Components that were symptoms of a root which is well again, with the incident of that root: they are what is left of it, not roots of
 * their own, and so is what fails above them.
 */
function leftoversOf(
  bad: readonly CheckView[],
  open: readonly Incident[],
  homes: ReadonlyMap<string, Incident>,
  troubles: ReadonlyMap<string, Trouble>,
): Map<string, Incident> {
  const over = new Set(open.filter(({ root }) => root.startsWith('component:') && !troubles.has(root.slice('component:'.length))));
  return new Map(
    bad.flatMap(({ check }): [string, Incident][] => {
      const home = homes.get(check.id);
      return check.component !== undefined && home && over.has(home) ? [[check.component, home]] : [];
    }),
  );
}

/** Components in trouble: since when, and how much later than the truth that may be. */
function troublesOf(bad: readonly CheckView[], noisy: readonly Pick<NoisyTenant, 'component' | 'sinceMs'>[]): Map<string, Trouble> {
  const troubles = new Map<string, Trouble>();
  for (const view of bad) {
    const { component } = view.check;
    if (component === undefined || troubles.has(component)) continue;
    const loads = noisy.filter((one) => one.component === component).map((one) => one.sinceMs);
    troubles.set(component, { sinceMs: Math.min(unseenSince(view), ...loads), slackMs: Math.max(SAME_TIME_MS, freshForMs(view.check)) });
  }
  return troubles;
}

/** Since when it may have been in trouble: what nobody saw before it was seen failing may have begun in the dark. */
function unseenSince({ check, state }: CheckView): number {
  const dark = check.locations.flatMap((location) => {
    const gap = state.gaps[location];
    if (!gap || gap.plannedAtMs > state.heldSinceMs || state.heldSinceMs - gap.plannedAtMs > freshForMs(check)) return [];
    return [gapBegan(gap)];
  });
  return Math.min(state.heldSinceMs, ...dark);
}

/** The component that explains it: the deepest in trouble, and of several the one that began nearest to it. */
function rootOf(view: CheckView, troubles: ReadonlyMap<string, Trouble>, config: Config, home: Incident | undefined): string | undefined {
  const candidates = [...standsOn(config, view.check)].filter((component) => {
    const trouble = troubles.get(component);
    return trouble && (component === view.check.component || worseSince(view) >= trouble.sinceMs - trouble.slackMs);
  });
  const deepest = candidates.filter((one) => !candidates.some((other) => other !== one && componentsBelow(config, one).has(other)));
  const known = deepest.find((component) => home?.root === `component:${component}`);
  if (known !== undefined) return known;
  const away = (component: string) => Math.abs(worseSince(view) - (troubles.get(component)?.sinceMs ?? 0));
  return deepest.sort((a, b) => away(a) - away(b) || a.localeCompare(b))[0];
}

/** The group with a known root that an incident goes on as: that of its root, else that of its first member. */
function heirOf(
  incident: Incident,
  rooted: readonly Group[],
  inOrder: readonly CheckView[],
  homes: ReadonlyMap<string, Incident>,
): Group | undefined {
  const same = rooted.find((group) => group.root === incident.root);
  if (same) return same;
  const first = inOrder.find((view) => homes.get(view.check.id) === incident);
  return first && rooted.find((group) => group.bad.includes(first));
}

/** Puts together what no root explains: first what belongs to an open incident, then what joins it or what else is new. */
function gather(loose: readonly CheckView[], homeOf: (view: CheckView) => Incident | undefined, input: CorrelateInput): Group[] {
  const companies: Company[] = [];
  const begin = (view: CheckView, incident?: Incident) => companies.push(new Company(view, input.config, incident));
  for (const view of loose) {
    const home = homeOf(view);
    if (!home) continue;
    const known = companies.find((one) => one.incident === home);
    if (known) known.add(view);
    else begin(view, home);
  }
  for (const view of loose) {
    if (homeOf(view)) continue;
    const known = companies.find((one) => isCompany(one, view, input));
    if (known) known.add(view);
    else begin(view);
  }
  return companies.map(({ root, bad, incident }) => ({ root, bad, absorbs: [], ...(incident ? { incident } : {}) }));
}

/** Checks that fail without a known root, and what they have in common. */
class Company {
  readonly root: string;
  readonly bad: CheckView[] = [];
  readonly incident: Incident | undefined;
  readonly services = new Set<string>();
  readonly tenants = new Set<string | undefined>();
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = 0;
  readonly #config: Config;
  #below: ReadonlySet<string> = new Set();

  constructor(first: CheckView, config: Config, incident: Incident | undefined) {
    this.incident = incident;
    this.root = incident?.root ?? `service:${first.check.service ?? first.check.component}`;
    this.#config = config;
    this.add(first);
  }

  add(view: CheckView): void {
    this.bad.push(view);
    if (view.check.service !== undefined) this.services.add(view.check.service);
    this.tenants.add(view.check.tenant);
    this.firstMs = Math.min(this.firstMs, sinceOf(view));
    this.lastMs = Math.max(this.lastMs, sinceOf(view));
    this.#below = this.#below.union(standsOn(this.#config, view.check));
  }

  /** Components that some of it and the check stand on. */
  sharedWith(view: CheckView): string[] {
    return [...this.#below.intersection(standsOn(this.#config, view.check))];
  }
}

function isCompany(company: Company, view: CheckView, input: CorrelateInput): boolean {
  const { service, tenant } = view.check;
  if (service !== undefined && company.services.has(service)) return true;
  const windowMs = Math.max(SAME_TIME_MS, freshForMs(view.check));
  if (sinceOf(view) < company.firstMs - windowMs || sinceOf(view) > company.lastMs + windowMs) return false;
  if (tenant !== undefined && company.tenants.size === 1 && company.tenants.has(tenant)) return true;
  const beganMs = Math.min(sinceOf(view), company.firstMs);
  return company.sharedWith(view).some((component) => !seenWellSince(component, beganMs, input.views));
}

/** Whether all checks of the component, of which there must be one, have been up by quorum in runs that were planned after that time. */
export function seenWellSince(component: string, sinceMs: number, views: readonly CheckView[]): boolean {
  const own = views.filter((view) => view.check.component === component);
  return own.length > 0 && own.every((view) => isUpSince(view, sinceMs));
}

function isUpSince({ check, state }: CheckView, sinceMs: number): boolean {
  if (state.held !== 'up' || state.moment !== 'up') return false;
  const since = check.locations.filter((location) => {
    const said = state.locations[location];
    return said?.verdict === 'up' && said.plannedAtMs > sinceMs;
  });
  return since.length >= quorumOf(check);
}

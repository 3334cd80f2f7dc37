/**
 * Services that share a component, however far down, fail together. They are judged together under one lock, so that no
 * worker judges half the picture. Such a group is a scope.
 */
import type { Component, Config, Scope, Service } from './model.ts';
import { compare } from './problems.ts';

type Parts = Pick<Config, 'services' | 'components' | 'checks'>;

/** Fills in `scope` of every service and check, and returns the scopes by id. */
export function assignScopes(config: Parts): Record<string, Scope> {
  const scopeOf = groupServices(config);
  const scopes: Record<string, Scope> = Object.create(null);
  const scope = (id: string) => (scopes[id] ??= { id, services: [], components: [], checks: [] });
  for (const id of Object.keys(config.services).toSorted(compare)) {
    const service = config.services[id]!;
    service.scope = scopeOf.get(id) ?? id;
    scope(service.scope).services.push(id);
  }
  const ofComponent = componentScopes(config);
  for (const [id, own] of [...ofComponent].toSorted(([a], [b]) => compare(a, b))) {
    // A component that nobody depends on and nothing checks needs no lock.
    const used = !own.startsWith('component:') || Object.values(config.checks).some((check) => check.component === id);
    if (used) scope(own).components.push(id);
  }
  for (const id of Object.keys(config.checks).toSorted(compare)) {
    const check = config.checks[id]!;
    check.scope = check.service === undefined ? ofComponent.get(check.component ?? '')! : config.services[check.service]!.scope;
    scope(check.scope).checks.push(id);
  }
  return scopes;
}

/** Every component that the given ones stand on, themselves included. */
export function reachable(from: readonly string[], components: Readonly<Record<string, Pick<Component, 'dependsOn'>>>): Set<string> {
  const found = new Set<string>();
  const waiting = [...from];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...(components[id]?.dependsOn ?? []));
  }
  return found;
}

/** Union-find; the smallest id of a group stands for it, so that the order in the file does not matter. */
function groupServices({ services, components }: Parts): Map<string, string> {
  const parent = new Map(Object.keys(services).map((id) => [id, id]));
  const find = (id: string): string => {
    const up = parent.get(id) ?? id;
    return up === id ? id : find(up);
  };
  const firstUser = new Map<string, string>();
  for (const service of Object.values(services)) {
    for (const component of reachable(service.dependsOn, components)) {
      const [a, b] = [find(firstUser.get(component) ?? service.id), find(service.id)].toSorted(compare);
      parent.set(b!, a!);
      firstUser.set(component, service.id);
    }
  }
  return new Map([...parent.keys()].map((id) => [id, find(id)]));
}

/** A component is judged with the services that stand on it; all of them are in one scope. */
function componentScopes({ services, components }: Parts): Map<string, string> {
  const byImportance = Object.values(services).toSorted((a, b) => a.tier - b.tier || compare(a.id, b.id));
  const scopes = new Map(Object.keys(components).map((id) => [id, `component:${id}`]));
  for (const service of byImportance.toReversed()) claim(service, components, scopes);
  return scopes;
}

function claim(service: Service, components: Parts['components'], scopes: Map<string, string>): void {
  for (const id of reachable(service.dependsOn, components)) scopes.set(id, service.scope);
}

/** One cycle among the components, as `a, b, a`; `undefined` when there is none. */
export function findCycle(dependsOn: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (id: string, trail: string[]): string[] | undefined => {
    if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
    if (done.has(id)) return undefined;
    for (const next of dependsOn.get(id) ?? []) {
      const cycle = walk(next, [...trail, id]);
      if (cycle) return cycle;
    }
    done.add(id);
    return undefined;
  };
  for (const id of dependsOn.keys()) {
    const cycle = walk(id, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/**
 * Services that share a component, however far down, fail together. They are judged together under one lock, so that no
 * worker judges half the picture. Such a group is a scope.
 */
import type { Check } from '../check.ts';
import type { Component, Config, Scope } from './model.ts';
import { compare } from './problems.ts';

type Parts = Pick<Config, 'services' | 'components' | 'checks'>;

/** Fills in `scope` of every service and check, and returns the scopes by id. */
export function assignScopes(config: Parts): Record<string, Scope> {
  const groups = groupAll(config);
  const scopes: Record<string, Scope> = Object.create(null);
  const scope = (id: string) => (scopes[id] ??= { id, services: [], components: [], checks: [] });
  for (const id of Object.keys(config.services).toSorted(compare)) {
    const service = config.services[id]!;
    service.scope = groups.get(`service:${id}`)!;
    scope(service.scope).services.push(id);
  }
  const checked = new Set(Object.values(config.checks).map((check) => groups.get(nodeOf(check))));
  for (const id of Object.keys(config.components).toSorted(compare)) {
    const own = groups.get(`component:${id}`)!;
    // Components that no service stands on and nothing checks need no lock.
    if (!own.startsWith('component:') || checked.has(own)) scope(own).components.push(id);
  }
  for (const id of Object.keys(config.checks).toSorted(compare)) {
    const check = config.checks[id]!;
    check.scope = groups.get(nodeOf(check))!;
    scope(check.scope).checks.push(id);
  }
  return scopes;
}

function nodeOf({ service, component }: Pick<Check, 'service' | 'component'>): string {
  return service === undefined ? `component:${component ?? ''}` : `service:${service}`;
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

/**
 * Union-find over services and components, joined by what they stand on. A group is called by the smallest id of its services, or, without
 * any, by that of its components, so that the order in the file does not matter.
 */
function groupAll({ services, components }: Parts): Map<string, string> {
  const parent = new Map<string, string>();
  for (const id of Object.keys(services)) parent.set(`service:${id}`, `service:${id}`);
  for (const id of Object.keys(components)) parent.set(`component:${id}`, `component:${id}`);
  const find = (node: string): string => {
    const up = parent.get(node) ?? node;
    if (up === node) return node;
    const root = find(up);
    parent.set(node, root);
    return root;
  };
  const join = (a: string, b: string) => {
    const [smaller, larger] = [find(a), find(b)].toSorted(compareNodes);
    parent.set(larger!, smaller!);
  };
  for (const { id, dependsOn } of Object.values(services)) for (const below of dependsOn) join(`service:${id}`, `component:${below}`);
  for (const { id, dependsOn } of Object.values(components)) for (const below of dependsOn) join(`component:${id}`, `component:${below}`);
  return new Map([...parent.keys()].map((node) => [node, find(node).replace(/^service:/, '')]));
}

/** Services before components, each by its id. */
function compareNodes(a: string, b: string): number {
  const isService = (node: string) => node.startsWith('service:');
  return Number(isService(b)) - Number(isService(a)) || compare(a, b);
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

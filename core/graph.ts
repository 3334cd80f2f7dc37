/** What stands on what. */
import type { Check } from './check.ts';
import type { Config } from './config/model.ts';
import { reachable } from './config/scopes.ts';

type Parts = Pick<Config, 'services' | 'components'>;

/** Walked once for each configuration: the answers are asked for with every judgement. */
const memory = new WeakMap<Parts['components'], Map<string, ReadonlySet<string>>>();

function remembered(config: Parts, key: string, find: () => ReadonlySet<string>): ReadonlySet<string> {
  const known = memory.get(config.components) ?? new Map<string, ReadonlySet<string>>();
  memory.set(config.components, known);
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}

/** Every component below that one, itself included. */
export function componentsBelow(config: Parts, component: string): ReadonlySet<string> {
  return remembered(config, `component:${component}`, () => reachable([component], config.components));
}

/** Every component that the check's service stands on, or the check's own component and what is below it. */
export function standsOn(config: Parts, check: Pick<Check, 'service' | 'component'>): ReadonlySet<string> {
  const { service } = check;
  if (service === undefined) return componentsBelow(config, check.component ?? '');
  return remembered(config, `service:${service}`, () => reachable(config.services[service]?.dependsOn ?? [], config.components));
}

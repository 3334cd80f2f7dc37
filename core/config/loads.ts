/** Where the load of tenants is told, and whether anybody could tell theirs apart. */
import { type OwnerKey, type SharedName, sharedNames, tenantsOn } from '../load/owners.ts';
import type { ProbePart } from './checks.ts';
import type { Config } from './model.ts';
import type { Problems } from './problems.ts';
import { shown } from './words.ts';

/**
 * Sets the option `load` of the checks of components on which a tenant has a database, a role or a queue, unless the file says otherwise,
 * and reports tenants that have no name of their own there. A check that is made for each tenant looks at servers of their own.
 */
export function tellLoads(
  config: Pick<Config, 'checks' | 'tenants'>,
  probes: ReadonlyMap<string, Pick<ProbePart, 'schema' | 'loads'>>,
  problems: Problems,
): void {
  for (const check of Object.values(config.checks)) {
    const probe = probes.get(check.type);
    if (!probe?.loads || check.component === undefined || check.tenant !== undefined || check.params.load === false) continue;
    const isKnown = tenantsOn(config.tenants, check.component, probe.loads).length > 0;
    if (isKnown && Object.hasOwn(probe.schema.shape, 'load')) check.params = { ...check.params, load: true };
    for (const shared of each(sharedNames(config.tenants, check.component, probe.loads))) {
      problems.atValue(['tenants', shared.tenant, shared.by], wordsOf(shared, check.component, probe.loads));
    }
  }
}

/** Of two tenants that lack a name of their own because of each other, the later. */
function each(shared: readonly SharedName[]): SharedName[] {
  return shared.filter(({ tenant, other }, index) => !shared.slice(index + 1).some((one) => one.tenant === other && one.other === tenant));
}

function wordsOf({ other, name }: SharedName, component: string, kinds: readonly OwnerKey[]): string {
  const choice = kinds.map((by) => `a ${by}`).join(' or ');
  const why = `expected ${choice} that no other tenant has on ${component}, got ${shown(name)}, which ${other} has too`;
  return `${why}; give each its own, or say under components where each of them is`;
}

/** Which database, role or queue is whose. */
import type { Config, Tenant } from '../config/model.ts';
import type { Finding, Load } from '../result.ts';

export const OWNER_KEYS = ['database', 'role', 'queue'] as const satisfies readonly Load['by'][];
export type OwnerKey = (typeof OWNER_KEYS)[number];

type Tenants = Readonly<Record<string, Tenant>>;

/** What a tenant is called on servers: its fields `database`, `role` and `queue`. */
function nameOf(tenant: Tenant, by: OwnerKey): string | undefined {
  return tenant.fields[by];
}

/** Whether the tenant may be on that component: those that name none may be on any. */
function isOn(tenant: Tenant, component: string): boolean {
  return tenant.components === undefined || tenant.components.includes(component);
}

/** The tenants whose load a server that knows these kinds of owners can tell. */
export function tenantsOn(tenants: Tenants, component: string, kinds: readonly OwnerKey[]): Tenant[] {
  return Object.values(tenants).filter((tenant) => isOn(tenant, component) && kinds.some((by) => nameOf(tenant, by) !== undefined));
}

/** Finds the tenant behind a name that a server of a component knows. */
export interface Owners {
  /** Ids of all that may be found. */
  tenants: ReadonlySet<string>;
  /** `undefined` for what is nobody's, or of several. */
  tenantOf(by: OwnerKey, name: string): string | undefined;
}

/** The owners on one component. */
export function ownersOn(tenants: Tenants, component: string): Owners {
  const exact = new Map<string, string | undefined>();
  const queues: { prefix: string; tenant: string }[] = [];
  const here = tenantsOn(tenants, component, OWNER_KEYS);
  for (const tenant of here) {
    for (const by of OWNER_KEYS) {
      const name = nameOf(tenant, by);
      if (name === undefined) continue;
      const key = `${by} ${name}`;
      if (by === 'queue' && name.endsWith('*')) queues.push({ prefix: name.slice(0, -1), tenant: tenant.id });
      // What two have in common is neither's.
      else exact.set(key, exact.has(key) ? undefined : tenant.id);
    }
  }
  return {
    tenants: new Set(here.map(({ id }) => id)),
    tenantOf: (by, name) => {
      const key = `${by} ${name}`;
      if (exact.has(key) || by !== 'queue') return exact.get(key);
      const fitting = queues.filter(({ prefix }) => name.startsWith(prefix));
      return fitting.length === 1 ? fitting[0]?.tenant : undefined;
    },
  };
}

/** Two tenants that nobody could tell apart on a component. */
export interface SharedName {
  tenant: string;
  other: string;
  by: OwnerKey;
  name: string;
}

/**
 * Tenants on the component that have names there, but none that is theirs alone; each with one that it shares a name with. `kinds`: what
 * the component's server knows owners by; of those a single one is enough.
 */
export function sharedNames(tenants: Tenants, component: string, kinds: readonly OwnerKey[]): SharedName[] {
  const here = tenantsOn(tenants, component, kinds);
  const byName = Map.groupBy(
    here.flatMap((tenant) => kinds.flatMap((by) => ({ tenant, by, name: nameOf(tenant, by) }))),
    ({ by, name }) => `${by} ${name}`,
  );
  return here.flatMap((tenant) => {
    const shared: SharedName[] = [];
    for (const by of kinds) {
      const name = nameOf(tenant, by);
      if (name === undefined) continue;
      const others = [...(byName.get(`${by} ${name}`) ?? []), ...overlapping(here, by, name)].map((one) => one.tenant);
      const other = others.find((one) => one.id !== tenant.id);
      if (!other) return [];
      shared.push({ tenant: tenant.id, other: other.id, by, name });
    }
    return shared.slice(0, 1);
  });
}

/** Queues may be named by how they begin. */
function overlapping(here: readonly Tenant[], by: OwnerKey, name: string): { tenant: Tenant }[] {
  if (by !== 'queue') return [];
  const [own, isPrefix] = [name.replace(/\*$/, ''), name.endsWith('*')];
  return here.flatMap((tenant) => {
    const queue = nameOf(tenant, 'queue');
    if (queue === undefined) return [];
    const [theirs, theyArePrefix] = [queue.replace(/\*$/, ''), queue.endsWith('*')];
    const meet = (isPrefix && theirs.startsWith(own)) || (theyArePrefix && own.startsWith(theirs));
    return meet ? [{ tenant }] : [];
  });
}

/**
 * The tenant that a finding of a component is about, by the role, database or queue in it: `{ id: 'hillcrest', title: 'Hillcrest Dental' }`.
 * `undefined` when it is nobody's.
 */
export function nameTenant(
  finding: Pick<Finding, 'whose'>,
  config: Pick<Config, 'tenants'>,
  component: string,
): Pick<Tenant, 'id' | 'title'> | undefined {
  const { whose } = finding;
  if (!whose) return undefined;
  const owners = ownersOn(config.tenants, component);
  for (const by of OWNER_KEYS) {
    const name = whose[by];
    const tenant = name === undefined ? undefined : config.tenants[owners.tenantOf(by, name) ?? ''];
    if (tenant) return { id: tenant.id, title: tenant.title };
  }
  return undefined;
}

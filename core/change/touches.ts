/** What a change touches, by the names under `changedBy`. */
import type { Touched } from '../change.ts';
import { type ChangeName, type NamePrefix, readChangeName } from '../config/changed-by.ts';
import type { Config } from '../config/model.ts';

/** By what a source calls that which it changes. */
export interface Named {
  prefix?: NamePrefix;
  /** Such as `acme/billing`, or `billing-prod` and `apps/billing-prod`. */
  names: readonly string[];
  environment?: string;
}

/**
 * What names the change; nothing at all when nobody does. `elsewhere` when it is named for other environments only: what is deployed
 * to staging does not concern those who name production.
 */
export function touchedBy(config: Pick<Config, 'services' | 'components' | 'tenants'>, named: Named): Touched | 'elsewhere' {
  let elsewhere = false;
  const idsOf = (entries: Readonly<Record<string, { id: string; changedBy?: string[] }>>) =>
    Object.values(entries).flatMap(({ id, changedBy = [] }) => {
      const fits = changedBy.map((entry) => heldAgainst(readChangeName(entry), named));
      elsewhere ||= fits.includes('elsewhere');
      return fits.includes('fits') ? [id] : [];
    });
  const touched = { services: idsOf(config.services), components: idsOf(config.components), tenants: idsOf(config.tenants) };
  const any = touched.services.length + touched.components.length + touched.tenants.length > 0;
  return elsewhere && !any ? 'elsewhere' : touched;
}

function heldAgainst(entry: ChangeName, { prefix, names, environment }: Named): 'fits' | 'elsewhere' | 'no' {
  const here = entry.environment === undefined || same(entry.environment, environment);
  if (entry.name === undefined) return here ? 'fits' : 'no';
  if (entry.prefix !== undefined && entry.prefix !== prefix) return 'no';
  if (!names.some((name) => same(name, entry.name))) return 'no';
  return here ? 'fits' : 'elsewhere';
}

function same(one: string, other: string | undefined): boolean {
  return other !== undefined && one.toLowerCase() === other.toLowerCase();
}

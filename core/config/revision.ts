/** A name for exactly this configuration: the same for the same meaning, whatever the order of its keys. */
import type { Config } from './model.ts';
import { compare } from './problems.ts';

/** The first 12 characters of the hash of everything that the configuration says. */
export function revisionOf(config: Omit<Config, 'revision'>, hash: (text: string) => string): string {
  // Locations stand in the order of the file where a check does not name its own; the order means nothing.
  const checks = Object.values(config.checks).map((check) => [check.id, { ...check, locations: check.locations.toSorted(compare) }]);
  return hash(canonical({ ...config, checks: Object.fromEntries(checks) })).slice(0, 12);
}

/** JSON with its keys sorted and what is undefined left out. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonical(entry ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => compare(a, b))
    .map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`)
    .join(',')}}`;
}

/** What another configuration asks of the agents: how much they run, and which secrets they need. */
import type { Config } from './model.ts';
import { compare } from './problems.ts';
import { referencesIn } from './references.ts';
import { eachScalar } from './secrets.ts';

export interface Load {
  location: string;
  /** Scheduled runs a minute. */
  before: number;
  after: number;
}

/** Scheduled runs a minute at each location, before and after. */
export function loadByLocation(before: Config | undefined, after: Config): Load[] {
  const ids = [...new Set([...Object.keys(after.locations), ...Object.keys(before?.locations ?? {})])];
  const [was, is] = [runsPerMinute(before), runsPerMinute(after)];
  return ids.map((location) => ({ location, before: was.get(location) ?? 0, after: is.get(location) ?? 0 }));
}

function runsPerMinute(config: Config | undefined): Map<string, number> {
  const runs = new Map<string, number>();
  for (const check of Object.values(config?.checks ?? {})) {
    for (const location of check.locations) runs.set(location, (runs.get(location) ?? 0) + 60_000 / check.everyMs);
  }
  return runs;
}

export interface NeededSecrets {
  location: string;
  /** Names only. */
  secrets: string[];
}

/** The secrets that the agents of each location need and did not before. */
export function newSecrets(before: Config | undefined, after: Config): NeededSecrets[] {
  const known = before ? secretsByLocation(before) : new Map<string, Set<string>>();
  return [...secretsByLocation(after)].flatMap(([location, names]) => {
    const secrets = [...names.difference(known.get(location) ?? new Set())].toSorted(compare);
    return secrets.length === 0 ? [] : [{ location, secrets }];
  });
}

function secretsByLocation(config: Config): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const note = (location: string, options: unknown) => {
    for (const name of secretsIn(options)) found.set(location, (found.get(location) ?? new Set()).add(name));
  };
  for (const { locations, params } of Object.values(config.checks)) for (const location of locations) note(location, params);
  for (const { action } of Object.values(config.runbooks)) note(action.location, [action.params, action.template]);
  return found;
}

function secretsIn(options: unknown): string[] {
  const names: string[] = [];
  eachScalar(options, [], (_path, _key, value) => {
    if (typeof value !== 'string') return;
    for (const reference of referencesIn(value)) if (reference.kind === 'secret') names.push(reference.name);
  });
  return names;
}

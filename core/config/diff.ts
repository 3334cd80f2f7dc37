/**
 * What another configuration would add, change and retire. Whether an entry differs is decided by what it means, defaults filled in and
 * tenants expanded; how it differs is told as it is written. What only follows from another entry (a check that runs at a new location, or
 * for a new tenant) is counted there and not told a second time.
 */
import type { Check } from '../check.ts';
import { type FieldChange, fieldChanges } from './fields.ts';
import type { Config } from './model.ts';
import { compare } from './problems.ts';
import { isPlain, type Plain } from './reader.ts';
import { canonical } from './revision.ts';
import { SECTIONS, type Section } from './schema.ts';

export type { FieldChange } from './fields.ts';

export interface EntryChange {
  section: Section;
  id: string;
  kind: 'added' | 'changed' | 'retired';
  /** Of what was changed; empty where all of it follows from other entries. */
  fields: FieldChange[];
  /** How many checks, tenants expanded, it makes or touches; only where that is not one. */
  checks?: number;
}

/** Ids of checks, tenants expanded. */
export interface CheckIds {
  added: string[];
  changed: string[];
  retired: string[];
}

export interface ConfigDiff {
  /** What stands at the top of the file: `timezone`, `fallback`, `storage`. */
  head: FieldChange[];
  entries: EntryChange[];
  checks: CheckIds;
}

/** A configuration and the values it was read from. */
export interface ReadConfig {
  config: Config;
  value: Plain;
}

/** What `after` would change of `before`; without that, all of it is added. */
export function diffConfigs(before: ReadConfig | undefined, after: ReadConfig): ConfigDiff {
  const checks = checkIds(before?.config.checks ?? {}, after.config.checks);
  const pair: Pair = { before, after, checks };
  const head = before ? fieldChanges(headOf(before), headOf(after)) : [];
  return { head, entries: SECTIONS.flatMap((section) => sectionChanges(section, pair)), checks };
}

/** As it is written. */
function headOf({ config, value }: ReadConfig): Plain {
  const { fallback, storage } = value;
  return { timezone: config.timezone, ...(fallback === undefined ? {} : { fallback }), ...(storage === undefined ? {} : { storage }) };
}

/** Whether nothing would change. */
export function isEmptyDiff(diff: ConfigDiff): boolean {
  const { added, changed, retired } = diff.checks;
  return [diff.head, diff.entries, added, changed, retired].every((list) => list.length === 0);
}

interface Pair {
  before: ReadConfig | undefined;
  after: ReadConfig;
  checks: CheckIds;
}

function checkIds(before: Config['checks'], after: Config['checks']): CheckIds {
  const ids = Object.keys(after);
  return {
    added: ids.filter((id) => !before[id]),
    changed: ids.filter((id) => before[id] && meaning(before[id]) !== meaning(after[id])),
    retired: Object.keys(before).filter((id) => !after[id]),
  };
}

/** Scopes follow from what the services stand on, and the order in which locations are named means nothing. */
function meaning(entry: unknown): string {
  if (!isPlain(entry)) return canonical(entry);
  const { scope: _scope, ...rest } = entry;
  return canonical(Array.isArray(rest.locations) ? { ...rest, locations: rest.locations.map(String).toSorted(compare) } : rest);
}

function sectionChanges(section: Section, pair: Pair): EntryChange[] {
  const [before, after] = [writtenEntries(section, pair.before), writtenEntries(section, pair.after)];
  const ids = [...after.keys(), ...[...before.keys()].filter((id) => !after.has(id))];
  return ids.flatMap((id): EntryChange[] => {
    const count = countOf(section, id, pair);
    const about = { section, id, ...(count === undefined ? {} : { checks: count }) };
    if (!before.has(id)) return [{ ...about, kind: 'added' as const, fields: [] }];
    if (!after.has(id)) return [{ ...about, kind: 'retired' as const, fields: [] }];
    if (entryMeaning(section, id, pair.before) === entryMeaning(section, id, pair.after)) return [];
    const fields = fieldChanges(before.get(id), after.get(id));
    if (fields.length > 0) return [{ ...about, kind: 'changed' as const, fields }];
    const effects = section === 'checks' ? checkEffects(id, pair) : entryEffects(section, id, pair);
    return effects.length > 0 ? [{ ...about, kind: 'changed' as const, fields: effects }] : [];
  });
}

function writtenEntries(section: Section, read: ReadConfig | undefined): Map<string, unknown> {
  const entries = read?.value[section];
  return new Map(isPlain(entries) ? Object.entries(entries) : []);
}

function entryMeaning(section: Section, id: string, read: ReadConfig | undefined): string {
  if (!read) return '';
  if (section !== 'checks') return meaning(read.config[section][id]);
  return canonical(
    ofTemplate(read, id)
      .map((check) => [check.id, meaning(check)])
      .toSorted(),
  );
}

function ofTemplate(read: ReadConfig | undefined, template: string): Check[] {
  return Object.values(read?.config.checks ?? {}).filter((check) => check.template === template);
}

/** How many checks an entry stands for: those of a template, of a tenant, at a location. */
function countOf(section: Section, id: string, { before, after, checks }: Pair): number | undefined {
  const touched = new Set([...checks.added, ...checks.changed, ...checks.retired]);
  const all = [...Object.values(after.config.checks), ...checks.retired.flatMap((one) => before?.config.checks[one] ?? [])];
  if (section === 'checks') {
    const own = all.filter((check) => check.template === id);
    return own.some((check) => check.tenant) ? own.length : undefined;
  }
  if (section === 'tenants') return all.filter((check) => check.tenant === id && touched.has(check.id)).length;
  if (section !== 'locations') return undefined;
  const was = (check: Check) => before?.config.checks[check.id]?.locations.includes(id) ?? false;
  const is = (check: Check) => after.config.checks[check.id]?.locations.includes(id) ?? false;
  return all.filter((check) => was(check) !== is(check)).length;
}

/**
 * What changes of a check whose entry says the same as before, and is told nowhere else: not that it runs for other tenants, with other
 * fields of a tenant, or at other locations.
 */
function checkEffects(template: string, { before, after, checks }: Pair): FieldChange[] {
  if (!before) return [];
  const touched = new Set(checks.changed);
  for (const check of ofTemplate(after, template)) {
    const was = before.config.checks[check.id];
    if (!was || !touched.has(check.id)) continue;
    const { id: _id, scope: _scope, locations, params, ...rest } = check;
    const { id: _wasId, scope: _wasScope, locations: wasLocations, params: wasParams, ...wasRest } = was;
    const follows = tenantChanged(check.tenant, before, after);
    const fields = [
      ...fieldChanges(wasRest, rest),
      ...(follows ? [] : fieldChanges(wasParams, params, check.type)),
      ...(locationsFollow(wasLocations, locations, before, after) ? [] : fieldChanges(wasLocations, locations, 'locations')),
    ];
    if (fields.length > 0) return fields;
  }
  return [];
}

function tenantChanged(tenant: string | undefined, before: ReadConfig, after: ReadConfig): boolean {
  return tenant !== undefined && canonical(before.config.tenants[tenant]) !== canonical(after.config.tenants[tenant]);
}

/** Whether the check's locations differ only by those that were added to the configuration or removed from it. */
function locationsFollow(was: readonly string[], is: readonly string[], before: ReadConfig, after: ReadConfig): boolean {
  const gained = is.filter((location) => !was.includes(location));
  const lost = was.filter((location) => !is.includes(location));
  return gained.every((location) => !before.config.locations[location]) && lost.every((location) => !after.config.locations[location]);
}

/** What follows of an entry of another section, such as a report of all services when there is one more. */
function entryEffects(section: Exclude<Section, 'checks'>, id: string, { before, after }: Pair): FieldChange[] {
  const { scope: _scope, ...is } = { scope: '', ...after.config[section][id] };
  const { scope: _wasScope, ...was } = { scope: '', ...before?.config[section][id] };
  return fieldChanges(was, is);
}

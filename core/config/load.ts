/**
 * Reads `rounds.yaml`: text in, a configuration or everything that is wrong with it out. No file, no network, no clock:
 * what it needs of the probes and actions is handed in.
 */

import { type CheckContext, type ProbePart, readCheck, type Scalar, wordsOf } from './checks.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import { reportExpansions } from './expansions.ts';
import { readFallback } from './fallback.ts';
import { tellLoads } from './loads.ts';
import { maintenanceOf, reportMaintenance } from './maintenance.ts';
import type { Component, Config, ScheduledReport, Service, Tenant } from './model.ts';
import { type Path, type Position, type Problem, Problems } from './problems.ts';
import { isPlain, type Plain, read, reportUnknownKey } from './reader.ts';
import { revisionOf } from './revision.ts';
import { type ActionPart, readRunbook } from './runbooks.ts';
import { type EntrySchemas, entrySchemas, idSchema, type KnownIds, SECTIONS, type Section } from './schema.ts';
import { assignScopes, findCycle } from './scopes.ts';
import { eachScalar, isWrittenSecret, SECRET_IN_FILE } from './secrets.ts';
import { readSloDocuments, type SloFile, withSloFiles } from './slo-documents.ts';
import { reportSlos, slosOf } from './slos.ts';
import { readStorage } from './storage.ts';
import { finishTeams, readTeam } from './teams.ts';
import { isTimezone, reportTimezone } from './timezone.ts';
import { shown } from './words.ts';

export { formatProblem, type Path, type Position, type Problem } from './problems.ts';

export interface ConfigSource {
  /** As it is named in messages. */
  file: string;
  text: string;
  /** Where relative files of journeys are looked for: the folder of the file. */
  folder?: string;
  /** What it names under `slos`, by the names. */
  sloFiles?: ReadonlyMap<string, readonly SloFile[]>;
}

export interface ConfigParts {
  probes: ReadonlyMap<string, ProbePart>;
  actions: ReadonlyMap<string, ActionPart>;
  /** Whether it is a time in cron's five fields. */
  isCron(text: string): boolean;
  /** A digest in hexadecimal, at least 12 characters. */
  hash(text: string): string;
}

export type LoadedConfig =
  | {
      ok: true;
      config: Config;
      /** What the file says, before anything was filled in or expanded: plain values, without comments. */
      value: Plain;
      positions: (path: Path) => Position | undefined;
    }
  | { ok: false; problems: Problem[] };

/** More than this is a mistake, or wants a second installation: at one a minute they are 167 runs a second and location. */
const MAX_CHECKS = 10_000;

/** The configuration, or all problems at once, sorted by their place in the file. */
export function loadConfig(source: ConfigSource, parts: ConfigParts): LoadedConfig {
  const parsed = readDocument(source.text);
  if ('problems' in parsed) return { ok: false, problems: parsed.problems };
  const whole = withSloFiles(parsed.document, source.sloFiles ?? new Map());
  if (whole.problems.length > 0) return { ok: false, problems: whole.problems };
  return readValue(whole.document, source.folder, parts);
}

/** The same for values that were read from a file before, such as those of the configuration in force: problems then have no place. */
export function loadValue(value: unknown, folder: string | undefined, parts: ConfigParts): LoadedConfig {
  const nowhere = () => ({ line: 1, column: 1 });
  return readValue({ value, valueAt: nowhere, keyAt: nowhere, find: () => undefined }, folder, parts);
}

function readValue(document: ConfigDocument, folder: string | undefined, parts: ConfigParts): LoadedConfig {
  const { value } = document;
  const problems = new Problems(document);
  const config = isPlain(value) ? readAll(value, problems, parts) : reportNoMap(document, problems);
  if (problems.any || !config || !isPlain(value)) return { ok: false, problems: problems.sorted() };
  const revision = revisionOf(config, parts.hash);
  return { ok: true, config: { revision, ...withFolders(config, folder) }, value, positions: document.find };
}

function reportNoMap(document: ConfigDocument, problems: Problems): undefined {
  const found = document.value === null ? '; the file is empty' : `, got ${shown(document.value)}`;
  problems.atValue([], `expected a map with version, timezone, locations and checks${found}`);
}

function readAll(raw: Plain, problems: Problems, parts: ConfigParts): Omit<Config, 'revision'> | undefined {
  const known = knownIds(raw);
  const schemas = entrySchemas(known, parts.isCron);
  reportHead(raw, problems);
  reportSecrets(raw, problems);
  reportExpansions(raw, { problems, commonKeys: Object.keys(schemas.checks.shape) });
  const config = readEntries(raw, schemas, problems);
  finishTeams(config, problems);
  const fallback = readFallback(raw.fallback, problems);
  if (fallback) config.fallback = fallback;
  const storage = readStorage(raw.storage, problems);
  if (storage) config.storage = storage;
  reportCycle(raw, problems);
  readChecks(raw, config, { schema: schemas.checks, probes: parts.probes, problems, tenants: tenantFields(raw), config });
  tellLoads(config, parts.probes, problems);
  reportSlos(config, parts.probes, problems);
  readSloDocuments(raw, config, { known, probes: parts.probes, problems });
  const roles = new Set(sectionOf(raw, 'people').flatMap(([, person]) => rolesOf(person)));
  for (const [id, entry] of entriesOf(raw, 'runbooks', problems)) {
    const runbook = readRunbook(id, entry, {
      schema: schemas.runbooks,
      actions: parts.actions,
      problems,
      known,
      roles,
      failures: kindsOf(parts),
    });
    if (runbook) config.runbooks[id] = runbook;
  }
  reportMaintenance(config, problems);
  if (problems.any) return undefined;
  config.scopes = assignScopes(config);
  return config;
}

/** Records without a prototype: what people type is looked up in them, and nobody's service is called `constructor`. */
function record<T>(): Record<string, T> {
  return Object.create(null);
}

function reportHead(raw: Plain, problems: Problems): void {
  const known = ['version', 'timezone', 'fallback', 'storage', 'slos', ...SECTIONS];
  for (const [key, value] of Object.entries(raw)) if (!known.includes(key)) reportUnknownKey([key], value, known, { problems });
  if (raw.version === undefined) problems.missing(['version'], 'expected version: 1; it is missing');
  else if (raw.version !== 1)
    problems.atValue(['version'], `expected 1, the only version of this file there is, got ${shown(raw.version)}`);
  reportTimezone(raw.timezone, problems);
  for (const section of ['locations', 'checks'] as const) {
    if (raw[section] === undefined) problems.missing([section], 'expected at least one entry; it is missing');
    else if (isPlain(raw[section]) && Object.keys(raw[section]).length === 0) problems.atValue([section], 'expected at least one entry');
  }
}

function knownIds(raw: Plain): KnownIds {
  const ids = (section: Section) => sectionOf(raw, section).map(([id]) => id);
  return Object.fromEntries(SECTIONS.map((section) => [section, ids(section)])) as unknown as KnownIds;
}

function sectionOf(raw: Plain, section: Section): [string, unknown][] {
  const entries = raw[section];
  return isPlain(entries) ? Object.entries(entries) : [];
}

/** The entries of a section whose ids are sound. */
function entriesOf(raw: Plain, section: Section, problems: Problems): [string, unknown][] {
  const value = raw[section];
  if (value !== undefined && !isPlain(value))
    problems.atValue([section], `expected entries by their ids, such as "some-id: { … }", got ${shown(value)}`);
  return sectionOf(raw, section).filter(([id]) => {
    const sound = idSchema.safeParse(id);
    if (!sound.success) problems.atKey([section, id], `${sound.error.issues[0]?.message ?? 'expected an id'}, got ${shown(id)}`);
    return sound.success;
  });
}

function readEntries(raw: Plain, schemas: EntrySchemas, problems: Problems): Omit<Config, 'revision'> {
  const each = <S extends Exclude<Section, 'checks' | 'runbooks'>, T>(section: S, make: (id: string, fields: EntryOf<S>) => T) => {
    const made = record<T>();
    for (const [id, entry] of entriesOf(raw, section, problems)) {
      const fields = read(schemas[section], entry, { path: [section, id], problems }) as EntryOf<S> | undefined;
      if (fields) made[id] = make(id, fields);
    }
    return made;
  };
  return {
    timezone: String(raw.timezone),
    locations: each('locations', (id, fields) => ({ id, title: fields.title ?? wordsOf(id) })),
    people: each('people', (id, fields) => ({ id, name: fields.name ?? wordsOf(id), slack: fields.slack, roles: fields.roles })),
    teams: each('teams', (id, fields) =>
      readTeam(id, fields, { timezone: isTimezone(String(raw.timezone)) ? String(raw.timezone) : 'UTC', problems }),
    ),
    tenants: each('tenants', (id, fields) => tenantOf(id, fields)),
    components: each('components', (id, fields) => componentOf(id, fields)),
    services: each('services', (id, fields) => serviceOf(id, fields, String(raw.timezone))),
    checks: record(),
    runbooks: record(),
    reports: each('reports', (id, fields) => reportOf(id, fields, raw)),
    maintenance: each('maintenance', (id, fields) => maintenanceOf(id, fields, String(raw.timezone))),
    scopes: record(),
  };
}

type EntryOf<S extends Section> = ReturnType<EntrySchemas[S]['parse']>;

function tenantOf(id: string, { changedBy, components, ...written }: EntryOf<'tenants'>): Tenant {
  const title = String(written.title ?? wordsOf(id));
  const fields = Object.fromEntries(Object.entries({ ...written, id, title }).map(([key, value]) => [key, String(value)]));
  return { id, title, fields, ...(changedBy === undefined ? {} : { changedBy }), ...(components === undefined ? {} : { components }) };
}

function serviceOf(id: string, { title, changedBy, slos, ...fields }: EntryOf<'services'>, timezone: string): Service {
  const changed = changedBy === undefined ? {} : { changedBy };
  return { id, title: title ?? wordsOf(id), ...fields, scope: id, ...changed, ...slosOf(id, slos, timezone) };
}

function reportOf(id: string, fields: EntryOf<'reports'>, raw: Plain): ScheduledReport {
  const { title, cron, timezone, channel, services, window } = fields;
  return {
    id,
    title: title ?? wordsOf(id),
    cron,
    timezone: timezone ?? String(raw.timezone),
    channel,
    services: services === 'all' ? sectionOf(raw, 'services').map(([service]) => service) : services,
    ...(window === undefined ? {} : { windowMs: window }),
  };
}

function componentOf(id: string, fields: EntryOf<'components'>): Component {
  const { title, layer, dependsOn, changedBy } = fields;
  return {
    id,
    title: title ?? wordsOf(id),
    ...(layer === undefined ? {} : { layer }),
    dependsOn,
    ...(changedBy === undefined ? {} : { changedBy }),
  };
}

/** As they were written, so that a number put into an option stays a number. */
function tenantFields(raw: Plain): Map<string, Map<string, Scalar>> {
  return new Map(
    sectionOf(raw, 'tenants').map(([id, entry]) => {
      const written = isPlain(entry) ? Object.entries(entry) : [];
      const scalars = written.filter((field): field is [string, Scalar] => ['string', 'number', 'boolean'].includes(typeof field[1]));
      return [id, new Map<string, Scalar>([['title', wordsOf(id)], ...scalars, ['id', id]])];
    }),
  );
}

function readChecks(raw: Plain, config: Omit<Config, 'revision'>, context: CheckContext): void {
  const entries = entriesOf(raw, 'checks', context.problems);
  const total = entries.reduce((sum, [, entry]) => sum + (isPlain(entry) && entry.forEach !== undefined ? context.tenants.size : 1), 0);
  if (total > MAX_CHECKS) {
    context.problems.atKey(
      ['checks'],
      `these are ${total} checks with their tenants, more than ${MAX_CHECKS}; split them between installations`,
    );
    return;
  }
  for (const [template, entry] of entries) {
    for (const check of readCheck(template, entry, context)) config.checks[check.id] = check;
  }
}

function reportCycle(raw: Plain, problems: Problems): void {
  const dependsOn = sectionOf(raw, 'components').map(([id, entry]): [string, string[]] => [id, dependenciesOf(entry)]);
  const cycle = findCycle(new Map(dependsOn));
  const [first] = cycle ?? [];
  if (cycle && first !== undefined) {
    problems.atValue(
      ['components', first, 'dependsOn'],
      `components depend on each other in a circle: ${cycle.join(' → ')}; remove one of these`,
    );
  }
}

function dependenciesOf(entry: unknown): string[] {
  return isPlain(entry) && Array.isArray(entry.dependsOn) ? entry.dependsOn.filter((id) => typeof id === 'string') : [];
}

function rolesOf(person: unknown): string[] {
  return isPlain(person) && Array.isArray(person.roles) ? person.roles.filter((role) => typeof role === 'string') : [];
}

function kindsOf(parts: ConfigParts): Set<string> | undefined {
  const probes = [...parts.probes.values()];
  if (probes.some((probe) => probe.failures === undefined)) return undefined;
  return new Set(probes.flatMap((probe) => (probe.failures ?? []).map((failure) => failure.kind)));
}

function reportSecrets(raw: Plain, problems: Problems): void {
  eachScalar(raw, [], (path, key, value) => {
    if (isWrittenSecret(key, value)) problems.atValue(path, SECRET_IN_FILE);
  });
}

/** Journeys are files beside the configuration; whoever runs them may stand elsewhere. Not part of the revision. */
function withFolders(config: Omit<Config, 'revision'>, folder: string | undefined): Omit<Config, 'revision'> {
  if (folder === undefined) return config;
  for (const check of Object.values(config.checks)) {
    const { file } = check.params;
    if (check.type === 'journey' && typeof file === 'string') check.params = { ...check.params, file: joinPath(folder, file) };
  }
  return config;
}

/** `/etc/rounds` and `journeys/login.ts` make `/etc/rounds/journeys/login.ts`; an absolute file stays as it is. */
export function joinPath(folder: string, file: string): string {
  if (file.startsWith('/')) return file;
  const joined: string[] = [];
  for (const segment of `${folder}/${file}`.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && joined.length > 0 && joined.at(-1) !== '..') joined.pop();
    else if (segment !== '..' || !folder.startsWith('/')) joined.push(segment);
  }
  return `${folder.startsWith('/') ? '/' : ''}${joined.join('/')}`;
}

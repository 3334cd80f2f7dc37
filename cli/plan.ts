/** `rounds plan [FILE]`: what the file would add, change and retire, held against what is in force or against another file. */
import { basename, resolve } from 'node:path';
import { type ConfigDiff, diffConfigs, isEmptyDiff, type ReadConfig } from '../core/config/diff.ts';
import { type Load, loadByLocation, type NeededSecrets, newSecrets } from '../core/config/effects.ts';
import { fateOf } from '../core/config/incidents.ts';
import type { Config } from '../core/config/model.ts';
import { subjectOf } from '../core/words.ts';
import { queueUrlOf } from '../jobs/queue.ts';
import { readInForce, type StoredConfig } from '../store/config.ts';
import { openPool, type Pool } from '../store/db.ts';
import { openIncidents } from '../store/incident.ts';
import { withTables } from './apply.ts';
import { ConfigError, type LoadedFile, loadFile, loadWritten } from './config.ts';
import type { CliContext } from './context.ts';
import { configFileOf, databaseUrlOf } from './places.ts';
import { planInLines } from './plan-output.ts';

export interface IncidentFate {
  id: number;
  /** "Patient billing". */
  about: string;
  /** `closes`: none of its checks is left. `moves`: it goes on under another scope. */
  fate: 'closes' | 'moves';
}

export interface ConfigPlan {
  file: string;
  revision: string;
  /** What it is held against; absent when nothing is in force. */
  against?: { name: string; revision: string; appliedAtMs?: number; appliedBy?: string; file?: string };
  diff: ConfigDiff;
  /** Where journeys are looked for, when that changes. */
  folder?: { before: string; after: string };
  runsPerMinute: Load[];
  secrets: NeededSecrets[];
  locations: { added: { id: string; hasCredentials: boolean | undefined }[]; retired: string[] };
  /** Open incidents that would not stay as they are; absent when a file was compared with a file. */
  incidents?: IncidentFate[];
}

const EXIT = { nothing: 0, problems: 1, changes: 2 } as const;

/** Prints the plan. Resolves to the exit code: 0 nothing would change, 2 something would, 1 the file has problems. */
export async function plan(context: CliContext, named: string): Promise<number> {
  const { io, env, options } = context;
  const file = configFileOf(named || options.config, env);
  return sayingProblems(io, async () => {
    const made = options.against === undefined ? await planAgainstForce(context, file) : await planAgainstFile(file, options.against);
    if (options.json === 'true') io.out(`${JSON.stringify(made, undefined, 2)}\n`);
    else io.out(planInLines(made, { colours: io.terminal, nowMs: Date.now() }).join('\n').concat('\n'));
    return changes(made) ? EXIT.changes : EXIT.nothing;
  });
}

/** Runs a verb that reads files; what is wrong with them is said line by line, and the exit code is 1. */
export async function sayingProblems(io: CliContext['io'], work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    for (const line of error instanceof ConfigError ? error.lines : [(error as Error).message]) io.err(`${line}\n`);
    return EXIT.problems;
  }
}

/** Whether anything would be another than before. */
export function changes({ diff, folder }: ConfigPlan): boolean {
  return !isEmptyDiff(diff) || folder !== undefined;
}

async function planAgainstFile(file: string, old: string): Promise<ConfigPlan> {
  const [after, before] = [await loadFile(file), await loadFile(old)];
  const against = { name: old, revision: before.config.revision };
  return { ...(await compare(file, after, before)), against, locations: locationsOf(before.config, after.config, new Map()) };
}

async function planAgainstForce(context: CliContext, file: string): Promise<ConfigPlan> {
  const after = await loadFile(file);
  const url = databaseUrlOf(context.env);
  const pool = openPool({ url, name: 'plan', max: 2, log: context.log });
  try {
    const queueIsHere = (queueUrlOf(context.env) ?? url) === url;
    return await withTables(pool, () => planOn(pool, file, after, queueIsHere));
  } finally {
    await pool.end();
  }
}

/** The plan for this database. `queueIsHere`: the queue is in it too, so that it knows whose agents have credentials. */
export async function planOn(pool: Pool, file: string, after: LoadedFile, queueIsHere: boolean): Promise<ConfigPlan> {
  const stored = await readInForce(pool);
  const before = stored && (await loadWritten(stored));
  const compared = await compare(file, after, before);
  const incidents = (await openIncidents(pool)).flatMap((incident): IncidentFate[] => {
    const fate = fateOf(after.config, incident);
    return fate === 'stays' ? [] : [{ id: incident.id, about: subjectOf(incident.facts), fate }];
  });
  const known = queueIsHere ? await agentRoles(pool, Object.keys(after.config.locations)) : new Map<string, boolean>();
  return {
    ...compared,
    ...(stored ? { against: againstForce(stored) } : {}),
    ...(stored && stored.folder !== after.written.folder ? { folder: { before: stored.folder, after: after.written.folder } } : {}),
    locations: locationsOf(before?.config, after.config, known),
    incidents,
  };
}

function againstForce({ revision, appliedAtMs, appliedBy, file }: StoredConfig): NonNullable<ConfigPlan['against']> {
  return { name: 'in force', revision, appliedAtMs, appliedBy, file };
}

type Compared = Pick<ConfigPlan, 'file' | 'revision' | 'diff' | 'runsPerMinute' | 'secrets'>;

/** Both are read anew as if they stood in one folder: where a file lies is no difference of what it says. */
async function compare(file: string, after: LoadedFile, before: ReadConfig | undefined): Promise<Compared> {
  const anywhere = async (read: ReadConfig): Promise<ReadConfig> =>
    loadWritten({ source: JSON.stringify(read.value), file: basename(resolve(file)), folder: undefined });
  const [was, is] = [before && (await anywhere(before)), await anywhere(after)];
  return {
    file,
    revision: after.config.revision,
    diff: diffConfigs(was, is),
    runsPerMinute: loadByLocation(was?.config, is.config),
    secrets: newSecrets(was?.config, is.config),
  };
}

function locationsOf(before: Config | undefined, after: Config, known: ReadonlyMap<string, boolean>): ConfigPlan['locations'] {
  const was = Object.keys(before?.locations ?? {});
  const added = Object.keys(after.locations).filter((id) => !was.includes(id));
  return {
    added: added.map((id) => ({ id, hasCredentials: known.get(id) })),
    retired: was.filter((id) => !after.locations[id]),
  };
}

/** Whether the agents of these locations have a role in this database, as `rounds location add` makes them. */
async function agentRoles(pool: Pool, locations: readonly string[]): Promise<Map<string, boolean>> {
  const { rows } = await pool.query<{ id: string; known: boolean }>(
    `select id, exists (select from pg_roles where rolname = current_database() || '_agent_' || id) as known from unnest($1::text[]) as id`,
    [locations],
  );
  return new Map(rows.map(({ id, known }) => [id, known]));
}

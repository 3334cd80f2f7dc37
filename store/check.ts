/** The folded state of each check: one row, one lock. */
import { type CheckState, EMPTY_STATE, type HeldVerdict, type LocationState } from '../core/evaluate.ts';
import { runName } from '../core/run.ts';
import { jsonArray, numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';

/** Most of a state is the same in each: a run that was scheduled has the name that follows from the rest, and nothing was found. */
type PackedLocation = Omit<LocationState, 'run' | 'findings'> & Partial<Pick<LocationState, 'run' | 'findings'>>;
type PackedState = Omit<CheckState, 'locations'> & { locations: Record<string, PackedLocation> };

export interface StateRow {
  check_id: string;
  state: PackedState;
}

function usualRun(check: string, location: string, plannedAtMs: number): string {
  return runName({ check, location, slotMs: plannedAtMs, purpose: 'scheduled', ask: 0 });
}

function packed({ check, state }: StateChange): PackedState {
  const locations = Object.entries(state.locations).map(([location, { run, findings, ...said }]): [string, PackedLocation] => [
    location,
    {
      ...said,
      ...(run === usualRun(check, location, said.plannedAtMs) ? {} : { run }),
      ...(findings.length === 0 ? {} : { findings }),
    },
  ]);
  return { ...state, locations: Object.fromEntries(locations) };
}

/** The state as everybody else has it, with its check. */
export function unpacked({ check_id: check, state }: StateRow): [string, CheckState] {
  const locations = Object.entries(state.locations).map(([location, said]): [string, LocationState] => [
    location,
    { ...said, run: said.run ?? usualRun(check, location, said.plannedAtMs), findings: said.findings ?? [] },
  ]);
  return [check, { ...state, locations: Object.fromEntries(locations) }];
}

/** Locks the states of these checks, in the order of their ids so that two workers never wait for each other in a circle. */
export async function lockStates(
  db: Db,
  checks: readonly { id: string; scope: string }[],
  revision: string,
): Promise<Map<string, CheckState>> {
  const ids = checks.map((check) => check.id);
  const known = await lockKnown(db, ids);
  const missing = checks.filter((check) => !known.has(check.id));
  if (missing.length === 0) return known;
  await db.query(
    `insert into check_state (check_id, scope, revision, state)
     select id, scope, $3, $4 from unnest($1::text[], $2::text[]) as one (id, scope) order by id on conflict (check_id) do nothing`,
    [missing.map((check) => check.id), missing.map((check) => check.scope), revision, JSON.stringify(EMPTY_STATE)],
  );
  return lockKnown(db, ids);
}

async function lockKnown(db: Db, ids: readonly string[]): Promise<Map<string, CheckState>> {
  const { rows } = await db.query<StateRow>({
    name: 'lock-states',
    text: 'select check_id, state from check_state where check_id = any($1) order by check_id for update',
    values: [textArray(ids)],
  });
  return new Map(rows.map(unpacked));
}

export interface StateChange {
  check: string;
  scope: string;
  state: CheckState;
  staleAtMs?: number;
}

/** Writes states that are locked. */
export async function writeStates(db: Db, changes: readonly StateChange[], revision: string): Promise<void> {
  if (changes.length === 0) return;
  await db.query({
    name: 'write-states',
    text: `update check_state set state = one.state, brief = one.brief, scope = one.scope, stale_at = to_timestamp(one.stale_ms / 1000), revision = $5, updated_at = now()
     from unnest($1::text[], $2::text[], $3::json[], $4::float8[], $6::text[]) as one (id, scope, state, stale_ms, brief)
     where check_state.check_id = one.id`,
    values: [
      textArray(changes.map((change) => change.check)),
      textArray(changes.map((change) => change.scope)),
      jsonArray(changes.map(packed)),
      numberArray(changes.map((change) => change.staleAtMs ?? null)),
      revision,
      textArray(changes.map(({ state }) => briefOf(state))),
    ],
  });
}

/** The states of these checks as they stand; one that was never folded is empty. */
export async function readStates(db: Db, checks: readonly string[]): Promise<Map<string, CheckState>> {
  const { rows } = await db.query<StateRow>('select check_id, state from check_state where check_id = any($1)', [textArray(checks)]);
  return new Map(rows.map(unpacked));
}

/** The same, with what was to be seen when they were read, as `pg_current_snapshot()` writes it. */
export async function readStatesSeen(db: Db, checks: readonly string[]): Promise<{ states: Map<string, CheckState>; snapshot: string }> {
  const { rows } = await db.query<StateRow & { snapshot: string | null }>(
    `select check_id, state, null as snapshot from check_state where check_id = any($1)
     union all select null, null, pg_current_snapshot()::text`,
    [textArray(checks)],
  );
  const states = rows.filter((row) => row.snapshot === null).map(unpacked);
  return { states: new Map(states), snapshot: rows.at(-1)?.snapshot ?? '' };
}

/** What of a state a status of everything needs. */
export interface BriefState {
  held: HeldVerdict;
  locations: Readonly<Record<string, Pick<LocationState, 'plannedAtMs'>>>;
}

function briefOf({ held, locations }: CheckState): string {
  return [held, ...Object.entries(locations).map(([location, said]) => `${location} ${said.plannedAtMs}`)].join(' ');
}

function briefly(brief: string): BriefState {
  const [held, ...said] = brief.split(' ');
  const locations: Record<string, { plannedAtMs: number }> = {};
  for (let index = 0; index + 1 < said.length; index += 2) locations[said[index] ?? ''] = { plannedAtMs: Number(said[index + 1]) };
  return { held: held as HeldVerdict, locations };
}

/** The same as {@link readStates}, as far as a status needs it: a tenth of the work, where there are thousands. */
export async function readBriefs(db: Db, checks: readonly string[]): Promise<Map<string, BriefState>> {
  const { rows } = await db.query<{ check_id: string; brief: string | null; state: PackedState | null }>(
    'select check_id, brief, case when brief is null then state end as state from check_state where check_id = any($1)',
    [textArray(checks)],
  );
  return new Map(
    rows.flatMap(({ check_id: check, brief, state }): [string, BriefState][] => {
      if (brief !== null) return [[check, briefly(brief)]];
      return state ? [[check, state]] : [];
    }),
  );
}

/** What is held of a check, and what is true of it at the moment. */
export type Standing = Pick<CheckState, 'held' | 'moment'>;

/** How all checks stand. */
export async function standings(db: Db): Promise<Map<string, Standing>> {
  const { rows } = await db.query<Standing & { check_id: string }>(
    `select check_id, state->>'held' as held, state->>'moment' as moment from check_state`,
  );
  return new Map(rows.map(({ check_id: id, held, moment }) => [id, { held, moment }]));
}

/** Checks of which a location has fallen silent since they were last looked at. */
export async function staleChecks(db: Db, nowMs: number, limit = 500): Promise<string[]> {
  const { rows } = await db.query<{ check_id: string }>(
    'select check_id from check_state where stale_at <= $1 order by stale_at limit $2',
    [at(nowMs), limit],
  );
  return rows.map((row) => row.check_id);
}

/** Wants these checks to be looked at anew, though nothing came of them. */
export async function lookAgain(db: Db, checks: readonly string[], nowMs: number): Promise<void> {
  await db.query('update check_state set stale_at = $2 where check_id = any($1)', [checks, at(nowMs)]);
}

/** Forgets checks that the configuration no longer has. Returns their scopes, which are to be judged anew. */
export async function retireChecks(db: Db, known: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ scope: string }>('delete from check_state where not (check_id = any($1)) returning scope', [known]);
  return [...new Set(rows.map((row) => row.scope))];
}

/**
 * Fits states to checks that were changed: the scope in which each is judged now, and nothing of locations that it no longer runs
 * from. Nobody may be folding meanwhile.
 */
export async function moveStates(db: Db, checks: readonly { id: string; scope: string; locations: readonly string[] }[]): Promise<void> {
  await db.query(
    `with one as (select * from unnest($1::text[], $2::text[], $3::jsonb[]) as one (id, scope, locations))
     update check_state set scope = one.scope, brief = null, state = (state::jsonb || jsonb_build_object(
       'locations', (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(state::jsonb->'locations') where one.locations ? key),
       'gaps', (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(state::jsonb->'gaps') where one.locations ? key),
       'recent', (select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(coalesce(state::jsonb->'recent', '{}')) where one.locations ? key)))::json
     from one
     where check_state.check_id = one.id and (check_state.scope <> one.scope
       or exists (select from jsonb_object_keys(
         (state::jsonb->'locations') || (state::jsonb->'gaps') || coalesce(state::jsonb->'recent', '{}')) as key where not one.locations ? key))`,
    [checks.map((check) => check.id), checks.map((check) => check.scope), checks.map((check) => JSON.stringify(check.locations))],
  );
}

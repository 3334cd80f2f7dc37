/** Results as agents reported them, and the pictures that came with them. */
import type { Result } from '../core/result.ts';
import { parseRunName, type Run } from '../core/run.ts';
import { jsonArray, numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';

/** Keeps a picture and returns its number. */
async function insertPicture(db: Db, run: string, mime: string, base64: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>('insert into picture (run, mime, bytes) values ($1, $2, $3) returning id', [
    run,
    mime,
    Buffer.from(base64, 'base64'),
  ]);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the picture');
  return id;
}

/** What an agent says of a run: how it ended, and its result unless it was refused. */
export interface Told {
  run: string;
  state: 'run' | 'late' | 'fault' | 'missed';
  reason: string | null;
  result?: Result;
}

/** A run that was told of and is in the ledger. `stored`: its result is new. */
export interface KnownRun extends Run {
  name: string;
  plannedAtMs: number;
  stored: boolean;
}

/** In the ledger, still due, or given up as missed; one that was retired is nobody's any more. */
const OPEN = `run.state in ('due', 'missed') and run.reason is distinct from 'retired'`;

/**
 * Ends runs of a location in the ledger and stores their results, all in one statement. A run that was given up as missed and comes in
 * after all becomes `late`; a result that was stored before is left alone. Returns the runs that the ledger has at this location: of
 * others nothing is taken.
 */
export async function storeTold(db: Db, location: string, told: readonly Told[]): Promise<Map<string, KnownRun>> {
  if (told.length === 0) return new Map();
  const { rows } = await db.query<{ name: string; planned_ms: number | null }>(
    `with told as (
       select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::real[], $8::real[], $9::jsonb[], $10::jsonb[],
         $11::jsonb[], $12::jsonb[])
         as told (name, state, reason, verdict, failure, duration_ms, start_lateness_ms, steps, measurements, attempts, findings)
     ), known as (
       update run set
         state = case when not (${OPEN}) then run.state when run.state = 'missed' and told.state = 'run' then 'late' else told.state end,
         reason = case when ${OPEN} then told.reason else run.reason end,
         ended_at = case when ${OPEN} then now() else run.ended_at end
       from told where run.name = told.name and run.location = $1
       returning run.name, run.check_id, run.purpose, run.ask_id, run.revision, run.planned_at, told.verdict, told.failure, told.duration_ms,
         told.start_lateness_ms, told.steps, told.measurements, told.attempts, told.findings
     ), stored as (
       insert into result (run, check_id, location, purpose, ask_id, revision, planned_at, verdict, failure, duration_ms, start_lateness_ms,
         steps, measurements, attempts, findings)
       select name, check_id, $1, purpose, ask_id, revision, planned_at, verdict, failure, duration_ms, start_lateness_ms,
         coalesce(steps, '[]'), coalesce(measurements, '{}'), attempts, coalesce(findings, '[]')
       from known where verdict is not null
       on conflict (run) do nothing returning run
     )
     select name, (extract(epoch from planned_at) * 1000)::float8 as planned_ms from known
     union all
     select run, null from stored`,
    [location, ...columnsOf(told)],
  );
  const stored = new Set(rows.flatMap((row) => (row.planned_ms === null ? [row.name] : [])));
  return new Map(
    rows.flatMap(({ name, planned_ms: plannedAtMs }) =>
      plannedAtMs === null ? [] : [[name, { ...parseRunName(name), name, plannedAtMs, stored: stored.has(name) }]],
    ),
  );
}

function columnsOf(told: readonly Told[]): string[] {
  const unlessEmpty = (list: readonly unknown[] | undefined) => (list?.length === 0 ? undefined : list);
  return [
    textArray(told.map(({ run }) => run)),
    textArray(told.map(({ state }) => state)),
    textArray(told.map(({ reason }) => reason)),
    textArray(told.map(({ result }) => result?.verdict ?? null)),
    jsonArray(told.map(({ result }) => result?.failure)),
    numberArray(told.map(({ result }) => result?.durationMs ?? null)),
    numberArray(told.map(({ result }) => result?.startLatenessMs ?? null)),
    jsonArray(told.map(({ result }) => unlessEmpty(result?.steps))),
    jsonArray(told.map(({ result }) => result?.measurements)),
    jsonArray(told.map(({ result }) => result?.attempts)),
    jsonArray(told.map(({ result }) => unlessEmpty(result?.findings))),
  ];
}

/** Keeps the picture that came with a stored result, if one did. Returns its number. */
export async function storePicture(db: Db, { run, picture }: Pick<Result, 'run' | 'picture'>): Promise<number | undefined> {
  if (!picture) return undefined;
  const pictureId = await insertPicture(db, run, picture.mime, picture.base64);
  await db.query('update result set picture_id = $2 where run = $1', [run, pictureId]);
  return pictureId;
}

export interface ResultOfAsk {
  check: string;
  location: string;
  verdict: string;
  durationMs: number;
  failure: Result['failure'] | null;
}

/** What came of an ask, by check and location. */
export async function resultsOfAsk(db: Db, ask: number): Promise<ResultOfAsk[]> {
  const { rows } = await db.query<{
    check_id: string;
    location: string;
    verdict: string;
    duration_ms: number;
    failure: Result['failure'] | null;
  }>('select check_id, location, verdict, duration_ms, failure from result where ask_id = $1 order by check_id, location', [ask]);
  return rows.map((row) => ({
    check: row.check_id,
    location: row.location,
    verdict: row.verdict,
    durationMs: row.duration_ms,
    failure: row.failure,
  }));
}

/** The median duration of good runs since that time, by the check's template, in milliseconds. */
export async function usualDurations(db: Db, sinceMs: number): Promise<Map<string, number>> {
  const { rows } = await db.query<{ template: string; median: number }>(
    `select split_part(check_id, '/', 1) as template, percentile_cont(0.5) within group (order by duration_ms) as median
     from result where verdict = 'up' and planned_at > $1 group by 1`,
    [at(sinceMs)],
  );
  return new Map(rows.map((row) => [row.template, row.median]));
}

/** Results as agents reported them: how each goes into its row of the ledger, and what is read of them. */
import type { Purpose } from '../core/check.ts';
import type { Result } from '../core/result.ts';
import { parseRunName, type Run, runName } from '../core/run.ts';
import { jsonArray, numberArray, textArray } from './arrays.ts';
import type { Db, Pool } from './db.ts';
import { keysOf, shapeText } from './keys.ts';
import { insertPicture } from './picture.ts';

/** What a location's agent says of a run: how it ended, and its result unless it was refused. */
export interface Told {
  location: string;
  run: string;
  state: 'run' | 'late' | 'fault' | 'missed';
  reason: string | null;
  result?: Result;
}

/** A run that was told of and is in the ledger. */
export interface KnownRun extends Run {
  told: Told;
  name: string;
  plannedAtMs: number;
  /** What was told is new: it had not ended, or had been given up as missed. */
  stored: boolean;
  pictureId?: number;
}

/** What is told of a run, with the numbers by which the ledger knows it. */
export interface KeyedTold {
  told: Told;
  run: Run;
  checkKey: number;
  locationKey: number;
  shapeKey: number | null;
}

/** Finds the numbers for what is told, as far as it can be of runs of the ledger. Not to be called in a transaction. */
export async function keyTold(pool: Pool, told: readonly Told[]): Promise<KeyedTold[]> {
  const keys = keysOf(pool);
  const locationKeys = await keys.found('location', [...new Set(told.map(({ location }) => location))]);
  const runs = told.flatMap((one) => {
    const run = runOf(one.run, one.location);
    return run && locationKeys.has(run.location) ? [{ told: one, run, shape: one.result ? shapeOf(one.result) : undefined }] : [];
  });
  const checkKeys = await keys.found(
    'check',
    runs.map(({ run }) => run.check),
  );
  // Of what is no check of ours, no names are kept.
  const known = runs.filter(({ run }) => checkKeys.has(run.check));
  const shapeKeys = await keys.shapes(known.flatMap(({ shape }) => shape ?? []));
  return known.map(({ told: one, run, shape }) => ({
    told: one,
    run,
    checkKey: checkKeys.get(run.check) ?? 0,
    locationKey: locationKeys.get(run.location) ?? 0,
    shapeKey: (shape === undefined ? undefined : shapeKeys.get(shape)) ?? null,
  }));
}

/** The last moment that JavaScript and PostgreSQL both know, and the largest number of an ask. */
const LAST_MS = 8.64e15;
const LAST_ASK = 2 ** 31 - 1;

/** The run of that name, if it can be one of this location. Each run has one name: what is written otherwise is another's. */
function runOf(name: string, location: string): Run | undefined {
  try {
    const run = parseRunName(name);
    const real = run.location === location && Math.abs(run.slotMs) <= LAST_MS && run.ask >= 0 && run.ask <= LAST_ASK;
    return real && runName(run) === name ? run : undefined;
  } catch {
    return undefined;
  }
}

function shapeOf({ measurements, steps }: Result): string | undefined {
  const names = Object.keys(measurements);
  return names.length + steps.length === 0 ? undefined : shapeText({ measurements: names, steps: steps.map((step) => step.name) });
}

/** What the ledger knows of a run that was told of. */
interface Ordered {
  purpose: Purpose;
  revisionKey: number;
  plannedAtMs: number;
}

function orderKey(locationKey: number, checkKey: number, slotMs: number, ask: number): string {
  return `${checkKey}@${slotMs}@${locationKey}@${ask}`;
}

function keyOf({ locationKey, checkKey, run }: KeyedTold): string {
  return orderKey(locationKey, checkKey, run.slotMs, run.ask);
}

/**
 * Ends runs in the ledger, with their results. A run that was given up as missed and comes in after all becomes `late`; what was stored
 * before is left alone. Returns what was told of runs that the ledger has: of others nothing is taken.
 */
export async function storeTold(db: Db, list: readonly KeyedTold[]): Promise<KnownRun[]> {
  if (list.length === 0) return [];
  const ordered = await orderedRuns(db, list);
  const rows = list.flatMap((keyed) => {
    const order = ordered.get(keyOf(keyed));
    return order?.purpose === keyed.run.purpose ? [{ ...keyed, ...order }] : [];
  });
  const pictures = await keepPictures(db, rows);
  const stored = await writeRuns(db, rows, pictures);
  await dropPictures(
    db,
    rows.flatMap((row) => (stored.has(keyOf(row)) ? [] : (pictures.get(row.told.run) ?? []))),
  );
  return rows.map((row) => {
    const isNew = stored.has(keyOf(row));
    const pictureId = isNew ? pictures.get(row.told.run) : undefined;
    return {
      ...row.run,
      told: row.told,
      name: row.told.run,
      plannedAtMs: row.plannedAtMs,
      stored: isNew,
      ...(pictureId === undefined ? {} : { pictureId }),
    };
  });
}

/** The runs that somebody ordered: they are due, or have ended. */
async function orderedRuns(db: Db, list: readonly KeyedTold[]): Promise<Map<string, Ordered>> {
  const ordered = new Map<string, Ordered>();
  const seconds = new Set(list.map(({ run }) => Math.floor(run.slotMs / 1000) * 1000));
  const { rows } = await db.query<DueRow>({
    name: 'due-of',
    text: `select location_key, extract(epoch from second)::float8 * 1000 as second_ms, ask_id, purpose, revision_key,
             extract(epoch from planned_at)::float8 * 1000 as planned_ms, array_to_string(checks, ' ') as checks, array_to_string(offsets_ms, ' ') as offsets
           from due
           where location_key = any($1::smallint[]) and second in (select to_timestamp(ms / 1000) from unnest($2::float8[]) as one (ms))
             and ask_id = any($3::int[])`,
    values: [
      numberArray([...new Set(list.map(({ locationKey }) => locationKey))]),
      numberArray([...seconds]),
      numberArray([...new Set(list.map(({ run }) => run.ask))]),
    ],
  });
  for (const row of rows) {
    const [secondMs, plannedMs] = [Math.round(row.second_ms), row.planned_ms === null ? undefined : Math.round(row.planned_ms)];
    const offsets = row.offsets.split(' ');
    for (const [index, checkKey] of row.checks.split(' ').entries()) {
      const slotMs = secondMs + Number(offsets[index]);
      const order = { revisionKey: row.revision_key, plannedAtMs: plannedMs ?? slotMs, purpose: row.purpose };
      ordered.set(orderKey(row.location_key, Number(checkKey), slotMs, row.ask_id), order);
    }
  }
  const missing = list.filter((keyed) => !ordered.has(keyOf(keyed)));
  for (const [key, order] of await endedRuns(db, missing)) ordered.set(key, order);
  return ordered;
}

interface DueRow {
  location_key: number;
  second_ms: number;
  ask_id: number;
  purpose: Purpose;
  revision_key: number;
  planned_ms: number | null;
  checks: string;
  offsets: string;
}

/** Those of them that have ended: their batch may be gone. */
async function endedRuns(db: Db, list: readonly KeyedTold[]): Promise<Map<string, Ordered>> {
  if (list.length === 0) return new Map();
  const { rows } = await db.query<{
    location_key: number;
    check_key: number;
    slot_ms: number;
    ask_id: number;
    revision_key: number;
    planned_ms: number;
    purpose: Purpose;
  }>(
    `select run.location_key, run.check_key, one.slot_ms, run.ask_id, revision_key,
       extract(epoch from coalesce(planned_at, slot))::float8 * 1000 as planned_ms, coalesce(asked, 'scheduled') as purpose
     from unnest($1::smallint[], $2::int[], $3::float8[], $4::int[]) as one (location_key, check_key, slot_ms, ask_id)
     join run on run.check_key = one.check_key and run.slot = to_timestamp(one.slot_ms / 1000) and run.location_key = one.location_key
       and run.ask_id = one.ask_id`,
    [
      numberArray(list.map(({ locationKey }) => locationKey)),
      numberArray(list.map(({ checkKey }) => checkKey)),
      numberArray(list.map(({ run }) => run.slotMs)),
      numberArray(list.map(({ run }) => run.ask)),
    ],
  );
  return new Map(
    rows.map((row) => [
      orderKey(row.location_key, row.check_key, row.slot_ms, row.ask_id),
      { revisionKey: row.revision_key, plannedAtMs: Math.round(row.planned_ms), purpose: row.purpose },
    ]),
  );
}

/** Keeps the pictures that came with results. Returns their numbers by the run's name. */
async function keepPictures(db: Db, rows: readonly KeyedTold[]): Promise<Map<string, number>> {
  const pictures = new Map<string, number>();
  for (const { told } of rows) {
    const picture = told.result?.picture;
    if (!picture) continue;
    const bytes = Buffer.from(picture.base64, 'base64');
    pictures.set(told.run, await insertPicture(db, { run: told.run, mime: picture.mime, bytes }));
  }
  return pictures;
}

async function dropPictures(db: Db, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await db.query('delete from picture where id = any($1)', [ids]);
}

const WRITE_RUNS = `
insert into run (location_key, check_key, slot, ask_id, revision_key, planned_at, asked, state, reason, verdict, failure, duration_ms,
  start_lateness_ms, shape_key, numbers, detail, picture_id)
select location_key, check_key, to_timestamp(slot_ms / 1000), ask_id, revision_key, to_timestamp(planned_ms / 1000), asked, state, reason, verdict,
  failure, duration_ms, start_lateness_ms, shape_key, numbers, detail, picture_id
from unnest($1::smallint[], $2::int[], $3::float8[], $4::int[], $5::int[], $6::float8[], $7::purpose[], $8::run_state[], $9::text[], $10::verdict[],
  $11::jsonb[], $12::real[], $13::real[], $14::int[], $15::text[], $16::jsonb[], $17::bigint[])
  as one (location_key, check_key, slot_ms, ask_id, revision_key, planned_ms, asked, state, reason, verdict, failure, duration_ms, start_lateness_ms,
    shape_key, numbers, detail, picture_id)
on conflict (check_key, slot, location_key, ask_id) do update set
  state = case when excluded.state = 'run' then 'late' else excluded.state end, reason = excluded.reason, verdict = excluded.verdict,
  failure = excluded.failure, duration_ms = excluded.duration_ms, start_lateness_ms = excluded.start_lateness_ms, shape_key = excluded.shape_key,
  numbers = excluded.numbers, detail = excluded.detail, picture_id = excluded.picture_id, received_at = excluded.received_at
where run.state = 'missed' and run.reason is distinct from 'retired'
returning location_key, check_key, extract(epoch from slot)::float8 * 1000 as slot_ms, ask_id`;

/** Writes the rows, and returns those that were new or had been given up. */
async function writeRuns(db: Db, rows: readonly (KeyedTold & Ordered)[], pictures: ReadonlyMap<string, number>): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const { rows: written } = await db.query<{ location_key: number; check_key: number; slot_ms: number; ask_id: number }>({
    name: 'write-runs',
    text: WRITE_RUNS,
    values: columnsOf(rows, pictures),
  });
  return new Set(written.map((row) => orderKey(row.location_key, row.check_key, Math.round(row.slot_ms), row.ask_id)));
}

function columnsOf(rows: readonly (KeyedTold & Ordered)[], pictures: ReadonlyMap<string, number>): string[] {
  return [
    numberArray(rows.map(({ locationKey }) => locationKey)),
    numberArray(rows.map(({ checkKey }) => checkKey)),
    numberArray(rows.map(({ run }) => run.slotMs)),
    numberArray(rows.map(({ run }) => run.ask)),
    numberArray(rows.map(({ revisionKey }) => revisionKey)),
    numberArray(rows.map(({ run, plannedAtMs }) => (plannedAtMs === run.slotMs ? null : plannedAtMs))),
    textArray(rows.map(({ run }) => (run.purpose === 'scheduled' ? null : run.purpose))),
    textArray(rows.map(({ told }) => told.state)),
    textArray(rows.map(({ told }) => told.reason)),
    textArray(rows.map(({ told }) => told.result?.verdict ?? null)),
    jsonArray(rows.map(({ told }) => told.result?.failure)),
    numberArray(rows.map(({ told }) => told.result?.durationMs ?? null)),
    numberArray(rows.map(({ told }) => told.result?.startLatenessMs ?? null)),
    numberArray(rows.map(({ shapeKey }) => shapeKey)),
    textArray(rows.map(({ told, shapeKey }) => (told.result && shapeKey !== null ? numbersOf(told.result) : null))),
    jsonArray(rows.map(({ told, shapeKey }) => (told.result ? detailOf(told.result, shapeKey !== null) : undefined))),
    numberArray(rows.map(({ told }) => pictures.get(told.run) ?? null)),
  ];
}

/** The values of the measurements, then the durations of the steps. */
function numbersOf({ measurements, steps }: Result): string {
  return [...Object.values(measurements), ...steps.map((step) => step.durationMs)].join(' ');
}

/** What is seldom; `undefined` when there is nothing. */
function detailOf(result: Result, hasShape: boolean): object | undefined {
  const { attempts, findings, steps, measurements } = result;
  const detail = {
    ...(isPlain(result) ? {} : { attempts }),
    ...(findings.length > 0 ? { findings } : {}),
    ...(hasShape && steps.some((step) => step.outcome !== 'passed') ? { outcomes: steps.map((step) => step.outcome) } : {}),
    ...(hasShape || steps.length === 0 ? {} : { steps }),
    ...(hasShape || Object.keys(measurements).length === 0 ? {} : { measurements }),
  };
  return Object.keys(detail).length > 0 ? detail : undefined;
}

/** One attempt, of which the result says all. */
function isPlain({ attempts, verdict, durationMs, failure }: Result): boolean {
  const [only] = attempts;
  if (attempts.length !== 1 || only?.verdict !== verdict || only.durationMs !== durationMs) return false;
  return only.failure === failure || JSON.stringify(only.failure) === JSON.stringify(failure);
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
  }>('select check_id, location, verdict, duration_ms, failure from result where ask_id = $1 and ask_id <> 0 order by check_id, location', [
    ask,
  ]);
  return rows.map((row) => ({
    check: row.check_id,
    location: row.location,
    verdict: row.verdict,
    durationMs: row.duration_ms,
    failure: row.failure,
  }));
}

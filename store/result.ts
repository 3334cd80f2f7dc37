/** Results as agents reported them, and the pictures that came with them. */
import type { Result } from '../core/result.ts';
import { at, type Db } from './db.ts';
import type { LedgerRow } from './run.ts';

export interface StoredResult {
  result: Result;
  row: LedgerRow;
  pictureId?: number;
}

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

/** Stores results whose run is in the ledger; one that was stored before is left out of what is returned. */
export async function insertResults(db: Db, results: readonly { result: Result; row: LedgerRow }[]): Promise<StoredResult[]> {
  if (results.length === 0) return [];
  const column = <T>(pick: (one: { result: Result; row: LedgerRow }) => T): T[] => results.map(pick);
  const { rows } = await db.query<{ run: string }>(
    `insert into result (run, check_id, location, purpose, ask_id, revision, planned_at, verdict, failure, duration_ms, start_lateness_ms,
       steps, measurements, attempts, findings)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::timestamptz[], $8::text[], $9::jsonb[],
       $10::real[], $11::real[], $12::jsonb[], $13::jsonb[], $14::jsonb[], $15::jsonb[])
     on conflict (run) do nothing returning run`,
    [
      column(({ row }) => row.name),
      column(({ row }) => row.check),
      column(({ row }) => row.location),
      column(({ row }) => row.purpose),
      column(({ row }) => row.ask),
      column(({ row }) => row.revision),
      column(({ row }) => at(row.plannedAtMs)),
      column(({ result }) => result.verdict),
      column(({ result }) => (result.failure ? JSON.stringify(result.failure) : null)),
      column(({ result }) => result.durationMs),
      column(({ result }) => result.startLatenessMs),
      column(({ result }) => JSON.stringify(result.steps)),
      column(({ result }) => JSON.stringify(result.measurements)),
      column(({ result }) => JSON.stringify(result.attempts)),
      column(({ result }) => JSON.stringify(result.findings)),
    ],
  );
  const fresh = new Set(rows.map((row) => row.run));
  const stored: StoredResult[] = [];
  for (const one of results.filter(({ row }) => fresh.has(row.name))) stored.push(await withPicture(db, one));
  return stored;
}

async function withPicture(db: Db, one: { result: Result; row: LedgerRow }): Promise<StoredResult> {
  if (!one.result.picture) return one;
  const pictureId = await insertPicture(db, one.row.name, one.result.picture.mime, one.result.picture.base64);
  await db.query('update result set picture_id = $2 where run = $1', [one.row.name, pictureId]);
  return { ...one, pictureId };
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

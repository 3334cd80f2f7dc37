/** What the bot reads to answer people: results and single lines of the story. */
import type { Verdict } from '../core/check.ts';
import type { TimelineEntry } from '../core/incident.ts';
import type { Failure, StepResult } from '../core/result.ts';
import { parseRunName } from '../core/run.ts';
import { textArray } from './arrays.ts';
import type { Db } from './db.ts';

/** One line of an incident's story. */
export async function timelineEntry(db: Db, id: number): Promise<{ atMs: number; entry: TimelineEntry } | undefined> {
  const { rows } = await db.query<{ at: Date; kind: string; data: object }>('select at, kind, data from timeline where id = $1', [id]);
  const row = rows[0];
  return row && { atMs: row.at.getTime(), entry: { kind: row.kind, ...row.data } as TimelineEntry };
}

export interface ResultView {
  checkId: string;
  location: string;
  verdict: Verdict;
  failure?: Failure;
  durationMs: number;
  steps: StepResult[];
  measurements: Record<string, number>;
  attempts: number;
  plannedAtMs: number;
}

interface ResultRow {
  check_id: string;
  location: string;
  verdict: Verdict;
  failure: Failure | null;
  duration_ms: number;
  steps: StepResult[];
  measurements: Record<string, number>;
  attempts: unknown[];
  planned_at: Date;
}

const RESULT_COLUMNS = 'check_id, location, verdict, failure, duration_ms, steps, measurements, attempts, planned_at';

function fromRow(row: ResultRow): ResultView {
  return {
    checkId: row.check_id,
    location: row.location,
    verdict: row.verdict,
    ...(row.failure ? { failure: row.failure } : {}),
    durationMs: row.duration_ms,
    steps: row.steps,
    measurements: row.measurements,
    attempts: row.attempts.length,
    plannedAtMs: row.planned_at.getTime(),
  };
}

/** The results of one ask, by check and location. */
export async function resultViewsOfAsk(db: Db, askId: number): Promise<ResultView[]> {
  const { rows } = await db.query<ResultRow>(
    `select ${RESULT_COLUMNS} from result where ask_id = $1 and ask_id <> 0 order by check_id, location limit 500`,
    [askId],
  );
  return rows.map(fromRow);
}

/** The results of these runs, each found by its name; by check and location. */
export async function resultViewsOfRuns(db: Db, runs: readonly string[]): Promise<ResultView[]> {
  const named = runs.map(parseRunName);
  const { rows } = await db.query<ResultRow>(
    `select ${RESULT_COLUMNS} from unnest($1::text[], $2::text[], $3::float8[], $4::int[]) as one (check_id, location, slot_ms, ask_id)
     join result using (check_id, location, ask_id) where slot = to_timestamp(slot_ms / 1000) order by check_id, location`,
    [named.map((run) => run.check), named.map((run) => run.location), named.map((run) => run.slotMs), named.map((run) => run.ask)],
  );
  return rows.map(fromRow);
}

/** Runs of an ask that brought no result, with the reason. */
export async function gapsOfAsk(db: Db, askId: number): Promise<{ checkId: string; location: string; reason: string }[]> {
  const { rows } = await db.query<{ check_id: string; location: string; reason: string | null; state: string }>(
    `select check_id, location, reason, state from ledger
     where ask_id = $1 and ask_id <> 0 and state in ('due', 'missed') order by check_id, location limit 500`,
    [askId],
  );
  return rows.map((row) => ({ checkId: row.check_id, location: row.location, reason: row.reason ?? row.state }));
}

/** The latest result of each location of these checks within a day, whatever it said. */
export async function latestResults(db: Db, checkIds: readonly string[]): Promise<ResultView[]> {
  const { rows } = await db.query<ResultRow>(
    `select ${RESULT_COLUMNS} from (
       select check_id, location, last.slot, last.ask_id from check_key c cross join location_key l cross join lateral (
         select slot, ask_id from run
         where check_key = c.key and location_key = l.key and slot > now() - interval '1 day' and verdict is not null
         order by slot desc, ask_id desc limit 1) as last
       where check_id = any ($1) limit 500) as latest
     join result using (check_id, location, slot, ask_id) order by check_id, location`,
    [checkIds],
  );
  return rows.map(fromRow);
}

/** When the last incident that hit each service was resolved, by its id; what was never hit is not there. */
export async function lastResolved(db: Db): Promise<Map<string, number>> {
  const { rows } = await db.query<{ service: string; at: Date }>(
    `select service->>'id' as service, max(resolved_at) as at from incident cross join lateral jsonb_array_elements(facts->'services') as service
     where state = 'resolved' group by 1`,
  );
  return new Map(rows.map((row) => [row.service, row.at.getTime()]));
}

/** When each of these checks was planned for the first time, by its id. */
export async function firstPlanned(db: Db, checkIds: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ check_id: string; since_ms: number }>(
    'select check_id, extract(epoch from since)::float8 * 1000 as since_ms from check_key where check_id = any ($1)',
    [textArray(checkIds)],
  );
  return new Map(rows.map((row) => [row.check_id, row.since_ms]));
}

/** The numbers of the newest incidents, to compare a mistyped one with. */
export async function newestIncidents(db: Db, limit = 20): Promise<number[]> {
  const { rows } = await db.query<{ id: number }>('select id from incident order by id desc limit $1', [limit]);
  return rows.map((row) => row.id);
}

/** When the incident's post went out, if it did. */
export async function firstSentAt(db: Db, incidentId: number): Promise<number | undefined> {
  const { rows } = await db.query<{ at: Date | null }>(
    `select min(ended_at) as at from outbox where incident_id = $1 and kind = 'incident' and state = 'sent'`,
    [incidentId],
  );
  return rows[0]?.at?.getTime();
}

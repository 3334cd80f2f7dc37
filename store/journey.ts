/** What is read to tell how journeys go: how long they take now and usually. */
import { addPace, type Histogram, percentileMs, STEP_RATIO } from '../core/report/pace.ts';
import { at, type Db } from './db.ts';

export interface PaceRequest {
  /** Checks by the name under which they are counted together. */
  groups: ReadonlyMap<string, readonly string[]>;
  nowMs: number;
  /** How far back what is usual is taken from, the last hour left out. */
  usualMs: number;
}

/** How long good runs take, milliseconds; what is not known is left out. */
export interface JourneyPace {
  /** Of the last hour. */
  p95Ms?: number;
  usualP95Ms?: number;
  usualP50Ms?: number;
}

const HOUR_MS = 3_600_000;
const STEP = `floor(ln(greatest(duration_ms, 1)) / ln(${STEP_RATIO}))::int`;

/**
 * The pace of each group, of runs of whatever purpose that were up. Counted as histograms (core/report/pace.ts), so nothing is sorted,
 * and read check by check in the order of the slots.
 */
export async function pacesOf(db: Db, { groups, nowMs, usualMs }: PaceRequest): Promise<Map<string, JourneyPace>> {
  const pairs = [...groups].flatMap(([group, checks]) => checks.map((check) => ({ group, check })));
  const { rows } = await db.query<{ name: string; recent: boolean; step: number; runs: number }>(
    `select name, slot > $4 as recent, ${STEP} as step, count(*) as runs
     from unnest($1::text[], $2::text[]) as one (name, check_id) join slot_result using (check_id)
     where verdict = 'up' and slot > $3 group by 1, 2, 3`,
    [pairs.map(({ group }) => group), pairs.map(({ check }) => check), at(nowMs - HOUR_MS - usualMs), at(nowMs - HOUR_MS)],
  );
  return new Map([...Map.groupBy(rows, (row) => row.name)].map(([name, counted]) => [name, paceOf(counted)]));
}

function paceOf(rows: readonly { recent: boolean; step: number; runs: number }[]): JourneyPace {
  const histogram = (recent: boolean): Histogram =>
    addPace(rows.filter((row) => row.recent === recent).map((row) => new Map([[row.step, row.runs]])));
  const [p95Ms, usual] = [percentileMs(histogram(true), 0.95), histogram(false)];
  const [usualP95Ms, usualP50Ms] = [percentileMs(usual, 0.95), percentileMs(usual, 0.5)];
  return {
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ...(usualP95Ms === undefined ? {} : { usualP95Ms }),
    ...(usualP50Ms === undefined ? {} : { usualP50Ms }),
  };
}

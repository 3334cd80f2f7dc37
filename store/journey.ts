/** What is read to tell how journeys go: how long they take now and usually. */
import { addPace, type Histogram, percentileMs, STEP_RATIO } from '../core/report/pace.ts';
import { MINUTES_PER_DAY, minuteOf } from '../core/rollup.ts';
import { histogramOf } from '../core/sketch.ts';
import { at, type Db } from './db.ts';
import { runsKeptSinceMs } from './report-old.ts';
import { readProgress } from './rollup-progress.ts';
import { sketchesOf } from './rollup-read.ts';

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
 * The pace of each group, of runs that were up. Counted as histograms (core/report/pace.ts), so nothing is sorted, and read check by check in
 * the order of the slots; from rollups where no runs are kept any more, there with those that were degraded.
 */
export async function pacesOf(db: Db, { groups, nowMs, usualMs }: PaceRequest): Promise<Map<string, JourneyPace>> {
  const pairs = [...groups].flatMap(([group, checks]) => checks.map((check) => ({ group, check })));
  const usualFromMs = nowMs - HOUR_MS - usualMs;
  const { rows } = await db.query<{ name: string; recent: boolean; step: number; runs: number }>(
    `select name, slot > $4 as recent, ${STEP} as step, count(*) as runs
     from unnest($1::text[], $2::text[]) as one (name, check_id) join slot_result using (check_id)
     where verdict = 'up' and slot > $3 group by 1, 2, 3`,
    [pairs.map(({ group }) => group), pairs.map(({ check }) => check), at(usualFromMs), at(nowMs - HOUR_MS)],
  );
  const old = await oldPacesOf(db, groups, usualFromMs);
  const counted = Map.groupBy(rows, (row) => row.name);
  return new Map([...new Set([...counted.keys(), ...old.keys()])].map((name) => [name, paceOf(counted.get(name) ?? [], old.get(name))]));
}

/** What rollups say of the time before runs are kept. */
async function oldPacesOf(db: Db, groups: PaceRequest['groups'], fromMs: number): Promise<Map<string, Histogram>> {
  const keptSinceMs = await runsKeptSinceMs(db);
  if (keptSinceMs === undefined || keptSinceMs <= fromMs) return new Map();
  const [from, until] = [minuteOf(fromMs), minuteOf(keptSinceMs)];
  const { hoursUntil, daysUntil } = await readProgress(db);
  // Hours are kept for eight days at least, and of the minutes none is needed.
  const kept = { minutesFrom: until, hoursFrom: Math.floor(from / MINUTES_PER_DAY) * MINUTES_PER_DAY, hoursUntil, daysUntil };
  const sketches = await sketchesOf(db, groups, { from, until, kept });
  return new Map([...sketches].map(([name, sketch]) => [name, histogramOf(sketch)]));
}

function paceOf(rows: readonly { recent: boolean; step: number; runs: number }[], old: Histogram = new Map()): JourneyPace {
  const histogram = (recent: boolean): Histogram =>
    addPace(rows.filter((row) => row.recent === recent).map((row) => new Map([[row.step, row.runs]])));
  const [p95Ms, usual] = [percentileMs(histogram(true), 0.95), addPace([histogram(false), old])];
  const [usualP95Ms, usualP50Ms] = [percentileMs(usual, 0.95), percentileMs(usual, 0.5)];
  return {
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ...(usualP95Ms === undefined ? {} : { usualP95Ms }),
    ...(usualP50Ms === undefined ? {} : { usualP50Ms }),
  };
}

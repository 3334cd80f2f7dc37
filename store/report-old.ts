/**
 * What is counted for a report of the time from which no runs are kept any more: from rollups, by whole hours. How long runs took is known there
 * of the check and not of each location; it is shared out by how many runs each had.
 */

import { decodePlaces, type Endings } from '../core/places.ts';
import type { ExceptionCount, ReportFrame, RoundCount, RunCount } from '../core/report/figures.ts';
import { addPace, type Histogram } from '../core/report/pace.ts';
import { coverOf, type Kept, minuteOf, type Piece } from '../core/rollup.ts';
import { decodeSketch, histogramOf } from '../core/sketch.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Db } from './db.ts';

/** Since when all runs are kept: the beginning of the oldest partition, which its name says. `undefined` when there is none. */
export async function runsKeptSinceMs(db: Db): Promise<number | undefined> {
  const { rows } = await db.query<{ oldest: string | null }>(
    `select min(relname) as oldest from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'run'::regclass`,
  );
  const [, year, month, day, hour] = /^run_(\d{4})(\d{2})(\d{2})_(\d{2})$/.exec(rows[0]?.oldest ?? '') ?? [];
  return hour === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour));
}

export interface OldRequest {
  checks: readonly string[];
  fromMs: number;
  untilMs: number;
  /** What rollups there are. */
  kept: Kept;
}

/** The pieces of that time: in hours as far as these are kept. */
function hoursOf({ fromMs, untilMs, kept }: OldRequest): Piece[] {
  return coverOf(minuteOf(fromMs), minuteOf(untilMs), { ...kept, daysUntil: Math.min(kept.daysUntil, kept.hoursFrom) });
}

const OWN = `unnest($1::text[]) as own (check_id) join check_key using (check_id) join rollup_series s on s.check_key = check_key.key and criterion = ''`;
const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** When the first slot of that time was counted, to the hour. */
export async function firstOldMs(db: Db, request: OldRequest): Promise<number | undefined> {
  for (const { level, from, until } of hoursOf(request)) {
    const { rows } = await db.query<{ first: number | null }>(
      `select min(at) as first from ${OWN} join rollup_${level} r on r.series = s.id where at >= $2 and at < $3`,
      [textArray(request.checks), from, until],
    );
    if (rows[0]?.first != null) return Math.max(request.fromMs, rows[0].first * UNIT_MS[level]);
  }
  return undefined;
}

/** Rounds by check and part. */
export async function oldRounds(db: Db, request: OldRequest, parts: ReportFrame['parts']): Promise<RoundCount[]> {
  const counted: RoundCount[] = [];
  for (const { level, from, until } of hoursOf(request)) {
    const { rows } = await db.query<{ check_id: string; part: number; well: number; failed: number; unseen: number }>(
      `select check_id, greatest(0, floor((at * $4::float8 - $5) / $6))::int as part, sum(good)::bigint as well, sum(bad)::bigint as failed,
         sum(r.unseen)::bigint as unseen
       from ${OWN} join rollup_${level} r on r.series = s.id where at >= $2 and at < $3 group by 1, 2`,
      [textArray(request.checks), from, until, UNIT_MS[level], parts.startMs, parts.widthMs],
    );
    counted.push(...rows.map(({ check_id: check, ...row }) => ({ check, ...row })));
  }
  return counted;
}

/** Durations of each template in each part. */
export async function oldParts(db: Db, request: OldRequest, parts: ReportFrame['parts']) {
  const found: { template: string; part: number; pace: Histogram }[] = [];
  for (const { level, from, until } of hoursOf(request)) {
    const { rows } = await db.query<{ template: string; part: number; sketches: Buffer | null }>(
      `select split_part(check_id, '/', 1) as template, greatest(0, floor((at * $4::float8 - $5) / $6))::int as part, string_agg(sketch, '') as sketches
       from ${OWN} join rollup_${level} r on r.series = s.id where at >= $2 and at < $3 group by 1, 2`,
      [textArray(request.checks), from, until, UNIT_MS[level], parts.startMs, parts.widthMs],
    );
    for (const { template, part, sketches } of rows)
      if (sketches) found.push({ template, part, pace: histogramOf(decodeSketch(sketches)) });
  }
  return found;
}

/** Of so many checks the sketches are read at once: some megabytes. */
const CHECKS_AT_ONCE = 500;

/** Durations by check, of runs that were not down. */
export async function oldPaces(db: Db, request: OldRequest): Promise<Map<string, Histogram>> {
  const paces = new Map<string, Histogram[]>();
  for (const { level, from, until } of coverOf(minuteOf(request.fromMs), minuteOf(request.untilMs), request.kept)) {
    for (let at = 0; at < request.checks.length; at += CHECKS_AT_ONCE) {
      const { rows } = await db.query<{ check_id: string; sketches: Buffer | null }>(
        `select check_id, string_agg(sketch, '') as sketches from ${OWN} join rollup_${level} r on r.series = s.id
         where r.at >= $2 and r.at < $3 group by 1`,
        [textArray(request.checks.slice(at, at + CHECKS_AT_ONCE)), from, until],
      );
      for (const { check_id: check, sketches } of rows) {
        if (sketches) paces.set(check, [...(paces.get(check) ?? []), histogramOf(decodeSketch(sketches))]);
      }
    }
  }
  return new Map([...paces].map(([check, list]) => [check, addPace(list)]));
}

/** How runs ended, by check and location, and what did not go as planned; of the latter no reasons are kept. */
export async function oldEndings(db: Db, request: OldRequest): Promise<{ check: string; location: string; endings: Endings }[]> {
  const found = new Map<string, Buffer[]>();
  for (const { level, from, until } of coverOf(minuteOf(request.fromMs), minuteOf(request.untilMs), request.kept)) {
    if (level === 'minute') continue;
    const { rows } = await db.query<{ check_id: string; places: Buffer | null }>(
      `select check_id, string_agg(places, '') as places from ${OWN} join rollup_${level} r on r.series = s.id
       where at >= $2 and at < $3 group by 1`,
      [textArray(request.checks), from, until],
    );
    for (const { check_id: check, places } of rows) if (places) found.set(check, [...(found.get(check) ?? []), places]);
  }
  const counted = [...found].flatMap(([check, list]) =>
    [...decodePlaces(Buffer.concat(list))].map(([key, endings]) => ({ check, key, endings })),
  );
  const names = await locationNames(db, [...new Set(counted.map((one) => one.key))]);
  return counted.map(({ check, key, endings }) => ({ check, location: names.get(key) ?? '', endings }));
}

async function locationNames(db: Db, keys: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await db.query<{ key: number; location: string }>('select key, location from location_key where key = any($1::int[])', [
    numberArray(keys),
  ]);
  return new Map(rows.map((row) => [row.key, row.location]));
}

type Ended = Awaited<ReturnType<typeof oldEndings>>;

/** Runs by check and location, the durations of the check shared out by how many of them were not down. */
export function oldRuns(ended: Ended, pace: ReadonlyMap<string, Histogram>): RunCount[] {
  return [...Map.groupBy(ended, (one) => one.check)].flatMap(([check, places]) => {
    const worked = ({ up, degraded }: Endings) => up + degraded;
    const all = places.reduce((sum, one) => sum + worked(one.endings), 0);
    return places.map(({ location, endings }): RunCount => {
      const { up, degraded, down, fault } = endings;
      return {
        check,
        location,
        up,
        degraded,
        down,
        fault,
        pace: scaled(pace.get(check), all > 0 ? worked(endings) / all : 0),
        usual: new Map(),
      };
    });
  });
}

/** That share of a histogram. */
export function scaled(histogram: Histogram | undefined, share: number): Histogram {
  return new Map([...(histogram ?? [])].flatMap(([step, runs]): [number, number][] => (share > 0 ? [[step, runs * share]] : [])));
}

/** Runs that did not go as planned. */
export function oldExceptions(ended: Ended): ExceptionCount[] {
  const states = { missed: 'missed', late: 'late', agentFault: 'fault' } as const;
  return ended.flatMap(({ check, location, endings }) =>
    (Object.keys(states) as (keyof typeof states)[]).flatMap((ending) =>
      endings[ending] > 0 ? [{ check, location, state: states[ending], reason: '', runs: endings[ending] }] : [],
    ),
  );
}

/** What rollups say of the window of a report, and of the days before it. */
export interface OldCounts {
  rounds: RoundCount[];
  runs: RunCount[];
  parts: { template: string; part: number; pace: Histogram }[];
  exceptions: ExceptionCount[];
  /** What is usual, by check. */
  usual: ReadonlyMap<string, Histogram>;
}

/** Counts the window and what is usual, each as far as it is old; `undefined` where it is not. */
export async function countOld(
  db: Db,
  { window, usual }: { window: OldRequest | undefined; usual: OldRequest | undefined },
  parts: ReportFrame['parts'],
): Promise<OldCounts> {
  const before = usual ? await oldPaces(db, usual) : new Map<string, Histogram>();
  if (!window) return { rounds: [], runs: [], parts: [], exceptions: [], usual: before };
  const ended = await oldEndings(db, window);
  return {
    rounds: await oldRounds(db, window, parts),
    runs: oldRuns(ended, await oldPaces(db, window)),
    parts: await oldParts(db, window, parts),
    exceptions: oldExceptions(ended),
    usual: before,
  };
}

/** Runs of the window's two ends together, with what was usual of the checks. */
export function addRuns(runs: readonly RunCount[], usual: ReadonlyMap<string, Histogram>): RunCount[] {
  const places = Map.groupBy(runs, (run) => run.check);
  return [...Map.groupBy(runs, (run) => `${run.check} ${run.location}`).values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const sum = (pick: (run: RunCount) => number) => same.reduce((total, run) => total + pick(run), 0);
    const share = 1 / new Set(places.get(first.check)?.map((run) => run.location)).size;
    return [
      {
        check: first.check,
        location: first.location,
        ...{ up: sum((run) => run.up), degraded: sum((run) => run.degraded), down: sum((run) => run.down), fault: sum((run) => run.fault) },
        pace: addPace(same.map((run) => run.pace)),
        usual: addPace([...same.map((run) => run.usual), scaled(usual.get(first.check), share)]),
      },
    ];
  });
}

/** Rollups as they are read: slots over spans of time, and how long runs took. */
import { beginOf, coverOf, type Kept, type KeptFrom, type Level, type Piece } from '../core/rollup.ts';
import { decodeSketch, type Sketch } from '../core/sketch.ts';
import type { Tally } from '../core/slo/evaluate.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Db } from './db.ts';
import type { Progress } from './rollup-progress.ts';

/** Series that are counted together. */
export interface SeriesGroup {
  series: readonly number[];
}

/** What there is to read. */
export function keptAt(from: KeptFrom, { hoursUntil, daysUntil }: Pick<Progress, 'hoursUntil' | 'daysUntil'>): Kept {
  return { minutesFrom: from.minutes, hoursFrom: from.hours, hoursUntil, daysUntil };
}

/**
 * The slots of each group from every one of these minutes to before `until`, in their order. Windows that begin before what is kept by
 * the minute begin with their whole hour or day.
 */
export async function tallies<G extends SeriesGroup>(
  db: Db,
  groups: readonly G[],
  span: { begins: readonly number[]; until: number; kept: Kept },
): Promise<Map<G, Tally[]>> {
  const begins = span.begins.map((begin) => beginOf(begin, span.kept));
  // Each part of the time is read once: what lies between two beginnings belongs to all windows that began before.
  const edges = [...new Set(begins)].sort((a, b) => a - b);
  const parts = edges.map((edge, index) => coverOf(edge, edges[index + 1] ?? span.until, span.kept));
  const found = new Map<G, Tally[]>();
  for (const some of inBatches(groups)) {
    const sums = await sumParts(db, some, parts);
    for (const [index, group] of some.entries()) {
      const own = sums[index] ?? [];
      found.set(
        group,
        begins.map((begin) => addTallies(own.slice(edges.indexOf(begin)))),
      );
    }
  }
  return found;
}

/** So many series are read in one statement: half a second's work, far from any time-out. */
const SERIES_AT_ONCE = 5_000;

function* inBatches<G extends SeriesGroup>(groups: readonly G[]): Generator<G[]> {
  let batch: G[] = [];
  let series = 0;
  for (const group of groups) {
    batch.push(group);
    series += group.series.length;
    if (series < SERIES_AT_ONCE) continue;
    yield batch;
    batch = [];
    series = 0;
  }
  if (batch.length > 0) yield batch;
}

/** All of them together. */
export function addTallies(list: readonly Tally[]): Tally {
  const sum = (pick: (tally: Tally) => number) => list.reduce((total, one) => total + pick(one), 0);
  return { good: sum((one) => one.good), bad: sum((one) => one.bad), badMinutes: sum((one) => one.badMinutes) };
}

/** Slots by group and part. */
async function sumParts(db: Db, groups: readonly SeriesGroup[], parts: readonly (readonly Piece[])[]): Promise<Tally[][]> {
  const sums = groups.map(() => parts.map((): Tally => ({ good: 0, bad: 0, badMinutes: 0 })));
  for (const level of ['minute', 'hour', 'day'] as const) {
    const pieces = parts.flatMap((cover, part) => cover.filter((piece) => piece.level === level).map((piece) => ({ ...piece, part })));
    for (const row of await sumPieces(db, level, groups, pieces)) {
      const sum = sums[row.grp]?.[row.part];
      if (!sum) continue;
      sum.good += row.good;
      sum.bad += row.bad;
      sum.badMinutes += row.bad_rows;
    }
  }
  return sums;
}

interface SumRow {
  grp: number;
  part: number;
  good: number;
  bad: number;
  bad_rows: number;
}

async function sumPieces(
  db: Db,
  level: Level,
  groups: readonly SeriesGroup[],
  pieces: readonly (Piece & { part: number })[],
): Promise<SumRow[]> {
  if (pieces.length === 0 || groups.length === 0) return [];
  const members = groups.flatMap((group, grp) => group.series.map((series) => ({ grp, series })));
  const { rows } = await db.query<SumRow>(
    // Bad minutes are those of the group: of several checks that fail in one minute it is one.
    `select grp, part, sum(good)::bigint as good, sum(bad)::bigint as bad, count(*) filter (where bad > 0) as bad_rows
     from (
       select grp, part, at, sum(good) as good, sum(bad) as bad
       from unnest($1::int[], $2::int[]) as own (grp, series)
       cross join unnest($3::int[], $4::int[], $5::int[]) as piece (part, begins, ends)
       join rollup_${level} using (series)
       where at >= begins and at < ends and at >= $6 and at < $7
       group by 1, 2, 3) as one
     group by 1, 2`,
    [
      numberArray(members.map(({ grp }) => grp)),
      numberArray(members.map(({ series }) => series)),
      numberArray(pieces.map(({ part }) => part)),
      numberArray(pieces.map(({ from }) => from)),
      numberArray(pieces.map(({ until }) => until)),
      Math.min(...pieces.map(({ from }) => from)),
      Math.max(...pieces.map(({ until }) => until)),
    ],
  );
  return rows;
}

/** A series, and whose it is. */
export interface KnownSeries {
  id: number;
  check: string;
  criterion: string;
}

/** The series of these templates of checks, of checks too that are in the configuration no more. */
export async function seriesOf(db: Db, templates: readonly string[]): Promise<KnownSeries[]> {
  const { rows } = await db.query<{ id: number; check_id: string; criterion: string }>(
    `select id, check_id, criterion from rollup_series join check_key on key = check_key
     where split_part(check_id, '/', 1) = any($1::text[])`,
    [textArray([...new Set(templates)])],
  );
  return rows.map((row) => ({ id: row.id, check: row.check_id, criterion: row.criterion }));
}

/** Series that had bad slots since: by the minute from the one, before by the hour from the other. In minutes since 1970. */
export async function badSeries(db: Db, since: { minute: number; hour: number }): Promise<Set<number>> {
  const { rows } = await db.query<{ series: number }>(
    `select series from rollup_minute where bad > 0 and at >= $1
     union select series from rollup_hour where bad > 0 and at >= $2`,
    [since.minute, Math.floor(since.hour / 60)],
  );
  return new Set(rows.map((row) => row.series));
}

/** The minute in which each series was first counted, as far as it is known. */
export async function firstCounted(db: Db, series: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await db.query<{ series: number; day: number | null; hour: number | null; minute: number | null }>(
    `select series, (select min(at) from rollup_day d where d.series = one.series) as day,
       (select min(at) from rollup_hour h where h.series = one.series) as hour,
       (select min(at) from rollup_minute m where m.series = one.series) as minute
     from unnest($1::int[]) as one (series)`,
    [numberArray(series)],
  );
  return new Map(
    rows.flatMap(({ series: id, day, hour, minute }) => {
      const hourOf = day === null ? hour : inside(day, 24, hour);
      const begin = hourOf === null ? minute : inside(hourOf, 60, minute);
      return begin === null ? [] : [[id, begin] as const];
    }),
  );
}

/** When in that hour or day it began, if what is finer says so; else with its beginning. */
function inside(at: number, unit: number, finer: number | null): number {
  return finer !== null && Math.floor(finer / unit) === at ? finer : at * unit;
}

/** Durations of the runs of checks, of each name together, from that minute to before the other. */
export async function sketchesOf(
  db: Db,
  groups: ReadonlyMap<string, readonly string[]>,
  span: { from: number; until: number; kept: Kept },
): Promise<Map<string, Sketch>> {
  const pairs = [...groups].flatMap(([name, checks]) => checks.map((check) => ({ name, check })));
  const bytes = new Map<string, Buffer[]>();
  for (const piece of coverOf(span.from, span.until, span.kept)) {
    const { rows } = await db.query<{ name: string; sketches: Buffer | null }>(
      `select name, string_agg(sketch, '') as sketches
       from unnest($1::text[], $2::text[]) as own (name, check_id) join check_key using (check_id)
       join rollup_series on check_key = key and criterion = '' join rollup_${piece.level} on series = id
       where at >= $3 and at < $4 group by name`,
      [textArray(pairs.map(({ name }) => name)), textArray(pairs.map(({ check }) => check)), piece.from, piece.until],
    );
    for (const { name, sketches } of rows) if (sketches) bytes.set(name, [...(bytes.get(name) ?? []), sketches]);
  }
  return new Map([...bytes].map(([name, list]) => [name, decodeSketch(Buffer.concat(list))]));
}

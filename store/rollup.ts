/**
 * Rollups are made here: slots of the ledger counted by minute, minutes by hour, hours by day. What is new is found by when it was told, so a
 * result that comes late is counted like any other, and all that is made of its minute is made again. Every step counts anew from what
 * is below it and writes what it found: done twice, it changes nothing. core/slo/slot.ts says in words what the SQL counts.
 */
import { decodePlaces, type Endings, encodePlaces } from '../core/places.ts';
import type { Level } from '../core/rollup.ts';
import { decodeSketch, encodeSketch, sketchOf } from '../core/sketch.ts';
import { numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';
import type { MinuteRange } from './rollup-progress.ts';

/** A minute of a check. */
export interface Bucket {
  checkKey: number;
  minute: number;
}

/** The minutes of checks of which something was told in that time, as far as they lie in the range. */
export async function toldBuckets(db: Db, fromMs: number, untilMs: number, range: MinuteRange): Promise<Bucket[]> {
  const { rows } = await db.query<{ check_key: number; minute: number }>(
    `select distinct check_key, floor(extract(epoch from slot) / 60)::int as minute from run
     where received_at >= $1 and received_at < $2 and slot >= $3 and slot < $4 and (asked is null or asked = 'confirm')`,
    [at(fromMs), at(untilMs), at(range.from * 60_000), at(range.until * 60_000)],
  );
  return rows.map((row) => ({ checkKey: row.check_key, minute: row.minute }));
}

/** A rollup that was made or changed: its series, and the minute in which it begins. */
export interface Changed {
  series: number;
  minute: number;
}

export interface CountedMinutes {
  counted: Changed[];
  /** Those that came out otherwise than before. */
  changed: Changed[];
}

/** Counts these minutes anew: for all series of their checks, or for those alone. */
export async function countMinutes(db: Db, buckets: readonly Bucket[], series?: readonly number[]): Promise<CountedMinutes> {
  if (buckets.length === 0) return { counted: [], changed: [] };
  const keys = numberArray(buckets.map(({ checkKey }) => checkKey));
  await db.query(
    `insert into rollup_series (check_key) select distinct key from unnest($1::int[]) as one (key)
     where not exists (select from rollup_series where check_key = key and criterion = '') on conflict do nothing`,
    [keys],
  );
  const minutes = numberArray(buckets.map(({ minute }) => minute));
  const { rows } = await db.query<Counted & { durations: string | null }>({
    name: 'count-minutes',
    text: COUNT_MINUTES,
    values: [
      keys,
      minutes,
      numberArray(buckets.map(({ checkKey, minute }) => checkKey * 2 ** 32 + minute)),
      series ? numberArray(series) : null,
    ],
  });
  const changed = await write(
    db,
    'minute',
    rows.map(({ durations, ...row }) => ({
      ...row,
      sketch: hexOf(durations === null ? null : encodeSketch(sketchOf(durations.split(' ').map(Number)))),
    })),
  );
  return { counted: rows.map((row) => ({ series: row.series, minute: row.at })), changed };
}

/** As PostgreSQL reads bytes. */
function hexOf(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? `\\x${Buffer.from(bytes).toString('hex')}` : null;
}

const VALUE = `case when shape_key is null then (measurements->>s.measurement)::float8
  else (string_to_array(numbers, ' '))[(select array_position(shape.measurements, s.measurement) from shape where key = shape_key)]::float8 end`;

const GOOD = `case
  when s.measurement is null then verdict <> 'down' and (s.faster_ms is null or duration_ms <= s.faster_ms)
  when s.op = 'lt' then ${VALUE} < s.limit_value when s.op = 'lte' then ${VALUE} <= s.limit_value
  when s.op = 'gt' then ${VALUE} > s.limit_value else ${VALUE} >= s.limit_value end`;

/** Of what a location said for a slot, the last: the planner's time says which that is, whatever came first. */
const last = (column: string) =>
  `(array_agg(${column} order by planned_at desc, confirmed desc, verdict desc, duration_ms desc) filter (where verdict in ('up', 'degraded', 'down')))[1]`;

// Nothing is joined but by keys of tables: of lists PostgreSQL does not know how long they are, and takes each for a few rows.
const COUNT_MINUTES = `
with told as (
  select r.check_key, minute, r.slot, r.location_key, r.asked is null as due, r.asked is null as ended, r.asked is not null as confirmed,
    coalesce(r.planned_at, r.slot) as planned_at, r.verdict, r.duration_ms, r.shape_key, r.numbers,
    case when r.shape_key is null then r.detail->'measurements' end as measurements
  from unnest($1::int[], $2::int[]) as one (check_key, minute)
  join run r on r.check_key = one.check_key and r.slot >= to_timestamp(minute * 60.0) and r.slot < to_timestamp(minute * 60.0 + 60)
  where (r.asked is null or r.asked = 'confirm') and r.reason is distinct from 'retired'
  union all
  select one.check_key, floor(extract(epoch from one.slot) / 60)::int, one.slot, d.location_key, true, false, false, one.slot,
    null, null, null, null, null
  from due d
  cross join lateral (
    select check_key, d.second + offset_ms * interval '1 ms' as slot from unnest(d.checks, d.offsets_ms) as one (check_key, offset_ms)) as one
  where d.ask_id = 0 and one.check_key::bigint * 4294967296 + floor(extract(epoch from one.slot) / 60)::bigint = any($3::bigint[])
), location as (
  select check_key, minute, slot, bool_or(due) as due, bool_or(ended) as ended, ${last('verdict')} as verdict,
    ${last('duration_ms')} as duration_ms, ${last('shape_key')} as shape_key, ${last('numbers')} as numbers, ${last('measurements')} as measurements,
    max(duration_ms) filter (where not confirmed and verdict in ('up', 'degraded')) as took_ms
  from told group by check_key, minute, slot, location_key
), slot as (
  select s.id as series, s.criterion, minute, slot, count(*) filter (where due) / 2 + 1 as quorum,
    count(*) filter (where due) = count(*) filter (where ended) as over, count(*) filter (where good) as good, count(*) filter (where not good) as bad,
    case when s.criterion = '' then string_agg(took_ms::text, ' ') end as durations
  from location join rollup_series s using (check_key) cross join lateral (select case when verdict is not null then ${GOOD} end as good) as one
  where $4::int[] is null or s.id = any($4)
  group by s.id, minute, slot
  having bool_or(due)
)
select series, minute as at, count(*) filter (where good >= quorum) as good, count(*) filter (where bad >= quorum) as bad,
  count(*) filter (where over and good < quorum and bad < quorum) as unseen, string_agg(durations, ' ') as durations
from slot group by 1, 2`;

interface Counted {
  series: number;
  /** In the unit of its level. */
  at: number;
  good: number;
  bad: number;
  unseen: number;
}

const MINUTES: Readonly<Record<Level, number>> = { minute: 1, hour: 60, day: 1440 };

type Row = Counted & { sketch: string | null; places?: string | null };

async function write(db: Db, level: Level, rows: readonly Row[]): Promise<Changed[]> {
  if (rows.length === 0) return [];
  const counts = ['good', 'bad', 'unseen'] as const;
  // By the minute the ledger itself says how runs ended at each location.
  const bytes = level === 'minute' ? (['sketch'] as const) : (['sketch', 'places'] as const);
  const names = [...counts, ...bytes];
  const { rows: changed } = await db.query<{ series: number; at: number }>({
    name: `write-rollup-${level}`,
    text: `insert into rollup_${level} as kept (series, at, ${names.join(', ')})
           select * from unnest($1::int[], $2::int[], ${names.map((_, index) => `$${index + 3}::${index < counts.length ? 'int' : 'bytea'}[]`).join(', ')})
           on conflict (series, at) do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
           where (${names.map((name) => `kept.${name}`).join(', ')}) is distinct from (${names.map((name) => `excluded.${name}`).join(', ')})
           returning series, at`,
    values: [
      numberArray(rows.map((row) => row.series)),
      numberArray(rows.map((row) => row.at)),
      ...counts.map((name) => numberArray(rows.map((row) => row[name]))),
      ...bytes.map((name) => textArray(rows.map((row) => row[name] ?? null))),
    ],
  });
  return changed.map((row) => ({ series: row.series, minute: row.at * MINUTES[level] }));
}

const BELOW = { hour: 'minute', day: 'hour' } as const;
/** So many series are put together in one statement: some megabytes of sketches. */
const SERIES_AT_ONCE = 2_000;

/**
 * Puts an hour or day together anew from what is below it, for these series or for all. `minute`: in which it begins. Returns what came out
 * otherwise than before.
 */
export async function countWhole(db: Db, level: 'hour' | 'day', minute: number, series?: readonly number[]): Promise<Changed[]> {
  const changed: Changed[] = [];
  const below = BELOW[level];
  const unit = MINUTES[below];
  const only = series ? [...new Set(series)].sort((a, b) => a - b) : undefined;
  for (let after = 0; ; ) {
    const { rows } = await db.query<Omit<Counted, 'at'> & { sketches: Buffer | null; places: Buffer | null }>(
      `select series, sum(good)::int as good, sum(bad)::int as bad, sum(unseen)::int as unseen, string_agg(sketch, '') as sketches,
         ${level === 'day' ? `string_agg(places, '')` : 'null'} as places
       from rollup_${below} where at >= $1 and at < $2 and series > $3 and ($4::int[] is null or series = any($4))
       group by series order by series limit $5`,
      [minute / unit, (minute + MINUTES[level]) / unit, after, only ? numberArray(only) : null, SERIES_AT_ONCE],
    );
    const ended = level === 'hour' ? await countPlaces(db, minute, rows) : undefined;
    const whole = rows.map(({ sketches, places, ...row }) => ({
      ...row,
      at: minute / MINUTES[level],
      sketch: hexOf(sketches && encodeSketch(decodeSketch(sketches))),
      places: hexOf(ended ? encodePlaces(ended.get(row.series) ?? new Map()) : places && encodePlaces(decodePlaces(places))),
    }));
    changed.push(...(await write(db, level, whole)));
    const last = rows.at(-1);
    if (!last || rows.length < SERIES_AT_ONCE) return changed;
    after = last.series;
  }
}

/** How the scheduled runs of an hour ended, by series of availability and location. */
async function countPlaces(db: Db, minute: number, series: readonly { series: number }[]): Promise<Map<number, Map<number, Endings>>> {
  const { rows } = await db.query<{ series: number; location_key: number } & Endings>(
    `select id as series, location_key, count(*) filter (where verdict = 'up') as up, count(*) filter (where verdict = 'degraded') as degraded,
       count(*) filter (where verdict = 'down') as down, count(*) filter (where verdict = 'fault') as fault,
       count(*) filter (where state = 'missed') as missed, count(*) filter (where state = 'late') as late,
       count(*) filter (where state = 'fault') as "agentFault"
     from run join rollup_series using (check_key)
     where slot >= $1 and slot < $2 and asked is null and reason is distinct from 'retired' and criterion = '' and id = any($3::int[])
     group by 1, 2`,
    [at(minute * 60_000), at((minute + MINUTES.hour) * 60_000), numberArray(series.map((one) => one.series))],
  );
  const found = new Map<number, Map<number, Endings>>();
  for (const { series: id, location_key: location, ...endings } of rows) {
    found.set(id, (found.get(id) ?? new Map<number, Endings>()).set(location, endings));
  }
  return found;
}

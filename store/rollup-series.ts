/** What is counted of checks beyond whether they succeed: one series for each check and criterion of an objective. */
import type { Config } from '../core/config/model.ts';
import { criterionOf, type Sli } from '../core/slo/slo.ts';
import { numberArray, textArray } from './arrays.ts';
import type { Db } from './db.ts';
import type { MinuteRange } from './rollup-progress.ts';

/**
 * Sees to it that everything is counted that the objectives speak of. Of what is new, the runs that are kept are counted as well:
 * `kept` is where they lie. Returns how many series are new.
 */
export async function openSeries(db: Db, config: Pick<Config, 'services' | 'checks'>, kept: MinuteRange): Promise<number> {
  const wanted = wantedSeries(config);
  if (wanted.length === 0) return 0;
  const text = (pick: (sli: Sli) => string | null) => textArray(wanted.map(({ sli }) => pick(sli)));
  const number = (pick: (sli: Sli) => number | null) => numberArray(wanted.map(({ sli }) => pick(sli)));
  const { rowCount } = await db.query(
    `insert into rollup_series (check_key, criterion, faster_ms, measurement, op, limit_value, backfill_from, backfill_until)
     select key, criterion, faster_ms, measurement, op, limit_value, $7, $8
     from unnest($1::text[], $2::text[], $3::float8[], $4::text[], $5::text[], $6::float8[])
       as one (check_id, criterion, faster_ms, measurement, op, limit_value)
     join check_key using (check_id)
     where not exists (select from rollup_series s where s.check_key = key and s.criterion = one.criterion)
     on conflict do nothing`,
    [
      textArray(wanted.map(({ check }) => check)),
      text(criterionOf),
      number((sli) => (sli.kind === 'latency' ? sli.fasterMs : null)),
      text((sli) => (sli.kind === 'measurement' ? sli.measurement : null)),
      text((sli) => (sli.kind === 'measurement' ? sli.op : null)),
      number((sli) => (sli.kind === 'measurement' ? sli.limit : null)),
      kept.from,
      kept.until,
    ],
  );
  return rowCount ?? 0;
}

function wantedSeries({ services, checks }: Pick<Config, 'services' | 'checks'>): { check: string; sli: Sli }[] {
  const slis = Object.values(services).flatMap((service) => (service.slos ?? []).map((slo) => slo.sli));
  const byTemplate = Map.groupBy(
    slis.filter((sli) => sli.kind !== 'availability'),
    (sli) => sli.check,
  );
  return Object.values(checks).flatMap((check) => (byTemplate.get(check.template) ?? []).map((sli) => ({ check: check.id, sli })));
}

/** Series that were opened later than runs of theirs came, with what is still to be counted of each. */
export interface Backfill {
  series: number;
  checkKey: number;
  from: number;
  until: number;
}

/** Some of them; those that have waited longest come first. */
export async function seriesToBackfill(db: Db, most: number): Promise<Backfill[]> {
  const { rows } = await db.query<{ id: number; check_key: number; backfill_from: number; backfill_until: number }>(
    `select id, check_key, backfill_from, backfill_until from rollup_series where backfill_from is not null order by backfill_from, id limit $1`,
    [most],
  );
  return rows.map((row) => ({ series: row.id, checkKey: row.check_key, from: row.backfill_from, until: row.backfill_until }));
}

/** Notes that these are counted up to that minute. */
export async function backfilled(db: Db, series: readonly number[], until: number): Promise<void> {
  await db.query(
    `update rollup_series set backfill_from = case when backfill_until > $2 then $2 end, backfill_until = case when backfill_until > $2 then backfill_until end
     where id = any($1::int[])`,
    [numberArray(series), until],
  );
}

/**
 * How long runs take, from a sample of them: of each template some checks, of each check its newest runs. Read in the order of the ledger's
 * key, so that it costs the same however many checks and runs there are; and no further back than runs are kept. What needs more than that
 * is counted by rollups, and whoever has them puts them in the place of these.
 */
import { at, type Db } from './db.ts';

/** The middle of a thousand runs is within some percent of that of all. */
const CHECKS_OF_TEMPLATE = 20;
const RUNS_OF_CHECK = 50;

const SAMPLE = `
select template, slot, duration_ms from (
  select key, split_part(check_id, '/', 1) as template, row_number() over (partition by split_part(check_id, '/', 1) order by md5(check_id)) as place
  from check_key where exists (select from run where check_key = key and slot > $1)) as one
cross join lateral (
  select slot, duration_ms, verdict from run where check_key = key and slot > $1 and verdict = 'up' and ask_id = 0 order by slot desc limit ${RUNS_OF_CHECK}) as newest
where place <= ${CHECKS_OF_TEMPLATE}`;

/** The median duration of good scheduled runs since that time, by the check's template, milliseconds. */
export async function usualDurations(db: Db, sinceMs: number): Promise<Map<string, number>> {
  return quantiles(db, sinceMs, 0.5);
}

/** What 95 of 100 good scheduled runs since that time took at most, by the check's template, milliseconds. */
export async function p95Since(db: Db, sinceMs: number): Promise<Map<string, number>> {
  return quantiles(db, sinceMs, 0.95);
}

async function quantiles(db: Db, sinceMs: number, share: number): Promise<Map<string, number>> {
  const { rows } = await db.query<{ template: string; duration_ms: number }>(
    `select template, percentile_cont($2) within group (order by duration_ms) as duration_ms from (${SAMPLE}) as sample group by 1`,
    [at(sinceMs), share],
  );
  return new Map(rows.map((row) => [row.template, row.duration_ms]));
}

export interface Pace {
  /** Of the runs of the last hour that were up, milliseconds. */
  p95Ms?: number;
  /** The same as far back as runs are kept, at most 7 days. */
  usuallyMs?: number;
}

/** Of one template more runs are read: it is shown by itself. */
const PACE_RUNS = 500;

/** How long the runs of these checks, of one template, take now, and usually. */
export async function paceOf(db: Db, checkIds: readonly string[]): Promise<Pace> {
  const { rows } = await db.query<{ p95: number | null; usually: number | null }>(
    `select percentile_cont(0.95) within group (order by duration_ms) filter (where slot > now() - interval '1 hour') as p95,
            percentile_cont(0.95) within group (order by duration_ms) as usually
     from check_key cross join lateral (
       select slot, duration_ms, verdict from run
       where check_key = key and slot > now() - interval '7 days' and ask_id = 0 order by slot desc limit ${PACE_RUNS}) as run
     where check_id = any ($1) and verdict = 'up'`,
    [evenly(checkIds, CHECKS_OF_TEMPLATE)],
  );
  const row = rows[0];
  return { ...(row?.p95 == null ? {} : { p95Ms: row.p95 }), ...(row?.usually == null ? {} : { usuallyMs: row.usually }) };
}

/** At most so many of them, spread over all. */
function evenly<T>(list: readonly T[], most: number): readonly T[] {
  const step = Math.max(1, list.length / most);
  return list.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
}

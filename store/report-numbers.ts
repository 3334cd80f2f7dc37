/**
 * What is counted for a report: from the ledger as far as it goes back, and before that from rollups (report-old.ts). Nothing is sorted, since
 * durations are counted as histograms (core/report/pace.ts).
 */
import type { Config } from '../core/config/model.ts';
import { partsOf } from '../core/report/chart.ts';
import type { Counted, ExceptionCount, ReportFrame, ReportNumbers, RoundCount, RunCount } from '../core/report/figures.ts';
import { checksOf, makeNumbers } from '../core/report/numbers.ts';
import { addPace, STEP_RATIO } from '../core/report/pace.ts';
import { keptFrom } from '../core/rollup.ts';
import { at, type Db } from './db.ts';
import { incidentsBetween } from './incident.ts';
import { addRuns, countOld, firstOldMs, type OldRequest, runsKeptSinceMs } from './report-old.ts';
import { readProgress } from './rollup-progress.ts';
import { keptAt } from './rollup-read.ts';

export interface CountRequest {
  checks: readonly string[];
  fromMs: number;
  untilMs: number;
}

/** How many runs of the window have not ended yet. */
export async function runsUnderWay(db: Db, { checks, fromMs, untilMs }: CountRequest): Promise<number> {
  const { rows } = await db.query<{ runs: number }>(
    `select count(*) as runs from due
     cross join lateral (
       select check_key, second + offset_ms * interval '1 ms' as slot from unnest(checks, offsets_ms) as one (check_key, offset_ms)) as one
     join check_key on key = one.check_key
     where ask_id = 0 and second > $1::timestamptz - interval '1 s' and second <= $2 and slot > $1 and slot <= $2 and check_id = any($3)
       and not exists (
         select from run where run.check_key = one.check_key and run.slot = one.slot and run.location_key = due.location_key and run.ask_id = 0)`,
    [at(fromMs), at(untilMs), checks],
  );
  return rows[0]?.runs ?? 0;
}

/** When the first result of the window was planned; `undefined` without one. */
async function firstResultBetween(db: Db, { checks, fromMs, untilMs }: CountRequest): Promise<number | undefined> {
  const { rows } = await db.query<{ first: Date | null }>(
    `select min(slot) as first from check_key cross join lateral (
       select slot from run where check_key = key and slot > $1 and slot <= $2 and ask_id = 0 and verdict is not null order by slot limit 1) as one
     where check_id = any($3)`,
    [at(fromMs), at(untilMs), checks],
  );
  return rows[0]?.first?.getTime();
}

/** How long before the window what is usual is taken from. */
const USUAL_MS = 7 * 86_400_000;

/** The numbers of a report. To be called inside a transaction: it gives the counting room in memory. */
export async function reportNumbers(db: Db, config: Config, frame: Omit<ReportFrame, 'parts'>): Promise<ReportNumbers> {
  const checks = checksOf(config, frame.services).map((check) => check.id);
  const { fromMs, untilMs, timeZone } = frame;
  const ends = await endsOf(db, config, { checks, fromMs, untilMs });
  const firstMs = (ends.old && (await firstOldMs(db, ends.old))) ?? (await firstResultBetween(db, ends.raw));
  const parts = partsOf(fromMs, untilMs, timeZone, firstMs);
  const counted = await countAll(db, ends, parts);
  return makeNumbers(config, { ...frame, parts }, { ...counted, ...(firstMs === undefined ? {} : { firstMs }) });
}

/** The window in two: of the one no runs are kept any more, of the other they are. */
interface Ends {
  old: OldRequest | undefined;
  raw: CountRequest;
  /** What is usual comes from the days before the window, of which the same is true. */
  oldUsual: OldRequest | undefined;
  usualFromMs: number;
}

async function endsOf(db: Db, config: Config, { checks, fromMs, untilMs }: CountRequest): Promise<Ends> {
  const keptSinceMs = (await runsKeptSinceMs(db)) ?? untilMs;
  const kept = keptAt(keptFrom(config, untilMs), await readProgress(db));
  const old = (from: number, until: number) => (from < until ? { checks, fromMs: from, untilMs: until, kept } : undefined);
  const usualFromMs = fromMs - USUAL_MS;
  return {
    old: old(fromMs, Math.min(untilMs, keptSinceMs)),
    // A slot at the very beginning of what is kept belongs to it.
    raw: { checks, fromMs: Math.max(fromMs, Math.min(untilMs, keptSinceMs - 1)), untilMs },
    oldUsual: old(usualFromMs, Math.min(fromMs, keptSinceMs)),
    usualFromMs,
  };
}

async function countAll(db: Db, { old, raw, oldUsual, usualFromMs }: Ends, parts: ReportFrame['parts']): Promise<Counted> {
  await db.query(`set local work_mem = '64MB'`);
  // The planner takes each step of a duration for a group of its own and sorts a week of results on disk: it must be kept from that.
  await db.query('set local enable_sort = off');
  const before = await countOld(db, { window: old, usual: oldUsual }, parts);
  return {
    rounds: [...before.rounds, ...(await countRounds(db, { ...raw, parts }))],
    runs: addRuns([...before.runs, ...(await countRuns(db, raw, usualFromMs))], before.usual),
    parts: addParts([...before.parts, ...(await countParts(db, { ...raw, parts }))]),
    exceptions: [...before.exceptions, ...(await countExceptions(db, raw))],
    underWay: await runsUnderWay(db, raw),
    incidents: await incidentsBetween(db, old?.fromMs ?? raw.fromMs, raw.untilMs),
  };
}

function addParts(parts: Counted['parts']): Counted['parts'] {
  return [...Map.groupBy(parts, (one) => `${one.template} ${one.part}`).values()].flatMap((same) => {
    const [first] = same;
    return first ? [{ template: first.template, part: first.part, pace: addPace(same.map((one) => one.pace)) }] : [];
  });
}

interface PartRequest extends CountRequest {
  parts: ReportFrame['parts'];
}

/** Rounds by check and part: results and missed runs of one slot together say how many locations were due, and what they said. */
async function countRounds(db: Db, { checks, fromMs, untilMs, parts }: PartRequest): Promise<RoundCount[]> {
  const { rows } = await db.query<{ check_id: string; part: number; well: number; failed: number; unseen: number }>(
    `with said as (
       select check_key, slot, count(*) filter (where verdict = 'down') as down, count(*) filter (where verdict <> 'fault') as spoke,
         count(*) as due
       from run where slot > $1 and slot <= $2 and ask_id = 0 and check_key in (select key from check_key where check_id = any($3))
       group by 1, 2)
     select check_id, floor(extract(epoch from slot - $4::timestamptz) * 1000 / $5)::int as part,
       count(*) filter (where down * 2 <= due and spoke * 2 > due) as well, count(*) filter (where down * 2 > due) as failed,
       count(*) filter (where down * 2 <= due and spoke * 2 <= due) as unseen
     from said join check_key on key = check_key group by 1, 2`,
    [at(fromMs), at(untilMs), checks, at(parts.startMs), parts.widthMs],
  );
  return rows.map(({ check_id: check, ...row }) => ({ check, ...row }));
}

const STEP = `floor(ln(greatest(duration_ms, 1)) / ln(${STEP_RATIO}))::int`;

/** Runs by check and location, with their durations in the window and in the days before. */
async function countRuns(db: Db, { checks, fromMs, untilMs }: CountRequest, usualFromMs: number): Promise<RunCount[]> {
  const { rows } = await db.query<{ check_id: string; location: string; verdict: string; runs: number; steps: number[]; counts: number[] }>(
    `select check_id, location, verdict, sum(runs)::bigint as runs, array_agg(step) as steps, array_agg(runs) as counts from (
       select check_id, location, case when slot <= $2 then 'usual' else verdict::text end as verdict, ${STEP} as step, count(*)::int as runs
       from slot_result where slot > $1 and slot <= $3 and ask_id = 0 and check_id = any($4) and verdict is not null
         and (slot > $2 or verdict in ('up', 'degraded'))
       group by 1, 2, 3, 4) as counted
     group by 1, 2, 3`,
    [at(usualFromMs), at(fromMs), at(untilMs), checks],
  );
  const found = new Map<string, RunCount & { pace: Map<number, number>; usual: Map<number, number> }>();
  for (const row of rows) {
    const key = `${row.check_id} ${row.location}`;
    const one = found.get(key) ?? emptyRuns(row.check_id, row.location);
    found.set(key, one);
    if (row.verdict === 'up' || row.verdict === 'degraded') addSteps(one.pace, row);
    if (row.verdict === 'usual') addSteps(one.usual, row);
    if (row.verdict === 'up' || row.verdict === 'degraded' || row.verdict === 'down' || row.verdict === 'fault')
      one[row.verdict] += row.runs;
  }
  return [...found.values()];
}

function emptyRuns(check: string, location: string) {
  const counts = { up: 0, degraded: 0, down: 0, fault: 0 };
  return { check, location, ...counts, pace: new Map<number, number>(), usual: new Map<number, number>() };
}

function addSteps(to: Map<number, number>, { steps, counts }: { steps: readonly number[]; counts: readonly number[] }): void {
  steps.forEach((step, index) => {
    to.set(step, (to.get(step) ?? 0) + (counts[index] ?? 0));
  });
}

/** Durations of each template in each part of the window, of runs that were not down. */
async function countParts(db: Db, { checks, fromMs, untilMs, parts }: PartRequest): Promise<Counted['parts']> {
  const { rows } = await db.query<{ template: string; part: number; steps: number[]; counts: number[] }>(
    `select template, part, array_agg(step) as steps, array_agg(runs) as counts from (
       select split_part(check_id, '/', 1) as template, floor(extract(epoch from slot - $4::timestamptz) * 1000 / $5)::int as part,
         ${STEP} as step, count(*)::int as runs
       from slot_result where slot > $1 and slot <= $2 and ask_id = 0 and check_id = any($3) and verdict in ('up', 'degraded')
       group by 1, 2, 3) as counted
     group by 1, 2`,
    [at(fromMs), at(untilMs), checks, at(parts.startMs), parts.widthMs],
  );
  return rows.map((row) => {
    const pace = new Map<number, number>();
    addSteps(pace, row);
    return { template: row.template, part: row.part, pace };
  });
}

/** Runs that did not go as planned. */
async function countExceptions(db: Db, { checks, fromMs, untilMs }: CountRequest): Promise<ExceptionCount[]> {
  const { rows } = await db.query<{
    check_id: string;
    location: string;
    state: ExceptionCount['state'];
    reason: string | null;
    runs: number;
  }>(
    `select check_id, location, state, reason, count(*) as runs from slot_result
     where state in ('late', 'fault', 'missed') and slot > $1 and slot <= $2 and ask_id = 0 and check_id = any($3)
     group by 1, 2, 3, 4`,
    [at(fromMs), at(untilMs), checks],
  );
  return rows.map(({ check_id: check, reason, ...row }) => ({ check, reason: reason ?? '', ...row }));
}

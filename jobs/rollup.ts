/**
 * Counts what became of slots, a few seconds after it was told: by minute from the ledger, by hour and day from what is below. Any worker
 * may do it, one at a time, under the row of `rollup_progress`. What was told since the last turn says which minutes are to be counted, the
 * current one and those of last night alike; where their hour and day are made already, these are put together again.
 */
import type { Config } from '../core/config/model.ts';
import { keptFrom, MINUTE_MS, MINUTES_PER_DAY, MINUTES_PER_HOUR, minuteOf } from '../core/rollup.ts';
import { type Db, inTransaction } from '../store/db.ts';
import { type Bucket, type Changed, countMinutes, countWhole, toldBuckets } from '../store/rollup.ts';
import {
  forgetRollups,
  lockProgress,
  type MinuteRange,
  makeRollupPartitions,
  type Progress,
  toldUntil,
  writeProgress,
} from '../store/rollup-progress.ts';
import { backfilled, openSeries, seriesToBackfill } from '../store/rollup-series.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

type Deps = Pick<JobsDeps, 'pool' | 'config' | 'clock' | 'log'>;

/** After a pause the runs of so much time are counted in one transaction. */
const STEP_MS = 60_000;
/** A turn that has more to do goes on with the next one. */
const TURN_BOUND_MS = 5_000;
/** An hour is made when its last results are there; what comes later is counted again. */
const GRACE_MS = 60_000;
const BUCKETS_AT_ONCE = 20_000;
const BACKFILL_SERIES = 100;
/** Partitions that are there before anybody needs them. */
const AHEAD_MINUTES = 720;
const FORGET_EVERY_MS = 600_000;
const OPEN_EVERY_MS = 60_000;

/** What a worker remembers from turn to turn; nothing is lost with it. */
export interface RollupMemory {
  forgotMs: number;
  opened?: { config: Config; atMs: number };
}

/** One turn. Returns whether anything was counted. */
export async function rollUp(deps: Deps, memory: RollupMemory): Promise<boolean> {
  const endMs = deps.clock.monotonic() + TURN_BOUND_MS;
  const left = () => deps.clock.monotonic() < endMs;
  let counted = false;
  let step: 'more' | 'done' | 'taken' = 'more';
  while (step === 'more') {
    const done = await metrics.timed(metrics.rollupSeconds, () => takeStep(deps, memory));
    counted = done.counted || counted;
    step = done.step === 'more' && !left() ? 'done' : done.step;
  }
  return counted;
}

interface Step {
  counted: boolean;
  step: 'more' | 'done' | 'taken';
}

/** One transaction: some of what was told; else an hour or day; else what is left to do. */
async function takeStep(deps: Deps, memory: RollupMemory): Promise<Step> {
  return inTransaction(deps.pool, async (db) => {
    const progress = await lockProgress(db);
    if (!progress) return { counted: false, step: 'taken' };
    const nowMs = deps.clock.now();
    const range = rangeOf(deps.config, nowMs);
    await openWhenNew(db, deps.config, memory, range, nowMs);
    const untilMs = await toldUntil(db);
    const told = await countTold(db, progress, untilMs, range);
    if (told.more) return { counted: told.counted, step: 'more' };
    const whole = await countNextWhole(db, told.progress, nowMs);
    const more = whole || (await backfill(db, told.progress));
    if (!more) await forget(db, deps, memory, told.progress, nowMs);
    return { counted: told.counted || more, step: more ? 'more' : 'done' };
  });
}

/** Minutes that are kept and may still be counted; a clock that was set back must not lose those that it was ahead. */
function rangeOf(config: Config, nowMs: number): MinuteRange {
  return { from: keptFrom(config, nowMs).minutes, until: minuteOf(nowMs) + MINUTES_PER_DAY };
}

async function openWhenNew(db: Db, config: Config, memory: RollupMemory, range: MinuteRange, nowMs: number): Promise<void> {
  const { opened } = memory;
  if (opened?.config === config && Math.abs(nowMs - opened.atMs) < OPEN_EVERY_MS) return;
  await openSeries(db, config, { from: range.from, until: minuteOf(nowMs) + 1 });
  await makeRollupPartitions(db, { from: minuteOf(nowMs), until: minuteOf(nowMs) + AHEAD_MINUTES });
  memory.opened = { config, atMs: nowMs };
}

async function countTold(db: Db, progress: Progress, untilMs: number, range: MinuteRange) {
  // What was told before is kept no more.
  const keptMs = (range.until - range.from) * MINUTE_MS;
  const fromMs = Math.max(progress.receivedUntilMs, untilMs - keptMs);
  const toMs = Math.max(fromMs, Math.min(untilMs, fromMs + STEP_MS));
  const buckets = await toldBuckets(db, fromMs, toMs, range);
  const counted = await countBuckets(db, buckets, progress);
  const next = { ...progress, receivedUntilMs: toMs };
  await writeProgress(db, next, counted);
  return { counted, more: toMs < untilMs, progress: next };
}

/** Counts these minutes, and what was made of them. Returns whether anything came out otherwise. */
async function countBuckets(db: Db, buckets: readonly Bucket[], progress: Progress, series?: readonly number[]): Promise<boolean> {
  if (buckets.length === 0) return false;
  const minutes = buckets.map((one) => one.minute);
  const [from, until] = [minutes.reduce((a, b) => Math.min(a, b)), minutes.reduce((a, b) => Math.max(a, b))];
  await makeRollupPartitions(db, { from, until });
  let changed = 0;
  const late: Changed[] = [];
  for (let at = 0; at < buckets.length; at += BUCKETS_AT_ONCE) {
    const minute = await countMinutes(db, buckets.slice(at, at + BUCKETS_AT_ONCE), series);
    changed += minute.changed.length;
    // Whether or not its slots came out otherwise: how runs ended at each location is kept by the hour alone.
    late.push(...minute.counted.filter((one) => one.minute < progress.hoursUntil));
  }
  const hours = await countAgain(db, 'hour', MINUTES_PER_HOUR, late, progress.hoursUntil);
  await countAgain(db, 'day', MINUTES_PER_DAY, hours, progress.daysUntil);
  return changed + hours.length > 0;
}

/** Puts together again what is made already of rollups that changed. */
async function countAgain(db: Db, level: 'hour' | 'day', unit: number, changed: readonly Changed[], madeUntil: number): Promise<Changed[]> {
  const late = Map.groupBy(
    changed.filter((one) => one.minute < madeUntil),
    (one) => Math.floor(one.minute / unit) * unit,
  );
  const again: Changed[] = [];
  for (const [minute, own] of late) {
    again.push(
      ...(await countWhole(
        db,
        level,
        minute,
        own.map((one) => one.series),
      )),
    );
  }
  return again;
}

/** Makes the next hour, or the next day, when its time is over. Returns whether there was one. */
async function countNextWhole(db: Db, progress: Progress, nowMs: number): Promise<boolean> {
  const overUntil = minuteOf(nowMs - GRACE_MS);
  const { hoursUntil, daysUntil } = progress;
  if (hoursUntil + MINUTES_PER_HOUR <= overUntil) {
    await countWhole(db, 'hour', hoursUntil);
    await writeProgress(db, { ...progress, hoursUntil: hoursUntil + MINUTES_PER_HOUR }, true);
    return true;
  }
  if (daysUntil + MINUTES_PER_DAY > hoursUntil) return false;
  await countWhole(db, 'day', daysUntil);
  await writeProgress(db, { ...progress, daysUntil: daysUntil + MINUTES_PER_DAY }, true);
  return true;
}

/** Counts an hour of runs for some series that were opened later. Returns whether there were any. */
async function backfill(db: Db, progress: Progress): Promise<boolean> {
  const waiting = await seriesToBackfill(db, BACKFILL_SERIES);
  const [first] = waiting;
  if (!first) return false;
  const own = waiting.filter((one) => one.from === first.from && one.until === first.until);
  const until = Math.min(first.from + MINUTES_PER_HOUR, first.until);
  const minutes = Array.from({ length: until - first.from }, (_, index) => first.from + index);
  const buckets = own.flatMap(({ checkKey }) => minutes.map((minute) => ({ checkKey, minute })));
  const ids = own.map((one) => one.series);
  const counted = await countBuckets(db, buckets, progress, ids);
  await backfilled(db, ids, until);
  await writeProgress(db, progress, counted);
  return true;
}

async function forget(db: Db, { config, log }: Deps, memory: RollupMemory, progress: Progress, nowMs: number): Promise<void> {
  if (Math.abs(nowMs - memory.forgotMs) < FORGET_EVERY_MS) return;
  const keep = keptFrom(config, nowMs);
  // What no hour and no day is made of yet stays.
  const gone = await forgetRollups(db, {
    minutes: Math.min(keep.minutes, progress.hoursUntil),
    hours: Math.min(keep.hours, progress.daysUntil),
    days: keep.days,
  });
  if (gone.partitions > 0 || gone.rows > 0) log.info({ ...gone }, 'old rollups were removed');
  memory.forgotMs = nowMs;
}

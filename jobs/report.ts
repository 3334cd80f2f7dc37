/**
 * Makes the reports that are due, each slot once, whoever comes first. For each report there is one row that says up to when its slots
 * have been decided on; a worker looks every few seconds whether one has passed since.
 *
 *   passed just now          made, as soon as the last runs of its window have ended, a minute later at most
 *   passed, nothing ran      at most 12 h ago: made up for, and said to be late; of several the newest stands for all of them
 *   older, or not the newest entered as missed, and told in the next report
 *
 * The numbers are counted, stored and wanted in Slack in the transaction that takes the slot: another worker waits for its row, then
 * finds the slot decided on; a worker that dies leaves nothing of it behind.
 */
import type { ScheduledReport } from '../core/config/model.ts';
import { checksOf } from '../core/report/numbers.ts';
import { type CronPattern, reportSlots, slotBefore } from '../core/report/slots.ts';
import { NotInForce, seqInForce } from '../store/config.ts';
import { type Db, inTransaction } from '../store/db.ts';
import { decidedUntil, decideUntil, lockDecided, missedBefore, missSlot, takeSlot, wantReport } from '../store/report.ts';
import { reportNumbers, runsUnderWay } from '../store/report-numbers.ts';
import { cronPattern } from './cron.ts';
import type { JobsDeps } from './deps.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Later nobody wants it any more: the next one is nearer. */
const MADE_UP_WITHIN_MS = 12 * HOUR_MS;
/** Slots longer ago are not even entered as missed. */
const MISSED_WITHIN_MS = 8 * DAY_MS;
/** The last runs of a window need their time-out and their way back; who waits longer for them is late for everybody. */
const SETTLE_MS = MINUTE_MS;
/** A slot that is this late was not made in time: a worker that runs looks every few seconds. */
const MADE_UP_AFTER_MS = SETTLE_MS + 4 * MINUTE_MS;
/** How often it is noted that there was nothing to decide on. */
const NOTE_EVERY_MS = MINUTE_MS;
/** A note of a future further than this comes from a clock that was put right. */
const FUTURE_MS = 15 * MINUTE_MS;
/** A report that is due more rarely looks back a day. */
const LONGEST_WINDOW_MS = 31 * DAY_MS;

type Deps = Pick<JobsDeps, 'pool' | 'config' | 'configSeq' | 'clock' | 'log'>;

/**
 * Makes what is due of all reports. Returns whether there is something to post. One report that fails is in no other's way. Throws
 * `NotInForce` when another configuration is.
 */
export async function makeDueReports(deps: Deps): Promise<boolean> {
  const reports = Object.values(deps.config.reports);
  if (reports.length === 0) return false;
  const known = await decidedUntil(
    deps.pool,
    reports.map((report) => report.id),
  );
  let made = false;
  for (const report of reports) {
    try {
      made = (await makeIfDue(deps, report, known.get(report.id))) || made;
    } catch (error) {
      if (error instanceof NotInForce) throw error;
      deps.log.error({ report: report.id, error: (error as Error).message }, 'a report could not be made; the next turn tries again');
    }
  }
  return made;
}

async function makeIfDue(deps: Deps, report: ScheduledReport, decidedMs: number | undefined): Promise<boolean> {
  const nowMs = deps.clock.now();
  if (decidedMs === undefined || decidedMs > nowMs + FUTURE_MS) {
    await decideUntil(deps.pool, report.id, nowMs);
    return false;
  }
  const pattern = cronPattern(report.cron);
  const newestMs = slotsSince(report, pattern, decidedMs, nowMs).at(-1);
  if (newestMs === undefined) {
    if (nowMs - decidedMs > NOTE_EVERY_MS) await noteNothingDue(deps, report, pattern, nowMs);
    return false;
  }
  if (nowMs - newestMs < SETTLE_MS && (await isUnderWay(deps, report, pattern, newestMs))) return false;
  return inTransaction(deps.pool, (db) => decideOn(deps, db, report, pattern, nowMs));
}

function slotsSince(report: ScheduledReport, pattern: CronPattern, decidedMs: number, nowMs: number): number[] {
  return reportSlots(pattern, report.timezone, Math.max(decidedMs, nowMs - MISSED_WITHIN_MS), nowMs);
}

/** Under the lock, since another worker may decide on a slot at this moment. */
async function noteNothingDue(deps: Deps, report: ScheduledReport, pattern: CronPattern, nowMs: number): Promise<void> {
  await inTransaction(deps.pool, async (db) => {
    const decidedMs = await lockDecided(db, report.id);
    if (decidedMs === undefined || decidedMs >= nowMs || slotsSince(report, pattern, decidedMs, nowMs).length > 0) return;
    await decideUntil(db, report.id, nowMs);
  });
}

async function isUnderWay(deps: Deps, report: ScheduledReport, pattern: CronPattern, slotMs: number): Promise<boolean> {
  const checks = checksOf(deps.config, report.services).map((check) => check.id);
  const fromMs = slotMs - windowOf(report, pattern, slotMs);
  return (await runsUnderWay(deps.pool, { checks, fromMs, untilMs: slotMs })) > 0;
}

/** Decides on every slot up to now. Returns whether a report was made. */
async function decideOn(deps: Deps, db: Db, report: ScheduledReport, pattern: CronPattern, nowMs: number): Promise<boolean> {
  // Asked once and not locked: nobody who puts a configuration in force is to wait for the counting.
  const inForce = await seqInForce(db);
  if (inForce !== deps.configSeq) throw new NotInForce(deps.configSeq, inForce);
  const decidedMs = await lockDecided(db, report.id);
  const due = decidedMs === undefined ? [] : slotsSince(report, pattern, decidedMs, nowMs);
  const newestMs = due.at(-1);
  if (newestMs === undefined) return false;
  const tooLate = nowMs - newestMs > MADE_UP_WITHIN_MS;
  for (const slotMs of tooLate ? due : due.slice(0, -1)) await missSlot(db, report.id, slotMs, 'nothing-ran');
  await decideUntil(db, report.id, nowMs);
  if (tooLate) {
    deps.log.warn({ report: report.id, slots: due.length }, 'reports were due while nothing ran; the next one says so');
    return false;
  }
  return makeReport(deps, db, report, { slotMs: newestMs, fromMs: newestMs - windowOf(report, pattern, newestMs, due[0]), nowMs });
}

async function makeReport(
  deps: Deps,
  db: Db,
  report: ScheduledReport,
  { slotMs, fromMs, nowMs }: { slotMs: number; fromMs: number; nowMs: number },
): Promise<boolean> {
  const id = await takeSlot(db, report.id, slotMs);
  if (id === undefined) return false;
  const numbers = await reportNumbers(db, deps.config, {
    id: report.id,
    title: report.title,
    timeZone: report.timezone,
    services: report.services,
    fromMs,
    untilMs: slotMs,
    slotMs,
    madeUp: nowMs - slotMs > MADE_UP_AFTER_MS,
    missedSlots: await missedBefore(db, report.id, slotMs),
  });
  await wantReport(db, id, numbers, { channel: report.channel, reason: 'scheduled' });
  deps.log.info({ report: report.id, slot: new Date(slotMs).toISOString() }, 'a report was made');
  return true;
}

/** As long as the configuration says; else back to the slot before the first that it stands for, so that nothing is told twice or never. */
function windowOf(report: ScheduledReport, pattern: CronPattern, slotMs: number, firstMs = slotMs): number {
  if (report.windowMs !== undefined) return report.windowMs;
  const beforeMs = slotBefore(pattern, report.timezone, firstMs, LONGEST_WINDOW_MS);
  return beforeMs === undefined ? slotMs - firstMs + DAY_MS : slotMs - beforeMs;
}

/** What nobody else would notice: runs that never came back, checks that fell silent, work that a dead process left. */
import { staleChecks } from '../store/check.ts';
import { whileInForce } from '../store/config.ts';
import { type MissedRun, missRuns, unqueuedRuns } from '../store/run.ts';
import type { JobsDeps } from './deps.ts';
import { foldInto } from './fold.ts';
import * as metrics from './metrics.ts';
import { queueRuns } from './plan.ts';

/** What a report may take to arrive, after the time-outs of its run. */
const REPORT_GRACE_MS = 5_000;
/** A planner queues what it entered within this; later it is taken to be dead. */
const QUEUE_GRACE_MS = 2_000;

/** Ends due runs that brought nothing, and looks at checks of which a location fell silent. Returns whether to judge. */
export async function sweepRuns(deps: JobsDeps): Promise<boolean> {
  let missed: MissedRun[] = [];
  const dirty = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const nowMs = deps.clock.now();
    missed = await missRuns(db, nowMs, REPORT_GRACE_MS);
    if (missed.length > 0) deps.log.warn({ runs: missed.length, first: missed[0]?.name }, 'due runs brought no result');
    const stale = await staleChecks(db, nowMs);
    if (missed.length === 0 && stale.length === 0) return false;
    return foldInto(deps, db, { results: [], gaps: missed.map((row) => ({ row, reason: 'no-result' })), stale });
  });
  for (const { location, reason } of missed) metrics.countEnded(location, [{ state: 'missed', reason }]);
  return dirty;
}

/** Queues what a planner entered and did not live to queue. Returns how many runs that were. */
export async function requeueRuns(deps: JobsDeps, graceMs = QUEUE_GRACE_MS): Promise<number> {
  const rows = await whileInForce(deps.pool, deps.configSeq, (db) => unqueuedRuns(db, deps.clock.now(), graceMs));
  await queueRuns(deps, rows);
  return rows.length;
}

/** What nobody else would notice: runs that never came back, checks that fell silent, work that a dead process left. */
import { retireChecks, staleChecks } from '../store/check.ts';
import { inTransaction } from '../store/db.ts';
import { openScopes } from '../store/incident.ts';
import { missRuns, unqueuedRuns } from '../store/run.ts';
import { markDirty } from '../store/scope.ts';
import type { JobsDeps } from './deps.ts';
import { foldInto } from './evaluate.ts';
import { queueRuns } from './plan.ts';

/** A run may begin at its last moment, take its time-out with every retry, and its report may wait: only then is it missed. */
const REPORT_GRACE_MS = 5_000;
/** A planner queues what it entered within this; later it is taken to be dead. */
const QUEUE_GRACE_MS = 2_000;

/** Ends due runs that brought nothing, and looks at checks of which a location fell silent. Returns whether to judge. */
export async function sweepRuns(deps: JobsDeps): Promise<boolean> {
  const longestMs = Math.max(0, ...Object.values(deps.config.checks).map((check) => check.timeoutMs * (1 + check.retries)));
  return inTransaction(deps.pool, async (db) => {
    const nowMs = deps.clock.now();
    const missed = await missRuns(db, nowMs, longestMs + REPORT_GRACE_MS);
    if (missed.length > 0) deps.log.warn({ runs: missed.length, first: missed[0]?.name }, 'due runs brought no result');
    const stale = await staleChecks(db, nowMs);
    if (missed.length === 0 && stale.length === 0) return false;
    return foldInto(deps, db, { results: [], gaps: missed.map((row) => ({ row, reason: 'no-result' })), stale });
  });
}

/** Queues what a planner entered and did not live to queue. Returns how many runs that were. */
export async function requeueRuns(deps: JobsDeps, graceMs = QUEUE_GRACE_MS): Promise<number> {
  const rows = await unqueuedRuns(deps.pool, deps.clock.now(), graceMs);
  await queueRuns(deps, rows);
  return rows.length;
}

/** After the configuration was read: checks that it no longer has are forgotten, and every scope is judged anew. */
export async function adoptConfig(deps: JobsDeps): Promise<void> {
  await inTransaction(deps.pool, async (db) => {
    const retired = await retireChecks(db, Object.keys(deps.config.checks));
    await markDirty(db, [...retired, ...Object.keys(deps.config.scopes), ...(await openScopes(db))]);
  });
}

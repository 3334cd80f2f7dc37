/** What nobody else would notice: runs that never came back, checks that fell silent, work that a dead process left. */
import type { Config } from '../core/config/model.ts';
import type { Incident } from '../core/incident.ts';
import { retireChecks, staleChecks } from '../store/check.ts';
import { inTransaction } from '../store/db.ts';
import { moveIncident, openIncidents } from '../store/incident.ts';
import { missRuns, unqueuedRuns } from '../store/run.ts';
import { markDirty } from '../store/scope.ts';
import type { JobsDeps } from './deps.ts';
import { foldInto } from './evaluate.ts';
import { queueRuns } from './plan.ts';

/** What a report may take to arrive, after the time-outs of its run. */
const REPORT_GRACE_MS = 5_000;
/** A planner queues what it entered within this; later it is taken to be dead. */
const QUEUE_GRACE_MS = 2_000;

/** Ends due runs that brought nothing, and looks at checks of which a location fell silent. Returns whether to judge. */
export async function sweepRuns(deps: JobsDeps): Promise<boolean> {
  const tookMs = new Map(Object.values(deps.config.checks).map((check) => [check.id, check.timeoutMs * (1 + check.retries)]));
  return inTransaction(deps.pool, async (db) => {
    const nowMs = deps.clock.now();
    const missed = await missRuns(db, nowMs, REPORT_GRACE_MS, tookMs);
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

/**
 * After the configuration was read: checks that it no longer has are forgotten, incidents whose scope has another name now go
 * on under that, and every scope is judged anew.
 */
export async function adoptConfig(deps: JobsDeps): Promise<void> {
  await inTransaction(deps.pool, async (db) => {
    for (const incident of await openIncidents(db)) {
      const scope = scopeNow(deps.config, incident);
      if (scope === undefined || scope === incident.scope) continue;
      // Where two scopes became one, the older incident has it; the other ends as retired.
      await moveIncident(db, incident.id, scope);
    }
    const retired = await retireChecks(db, Object.keys(deps.config.checks));
    const open = (await openIncidents(db)).map((incident) => incident.scope);
    await markDirty(db, [...retired, ...Object.keys(deps.config.scopes), ...open]);
  });
}

/** The scope in which the incident's checks are judged now; `undefined` when none of them is left. */
function scopeNow(config: Config, incident: Incident): string | undefined {
  if (config.scopes[incident.scope]) return incident.scope;
  const { services, components, blind } = incident.facts;
  const checks = [
    ...services.flatMap((service) => service.symptoms.flatMap((symptom) => symptom.checks)),
    ...components.map((component) => component.check),
    ...blind.map((check) => check.id),
  ];
  return checks.flatMap((id) => config.checks[id]?.scope ?? [])[0];
}

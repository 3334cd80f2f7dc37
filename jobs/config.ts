/** Puts a configuration in force, and keeps every turn of work under one. */
import type { Check } from '../core/check.ts';
import { scopeNow } from '../core/config/incidents.ts';
import type { Config } from '../core/config/model.ts';
import { audit } from '../store/audit.ts';
import { moveStates, retireChecks } from '../store/check.ts';
import { NotInForce, readInForce, seqInForce, type WrittenConfig, whileNobodyDecides, writeInForce } from '../store/config.ts';
import type { Db, Pool } from '../store/db.ts';
import { logConfig } from '../store/decision-log.ts';
import { moveIncident, openIncidents } from '../store/incident.ts';
import { retireRuns } from '../store/run.ts';
import { markDirty } from '../store/scope.ts';
import type { JobsDeps } from './deps.ts';

export interface Applied {
  seq: number;
  revision: string;
  /** False when it was in force already. */
  changed: boolean;
  /** Due runs that nobody waits for any more. */
  retiredRuns: number;
}

export interface ConfigToApply {
  config: Config;
  written: WrittenConfig;
}

/**
 * Puts a configuration in force, in one transaction in which nobody folds, judges or plans: checks that it no longer has are forgotten
 * and their due runs end as retired, incidents whose scope has another name go on under that, and every scope is judged anew.
 * One that is in force already is left alone.
 */
export async function applyConfig(pool: Pool, { config, written }: ConfigToApply, by: string): Promise<Applied> {
  return whileNobodyDecides(pool, async (db) => {
    const before = await readInForce(db);
    // The revision is not enough: it is the same when the journeys have moved to another folder.
    const same = before?.revision === config.revision && before.source === written.source && before.folder === written.folder;
    if (before && same) return { seq: before.seq, revision: before.revision, changed: false, retiredRuns: 0 };
    const seq = await writeInForce(db, config, written, by);
    const data = { before: before?.revision ?? null, revision: config.revision, file: written.file };
    await audit(db, { actor: by, verb: 'reload', subject: 'configuration', outcome: 'done', reason: 'applied', data });
    return { seq, revision: config.revision, changed: true, retiredRuns: await adopt(db, config) };
  });
}

/** Fits everything to the configuration in force once more: what another version of Rounds made of it, this one may make otherwise. */
export async function adoptAnew({ pool, config, configSeq }: Pick<JobsDeps, 'pool' | 'config' | 'configSeq'>): Promise<void> {
  await whileNobodyDecides(pool, async (db) => {
    const inForce = await seqInForce(db);
    if (inForce !== configSeq) throw new NotInForce(configSeq, inForce);
    await adopt(db, config);
  });
}

/** Fits everything that is open to the configuration. Returns how many due runs ended. Doing it twice changes nothing. */
export async function adopt(db: Db, config: Config): Promise<number> {
  for (const incident of await openIncidents(db)) {
    const scope = scopeNow(config, incident);
    if (scope === undefined || scope === incident.scope) continue;
    // Where two scopes became one, the older incident has it; the other ends as retired.
    await moveIncident(db, incident.id, scope);
  }
  const checks = Object.values(config.checks);
  const retiredRuns = await retireRuns(db, pairsOf(checks));
  const retired = await retireChecks(
    db,
    checks.map((check) => check.id),
  );
  await moveStates(db, checks);
  const open = (await openIncidents(db)).map((incident) => incident.scope);
  await markDirty(db, [...retired, ...Object.keys(config.scopes), ...open]);
  await logConfig(db, config, Date.now());
  return retiredRuns;
}

function pairsOf(checks: readonly Check[]): { check: string; location: string }[] {
  return checks.flatMap((check) => check.locations.map((location) => ({ check: check.id, location })));
}

/** What the worker is handed while configurations come and go: `config` and `configSeq` are what this process runs at that moment. */
export interface LiveDeps extends JobsDeps {
  refreshConfig(): Promise<void>;
}

/**
 * Does the work under one configuration, a snapshot of what is run now. When another came into force meanwhile, nothing was decided, and
 * the work is done once more under that. Throws `NotInForce` when this process cannot take that over.
 */
export async function underOneConfig<T>(deps: LiveDeps, work: (deps: JobsDeps) => Promise<T>): Promise<T> {
  try {
    return await work({ ...deps });
  } catch (error) {
    if (!(error instanceof NotInForce)) throw error;
    await deps.refreshConfig();
    return work({ ...deps });
  }
}

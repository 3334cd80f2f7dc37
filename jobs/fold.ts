/**
 * The first of the two steps of evaluation, in one transaction: results → ledger, result rows, check states (row locks, sorted), asks
 * for confirmation, scopes marked dirty. What was folded and not judged stays dirty and is judged by whoever comes next
 * (`jobs/judge.ts`). Nothing is queued inside a transaction.
 */
import { EMPTY_STATE, type FoldInput } from '../core/evaluate.ts';
import { type Folded, foldCheck } from '../core/fold.ts';
import { disbelieved, distrusted } from '../core/location.ts';
import { MONITORING_SCOPE } from '../core/monitoring.ts';
import type { Result } from '../core/result.ts';
import { insertAsk } from '../store/ask.ts';
import { lockStates, type StateChange, writeStates } from '../store/check.ts';
import { whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { recordDecisions } from '../store/incident.ts';
import { locationTroublesOf } from '../store/location-trouble.ts';
import { planningSince } from '../store/planner.ts';
import { type KnownRun, keyTold, storeTold, type Told } from '../store/result.ts';
import { markDirty } from '../store/scope.ts';
import type { Report } from './contract.ts';
import type { JobsDeps } from './deps.ts';
import { noteLoads } from './load.ts';
import * as metrics from './metrics.ts';
import { Malformed } from './queue.ts';

/** A run that began later than this share of its interval is told as late. */
const LATE_SHARE = 0.5;

/** Folds a report of a location's agent. Returns whether there is something to judge. Throws when nothing was stored. */
export async function foldReport(deps: JobsDeps, location: string, report: Report): Promise<boolean> {
  const told = toldIn(deps, report);
  const keyed = await keyTold(deps.pool, location, told).catch(refused);
  const ended: Told[] = [];
  const dirty = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const known = await storeTold(db, keyed).catch(refused);
    const strangers = told.filter(({ run }) => !known.has(run));
    if (strangers.length > 0) {
      const runs = strangers.slice(0, 5).map(({ run }) => run);
      deps.log.warn({ location, runs }, 'results of runs that nobody ordered were not taken');
    }
    const work: ToFold = { results: [], gaps: [] };
    for (const one of told) {
      const { run, result, reason } = one;
      const row = known.get(run);
      if (!row?.stored) continue;
      ended.push(one);
      if (!result) work.gaps.push({ row, reason: reason ?? 'refused' });
      else work.results.push({ result, row });
    }
    await noteLoads(deps, db, location, work.results);
    return foldInto(deps, db, work);
  });
  countTold(deps, location, ended);
  return dirty;
}

/** After the commit: what was rolled back is told again. */
function countTold(deps: JobsDeps, location: string, ended: readonly Told[]): void {
  metrics.countEnded(location, ended);
  for (const { run, result } of ended) {
    if (!result) continue;
    const type = deps.config.checks[checkOf(run)]?.type ?? 'unknown';
    metrics.results.inc({ location, type, verdict: result.verdict });
  }
}

/** The name says the check; one that is no name is in no ledger. */
function checkOf(run: string): string {
  return run.split('@', 1)[0] ?? '';
}

/** PostgreSQL's class 22: the data itself is at fault (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
function refused(error: unknown): never {
  const code = String((error as { code?: unknown }).code ?? '');
  throw code.startsWith('22') ? new Malformed(`a report holds what cannot be stored (${code})`) : error;
}

/** What a report says of each run, once: a result says more than a refusal. */
function toldIn(deps: JobsDeps, report: Report): Told[] {
  const told = new Map<string, Told>();
  for (const { run, reason } of report.refusals) told.set(run, { run, state: 'missed', reason });
  for (const result of report.results)
    if (!told.get(result.run)?.result) told.set(result.run, { run: result.run, result, ...endOf(deps, result) });
  return [...told.values()];
}

function endOf(deps: JobsDeps, result: Result): Pick<Told, 'state' | 'reason'> {
  if (result.verdict === 'fault') return { state: 'fault', reason: result.failure?.kind ?? 'fault' };
  const everyMs = deps.config.checks[checkOf(result.run)]?.everyMs ?? Number.POSITIVE_INFINITY;
  const late = result.startLatenessMs > everyMs * LATE_SHARE;
  return { state: late ? 'late' : 'run', reason: late ? 'agent-busy' : null };
}

/** A result that is new in the ledger. */
export interface StoredResult {
  result: Result;
  row: KnownRun;
}

/** A run of the ledger that brought nothing, as far as folding needs it. */
type Ran = Pick<KnownRun, 'check' | 'location' | 'plannedAtMs'>;

export interface ToFold {
  results: StoredResult[];
  gaps: { row: Ran; reason: string }[];
  /** Checks to look at anew only because time has passed. */
  stale?: readonly string[];
}

/** Folds results and gaps into the states of their checks, under the row locks. Returns whether a scope became dirty. */
export async function foldInto(deps: JobsDeps, db: Db, work: ToFold): Promise<boolean> {
  const results = Map.groupBy(work.results, ({ row }) => row.check);
  const gaps = Map.groupBy(work.gaps, ({ row }) => row.check);
  const ids = new Set([...results.keys(), ...gaps.keys(), ...(work.stale ?? [])]);
  const checks = [...ids].flatMap((id) => deps.config.checks[id] ?? []);
  if (checks.length === 0) return false;
  const states = await lockStates(db, checks, deps.config.revision);
  const troubles = await locationTroublesOf(db);
  const time = {
    nowMs: deps.clock.now(),
    planningSinceMs: await planningSince(db),
    distrusted: distrusted(troubles),
    disbelieved: disbelieved(troubles),
  };
  const changes: StateChange[] = [];
  const dirty = new Set<string>();
  for (const check of checks) {
    const own = {
      results: (results.get(check.id) ?? []).map(inputOf),
      gaps: (gaps.get(check.id) ?? []).map(({ row, reason }) => ({ location: row.location, plannedAtMs: row.plannedAtMs, reason })),
    };
    const folded = foldCheck(check, states.get(check.id) ?? EMPTY_STATE, own, time);
    changes.push({
      check: check.id,
      scope: check.scope,
      ...(({ state, staleAtMs }) => ({ state, ...(staleAtMs === undefined ? {} : { staleAtMs }) }))(folded),
    });
    if (folded.dirty) dirty.add(check.scope);
    if (folded.watched) dirty.add(MONITORING_SCOPE.id);
    await askToConfirm(deps, db, check.id, folded);
    await recordDecisions(db, { atMs: time.nowMs, scope: check.scope, configRevision: deps.config.revision }, folded.decisions);
  }
  await writeStates(db, changes, deps.config.revision);
  await markDirty(db, dirty);
  return dirty.size > 0;
}

async function askToConfirm(deps: JobsDeps, db: Db, check: string, { confirmations }: Folded): Promise<void> {
  for (const { slotMs, failed, locations } of confirmations) {
    const ask = await insertAsk(db, { purpose: 'confirm', key: `confirm/${check}@${slotMs}`, slotMs, targets: [{ check, locations }] });
    if (ask === undefined) continue;
    deps.log.info({ check, location: failed, confirmers: locations }, 'a check fails: other locations are asked to confirm');
  }
}

function inputOf({ result, row }: StoredResult): FoldInput {
  return {
    run: row.name,
    location: row.location,
    plannedAtMs: row.plannedAtMs,
    verdict: result.verdict,
    durationMs: result.durationMs,
    findings: result.findings,
    ...(result.failure ? { failure: result.failure } : {}),
    ...(row.pictureId ? { pictureId: row.pictureId } : {}),
    ...(row.purpose === 'scheduled' ? {} : { extra: true }),
  };
}

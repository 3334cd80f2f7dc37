/**
 * The first of the two steps of evaluation, in one transaction: results → ledger, result rows, check states (row locks, sorted), asks
 * for confirmation, scopes marked dirty. What was folded and not judged stays dirty and is judged by whoever comes next
 * (`jobs/judge.ts`). Nothing is queued inside a transaction.
 */
import type { Check } from '../core/check.ts';
import { EMPTY_STATE, type FoldInput } from '../core/evaluate.ts';
import { type Folded, foldCheck } from '../core/fold.ts';
import { disbelieved, distrusted } from '../core/location.ts';
import { MONITORING_SCOPE } from '../core/monitoring.ts';
import type { Result } from '../core/result.ts';
import { insertAsks } from '../store/ask.ts';
import { lockStates, type StateChange, writeStates } from '../store/check.ts';
import { whileInForce } from '../store/config.ts';
import { commitLazily, type Db } from '../store/db.ts';
import { logFold } from '../store/decision-log.ts';
import { recordDecisions } from '../store/incident.ts';
import { keysOf } from '../store/keys.ts';
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

/** A report, and the location of the queue that it came from. */
export interface Arrived {
  location: string;
  report: Report;
}

/** Folds a report of a location's agent. Returns whether there is something to judge. Throws when nothing was stored. */
export function foldReport(deps: JobsDeps, location: string, report: Report): Promise<boolean> {
  return foldReports(deps, [{ location, report }]);
}

/** Folds several reports at once: a check of which all of them tell is locked and written once. Throws when nothing of any was stored. */
export async function foldReports(deps: JobsDeps, arrived: readonly Arrived[]): Promise<boolean> {
  const told = distinct(arrived.flatMap((one) => toldIn(deps, one)));
  const keyed = await keyTold(deps.pool, told).catch(refused);
  let ended: KnownRun[] = [];
  const dirty = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const known = await storeTold(db, keyed).catch(refused);
    warnOfStrangers(deps, told, known);
    ended = known.filter((run) => run.stored);
    const work = workOf(ended);
    const byLocation = [...Map.groupBy(work.results, ({ row }) => row.location)].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [location, results] of byLocation) await noteLoads(deps, db, location, results);
    return foldInto(deps, db, work);
  });
  countTold(deps, ended);
  return dirty;
}

function warnOfStrangers(deps: JobsDeps, told: readonly Told[], known: readonly KnownRun[]): void {
  const taken = new Set(known.map((run) => run.told));
  const strangers = told.filter((one) => !taken.has(one));
  if (strangers.length === 0) return;
  const runs = strangers.slice(0, 5).map(({ location, run }) => ({ location, run }));
  deps.log.warn({ runs }, 'results of runs that nobody ordered were not taken');
}

function workOf(ended: readonly KnownRun[]): ToFold {
  const work: ToFold = { results: [], gaps: [] };
  for (const row of ended) {
    const { result, reason } = row.told;
    if (result) work.results.push({ result, row });
    else work.gaps.push({ row, reason: reason ?? 'refused' });
  }
  return work;
}

/** After the commit: what was rolled back is told again. */
function countTold(deps: JobsDeps, ended: readonly KnownRun[]): void {
  for (const { told, check, location } of ended) {
    metrics.countEnded(location, [told]);
    if (!told.result) continue;
    const type = deps.config.checks[check]?.type ?? 'unknown';
    metrics.results.inc({ location, type, verdict: told.result.verdict });
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

function toldIn(deps: JobsDeps, { location, report }: Arrived): Told[] {
  return [
    ...report.results.map((result) => ({ location, run: result.run, result, ...endOf(deps, result) })),
    ...report.refusals.map(({ run, reason }) => ({ location, run, state: 'missed' as const, reason })),
  ];
}

/** What is said of each run by its location, once: a result says more than a refusal, and of two the first counts. */
function distinct(told: readonly Told[]): Told[] {
  const first = new Map<string, Told>();
  for (const one of told) {
    const key = `${one.location} ${one.run}`;
    const known = first.get(key);
    if (!known || (!known.result && one.result)) first.set(key, one);
  }
  return [...first.values()];
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
  const folded = checks.map((check) => {
    const own = {
      results: (results.get(check.id) ?? []).map(inputOf),
      gaps: (gaps.get(check.id) ?? []).map(({ row, reason }) => ({ location: row.location, plannedAtMs: row.plannedAtMs, reason })),
    };
    return { check, ...foldCheck(check, states.get(check.id) ?? EMPTY_STATE, own, time) };
  });
  await writeStates(db, folded.map(changeOf), deps.config.revision);
  await askToConfirm(deps, db, folded);
  for (const [scope, own] of Map.groupBy(folded, ({ check }) => check.scope)) {
    const decisions = own.flatMap((one) => one.decisions);
    await recordDecisions(db, { atMs: time.nowMs, scope, configRevision: deps.config.revision }, decisions);
  }
  const dirty = new Set(folded.flatMap((one) => [...(one.dirty ? [one.check.scope] : []), ...(one.watched ? [MONITORING_SCOPE.id] : [])]));
  await markDirty(db, dirty);
  await logFold(db, keysOf(deps.pool), time, work);
  const isRoutine = dirty.size === 0 && folded.every((one) => one.decisions.length === 0 && one.confirmations.length === 0);
  if (isRoutine && work.results.every(({ row }) => row.purpose === 'scheduled')) await commitLazily(db);
  return dirty.size > 0;
}

type FoldedCheck = Folded & { check: Check };

function changeOf({ check, state, staleAtMs }: FoldedCheck): StateChange {
  return { check: check.id, scope: check.scope, state, ...(staleAtMs === undefined ? {} : { staleAtMs }) };
}

async function askToConfirm(deps: JobsDeps, db: Db, folded: readonly FoldedCheck[]): Promise<void> {
  const asked = folded.flatMap(({ check, confirmations }) => confirmations.map((one) => ({ check: check.id, ...one })));
  const asks = asked.map(({ check, slotMs, locations }) => ({
    purpose: 'confirm' as const,
    key: `confirm/${check}@${slotMs}`,
    slotMs,
    targets: [{ check, locations }],
  }));
  const added = await insertAsks(db, asks);
  for (const [index, { check, failed, locations }] of asked.entries()) {
    if (!added.has(asks[index]?.key ?? '')) continue;
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

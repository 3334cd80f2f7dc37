/**
 * Evaluation in two steps, each its own transaction, so that a worker may be killed between any two statements:
 *
 *   fold    results → ledger, result rows, check states (row locks, sorted), asks for confirmation, scopes marked dirty
 *   judge   a dirty scope under its lock → incident, timeline, decisions, outbox rows
 *
 * What was folded and not judged stays dirty and is judged by whoever comes next. Nothing is queued inside a transaction.
 */
import type { Check } from '../core/check.ts';
import type { CheckView } from '../core/classify.ts';
import {
  type CheckState,
  type Count,
  confirmFrom,
  decide,
  EMPTY_STATE,
  type FoldInput,
  foldGap,
  foldResult,
  staleAtMs,
} from '../core/evaluate.ts';
import type { Reasoned } from '../core/facts.ts';
import type { Incident } from '../core/incident.ts';
import { type Change, type Judgement, judge } from '../core/judge.ts';
import type { Result } from '../core/result.ts';
import type { Run } from '../core/run.ts';
import { insertAsk } from '../store/ask.ts';
import { lockStates, readStates, type StateChange, writeStates } from '../store/check.ts';
import { NotInForce, whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { lastRepair } from '../store/execution.ts';
import { adoptDecisions, insertIncident, openIncidentOf, recordDecisions, resolveIncident, updateIncident } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { planningSince } from '../store/planner.ts';
import { storePicture, storeTold, type Told } from '../store/result.ts';
import { dirtyScopes, lockDirtyScope, markDirty, markJudged } from '../store/scope.ts';
import { showIncident, tellStory } from '../store/story.ts';
import type { Report } from './contract.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';
import { Malformed } from './queue.ts';

/** A run that began later than this share of its interval is told as late. */
const LATE_SHARE = 0.5;
/** Decisions from this long before an incident opened belong to its story. */
const STORY_MS = 10 * 60_000;

/** Folds a report of a location's agent. Returns whether there is something to judge. Throws when nothing was stored. */
export async function foldReport(deps: JobsDeps, location: string, report: Report): Promise<boolean> {
  const told = toldIn(deps, report);
  const ended: Told[] = [];
  const dirty = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const known = await storeTold(db, location, told).catch(refused);
    const strangers = told.filter(({ run }) => !known.has(run));
    if (strangers.length > 0) {
      const runs = strangers.slice(0, 5).map(({ run }) => run);
      deps.log.warn({ location, runs }, 'results of runs that nobody ordered were not taken');
    }
    const work: ToFold = { results: [], gaps: [] };
    for (const one of told) {
      const { run, result, reason } = one;
      const row = known.get(run);
      if (!row) continue;
      if (!result || row.stored) ended.push(one);
      if (!result) work.gaps.push({ row, reason: reason ?? 'refused' });
      else if (row.stored) work.results.push({ result, row, ...(await pictureOf(db, result)) });
    }
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

async function pictureOf(db: Db, result: Result): Promise<{ pictureId?: number }> {
  const pictureId = await storePicture(db, result);
  return pictureId === undefined ? {} : { pictureId };
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
  row: Ran;
  pictureId?: number;
}

/** A run of the ledger, as far as folding needs it. */
type Ran = Run & { name: string; plannedAtMs: number };

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
  const sinceMs = await planningSince(db);
  const changes: StateChange[] = [];
  const dirty = new Set<string>();
  for (const check of checks) {
    const before = states.get(check.id) ?? EMPTY_STATE;
    const folded = await foldCheck(deps, db, check, before, { results: results.get(check.id) ?? [], gaps: gaps.get(check.id) ?? [] });
    const nowMs = deps.clock.now();
    const { state, counted } = decide(check, folded, nowMs, sinceMs);
    const stale = staleAtMs(check, state, nowMs);
    changes.push({ check: check.id, scope: check.scope, state, ...(stale === undefined ? {} : { staleAtMs: stale }) });
    if (!isQuiet(before) || !isQuiet(state)) dirty.add(check.scope);
    const decisions = verdictDecisions(check, before, state, counted);
    await recordDecisions(db, { atMs: nowMs, scope: check.scope, configRevision: deps.config.revision }, decisions);
  }
  await writeStates(db, changes, deps.config.revision);
  await markDirty(db, dirty);
  return dirty.size > 0;
}

/** All well and nothing new: no need to judge. */
function isQuiet(state: CheckState): boolean {
  return (state.held === 'up' || state.held === 'unknown') && (state.moment === 'up' || state.moment === 'waiting');
}

async function foldCheck(deps: JobsDeps, db: Db, check: Check, before: CheckState, work: ToFold): Promise<CheckState> {
  let state = before;
  // What comes late from a location that the check no longer runs from says nothing any more.
  const own = ({ row }: { row: Ran }) => check.locations.includes(row.location);
  const results = work.results.filter(own).sort((a, b) => a.row.plannedAtMs - b.row.plannedAtMs);
  for (const stored of results) {
    const input = inputOf(stored);
    const next = foldResult(state, input);
    if (next === state) continue;
    state = next;
    const confirmers = stored.row.purpose === 'scheduled' ? confirmFrom(check, state, input) : [];
    if (confirmers.length === 0) continue;
    const key = `confirm/${check.id}@${stored.row.slotMs}`;
    const ask = await insertAsk(db, {
      purpose: 'confirm',
      key,
      slotMs: stored.row.slotMs,
      targets: [{ check: check.id, locations: confirmers }],
    });
    if (ask === undefined) continue;
    deps.log.info({ check: check.id, location: input.location, confirmers }, 'a check fails: other locations are asked to confirm');
  }
  // In the order of their planning: folding never steps backwards, so an older gap after a newer one would be lost.
  const gaps = work.gaps.filter(own).sort((a, b) => a.row.plannedAtMs - b.row.plannedAtMs);
  for (const { row, reason } of gaps) {
    state = foldGap(state, row.location, { plannedAtMs: row.plannedAtMs, reason });
  }
  return state;
}

function inputOf({ result, row, pictureId }: StoredResult): FoldInput {
  return {
    run: row.name,
    location: row.location,
    plannedAtMs: row.plannedAtMs,
    verdict: result.verdict,
    durationMs: result.durationMs,
    findings: result.findings,
    ...(result.failure ? { failure: result.failure } : {}),
    ...(pictureId ? { pictureId } : {}),
    ...(row.purpose === 'scheduled' ? {} : { extra: true }),
  };
}

/** What changed of a check's verdict, and from what. The first good verdict of a new check is no news. */
function verdictDecisions(check: Check, before: CheckState, after: CheckState, counted: Count): Reasoned[] {
  const locations = Object.fromEntries(Object.entries(after.locations).map(([location, said]) => [location, said.verdict]));
  const { quorum, total, fresh, missing } = counted;
  const inputs = { check: check.id, locations, quorum, total, fresh, missing };
  const subject = `verdict ${check.id}`;
  const decisions: Reasoned[] = [];
  if (after.moment === 'blind' && before.moment !== 'blind') decisions.push({ subject, reason: 'blind', inputs });
  const isNews = after.held !== before.held && !(before.held === 'unknown' && after.held === 'up');
  if (isNews) decisions.push({ subject, reason: heldReason(after), inputs: { ...inputs, since: after.heldSinceMs } });
  return decisions;
}

function heldReason(state: CheckState): string {
  if (state.held === 'up') return 'settled';
  if (state.held === 'degraded' && state.lone) return 'one-location-alone';
  if (state.held === 'degraded' && state.split) return 'some-locations';
  return `quorum-${state.held}`;
}

/** Judges every dirty scope. Returns whether something is to be told. */
export async function judgeDirty(deps: JobsDeps, usuallyMs: ReadonlyMap<string, number>): Promise<boolean> {
  let told = false;
  for (const scope of await dirtyScopes(deps.pool)) {
    try {
      told = (await metrics.timed(metrics.judgeSeconds, () => judgeScope(deps, scope, usuallyMs))) || told;
    } catch (error) {
      if (error instanceof NotInForce) throw error;
      // The others are not to wait for it; it stays dirty and is judged with the next turn.
      deps.log.error({ scope, error: (error as Error).message }, 'a scope could not be judged');
    }
  }
  return told;
}

/** Judges one scope under its lock, and writes what follows. Returns whether something is to be told. */
export async function judgeScope(deps: JobsDeps, scopeId: string, usuallyMs: ReadonlyMap<string, number>): Promise<boolean> {
  const judged = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const seq = await lockDirtyScope(db, scopeId);
    if (seq === undefined) return undefined;
    const scope = deps.config.scopes[scopeId] ?? { id: scopeId, services: [], components: [], checks: [] };
    const states = await readStates(db, scope.checks);
    const open = await openIncidentOf(db, scopeId);
    const views: CheckView[] = scope.checks.flatMap((id) => {
      const check = deps.config.checks[id];
      return check ? [{ check, state: states.get(id) ?? EMPTY_STATE }] : [];
    });
    const repair = open ? await repairOf(deps, db, open.id) : undefined;
    const judgement = judge({
      config: deps.config,
      scope,
      views,
      nowMs: deps.clock.now(),
      actions: deps.actions,
      usuallyMs,
      ...(open ? { open } : {}),
      ...(repair ? { repair } : {}),
    });
    await markJudged(db, scopeId, seq);
    return { change: judgement.change, told: await apply(deps, db, scopeId, open, judgement) };
  });
  if (judged?.change.kind === 'open') metrics.incidentsOpened.inc({ class: judged.change.class });
  return judged?.told ?? false;
}

/** The last action that was done, with the name of who asked for it. */
async function repairOf(deps: JobsDeps, db: Db, incidentId: number): Promise<{ title: string; by: string } | undefined> {
  const repair = await lastRepair(db, incidentId);
  return repair && { title: repair.title, by: deps.config.people[repair.by]?.name ?? repair.by };
}

async function apply(deps: JobsDeps, db: Db, scope: string, open: Incident | undefined, judgement: Judgement): Promise<boolean> {
  const { change, decisions } = judgement;
  if (change.kind === 'none') return false;
  const atMs = deps.clock.now();
  const incidentId = await writeChange(deps, db, scope, open, change, atMs);
  await adoptDecisions(db, scope, incidentId, (open?.openedAtMs ?? atMs) - STORY_MS);
  await recordDecisions(db, { atMs, scope, incidentId, configRevision: deps.config.revision }, decisions);
  const reason = decisions.find((decision) => decision.subject === 'post')?.reason ?? change.kind;
  const speaker = { id: incidentId, channel: open?.channel ?? (change.kind === 'open' ? change.channel : '') };
  await showIncident(db, speaker, { priority: priorityOf(change, open), reason });
  for (const entry of change.timeline) {
    // Slack tells nobody of a post that was changed: who is on call hears of a raise by this line, so it is as urgent as the post.
    const priority = entry.kind === 'class-raised' ? priorityOf(change, open) : PRIORITY.thread;
    await tellStory(db, speaker, atMs, entry, { priority });
  }
  deps.log.info({ incident: incidentId, scope, change: change.kind, reason }, 'an incident changed');
  return true;
}

async function writeChange(
  deps: JobsDeps,
  db: Db,
  scope: string,
  open: Incident | undefined,
  change: Exclude<Change, { kind: 'none' }>,
  atMs: number,
): Promise<number> {
  if (change.kind === 'open') {
    const { kind: _kind, timeline: _timeline, ...incident } = change;
    return insertIncident(db, { ...incident, scope, configRevision: deps.config.revision, openedAtMs: atMs });
  }
  if (!open) throw new Error(`the judgement of ${scope} changes an incident that is not open`);
  if (change.kind === 'update') await updateIncident(db, open.id, { ...change, raised: change.reason === 'class-raised' });
  else await resolveIncident(db, open.id, atMs, change.resolution, change.facts);
  return open.id;
}

function priorityOf(change: Exclude<Change, { kind: 'none' }>, open: Incident | undefined): number {
  if (change.kind === 'resolve') return PRIORITY.resolve;
  const klass = change.class ?? open?.class;
  if (klass === 'full interruption') return PRIORITY.interruption;
  return klass === 'partial outage' ? PRIORITY.outage : PRIORITY.degradation;
}

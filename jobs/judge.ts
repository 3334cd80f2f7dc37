/**
 * The second step of evaluation, in one transaction: a dirty scope under its lock → incidents, timeline, decisions, outbox rows.
 */
import { CHANGE_WINDOW_MS } from '../core/cause.ts';
import { type CheckView, isBad } from '../core/classify.ts';
import type { Config } from '../core/config/model.ts';
import { EMPTY_STATE } from '../core/evaluate.ts';
import type { Reasoned } from '../core/facts.ts';
import type { Incident } from '../core/incident.ts';
import { type Change, judgeScope as judge, NO_MEMORY, type Outcome, type ScopeInput, type ScopeJudgement } from '../core/judge.ts';
import { judgeMonitoring, MONITORING_SCOPE } from '../core/monitoring.ts';
import { loggedInputs } from '../core/replay/entry.ts';
import { changesBetween } from '../store/change.ts';
import { readStatesSeen } from '../store/check.ts';
import { NotInForce, whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { type JudgementToLog, logJudgement } from '../store/decision-log.ts';
import { lastRepair } from '../store/execution.ts';
import { adoptDecisions, insertIncident, openIncidentsOf, recordDecisions, resolveIncident, updateIncident } from '../store/incident.ts';
import { noisyTenants } from '../store/load.ts';
import { locationTroublesOf } from '../store/location-trouble.ts';
import { PRIORITY } from '../store/outbox.ts';
import { quietsAt } from '../store/quiet.ts';
import { dirtyScopes, lockDirtyScope, markJudged } from '../store/scope.ts';
import { activeBurns } from '../store/slo.ts';
import { showIncident, tellStory } from '../store/story.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';
import { lookAtLocations } from './monitoring.ts';

/** Decisions from this long before an incident opened belong to its story. */
const STORY_MS = 10 * 60_000;

/** Judges every scope that is due. Returns whether something is to be told. */
export async function judgeDirty(deps: JobsDeps, usuallyMs: ReadonlyMap<string, number>): Promise<boolean> {
  let told = false;
  for (const scope of await dirtyScopes(deps.pool, deps.clock.now())) {
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
    const nowMs = deps.clock.now();
    const dirty = await lockDirtyScope(db, scopeId, nowMs);
    if (dirty === undefined) return undefined;
    const open = await openIncidentsOf(db, scopeId);
    const { judgement, ...read } =
      scopeId === MONITORING_SCOPE.id
        ? await judgeLocations(deps, db, open, nowMs)
        : await judgeServices(deps, db, scopeId, { open, nowMs, usuallyMs, memory: dirty.memory });
    await markJudged(db, scopeId, { seq: dirty.seq, memory: judgement.memory }, judgement.againAtMs);
    await recordDecisions(db, { atMs: nowMs, scope: scopeId, configRevision: deps.config.revision }, judgement.decisions);
    let told = false;
    const opened: number[] = [];
    for (const outcome of judgement.outcomes) told = (await apply(deps, db, scopeId, outcome, nowMs, opened)) || told;
    await logJudgement(db, { scope: scopeId, nowMs, ...read, opened });
    return { told, outcomes: judgement.outcomes };
  });
  for (const { change } of judged?.outcomes ?? []) if (change.kind === 'open') metrics.incidentsOpened.inc({ class: change.class });
  return judged?.told ?? false;
}

/** A judgement, and what it read, for the decision log. */
type Judged = { judgement: ScopeJudgement } & Pick<JudgementToLog, 'snapshot' | 'inputs'>;

async function judgeServices(
  deps: JobsDeps,
  db: Db,
  scopeId: string,
  known: Pick<ScopeInput, 'open' | 'nowMs' | 'usuallyMs' | 'memory'>,
): Promise<Judged> {
  const { snapshot, ...read } = await inputOf(deps, db, scopeId, known.open, known.nowMs);
  const input = { ...read, ...known };
  return { judgement: judge(input), snapshot, inputs: loggedInputs(input) };
}

async function inputOf(
  deps: JobsDeps,
  db: Db,
  scopeId: string,
  open: readonly Incident[],
  nowMs: number,
): Promise<Omit<ScopeInput, 'memory' | 'usuallyMs'> & { snapshot: string }> {
  const { config, actions } = deps;
  const scope = config.scopes[scopeId] ?? { id: scopeId, services: [], components: [], checks: [] };
  const { views, snapshot } = await viewsOf(db, config, scope.checks);
  const isWell = open.length === 0 && !views.some(isBad);
  return {
    config,
    scope,
    views,
    snapshot,
    open,
    nowMs,
    actions,
    // Nobody is suspected while nothing is wrong.
    changes: isWell ? [] : await changesBetween(db, Math.min(nowMs, ...open.map((one) => one.beganAtMs)) - CHANGE_WINDOW_MS, nowMs),
    noisy: isWell ? [] : await noisyTenants(db, scope.components, nowMs),
    burns: await activeBurns(db, scope.services),
    quiets: await quietsAt(db, config, nowMs),
    locations: await locationTroublesOf(db),
    repairs: await repairsOf(config, db, open),
  };
}

async function viewsOf(db: Db, config: Config, checks: readonly string[]): Promise<{ views: CheckView[]; snapshot: string }> {
  const { states, snapshot } = await readStatesSeen(db, checks);
  const views = checks.flatMap((id) => {
    const check = config.checks[id];
    return check ? [{ check, state: states.get(id) ?? EMPTY_STATE }] : [];
  });
  return { views, snapshot };
}

/** What Rounds sees from where. It is looked at while something is amiss with a location. */
async function judgeLocations({ config }: JobsDeps, db: Db, open: readonly Incident[], nowMs: number): Promise<Judged> {
  const { views, snapshot } = await viewsOf(db, config, Object.keys(config.checks));
  const { troubles, decisions } = await lookAtLocations(db, config, views, nowMs);
  const blind = views.filter((view) => view.state.moment === 'blind');
  const [incident] = open;
  const judged = judgeMonitoring({ config, troubles, blind, open: incident, nowMs });
  const judgement = {
    outcomes: [{ ...(incident ? { incident } : {}), ...judged }],
    decisions,
    memory: NO_MEMORY,
    ...(judged.againAtMs === undefined ? {} : { againAtMs: judged.againAtMs }),
  };
  return { judgement, snapshot, inputs: {} };
}

/** The last action that was done in each incident, with the name of who asked for it. */
async function repairsOf(config: Config, db: Db, open: readonly Incident[]): Promise<Map<number, { title: string; by: string }>> {
  const repairs = new Map<number, { title: string; by: string }>();
  for (const { id } of open) {
    const repair = await lastRepair(db, id);
    if (repair) repairs.set(id, { title: repair.title, by: config.people[repair.by]?.name ?? repair.by });
  }
  return repairs;
}

/** Writes what became of one incident; of a new one, adds its number to `opened`. Returns whether something is to be told. */
async function apply(
  deps: JobsDeps,
  db: Db,
  scope: string,
  { incident: open, change, decisions }: Outcome,
  atMs: number,
  opened: number[],
): Promise<boolean> {
  if (change.kind === 'none') return false;
  const incidentId = await writeChange(deps, db, scope, open, change, atMs);
  if (change.kind === 'open') opened.push(incidentId);
  await adoptDecisions(db, { id: incidentId, scope, members: change.facts.members }, (open?.openedAtMs ?? atMs) - STORY_MS);
  await recordDecisions(db, { atMs, scope, incidentId, configRevision: deps.config.revision }, decisions);
  if (change.kind === 'update' && !change.told) return false;
  const reason = reasonOf(decisions) ?? change.kind;
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

function reasonOf(decisions: readonly Reasoned[]): string | undefined {
  return decisions.find((decision) => decision.subject === 'post')?.reason;
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
  else await resolveIncident(db, open.id, atMs, { ...change, ...(change.kind === 'merge' ? { mergedInto: change.into } : {}) });
  return open.id;
}

function priorityOf(change: Exclude<Change, { kind: 'none' }>, open: Incident | undefined): number {
  if (change.kind === 'resolve' || change.kind === 'merge') return PRIORITY.resolve;
  const klass = change.class ?? open?.class;
  if (klass === 'full interruption') return PRIORITY.interruption;
  return klass === 'partial outage' ? PRIORITY.outage : PRIORITY.degradation;
}

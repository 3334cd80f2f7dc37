/**
 * The second step of evaluation, in one transaction: a dirty scope under its lock → incidents, timeline, decisions, outbox rows.
 */
import type { CheckView } from '../core/classify.ts';
import { EMPTY_STATE } from '../core/evaluate.ts';
import type { Incident } from '../core/incident.ts';
import { type Change, type Judgement, judge } from '../core/judge.ts';
import { readStates } from '../store/check.ts';
import { NotInForce, whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { lastRepair } from '../store/execution.ts';
import { adoptDecisions, insertIncident, openIncidentOf, recordDecisions, resolveIncident, updateIncident } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { dirtyScopes, lockDirtyScope, markJudged } from '../store/scope.ts';
import { showIncident, tellStory } from '../store/story.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

/** Decisions from this long before an incident opened belong to its story. */
const STORY_MS = 10 * 60_000;

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

/**
 * Escalation: which steps were settled for an incident, who is on call, and what is written when a step is taken. The worker takes steps
 * whose time has come, the bot the next one for somebody who presses: both by way of `takeStep`, with the incident's row locked.
 */
import { Counter } from 'prom-client';
import type { Config, EscalationStep } from '../core/config/model.ts';
import { timeOfDay } from '../core/duration.ts';
import { calledBy, isUrgent, type SettledReason } from '../core/escalate.ts';
import type { Incident, TimelineEntry } from '../core/incident.ts';
import { teamTitle } from '../core/oncall.ts';
import { listInWords, MARKS, subjectOf } from '../core/words.ts';
import { at, type Db } from './db.ts';
import { recordDecisions } from './incident.ts';
import { tellNotice } from './notice.ts';
import { PRIORITY } from './outbox.ts';
import { tellStory } from './story.ts';

/** Steps are counted by their place in rounds.yaml, at most 12. */
export const escalations = new Counter({
  name: 'rounds_escalations_total',
  help: 'Steps of escalation that were taken, by their place in the list: 1 is the first.',
  labelNames: ['step'],
});

export interface SettledStep {
  /** The step's id in the configuration. */
  step: string;
  atMs: number;
  reason: SettledReason;
  by?: string;
  people: string[];
  channel?: string;
}

export interface Escalation {
  /** From when its steps are counted: the opening, or the latest raise to a worse class. */
  begunAtMs: number;
  /** Steps of every beginning, oldest first. */
  history: SettledStep[];
  /** Those of the latest beginning, by the step's id. */
  settled: Map<string, SettledStep>;
}

interface EscalationRow {
  incident_id: number;
  begun_at: Date;
  step: string;
  at: Date;
  reason: SettledReason;
  by: string | null;
  people: string[];
  channel: string | null;
}

/** The escalation of each of these incidents, by the incident's number. */
export async function escalationsOf(db: Db, incidents: readonly Pick<Incident, 'id' | 'openedAtMs'>[]): Promise<Map<number, Escalation>> {
  const ids = incidents.map((incident) => incident.id);
  if (ids.length === 0) return new Map();
  const raises = await db.query<{ incident_id: number; at: Date }>(
    `select incident_id, max(at) as at from timeline where incident_id = any($1) and kind = 'class-raised' group by incident_id`,
    [ids],
  );
  const raisedAt = new Map(raises.rows.map((row) => [row.incident_id, row.at.getTime()]));
  const { rows } = await db.query<EscalationRow>('select * from escalation where incident_id = any($1) order by at, step', [ids]);
  const ofIncident = Map.groupBy(rows, (row) => row.incident_id);
  return new Map(
    incidents.map(({ id, openedAtMs }) => [id, escalationFrom(ofIncident.get(id) ?? [], Math.max(openedAtMs, raisedAt.get(id) ?? 0))]),
  );
}

function escalationFrom(rows: readonly EscalationRow[], begunAtMs: number): Escalation {
  const steps = rows.map((row) => ({ begunAtMs: row.begun_at.getTime(), settled: fromRow(row) }));
  const current = steps.filter((one) => one.begunAtMs === begunAtMs).map((one) => one.settled);
  return { begunAtMs, history: steps.map((one) => one.settled), settled: new Map(current.map((one) => [one.step, one])) };
}

function fromRow(row: EscalationRow): SettledStep {
  return {
    step: row.step,
    atMs: row.at.getTime(),
    reason: row.reason,
    people: row.people,
    ...(row.by ? { by: row.by } : {}),
    ...(row.channel ? { channel: row.channel } : {}),
  };
}

/** Whether somebody was called by it. */
export function wasTaken({ reason }: Pick<SettledStep, 'reason'>): boolean {
  return reason === 'waited' || reason === 'pressed';
}

export interface StepToSettle {
  config: Config;
  incident: Incident;
  escalation: Escalation;
  step: EscalationStep;
  /** Its place in the list, from 1. */
  place: number;
  reason: SettledReason;
  /** Who pressed, a person's id. */
  by?: string;
  nowMs: number;
}

/**
 * Settles a step: writes down why, and when it is taken, tells the thread whom it calls and posts a notice where it says so. Returns
 * whether this call did it. To be called with the incident's row locked, in the transaction that read the escalation.
 */
export async function settleStep(db: Db, settle: StepToSettle): Promise<boolean> {
  const { config, incident, step, reason, by, nowMs } = settle;
  const taken = wasTaken(settle);
  const called = taken ? calledBy(config, incident.facts.owner, step, nowMs) : { people: [] };
  if (!(await insertStep(db, settle, called))) return false;
  const inputs = { step: step.id, afterMs: step.afterMs, begunAt: settle.escalation.begunAtMs, people: called.people, by: by ?? null };
  const about = { atMs: nowMs, scope: incident.scope, incidentId: incident.id, configRevision: config.revision };
  await recordDecisions(db, about, [{ subject: 'escalation', reason, inputs }]);
  if (!taken) return true;
  const priority = isUrgent(incident.class) ? PRIORITY.outage : PRIORITY.degradation;
  await tellStory(db, incident, nowMs, entryOf(settle, called), { reason, priority });
  if (called.channel) await tellChannel(db, settle, { ...called, channel: called.channel }, priority);
  escalations.inc({ step: String(settle.place) });
  return true;
}

type Called = ReturnType<typeof calledBy>;

/** What was settled as not taken may still be taken by hand. */
async function insertStep(db: Db, { incident, escalation, step, reason, by, nowMs }: StepToSettle, called: Called): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into escalation (incident_id, begun_at, step, at, reason, by, people, channel) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (incident_id, begun_at, step) do update
       set at = excluded.at, reason = excluded.reason, by = excluded.by, people = excluded.people, channel = excluded.channel
       where excluded.reason = 'pressed' and escalation.reason not in ('waited', 'pressed')`,
    [incident.id, at(escalation.begunAtMs), step.id, at(nowMs), reason, by ?? null, called.people, called.channel ?? null],
  );
  return rowCount === 1;
}

function entryOf({ config, step, by }: StepToSettle, { people, team, channel }: Called): Extract<TimelineEntry, { kind: 'escalated' }> {
  return {
    kind: 'escalated',
    to: step.to.kind,
    people,
    afterMs: step.afterMs,
    ...(team ? { team: teamTitle(team) } : {}),
    ...(channel === undefined ? {} : { channel }),
    ...(by === undefined ? {} : { by: config.people[by]?.name ?? by }),
  };
}

/** Of those that were called before; the latest. */
const MOST_CALLS = 6;

/** A channel that does not follow the incident is told what it is, who was called before, and where the story is. */
async function tellChannel(db: Db, settle: StepToSettle, called: Called & { channel: string }, priority: number): Promise<void> {
  const { config, incident, escalation, step, by } = settle;
  const nameOf = (person: string) => config.people[person]?.name ?? person;
  const before = escalation.history.filter((one) => wasTaken(one) && one.people.length > 0);
  const calls = before.map((one) => `${timeOfDay(one.atMs, config.timezone)} ${listInWords(one.people.map(nameOf), 6)}`);
  const why = by === undefined ? 'Nobody has acknowledged it' : `${nameOf(by)} asks for help`;
  const payload = {
    mark: MARKS[incident.class],
    title: `${subjectOf(incident.facts)}: ${incident.class}. ${why}.`,
    lines: [
      `Since ${timeOfDay(incident.beganAtMs, config.timezone)}, told in ${incident.channel}.`,
      calls.length > 0 ? `Called before: ${calls.slice(-MOST_CALLS).join('; ')}.` : 'Nobody was called by name before.',
    ],
    incidents: [incident.id],
    call: called.people,
    whileOpen: true,
  };
  const key = `escalated/${incident.id}/${new Date(escalation.begunAtMs).toISOString()}/${step.id}`;
  await tellNotice(db, {
    channel: called.channel,
    kind: 'escalated',
    payload,
    priority,
    reason: by === undefined ? 'waited' : 'pressed',
    key,
  });
}

/** Who was on call when somebody looked last, by team. */
export async function knownOnCall(db: Db): Promise<Map<string, string[]>> {
  const { rows } = await db.query<{ team: string; people: string[] }>('select team, people from on_call');
  return new Map(rows.map((row) => [row.team, row.people]));
}

/**
 * Notes who is on call for a team now. Returns who was before, when that were others: of several workers one is told so. The first time
 * it is a beginning and no change.
 */
export async function noteOnCall(db: Db, team: string, people: readonly string[], nowMs: number): Promise<string[] | undefined> {
  const begun = await db.query('insert into on_call (team, people, since) values ($1, $2, $3) on conflict (team) do nothing', [
    team,
    people,
    at(nowMs),
  ]);
  if (begun.rowCount === 1) return undefined;
  const { rows } = await db.query<{ people: string[] }>('select people from on_call where team = $1 for update', [team]);
  const before = rows[0]?.people ?? [];
  if (before.length === people.length && people.every((one) => before.includes(one))) return undefined;
  await db.query('update on_call set people = $2, since = $3 where team = $1', [team, people, at(nowMs)]);
  return before;
}

/** Forgets teams in which nobody takes turns any more, so that beginning again is no change. */
export async function forgetOnCall(db: Db, kept: readonly string[]): Promise<void> {
  await db.query('delete from on_call where team <> all($1::text[])', [kept]);
}

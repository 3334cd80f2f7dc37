/** Incidents, their timeline and the decisions made about them. */
import type { IncidentClass } from '../core/check.ts';
import type { Facts, Incident, TimelineEntry } from '../core/incident.ts';
import { at, type Db } from './db.ts';

interface IncidentRow {
  id: number;
  scope: string;
  root: string;
  class: IncidentClass;
  peak: IncidentClass;
  state: 'open' | 'resolved';
  revision: number;
  channel: string;
  facts: Facts;
  began_at: Date;
  opened_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by: string | null;
  resolved_at: Date | null;
  resolution: string | null;
  picture_id: number | null;
}

function fromRow(row: IncidentRow): Incident {
  return {
    id: row.id,
    scope: row.scope,
    root: row.root,
    class: row.class,
    peak: row.peak,
    state: row.state,
    revision: row.revision,
    channel: row.channel,
    facts: row.facts,
    beganAtMs: row.began_at.getTime(),
    openedAtMs: row.opened_at.getTime(),
    ...(row.acknowledged_at ? { acknowledgedAtMs: row.acknowledged_at.getTime() } : {}),
    ...(row.acknowledged_by ? { acknowledgedBy: row.acknowledged_by } : {}),
    ...(row.resolved_at ? { resolvedAtMs: row.resolved_at.getTime() } : {}),
    ...(row.resolution ? { resolution: row.resolution } : {}),
    ...(row.picture_id ? { pictureId: row.picture_id } : {}),
  };
}

/** The open incidents of a scope, the oldest first, locked until the transaction ends. */
export async function openIncidentsOf(db: Db, scope: string): Promise<Incident[]> {
  const { rows } = await db.query<IncidentRow>(`select * from incident where scope = $1 and state = 'open' order by id for update`, [
    scope,
  ]);
  return rows.map(fromRow);
}

/** One incident by its number; locked when asked. */
export async function incidentById(db: Db, id: number, lock: 'for update' | '' = ''): Promise<Incident | undefined> {
  const { rows } = await db.query<IncidentRow>(`select * from incident where id = $1 ${lock}`, [id]);
  return rows[0] && fromRow(rows[0]);
}

/** Open incidents, worst and oldest first; then those resolved since that time, newest first. */
export async function listIncidents(db: Db, resolvedSinceMs: number, limit = 20): Promise<Incident[]> {
  const { rows } = await db.query<IncidentRow>(
    `select * from incident where state = 'open' or resolved_at >= $1
     order by (state = 'open') desc, coalesce(resolved_at, opened_at) desc limit $2`,
    [at(resolvedSinceMs), limit],
  );
  return rows.map(fromRow);
}

/** Incidents that were open at some time between these two, the oldest first. */
export async function incidentsBetween(db: Db, fromMs: number, untilMs: number): Promise<Incident[]> {
  const { rows } = await db.query<IncidentRow>(
    `select * from incident where opened_at <= $2 and (state = 'open' or resolved_at > $1) order by opened_at`,
    [at(fromMs), at(untilMs)],
  );
  return rows.map(fromRow);
}

export interface NewIncident {
  scope: string;
  class: IncidentClass;
  channel: string;
  facts: Facts;
  configRevision: string;
  beganAtMs: number;
  openedAtMs: number;
  pictureId?: number;
}

/** Opens an incident and returns its number. */
export async function insertIncident(db: Db, incident: NewIncident): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at, picture_id, root)
     values ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9) returning id`,
    [
      incident.scope,
      incident.class,
      incident.channel,
      JSON.stringify(incident.facts),
      incident.configRevision,
      at(incident.beganAtMs),
      at(incident.openedAtMs),
      incident.pictureId ?? null,
      incident.facts.root,
    ],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the new incident');
  return id;
}

/** Writes what is known now. What was acknowledged was less than what an incident is raised to. The revision rises, so that buttons of the earlier state are told from those of this one. */
export async function updateIncident(
  db: Db,
  id: number,
  change: { class: IncidentClass; peak: IncidentClass; facts: Facts; pictureId?: number; material: boolean; raised?: boolean },
): Promise<void> {
  await db.query(
    `update incident set class = $2, peak = $3, facts = $4, picture_id = coalesce($5, picture_id), revision = revision + $6,
       acknowledged_at = case when $7 then null else acknowledged_at end, acknowledged_by = case when $7 then null else acknowledged_by end,
       root = $8
     where id = $1`,
    [
      id,
      change.class,
      change.peak,
      JSON.stringify(change.facts),
      change.pictureId ?? null,
      change.material ? 1 : 0,
      change.raised ?? false,
      change.facts.root,
    ],
  );
}

/** Closes an incident. `mergedInto`: the older one that it turned out to be. */
export async function resolveIncident(
  db: Db,
  id: number,
  atMs: number,
  end: { resolution: string; facts: Facts; mergedInto?: number },
): Promise<void> {
  await db.query(
    `update incident set state = 'resolved', resolved_at = $2, resolution = $3, facts = $4, merged_into = $5, revision = revision + 1
     where id = $1 and state = 'open'`,
    [id, at(atMs), end.resolution, JSON.stringify(end.facts), end.mergedInto ?? null],
  );
}

/** Marks an incident as acknowledged, once. Returns whether this call did it. */
export async function acknowledgeIncident(db: Db, id: number, person: string, atMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update incident set acknowledged_at = $2, acknowledged_by = $3
     where id = $1 and state = 'open' and acknowledged_at is null`,
    [id, at(atMs), person],
  );
  return rowCount === 1;
}

/** Adds a line to the story and returns its number. */
export async function addTimeline(db: Db, incidentId: number, atMs: number, entry: TimelineEntry): Promise<number> {
  const { kind, ...data } = entry;
  const { rows } = await db.query<{ id: number }>(
    'insert into timeline (incident_id, at, kind, data) values ($1, $2, $3, $4) returning id',
    [incidentId, at(atMs), kind, JSON.stringify(data)],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the timeline entry');
  return id;
}

export interface TimelineRow {
  id: number;
  atMs: number;
  entry: TimelineEntry;
}

/** The story of an incident, oldest first. */
export async function timelineOf(db: Db, incidentId: number): Promise<TimelineRow[]> {
  const { rows } = await db.query<{ id: number; at: Date; kind: string; data: object }>(
    'select id, at, kind, data from timeline where incident_id = $1 order by id',
    [incidentId],
  );
  return rows.map((row) => ({ id: row.id, atMs: row.at.getTime(), entry: { kind: row.kind, ...row.data } as TimelineEntry }));
}

export interface Decision {
  /** What was decided on: `verdict post-invoice/riverside`, `class billing`, `post`. */
  subject: string;
  /** By name: `quorum-down`, `critical-some-tenants`, `first-notification` … */
  reason: string;
  /** What it was decided from, thresholds included. */
  inputs: Record<string, unknown>;
}

/** Stores decisions with the revision that they were made under. */
export async function recordDecisions(
  db: Db,
  context: { atMs: number; scope: string; incidentId?: number; configRevision: string },
  decisions: readonly Decision[],
): Promise<void> {
  for (const decision of decisions) {
    await db.query(
      `insert into decision (at, scope, incident_id, subject, reason, inputs, config_revision) values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        at(context.atMs),
        context.scope,
        context.incidentId ?? null,
        decision.subject,
        decision.reason,
        JSON.stringify(decision.inputs),
        context.configRevision,
      ],
    );
  }
}

export interface DecisionRow extends Decision {
  atMs: number;
  configRevision: string;
}

/** The chain of decisions of an incident, oldest first. */
export async function decisionsOf(db: Db, incidentId: number, limit = 200): Promise<DecisionRow[]> {
  const { rows } = await db.query<{ at: Date; subject: string; reason: string; inputs: Record<string, unknown>; config_revision: string }>(
    'select at, subject, reason, inputs, config_revision from decision where incident_id = $1 order by id limit $2',
    [incidentId, limit],
  );
  return rows.map((row) => ({
    atMs: row.at.getTime(),
    subject: row.subject,
    reason: row.reason,
    inputs: row.inputs,
    configRevision: row.config_revision,
  }));
}

/** Joins the scope's decisions on these checks since that time, made before the incident had a number, to its story. */
export async function adoptDecisions(
  db: Db,
  incident: { id: number; scope: string; members: readonly string[] },
  sinceMs: number,
): Promise<void> {
  await db.query('update decision set incident_id = $2 where scope = $1 and incident_id is null and at >= $3 and subject = any($4)', [
    incident.scope,
    incident.id,
    at(sinceMs),
    incident.members.map((check) => `verdict ${check}`),
  ]);
}

/** How many incidents are open, by class; of a class without any there is none. */
export async function countOpen(db: Db): Promise<Map<IncidentClass, number>> {
  const { rows } = await db.query<{ class: IncidentClass; open: number }>(
    `select class, count(*) as open from incident where state = 'open' group by class`,
  );
  return new Map(rows.map((row) => [row.class, row.open]));
}

/** Every open incident, the oldest first. */
export async function openIncidents(db: Db): Promise<Incident[]> {
  const { rows } = await db.query<IncidentRow>(`select * from incident where state = 'open' order by id`);
  return rows.map(fromRow);
}

/** Moves an open incident to another scope. */
export async function moveIncident(db: Db, id: number, scope: string): Promise<void> {
  await db.query(`update incident set scope = $2 where id = $1 and state = 'open'`, [id, scope]);
}

/** What `/rounds why` reads: decisions with what belongs to them. */
import type { Purpose, Verdict } from '../core/check.ts';
import { at, type Db } from './db.ts';
import type { DecisionRow } from './incident.ts';

export interface StoredDecision extends DecisionRow {
  id: number;
}

interface Row {
  id: number;
  at: Date;
  subject: string;
  reason: string;
  inputs: Record<string, unknown>;
  config_revision: string;
}

function fromRow(row: Row): StoredDecision {
  const { id, subject, reason, inputs } = row;
  return { id, atMs: row.at.getTime(), subject, reason, inputs, configRevision: row.config_revision };
}

const COLUMNS = 'id, at, subject, reason, inputs, config_revision';
/** Those made about the incident, and those that kept something of it back. */
const OF_INCIDENT = `incident_id = $1 or (subject = 'quiet' and inputs->'incident' = to_jsonb($1::bigint))`;

/** The chain of decisions of an incident, oldest first: a page of them. */
export async function decisionsOfIncident(db: Db, incident: number, page: { from: number; most: number }): Promise<StoredDecision[]> {
  const { rows } = await db.query<Row>(`select ${COLUMNS} from decision where ${OF_INCIDENT} order by id offset $2 limit $3`, [
    incident,
    page.from,
    page.most,
  ]);
  return rows.map(fromRow);
}

/** How many there are. */
export async function countDecisions(db: Db, incident: number): Promise<number> {
  const { rows } = await db.query<{ all: number }>(`select count(*) as all from decision where ${OF_INCIDENT}`, [incident]);
  return rows[0]?.all ?? 0;
}

/** What was kept back in a scope in that time, oldest first. */
export async function keptBackBetween(db: Db, scope: string, fromMs: number, untilMs: number): Promise<StoredDecision[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from decision where subject = 'quiet' and scope = $1 and at between $2 and $3 order by id limit 100`,
    [scope, at(fromMs), at(untilMs)],
  );
  return rows.map(fromRow);
}

/** What a silence or a window kept back, oldest first. */
export async function keptBackBy(db: Db, quiet: string, sinceMs: number): Promise<StoredDecision[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from decision where subject = 'quiet' and inputs->>'quiet' = $1 and at >= $2 order by id limit 200`,
    [quiet, at(sinceMs)],
  );
  return rows.map(fromRow);
}

/** Numbers of the incidents that turned out to be this one, and of the one that this turned out to be. */
export async function mergesOf(db: Db, incident: number): Promise<{ from: number[]; into?: number }> {
  const { rows } = await db.query<{ id: number; merged_into: number | null }>(
    'select id, merged_into from incident where merged_into = $1 or id = $1 order by id',
    [incident],
  );
  const into = rows.find((row) => row.id === incident)?.merged_into;
  return { from: rows.filter((row) => row.merged_into === incident).map((row) => row.id), ...(into ? { into } : {}) };
}

/** The incident whose post that is: `channel` is Slack's id; without `ts` the last one in the channel. */
export async function incidentOfPost(db: Db, channel: string, ts?: string): Promise<number | undefined> {
  const { rows } = await db.query<{ incident_id: number }>(
    'select incident_id from post where channel = $1 and ($2::text is null or ts = $2) order by incident_id desc limit 1',
    [channel, ts ?? null],
  );
  return rows[0]?.incident_id;
}

/** A run that told of the beginning. */
export interface FirstRun {
  location: string;
  purpose: Purpose;
  verdict: Verdict;
  attempts: number;
  receivedAtMs: number;
}

/** What came of a check in that time, the first first; nothing once runs are not kept any more. */
export async function firstRuns(db: Db, check: string, fromMs: number, untilMs: number): Promise<FirstRun[]> {
  const { rows } = await db.query<Omit<FirstRun, 'receivedAtMs'> & { received_at: Date }>(
    `select l.location, coalesce(r.asked, 'scheduled') as purpose, r.verdict, coalesce(jsonb_array_length(r.detail->'attempts'), 1) as attempts, r.received_at
     from run r join check_key c on c.key = r.check_key join location_key l on l.key = r.location_key
     where c.check_id = $1 and r.slot between $2 and $3 and r.verdict in ('down', 'degraded') order by r.received_at limit 20`,
    [check, at(fromMs), at(untilMs)],
  );
  return rows.map(({ received_at, ...run }) => ({ ...run, receivedAtMs: received_at.getTime() }));
}

/** How many runs of these checks ended since then, and how many of them were not well. */
export async function troubledRuns(db: Db, checks: readonly string[], sinceMs: number): Promise<{ all: number; troubled: number }> {
  const { rows } = await db.query<{ all: number; troubled: number }>(
    `select count(*) as all, count(*) filter (where verdict in ('down', 'degraded')) as troubled
     from run r join check_key c on c.key = r.check_key where c.check_id = any($1) and r.slot >= $2 and verdict is not null`,
    [checks, at(sinceMs)],
  );
  return rows[0] ?? { all: 0, troubled: 0 };
}

/**
 * What is deleted when it is old enough, besides the partitions of runs (store/partitions.ts) and the rollups (store/rollup.ts). The audit
 * log and silences are never deleted, nor what is open.
 */
import { at, type Db, inTransaction, type Pool } from './db.ts';

export interface RetentionTimes {
  /** What came of runs before then is gone. */
  rawBeforeMs: number;
  /** Incidents, decisions and posts that ended before then are gone. */
  daysBeforeMs: number;
}

/** Rows that nothing refers to. `$1` is the time before which they go. */
const ROWS: readonly { table: string; keep: keyof RetentionTimes; old: string }[] = [
  { table: 'due', keep: 'rawBeforeMs', old: 'ends_at < $1' },
  { table: 'ask', keep: 'rawBeforeMs', old: `state = 'done' and wanted_at < $1` },
  {
    table: 'picture',
    keep: 'rawBeforeMs',
    old: `made_at < $1 and not exists (select from incident where incident.picture_id = picture.id and incident.state = 'open')`,
  },
  { table: 'decision', keep: 'daysBeforeMs', old: 'at < $1 and incident_id is null' },
  { table: 'outbox', keep: 'daysBeforeMs', old: 'ended_at < $1 and incident_id is null' },
  { table: 'report', keep: 'daysBeforeMs', old: 'made_at < $1' },
  { table: 'change', keep: 'daysBeforeMs', old: 'last_at < $1' },
  {
    table: 'config_revision',
    keep: 'daysBeforeMs',
    old: `first_seen < $1 and not exists (select from config_in_force where config_in_force.revision = config_revision.revision)
      and not exists (select from decision where decision.config_revision = config_revision.revision)`,
  },
];

/** What belongs to an incident, in the order in which it can go. Each is told which incidents as `$1`. */
const OF_INCIDENTS: readonly string[] = [
  'delete from modal where incident_id = any($1) or button_id in (select id from button where incident_id = any($1))',
  'delete from button where incident_id = any($1)',
  'delete from outbox where incident_id = any($1) or timeline_id in (select id from timeline where incident_id = any($1))',
  'delete from timeline where incident_id = any($1)',
  'delete from post where incident_id = any($1)',
  'delete from execution where incident_id = any($1)',
  'delete from escalation where incident_id = any($1)',
  'delete from told_elsewhere where incident_id = any($1)',
  'delete from decision where incident_id = any($1)',
  'update silence set incident_id = null where incident_id = any($1)',
  'update incident set merged_into = null where merged_into = any($1)',
  'delete from incident where id = any($1)',
];

/** So much at a time, each in a transaction of its own: nobody waits long for what is deleted. */
const ROWS_AT_ONCE = 5_000;
const INCIDENTS_AT_ONCE = 50;

/** Deletes what is too old. Returns how many rows went, by table. */
export async function deleteOld(pool: Pool, times: RetentionTimes): Promise<Record<string, number>> {
  const gone: Record<string, number> = {};
  const incidents = await inBatches(INCIDENTS_AT_ONCE, () => inTransaction(pool, (db) => deleteIncidents(db, times.daysBeforeMs)));
  if (incidents > 0) gone.incident = incidents;
  for (const { table, keep, old } of ROWS) {
    // By place, since not every table has a key of one column.
    const text = `delete from ${table} where ctid = any(array(select ctid from ${table} where ${old} limit ${ROWS_AT_ONCE} for update skip locked))`;
    const rows = await inBatches(ROWS_AT_ONCE, async () => (await pool.query(text, [at(times[keep])])).rowCount ?? 0);
    if (rows > 0) gone[table] = rows;
  }
  return gone;
}

async function inBatches(size: number, deleteSome: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let gone = size; gone >= size; total += gone) gone = await deleteSome();
  return total;
}

async function deleteIncidents(db: Db, beforeMs: number): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `select id from incident where state = 'resolved' and resolved_at < $1 order by id limit ${INCIDENTS_AT_ONCE} for update skip locked`,
    [at(beforeMs)],
  );
  const ids = rows.map((row) => row.id);
  if (ids.length > 0) for (const text of OF_INCIDENTS) await db.query(text, [ids]);
  return ids.length;
}

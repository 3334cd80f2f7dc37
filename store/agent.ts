/** The agents that have reported, and how the runs of each location went. */
import { at, type Db } from './db.ts';

/** An agent is known by what it calls itself, which nobody checks: more names than this at one location are not kept. */
const MOST_AT_A_LOCATION = 100;
const FORGOTTEN_AFTER = '1 day';

/** What a worker heard of an agent. */
export interface Heard {
  location: string;
  name: string;
  /** How long ago that was: the time itself is PostgreSQL's. */
  agoMs: number;
  skewMs: number;
  spooled?: number;
  version?: string;
}

/** Notes what was heard, each agent once; what is older than what is known changes nothing. Forgets who was silent for a day. */
export async function noteAgents(db: Db, heard: readonly Heard[]): Promise<void> {
  if (heard.length === 0) return;
  await db.query(
    `insert into agent (location, name, first_seen, last_seen, skew_ms, spooled, version)
     select location, name, now() - ago_ms * interval '1 ms', now() - ago_ms * interval '1 ms', skew_ms, spooled, version
     from unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::int[], $6::text[])
       as heard (location, name, ago_ms, skew_ms, spooled, version)
     order by location, name
     on conflict (location, name) do update set last_seen = excluded.last_seen, skew_ms = excluded.skew_ms,
       spooled = excluded.spooled, version = excluded.version
     where agent.last_seen < excluded.last_seen`,
    [
      heard.map((one) => one.location),
      heard.map((one) => one.name),
      heard.map((one) => one.agoMs),
      heard.map((one) => one.skewMs),
      heard.map((one) => one.spooled ?? null),
      heard.map((one) => one.version ?? null),
    ],
  );
  await forgetAgents(db);
}

async function forgetAgents(db: Db): Promise<void> {
  await db.query(
    `delete from agent where last_seen < now() - interval '${FORGOTTEN_AFTER}' or (location, name) in (
       select location, name from (
         select location, name, row_number() over (partition by location order by last_seen desc) as place from agent) as placed
       where place > $1)`,
    [MOST_AT_A_LOCATION],
  );
}

export interface KnownAgent {
  location: string;
  name: string;
  firstSeenMs: number;
  lastSeenMs: number;
  /** How far its clock is behind, milliseconds, with the way of its report in it; negative when it is ahead. */
  skewMs: number;
  /** Reports that waited on its disk when it was heard last. */
  spooled?: number;
  version?: string;
}

interface AgentRow {
  location: string;
  name: string;
  first_seen: Date;
  last_seen: Date;
  skew_ms: number;
  spooled: number | null;
  version: string | null;
}

/** The agents of the last day, by location, the longest silent first. */
export async function listAgents(db: Db): Promise<KnownAgent[]> {
  const { rows } = await db.query<AgentRow>(
    `select * from agent where last_seen > now() - interval '${FORGOTTEN_AFTER}' order by location, last_seen, name`,
  );
  return rows.map((row) => ({
    location: row.location,
    name: row.name,
    firstSeenMs: row.first_seen.getTime(),
    lastSeenMs: row.last_seen.getTime(),
    skewMs: row.skew_ms,
    ...(row.spooled === null ? {} : { spooled: row.spooled }),
    ...(row.version === null ? {} : { version: row.version }),
  }));
}

/** How many agents of each location were heard within that time; of a location without any there is none. */
export async function countHeard(db: Db, withinMs: number): Promise<Map<string, number>> {
  const { rows } = await db.query<{ location: string; agents: number }>(
    `select location, count(*) as agents from agent where last_seen > now() - $1 * interval '1 ms' group by location`,
    [withinMs],
  );
  return new Map(rows.map((row) => [row.location, row.agents]));
}

/** Runs of one location that ended alike. `run`: with a result, and not late. */
export interface RunsEnded {
  location: string;
  state: 'run' | 'late' | 'fault' | 'missed';
  /** The ledger's reason by name; empty for `run`. */
  reason: string;
  runs: number;
}

/** How the runs of the slots since then ended, by location, of whatever purpose. */
export async function runsEndedSince(db: Db, sinceMs: number): Promise<RunsEnded[]> {
  const { rows } = await db.query<RunsEnded>(
    `select location, state, reason, runs from (
       select location_key, state, coalesce(reason, '') as reason, count(*) as runs from run
       where slot > $1 and reason is distinct from 'retired' group by 1, 2, 3) as ended
     join location_key on key = location_key`,
    [at(sinceMs)],
  );
  return rows;
}

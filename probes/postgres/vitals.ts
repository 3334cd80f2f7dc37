/**
 * The vital signs of a PostgreSQL. Each is read by a statement of its own, so that a right that is missing costs one sign
 * and not all of them. Sessions of other roles are only told to members of `pg_monitor` (or `pg_read_all_stats`).
 */
import type { Finding } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import type { Reading } from '../signs.ts';
import { limitInWords, plain } from '../words.ts';
import { rootBlocker, type Waiting } from './blocking.ts';
import type { Session } from './session.ts';

export interface Vitals {
  connectionsRatio: Reading;
  lockWaitS: Reading;
  blockedSessions: Reading;
  longestQueryS: Reading;
  replicationLagS: Reading;
  blocker?: Finding;
  /** Every session that waits for a lock. */
  waiting: readonly Waiting[] | { unreadable: string };
}

const NO_RIGHT = 'the role may not see other sessions (it needs pg_monitor)';

/** Reads all signs. Throws {@link TargetTrouble} when the server fails under it. */
export async function readVitals(session: Session): Promise<Vitals> {
  const [server] = await session.rows(`
    SELECT pg_is_in_recovery() AS standby,
           pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all`);
  const seesAll = server?.sees_all === true;
  const hidden: Reading = { unreadable: NO_RIGHT };
  const locks = seesAll ? await readLocks(session) : { lockWaitS: hidden, blockedSessions: hidden, waiting: { unreadable: NO_RIGHT } };
  return {
    connectionsRatio: await reading(session, CONNECTIONS),
    ...locks,
    longestQueryS: seesAll ? await reading(session, LONGEST_QUERY) : hidden,
    replicationLagS: seesAll ? await readLag(session, server?.standby === true) : hidden,
  };
}

/** Of the connections that ordinary roles can have. */
const CONNECTIONS = `
  SELECT sum(numbackends)::float8 / nullif(current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true), '0')::int, 0) AS value
    FROM pg_stat_database`;

const LONGEST_QUERY = `
  SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8 AS value
    FROM pg_stat_activity
   WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()`;

/** A replica that received nothing since is not up to date, however much of the received it has replayed. */
const LAG_OF_STANDBY = `
  SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN NULL
              WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
              ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS value`;

/**
 * The server goes on telling the last replay_lag for some seconds after a replica has caught up, so positions are asked first.
 * Where it tells none, what is missing came after the replica's last reply.
 */
const LAG_OF_REPLICAS = `
  SELECT max(CASE WHEN replay_lsn >= pg_current_wal_lsn() THEN 0
                  WHEN replay_lag IS NOT NULL THEN extract(epoch FROM replay_lag)
                  ELSE extract(epoch FROM clock_timestamp() - reply_time) END)::float8 AS value
    FROM pg_stat_replication WHERE state IN ('streaming', 'catchup')`;

async function readLag(session: Session, standby: boolean): Promise<Reading> {
  if (standby) return await reading(session, LAG_OF_STANDBY, 'the replica receives nothing from its primary');
  return await reading(session, LAG_OF_REPLICAS, 'no replica is connected');
}

async function reading(session: Session, sql: string, whenMissing = 'the server tells no value'): Promise<Reading> {
  try {
    const [row] = await session.rows(sql);
    return typeof row?.value === 'number' && Number.isFinite(row.value) ? { value: row.value } : { unreadable: whenMissing };
  } catch (error) {
    if (error instanceof TargetTrouble && error.kind === 'unreadable') return { unreadable: error.message };
    throw error;
  }
}

/** Only sessions that wait are asked who blocks them: pg_blocking_pids takes the lock manager's locks. */
const WAITING = `
  SELECT a.pid, pg_blocking_pids(a.pid) AS blockers,
         greatest(0, extract(epoch FROM clock_timestamp() - coalesce(
           (SELECT min(l.waitstart) FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted), a.query_start)))::float8 AS waited_s
    FROM pg_stat_activity a
   WHERE a.wait_event_type = 'Lock' AND a.pid <> pg_backend_pid()
   LIMIT 1000`;

async function readLocks(session: Session): Promise<Pick<Vitals, 'lockWaitS' | 'blockedSessions' | 'blocker' | 'waiting'>> {
  let waiting: Waiting[];
  try {
    waiting = (await session.rows(WAITING)).map(toWaiting).filter((one) => one.blockers.length > 0);
  } catch (error) {
    if (!(error instanceof TargetTrouble && error.kind === 'unreadable')) throw error;
    const unreadable = { unreadable: error.message };
    return { lockWaitS: unreadable, blockedSessions: unreadable, waiting: unreadable };
  }
  const root = rootBlocker(waiting);
  const blocker = root && (await findingOf(session, root.pid, root.blocks));
  return {
    lockWaitS: { value: Math.max(0, ...waiting.map((one) => one.waitedS)) },
    blockedSessions: { value: waiting.length },
    waiting,
    ...(blocker ? { blocker } : {}),
  };
}

function toWaiting(row: Record<string, unknown>): Waiting {
  return { pid: Number(row.pid), blockers: (row.blockers as number[]) ?? [], waitedS: Number(row.waited_s) };
}

/** `backend_start` tells a session from a later one with the same pid: to the microsecond, in UTC, whatever the session's zone. */
async function findingOf(session: Session, pid: number, blocks: number): Promise<Finding | undefined> {
  const [row] = await session.rows(`
    SELECT application_name AS application, usename AS role, datname AS database, state,
           to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS backend_start,
           extract(epoch FROM clock_timestamp() - CASE WHEN state = 'active' THEN query_start ELSE xact_start END)::float8 AS age_s
      FROM pg_stat_activity WHERE pid = ${Math.trunc(pid)}`);
  // Pid 0 is a prepared transaction: nobody's session, so there is nothing to cancel.
  if (!row || typeof row.backend_start !== 'string') return undefined;
  return {
    kind: 'blocking-session',
    text: blockerInWords(row, pid, blocks),
    target: { pid, backendStart: row.backend_start },
    whose: {
      ...(typeof row.role === 'string' ? { role: row.role } : {}),
      ...(typeof row.database === 'string' ? { database: row.database } : {}),
    },
  };
}

/** Never the query's text: it may name a patient. */
function blockerInWords(row: Record<string, unknown>, pid: number, blocks: number): string {
  const application = plain(String(row.application ?? '').replaceAll(/[^\p{L}\p{N} _.,:/@()-]/gu, ''), 60);
  const role = plain(String(row.role ?? 'unknown role'), 63);
  const age = typeof row.age_s === 'number' ? ` ${limitInWords(Math.max(1, Math.round(row.age_s)) * 1000)}` : '';
  const doing = row.state === 'active' ? `running${age}` : `idle in a transaction${age && ` for${age}`}`;
  return `${application || 'a session'} (${role}, pid ${pid}, ${doing}) blocks ${blocks} ${blocks === 1 ? 'session' : 'sessions'}`;
}

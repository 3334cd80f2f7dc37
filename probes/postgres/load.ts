/**
 * Who puts how much load on a PostgreSQL: each database and each role, as the server itself counts it. Every source is read by a
 * statement of its own with little time, and what cannot be read is said and left out. The verdict never depends on any of it.
 *
 * `pg_stat_statements` counts a statement when it ends, and not at all when it fails, so the time of those that run now is told beside it.
 */
import { type Load, type LoadCounters, type LoadLevels, type Loads, MOST_LOADS } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import { rootsByWaiter, type Waiting } from './blocking.ts';
import type { Session } from './session.ts';

/** What one source may take on the server. */
const SOURCE_MS = 1_000;
/** Of each kind of owner; more are counted and left out. */
const MOST = MOST_LOADS / 2;
/** The size of a database is read from the file system, file by file, so only some are asked each time, by chance. */
const SIZES_AT_ONCE = 8;

type Row = Record<string, unknown>;
type Owner = 'database' | 'role';

interface Server {
  atMs: number;
  startedMs: number;
  /** The schema of pg_stat_statements, quoted; absent where it is not installed. */
  statements?: string;
}

/** What is gathered of one owner. */
interface Entry {
  by: Owner;
  name: string;
  countedFromMs: number;
  counters: LoadCounters;
  levels: LoadLevels;
}

/**
 * The load of every database and role. `waiting`: the sessions that wait for locks; without them nothing is said of sessions.
 * `undefined` when not even the server's clock could be read. Throws what is not the target's trouble.
 */
export async function readLoads(session: Session, waiting: readonly Waiting[] | { unreadable: string }): Promise<Loads | undefined> {
  const unreadable: string[] = [];
  const read = async (what: string, sql: string): Promise<Row[] | undefined> => {
    try {
      return await session.rows(sql, SOURCE_MS);
    } catch (error) {
      if (!(error instanceof TargetTrouble)) throw error;
      unreadable.push(`${what}: ${error.message}`.slice(0, 200));
      return undefined;
    }
  };
  const server = serverOf((await read('load', SERVER))?.[0]);
  if (!server) return undefined;
  const book = new Book();
  for (const row of (await read('load by database', DATABASES)) ?? []) addDatabase(book, row);
  for (const row of (await read('roles', ROLES)) ?? []) book.entry('role', row.name);
  await readStatements(book, server, read, unreadable);
  if ('unreadable' in waiting) unreadable.push(`sessions and locks: ${waiting.unreadable}`);
  else await readSessions(book, waiting, read);
  for (const row of (await read('sizes', SIZES)) ?? []) book.entry('database', row.name)?.add('levels', row, { size_bytes: 'sizeBytes' });
  return { atMs: server.atMs, loads: book.busiest(server, unreadable), unreadable };
}

type Read = (what: string, sql: string) => Promise<Row[] | undefined>;

class Owned {
  readonly entry: Entry;
  constructor(by: Owner, name: string) {
    this.entry = { by, name, countedFromMs: 0, counters: {}, levels: {} };
  }

  /** Takes the columns that hold a number. */
  add(where: 'counters' | 'levels', row: Row, columns: Readonly<Record<string, keyof LoadCounters | keyof LoadLevels>>): this {
    const into = this.entry[where] as Record<string, number>;
    for (const [column, name] of Object.entries(columns)) {
      const value = row[column];
      if (typeof value === 'number' && Number.isFinite(value)) into[name] = Math.max(0, value);
    }
    return this;
  }

  count(level: keyof LoadLevels): void {
    this.entry.levels[level] = (this.entry.levels[level] ?? 0) + 1;
  }
}

/** All owners of a server, by kind and name. */
class Book {
  readonly #owned = new Map<string, Owned>();

  entry(by: Owner, name: unknown): Owned | undefined {
    if (typeof name !== 'string' || name === '') return undefined;
    const key = `${by} ${name}`;
    const owned = this.#owned.get(key) ?? new Owned(by, name);
    this.#owned.set(key, owned);
    return owned;
  }

  /** What was asked of everybody and is not said of one is zero there. */
  zeroes(...names: (keyof LoadLevels)[]): void {
    for (const { entry } of this.#owned.values()) for (const name of names) entry.levels[name] ??= 0;
  }

  busiest(server: Server, unreadable: string[]): Load[] {
    return (['database', 'role'] as const).flatMap((by) => {
      const all = [...this.#owned.values()].map(({ entry }) => entry).filter((entry) => entry.by === by);
      if (all.length > MOST) unreadable.push(`only the ${MOST} busiest of ${all.length} ${by}s are told`);
      return all
        .sort((a, b) => busyness(b) - busyness(a))
        .slice(0, MOST)
        .map(({ countedFromMs, ...entry }) => ({ ...entry, countingSinceMs: Math.max(countedFromMs, server.startedMs) }));
    });
  }
}

/** Whoever holds others up comes first, then by the time of statements. */
function busyness({ counters, levels }: Entry): number {
  return (levels.blocks ?? 0) * 1e15 + (counters.statementMs ?? 0) + (levels.runningMs ?? 0) + (levels.connections ?? 0);
}

const SERVER = `
  SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at_ms, extract(epoch FROM pg_postmaster_start_time())::float8 * 1000 AS started_ms,
         (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_stat_statements') AS statements`;

function serverOf(row: Row | undefined): Server | undefined {
  if (typeof row?.at_ms !== 'number' || typeof row.started_ms !== 'number') return undefined;
  const { statements } = row;
  return { atMs: row.at_ms, startedMs: row.started_ms, ...(typeof statements === 'string' ? { statements } : {}) };
}

const DATABASES = `
  SELECT d.datname AS name, active_time AS statement_ms, tup_inserted::float8 AS rows_inserted, tup_deleted::float8 AS rows_deleted,
         temp_bytes::float8 AS temp_bytes, blks_read::float8 * current_setting('block_size')::int / 8192 AS blocks_read,
         extract(epoch FROM stats_reset)::float8 * 1000 AS reset_ms
    FROM pg_stat_database s JOIN pg_database d ON d.oid = s.datid WHERE d.datallowconn AND NOT d.datistemplate
   ORDER BY active_time DESC LIMIT 1000`;

function addDatabase(book: Book, row: Row): void {
  const owned = book.entry('database', row.name);
  if (!owned) return;
  owned.entry.countedFromMs = Number(row.reset_ms ?? 0);
  owned.add('counters', row, { ...STATEMENT_COLUMNS, rows_inserted: 'rowsInserted', rows_deleted: 'rowsDeleted' });
}

const STATEMENT_COLUMNS = { statement_ms: 'statementMs', blocks_read: 'blocksRead', temp_bytes: 'tempBytes' } as const;

const ROLES = `SELECT rolname AS name FROM pg_roles WHERE rolcanlogin ORDER BY oid LIMIT 1000`;

/** Without the statements' texts, which stand in a file and are nobody's business. */
function statementsSql(schema: string): string {
  return `
  SELECT r.rolname AS name, sum(total_plan_time + total_exec_time) AS statement_ms,
         (sum(shared_blks_read + local_blks_read) * current_setting('block_size')::int / 8192)::float8 AS blocks_read,
         (sum(temp_blks_written) * current_setting('block_size')::int)::float8 AS temp_bytes,
         extract(epoch FROM (SELECT stats_reset FROM ${schema}.pg_stat_statements_info))::float8 * 1000 AS reset_ms
    FROM ${schema}.pg_stat_statements(false) s JOIN pg_roles r ON r.oid = s.userid WHERE r.rolcanlogin
   GROUP BY r.rolname ORDER BY 2 DESC LIMIT 1000`;
}

async function readStatements(book: Book, { statements }: Server, read: Read, unreadable: string[]): Promise<void> {
  const what = 'time, blocks and temporary files by role';
  if (statements === undefined) {
    unreadable.push(`${what}: pg_stat_statements is not in this database`);
    return;
  }
  for (const row of (await read(what, statementsSql(statements))) ?? []) {
    const owned = book.entry('role', row.name)?.add('counters', row, STATEMENT_COLUMNS);
    if (owned) owned.entry.countedFromMs = Number(row.reset_ms ?? 0);
  }
}

const SESSIONS = `
  SELECT usename AS role, datname AS database, count(*)::float8 AS connections, count(*) FILTER (WHERE waits)::float8 AS waiting,
         count(*) FILTER (WHERE state = 'active' AND NOT waits)::float8 AS running,
         coalesce(sum(greatest(0, extract(epoch FROM clock_timestamp() - query_start))) FILTER (WHERE state = 'active' AND NOT waits), 0)::float8
           * 1000 AS running_ms
    FROM (SELECT *, coalesce(wait_event_type = 'Lock', false) AS waits FROM pg_stat_activity) AS a
   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
   GROUP BY GROUPING SETS ((usename), (datname))`;

/** Every read of a table takes an AccessShareLock, which holds up nearly nobody; and who waits holds what it holds because of another. */
const LOCKS = `
  SELECT a.usename AS role, a.datname AS database, count(*)::float8 AS locks
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE l.granted AND l.mode <> 'AccessShareLock' AND l.locktype NOT IN ('virtualxid', 'transactionid')
     AND a.backend_type = 'client backend' AND a.wait_event_type IS DISTINCT FROM 'Lock' AND a.pid <> pg_backend_pid()
   GROUP BY GROUPING SETS ((a.usename), (a.datname))`;

const SIZES = `
  SELECT name, pg_database_size(oid)::float8 AS size_bytes
    FROM (SELECT oid, datname AS name FROM pg_database WHERE datallowconn AND NOT datistemplate
           ORDER BY random() LIMIT ${SIZES_AT_ONCE}) AS chosen`;

const SESSION_COLUMNS = { connections: 'connections', waiting: 'waiting', running: 'running', running_ms: 'runningMs' } as const;

async function readSessions(book: Book, waiting: readonly Waiting[], read: Read): Promise<void> {
  const sessions = await read('sessions', SESSIONS);
  for (const row of sessions ?? []) ownerOf(book, row)?.add('levels', row, SESSION_COLUMNS);
  if (sessions) book.zeroes('connections', 'waiting', 'running', 'runningMs');
  const locks = await read('locks', LOCKS);
  for (const row of locks ?? []) ownerOf(book, row)?.add('levels', row, { locks: 'locks' });
  if (locks) book.zeroes('locks');
  await readBlocked(book, waiting, read);
}

/** Who is held up by another owner, and by whom. What one owner does to itself hurts nobody else. */
async function readBlocked(book: Book, waiting: readonly Waiting[], read: Read): Promise<void> {
  const roots = rootsByWaiter(waiting);
  const pids = new Set([...roots].flatMap(([pid, blockers]) => [pid, ...blockers]));
  const rows = pids.size === 0 ? [] : await read('who holds others up', sessionsSql([...pids]));
  if (!rows) return;
  const ownerOfPid = new Map(rows.map((row) => [Number(row.pid), row]));
  for (const by of ['role', 'database'] as const) {
    for (const [pid, blockers] of roots) {
      const own = ownerOfPid.get(pid)?.[by];
      // A prepared transaction is nobody's session, and so another's.
      const others = [...blockers].map((blocker) => ownerOfPid.get(blocker)?.[by]).filter((other) => other !== own);
      if (others.length > 0) book.entry(by, own)?.count('held');
      for (const other of new Set(others)) book.entry(by, other)?.count('blocks');
    }
  }
  book.zeroes('held', 'blocks');
}

function ownerOf(book: Book, { role, database }: Row): Owned | undefined {
  return typeof role === 'string' ? book.entry('role', role) : book.entry('database', database);
}

function sessionsSql(pids: readonly number[]): string {
  return `SELECT pid, usename AS role, datname AS database FROM pg_stat_activity WHERE pid IN (${pids.map(Math.trunc).join(', ')})`;
}

/** Changes that were reported: each once, however often it is told of. */

import {
  type ChangeKind,
  type ChangeOutcome,
  isUnscoped,
  mergeChange,
  type NewChange,
  ONE_CHANGE_MS,
  type ReportedChange,
  scopesOf,
  type ToldChange,
  type Touched,
} from '../core/change.ts';
import type { Config } from '../core/config/model.ts';
import { at, type Db, inTransaction, type Pool } from './db.ts';
import { markDirty } from './scope.ts';

/** What became of what was told. */
export interface Inserted {
  /** Absent for `nothing`. */
  id?: number;
  /** `moved`: it was known and has ended now. `nothing`: the end of a change that nobody has heard of. */
  is: 'new' | 'moved' | 'known' | 'nothing';
}

/** Longer lists than these are for nobody. */
const MOST_CHANGES = 500;

/** Of one key, the latest: older ones are not told of again. */
const MOST_ROUNDS = 20;

/** How long after it began a change may still be under way: what ended since then is looked for among these. */
const LONGEST_MS = 24 * 3_600_000;

interface Row {
  id: number;
  round: number;
  at: Date;
  ended_at: Date | null;
  last_at: Date;
  kind: ChangeKind;
  title: string;
  outcome: ChangeOutcome;
  by_whom: string | null;
  source: string;
  url: string | null;
  version: string | null;
  services: string[];
  components: string[];
  tenants: string[];
}

const COLUMNS = 'id, round, at, ended_at, last_at, kind, title, outcome, by_whom, source, url, version, services, components, tenants';

/**
 * Stores a change under its key, or what is new of one that is known: told at once by several processes, or in any order, it is one.
 * Called in a transaction, since it locks the key until that ends.
 */
export async function insertChange(
  db: Db,
  change: NewChange,
  key: string,
  { repeats = false, onlyEnds = false }: { repeats?: boolean; onlyEnds?: boolean } = {},
): Promise<Inserted> {
  await db.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`change ${key}`]);
  const { rows } = await db.query<Row>(`select ${COLUMNS} from change where key = $1 order by round desc limit ${MOST_ROUNDS}`, [key]);
  const known = repeats ? rows.find((row) => isNear(row, change)) : rows[0];
  if (known) return update(db, known, change, onlyEnds);
  if (onlyEnds) return { is: 'nothing' };
  return insert(db, change, key, (rows[0]?.round ?? -1) + 1);
}

function isNear({ at: began, last_at }: Row, { atMs }: NewChange): boolean {
  return atMs >= began.getTime() - ONE_CHANGE_MS && atMs <= last_at.getTime() + ONE_CHANGE_MS;
}

function latestOf({ atMs, endedAtMs }: NewChange): Date {
  return at(Math.max(atMs, endedAtMs ?? 0));
}

async function insert(db: Db, change: NewChange, key: string, round: number): Promise<Inserted> {
  const { rows } = await db.query<{ id: number }>(
    `insert into change (key, round, last_at, at, ended_at, kind, title, outcome, by_whom, source, url, version, services, components, tenants)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning id`,
    [key, round, latestOf(change), ...valuesOf(change)],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no id for the change');
  return { id, is: 'new' };
}

async function update(db: Db, row: Row, told: NewChange, onlyEnds: boolean): Promise<Inserted> {
  const known = fromRow(row);
  // That it is as it was, said at every interval, does not make a change last.
  if (onlyEnds && known.outcome !== 'begun') return { id: known.id, is: 'known' };
  const merged = mergeChange(known, told);
  await db.query(
    `update change set last_at = greatest(last_at, $2), at = $3, ended_at = $4, kind = $5, title = $6, outcome = $7, by_whom = $8,
       source = $9, url = $10, version = $11, services = $12, components = $13, tenants = $14 where id = $1`,
    [known.id, latestOf(told), ...valuesOf(merged)],
  );
  return { id: known.id, is: merged.outcome === known.outcome ? 'known' : 'moved' };
}

function valuesOf(change: NewChange): unknown[] {
  return [
    at(change.atMs),
    change.endedAtMs === undefined ? null : at(change.endedAtMs),
    change.kind,
    change.title,
    change.outcome,
    change.by ?? null,
    change.source,
    change.url ?? null,
    change.version ?? null,
    change.services,
    change.components,
    change.tenants,
  ];
}

/** Stores what was told in one transaction, and has the scopes that it concerns judged. In the order of what was told. */
export async function reportChanges(
  pool: Pool,
  config: Pick<Config, 'services' | 'checks' | 'scopes'>,
  told: readonly ToldChange[],
): Promise<Inserted[]> {
  // Sorted, so that two deliveries that tell of the same changes do not wait for each other.
  const sorted = told.map((one, index) => ({ one, index })).sort((a, b) => (a.one.key < b.one.key ? -1 : 1));
  return inTransaction(pool, async (db) => {
    const inserted: Inserted[] = [];
    const scopes: string[] = [];
    for (const { one, index } of sorted) {
      const done = await insertChange(db, one.change, one.key, one);
      inserted[index] = done;
      if (done.is === 'new' || done.is === 'moved') scopes.push(...(await scopesConcerned(db, config, one.change)));
    }
    await markDirty(db, scopes);
    return inserted;
  });
}

async function scopesConcerned(db: Db, config: Pick<Config, 'services' | 'checks' | 'scopes'>, touched: Touched): Promise<string[]> {
  if (!isUnscoped(touched)) return scopesOf(config, touched);
  const { rows } = await db.query<{ scope: string }>(`select distinct scope from incident where state = 'open'`);
  return rows.map((row) => row.scope);
}

/** Changes that began, went on or ended in that time, the latest first. */
export async function changesBetween(db: Db, fromMs: number, untilMs: number, limit = MOST_CHANGES): Promise<ReportedChange[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from change where at > $4 and at <= $2 and coalesce(ended_at, at) >= $1 order by at desc, id desc limit $3`,
    [at(fromMs), at(untilMs), Math.min(limit, MOST_CHANGES), at(fromMs - LONGEST_MS)],
  );
  return rows.map(fromRow);
}

/** Those of them that touch any of these, or of which nobody said what they touch. */
export async function changesFor(
  db: Db,
  { services, components, tenants }: Readonly<Record<keyof Touched, readonly string[]>>,
  fromMs: number,
  untilMs: number,
): Promise<ReportedChange[]> {
  const { rows } = await db.query<Row>(
    `select ${COLUMNS} from change
     where at > $4 and at <= $2 and coalesce(ended_at, at) >= $1
       and (services && $5 or components && $6 or tenants && $7 or cardinality(services || components || tenants) = 0)
     order by at desc, id desc limit $3`,
    [at(fromMs), at(untilMs), MOST_CHANGES, at(fromMs - LONGEST_MS), services, components, tenants],
  );
  return rows.map(fromRow);
}

function fromRow(row: Row): ReportedChange {
  return {
    id: row.id,
    atMs: row.at.getTime(),
    ...(row.ended_at === null ? {} : { endedAtMs: row.ended_at.getTime() }),
    kind: row.kind,
    title: row.title,
    outcome: row.outcome,
    ...(row.by_whom === null ? {} : { by: row.by_whom }),
    source: row.source,
    ...(row.url === null ? {} : { url: row.url }),
    ...(row.version === null ? {} : { version: row.version }),
    services: row.services,
    components: row.components,
    tenants: row.tenants,
  };
}

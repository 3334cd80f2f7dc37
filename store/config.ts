/**
 * The configuration in force: one for all processes. Whoever applies another holds the lock alone; whoever folds, judges or plans
 * shares it until the end of the transaction, and goes no further when the number in force is not the one it works with. So no
 * two workers ever decide under two configurations.
 */
import type { Config } from '../core/config/model.ts';
import { type Db, inTransaction, type Pool } from './db.ts';

/** Any number that nothing else in this database locks. */
const LOCK = 7_268_651;

/** A runner that has been silent for so long is gone: it tells every 10 s. */
const RUNNER_GONE_S = 30;

/** A configuration as it was written, and where. */
export interface WrittenConfig {
  /** The values of the file as JSON, in the order of the file. */
  source: string;
  /** As it is named in messages. */
  file: string;
  /** Where its journeys are looked for. */
  folder: string;
}

export interface StoredConfig extends WrittenConfig {
  /** Rises with each configuration that is applied; 0 when there never was one. */
  seq: number;
  revision: string;
  appliedAtMs: number;
  /** Such as `worker@host/123`. */
  appliedBy: string;
}

/** Thrown where a decision would be made under a configuration that is in force no more. The next try has the new one. */
export class NotInForce extends Error {
  constructor(seq: number, inForce: number) {
    super(`another configuration is in force (number ${inForce}, not ${seq})`);
    this.name = 'NotInForce';
  }
}

/**
 * Runs `work` in a transaction in which the configuration of that number is in force from beginning to end; throws `NotInForce` when it
 * is not. The lock and the number come with `begin`, in one round trip. They are two statements, since one alone would read the number
 * as it was before it waited for the lock.
 */
export function whileInForce<T>(pool: Pool, seq: number, work: (db: Db) => Promise<T>): Promise<T> {
  return inTransaction(pool, work, async (db) => {
    const text = `begin; select pg_advisory_xact_lock_shared(${LOCK}); select seq from config_in_force`;
    // Several statements without parameters are answered by a list; the types of pg do not say so.
    const answers = (await db.query(text)) as unknown as { rows: { seq: number }[] }[];
    const inForce = answers[2]?.rows[0]?.seq ?? 0;
    if (inForce !== seq) throw new NotInForce(seq, inForce);
  });
}

/** Runs `work` in a transaction in which nobody decides anything: all that were about to have ended, and new ones wait. */
export function whileNobodyDecides<T>(pool: Pool, work: (db: Db) => Promise<T>): Promise<T> {
  return inTransaction(pool, async (db) => {
    await db.query('select pg_advisory_xact_lock($1)', [LOCK]);
    return work(db);
  });
}

/** The number in force; 0 when there never was a configuration. */
export async function seqInForce(db: Db): Promise<number> {
  const { rows } = await db.query<{ seq: number }>('select seq from config_in_force');
  return rows[0]?.seq ?? 0;
}

interface Row {
  seq: number;
  revision: string;
  source: string;
  file: string;
  folder: string;
  applied_at: Date;
  applied_by: string;
}

/** The configuration in force, as it was written. */
export async function readInForce(db: Db): Promise<StoredConfig | undefined> {
  const { rows } = await db.query<Row>(
    'select seq, revision, source::text as source, file, folder, applied_at, applied_by from config_in_force',
  );
  const row = rows[0];
  if (!row) return undefined;
  const { seq, revision, source, file, folder } = row;
  return { seq, revision, source, file, folder, appliedAtMs: row.applied_at.getTime(), appliedBy: row.applied_by };
}

/** Puts a configuration in force and keeps it under its revision. Returns its number. Called in {@link whileNobodyDecides}. */
export async function writeInForce(db: Db, config: Config, written: WrittenConfig, by: string): Promise<number> {
  await keepRevision(db, config);
  const { rows } = await db.query<{ seq: number }>(
    `insert into config_in_force (seq, revision, source, file, folder, applied_by) values (1, $1, $2, $3, $4, $5)
     on conflict (one) do update set seq = config_in_force.seq + 1, revision = excluded.revision, source = excluded.source,
       file = excluded.file, folder = excluded.folder, applied_at = now(), applied_by = excluded.applied_by
     returning seq`,
    [config.revision, written.source, written.file, written.folder, by],
  );
  const seq = rows[0]?.seq;
  if (seq === undefined) throw new Error('PostgreSQL returned no number for the configuration');
  return seq;
}

/** Keeps what decisions were made under, once, by its revision: with defaults filled in and tenants expanded. */
async function keepRevision(db: Db, config: Config): Promise<void> {
  await db.query('insert into config_revision (revision, config) values ($1, $2) on conflict do nothing', [
    config.revision,
    JSON.stringify(config),
  ]);
}

export interface Runner {
  /** Such as `worker@host/123`. */
  id: string;
  /** `worker` or `bot`. */
  kind: string;
  seq: number;
}

/** Notes which configuration a process runs; to be repeated every 10 s. Forgets those that have been silent for long. */
export async function noteRunner(db: Db, { id, kind, seq }: Runner): Promise<void> {
  await db.query(
    `with gone as (delete from config_runner where seen_at < now() - interval '1 day' and id <> $1)
     insert into config_runner (id, kind, seq) values ($1, $2, $3) on conflict (id) do update set seq = $3, seen_at = now()`,
    [id, kind, seq],
  );
}

/** Forgets a process that ends. */
export async function forgetRunner(db: Db, id: string): Promise<void> {
  await db.query('delete from config_runner where id = $1', [id]);
}

/** The processes that run now, and what they run. */
export async function listRunners(db: Db): Promise<Runner[]> {
  const { rows } = await db.query<Runner>(
    `select id, kind, seq from config_runner where seen_at > now() - $1 * interval '1 second' order by kind, id`,
    [RUNNER_GONE_S],
  );
  return rows;
}

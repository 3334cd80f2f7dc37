/** Partitions of the ledger: each run lies in that of its slot. */
import { at, type Db, type Pool } from './db.ts';

interface Span {
  fromMs: number;
  untilMs: number;
}

/** Made ahead, so that those who plan find them. */
const AHEAD_MS = 12 * 3_600_000;
const made = new WeakMap<Pool, Span>();

/** Sees to it that runs with slots of that time can be stored. Asks PostgreSQL only for what this process has not asked for before. */
export async function partitionsFor(pool: Pool, fromMs: number, untilMs: number): Promise<void> {
  const known = made.get(pool);
  if (known && known.fromMs <= fromMs && untilMs <= known.untilMs) return;
  const span = { fromMs, untilMs: untilMs + AHEAD_MS };
  await pool.query('select make_run_partitions($1, $2)', [at(span.fromMs), at(span.untilMs)]);
  made.set(pool, span);
}

/** Any number that nothing else in this database locks. */
const LOCK = 7_268_652;

interface Partition {
  name: string;
  untilMs: number;
  attached: boolean;
  /** Somebody began to take it away and did not live to finish. */
  pending: boolean;
}

/**
 * Drops the partitions all of whose slots are before that time. Returns their names. One worker at a time does it; for the others there is
 * nothing to do. Nobody who folds or reads waits for it: a partition is detached while the others are worked on, and dropped when it is
 * nobody's any more.
 */
export async function dropPartitions(pool: Pool, beforeMs: number): Promise<string[]> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [LOCK]);
    if (!rows[0]?.mine) return [];
    try {
      const old = (await listPartitions(client)).filter((one) => one.untilMs <= beforeMs);
      for (const partition of old) await dropOne(client, partition);
      return old.map(({ name }) => name);
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK]).catch((error: Error) => {
        broken = error;
      });
    }
  } finally {
    // With its connection its lock would be kept.
    client.release(broken);
  }
}

async function dropOne(db: Db, { name, attached, pending }: Partition): Promise<void> {
  // The names come from the catalogue, by a pattern that needs no quotes.
  if (attached) await db.query(`alter table run detach partition ${name} ${pending ? 'finalize' : 'concurrently'}`);
  await db.query(`drop table ${name}`);
}

/** Those that are there, attached or not: who was killed between detaching and dropping leaves one that is not. */
async function listPartitions(db: Db): Promise<Partition[]> {
  const { rows } = await db.query<{ name: string; until: Date; attached: boolean; pending: boolean }>(
    `select relname as name, to_timestamp(substr(relname, 5) || ' +00', 'YYYYMMDD_HH24 TZH') + run_partition_width() as until,
       inhrelid is not null as attached, coalesce(inhdetachpending, false) as pending
     from pg_class left join pg_inherits on inhrelid = pg_class.oid and inhparent = 'run'::regclass
     where relkind = 'r' and relname ~ '^run_[0-9]{8}_[0-9]{2}$'
       and relnamespace = (select relnamespace from pg_class where oid = 'run'::regclass)
     order by 1`,
  );
  return rows.map(({ name, until, attached, pending }) => ({ name, untilMs: until.getTime(), attached, pending }));
}

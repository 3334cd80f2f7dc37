/** Partitions of the ledger: each run lies in that of its slot. */
import { at, type Pool } from './db.ts';

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

/** Scopes: what is judged together, and whether there is something to judge. */
import type { Db } from './db.ts';

/** Notes that something in these scopes changed. Called in the transaction that changed it. */
export async function markDirty(db: Db, scopes: Iterable<string>): Promise<void> {
  const sorted = [...new Set(scopes)].sort();
  if (sorted.length === 0) return;
  await db.query(
    `insert into scope (id, dirty_seq, dirty_at) select id, 1, now() from unnest($1::text[]) as one (id)
     on conflict (id) do update set dirty_seq = scope.dirty_seq + 1, dirty_at = now()`,
    [sorted],
  );
}

/** Scopes with something to judge. */
export async function dirtyScopes(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('select id from scope where dirty_seq > judged_seq order by dirty_at');
  return rows.map((row) => row.id);
}

/** Locks a scope until the transaction ends; `undefined` when all of it was judged meanwhile. */
export async function lockDirtyScope(db: Db, id: string): Promise<number | undefined> {
  const { rows } = await db.query<{ dirty_seq: number }>(
    'select dirty_seq from scope where id = $1 and dirty_seq > judged_seq for update',
    [id],
  );
  return rows[0]?.dirty_seq;
}

/** Notes that the scope was judged up to that change. */
export async function markJudged(db: Db, id: string, seq: number): Promise<void> {
  await db.query('update scope set judged_seq = $2 where id = $1', [id, seq]);
}

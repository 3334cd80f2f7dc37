/** Scopes: what is judged together, whether there is something to judge, and what is remembered from one judgement to the next. */
import type { ScopeMemory } from '../core/judge.ts';
import { at, type Db } from './db.ts';

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

const TO_JUDGE = '(dirty_seq > judged_seq or judge_at <= $1)';

/** Scopes with something to judge: something changed, or they asked to be judged by now. */
export async function dirtyScopes(db: Db, nowMs: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(`select id from scope where ${TO_JUDGE} order by dirty_at`, [at(nowMs)]);
  return rows.map((row) => row.id);
}

export interface DirtyScope {
  seq: number;
  memory: ScopeMemory;
}

/** Locks a scope until the transaction ends; `undefined` when all of it was judged meanwhile. */
export async function lockDirtyScope(db: Db, id: string, nowMs: number): Promise<DirtyScope | undefined> {
  const { rows } = await db.query<{ dirty_seq: number; memory: ScopeMemory }>(
    `select dirty_seq, memory from scope where ${TO_JUDGE} and id = $2 for update`,
    [at(nowMs), id],
  );
  return rows[0] && { seq: rows[0].dirty_seq, memory: rows[0].memory };
}

/** Notes that the scope was judged up to that change, and when it is to be judged again though nothing changes. */
export async function markJudged(db: Db, id: string, judged: DirtyScope, againAtMs?: number): Promise<void> {
  await db.query('update scope set judged_seq = $2, memory = $3, judge_at = $4 where id = $1', [
    id,
    judged.seq,
    JSON.stringify(judged.memory),
    againAtMs === undefined ? null : at(againAtMs),
  ]);
}

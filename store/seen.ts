/** Signed requests and click ids that were seen: a replay has no effect. */
import type { Db } from './db.ts';

/** A signature is good for 5 minutes; what is older than an hour can no longer be replayed. */
const KEPT_HOURS = 1;

/** Notes the ids. Returns whether all of them are new: of two identical requests one is. */
export async function firstSeen(db: Db, ids: readonly string[]): Promise<boolean> {
  const { rowCount } = await db.query('insert into seen_request (id) select unnest($1::text[]) on conflict do nothing', [[...ids].sort()]);
  return rowCount === new Set(ids).size;
}

/** Forgets what can no longer be replayed. */
export async function forgetSeen(db: Db): Promise<void> {
  await db.query(`delete from seen_request where at < now() - $1 * interval '1 hour'`, [KEPT_HOURS]);
}

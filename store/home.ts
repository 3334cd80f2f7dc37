/** Who has looked at the Home tab, and what it shows them. Several bots may publish; of one person's view only one does at a time. */
import type { Db } from './db.ts';

/** Somebody whose view is to be published, claimed by this call. */
export interface Viewer {
  user: string;
  /** Of the view that Slack shows; absent when that is not known. */
  hash?: string;
}

interface ViewerRow {
  user_id: string;
  hash: string | null;
}

function fromRow(row: ViewerRow): Viewer {
  return { user: row.user_id, ...(row.hash ? { hash: row.hash } : {}) };
}

/** Notes that somebody looks: their view is published at its next turn, whether or not anything has changed but times. */
export async function noteLook(db: Db, user: string): Promise<void> {
  await db.query(
    `insert into home_view (user_id, looked_at) values ($1, now())
     on conflict (user_id) do update set looked_at = excluded.looked_at, digest = null`,
    [user],
  );
}

/** Whether there is anybody who has looked within that time and was not published to for the other. */
export async function anybodyDue(db: Db, { withinMs, everyMs }: { withinMs: number; everyMs: number }): Promise<boolean> {
  const { rows } = await db.query<{ some: boolean }>(
    `select exists (select 1 from home_view where looked_at > now() - $1 * interval '1 millisecond'
       and tried_at <= now() - $2 * interval '1 millisecond') as some`,
    [withinMs, everyMs],
  );
  return rows[0]?.some ?? false;
}

export interface ClaimViewers {
  /** Only those who have looked within it. */
  withinMs: number;
  /** None is published more often. */
  everyMs: number;
  /** Published again after it though nothing else has changed than times, to who has looked within `freshWithinMs`. */
  freshMs: number;
  freshWithinMs: number;
  /** Slack ids of those whose view has buttons, what they should be shown, and what the others should. */
  known: readonly string[];
  digestKnown: string;
  digestOthers: string;
  most: number;
}

const CLAIM = `
with due as (
  select user_id from home_view
  where looked_at > now() - $1 * interval '1 millisecond' and tried_at <= now() - $2 * interval '1 millisecond'
    and (digest is distinct from (case when user_id = any ($5::text[]) then $6 else $7 end)
      or tried_at <= now() - $3 * interval '1 millisecond' and looked_at > now() - $4 * interval '1 millisecond')
  order by looked_at desc limit $8 for update skip locked
)
update home_view set tried_at = now(), digest = null from due where home_view.user_id = due.user_id
returning home_view.user_id, home_view.hash`;

/** Those whose view shows something else than it should, and whose turn it is. The caller publishes, then calls {@link notePublished}. */
export async function claimViewers(db: Db, claim: ClaimViewers): Promise<Viewer[]> {
  const { rows } = await db.query<ViewerRow>(CLAIM, [
    claim.withinMs,
    claim.everyMs,
    claim.freshMs,
    claim.freshWithinMs,
    claim.known,
    claim.digestKnown,
    claim.digestOthers,
    claim.most,
  ]);
  return rows.map(fromRow);
}

/** Writes down what Slack shows now. */
export async function notePublished(db: Db, shown: { user: string; digest: string; hash: string }): Promise<void> {
  await db.query('update home_view set digest = $2, hash = $3 where user_id = $1', [shown.user, shown.digest, shown.hash]);
}

/** The hash of what Slack shows somebody, as far as any bot has written it down. */
export async function shownHash(db: Db, user: string): Promise<string | undefined> {
  const { rows } = await db.query<{ hash: string | null }>('select hash from home_view where user_id = $1', [user]);
  return rows[0]?.hash ?? undefined;
}

/**
 * What Slack is to be told: one row for each thing, written in the transaction that decided it, sent by whoever claims it.
 *
 *   wanted ──claim──► claimed ──────────► sent        Slack has it
 *     ▲                 │  │ └──────────► refused     Slack will never take it
 *     └───put back──────┘  └─lease over─► claimed     by another: looked for in the history first, when it may have gone out
 *   wanted ─────────────────────────────► superseded  a newer row of the same incident tells all that it would
 *
 * A lane keeps its order: nothing of it is claimed while another row of it is in flight, and threads go one after the other. The
 * newest `incident` row of a lane goes before all else in it, since it renders what is true now: older ones are superseded.
 *
 * A claim is a lease with a fencing token. Whoever ends a row shows the token; with an old one nothing is written.
 */
import { type Db, inTransaction, type Pool } from './db.ts';

/** Lower goes first. A full interruption never waits behind a report. */
export const PRIORITY = {
  interruption: 10,
  outage: 20,
  resolve: 30,
  degradation: 40,
  answer: 15,
  thread: 50,
  notice: 55,
  report: 60,
} as const;

export interface NewOutboxRow {
  kind: 'incident' | 'thread' | 'answer' | 'report' | 'notice';
  /** Rows of one lane are sent in order. */
  lane: string;
  channel?: string;
  incidentId?: number;
  timelineId?: number;
  payload?: Record<string, unknown>;
  priority: number;
  /** Why it is told, by name: `first-notification`, `class-raised`, `post-gone` … */
  reason: string;
  /** Not before this has passed. */
  delayMs?: number;
  /** What was wanted under this key before is not wanted again, also when it was told long ago. */
  key?: string;
}

/** Adds rows; they become visible to the bot with the transaction. Returns how many were new: all, unless a key was there already. */
export async function enqueue(db: Db, rows: readonly NewOutboxRow[]): Promise<number> {
  let added = 0;
  for (const row of rows) {
    const { rowCount } = await db.query(
      `insert into outbox (kind, lane, channel, incident_id, timeline_id, payload, priority, reason, not_before, key)
       values ($1, $2, $3, $4, $5, $6, $7, $8, now() + $9 * interval '1 millisecond', $10)
       on conflict (key) where key is not null do nothing`,
      [
        row.kind,
        row.lane,
        row.channel ?? null,
        row.incidentId ?? null,
        row.timelineId ?? null,
        row.payload ?? {},
        row.priority,
        row.reason,
        row.delayMs ?? 0,
        row.key ?? null,
      ],
    );
    added += rowCount ?? 0;
  }
  return added;
}

/** A row in hand. */
export interface Claim {
  id: string;
  /** The fencing token. */
  token: number;
  kind: NewOutboxRow['kind'];
  lane: string;
  channel?: string;
  incidentId?: number;
  timelineId?: number;
  payload: Record<string, unknown>;
  priority: number;
  reason: string;
  /** How often it has been claimed, this time included. */
  tries: number;
  /** It changes a post that is there, of which Slack takes few. */
  changesPost: boolean;
  /** How long ago a request with it went out of which nothing is known; `undefined` when none did. */
  sentAgoMs?: number;
  /** How long it has been wanted. */
  madeAgoMs: number;
}

interface ClaimRow {
  id: string;
  token: number;
  kind: NewOutboxRow['kind'];
  lane: string;
  channel: string | null;
  incident_id: number | null;
  timeline_id: number | null;
  payload: Record<string, unknown>;
  priority: number;
  reason: string;
  tries: number;
  sent_ago_ms: number | null;
  made_ago_ms: number;
  changes_post: boolean;
}

export interface ClaimOptions {
  leaseMs: number;
  /** Least time between two requests for one channel, over all bots. Slack's limit: 1 post a second and channel. */
  channelGapMs: number;
  /** Channels that Slack told us to leave alone for now. */
  channelsHeld?: readonly string[];
  /** Posts that are there already are not to be changed now: it is not their turn, and first posts are not to wait behind them. */
  changesHeld?: boolean;
}

/**
 * A row whose turn it is: free, or in a hand whose lease ran out; nothing of its lane in flight. An `incident` row waits for no
 * other but gives way to a newer one; a `thread` or `answer` row waits for everything earlier, and for the incident's post. A row
 * that is not due before later, such as another try at a picture, is waited for only when it has been tried already.
 */
const CLAIM = `
with busy as materialized (
  select distinct channel from outbox where sending_since > now() - $1 * interval '1 millisecond' and channel is not null
)
select o.id from outbox o
where (o.state = 'wanted' and o.not_before <= now() or o.state = 'claimed' and o.lease_until < now())
  and (o.channel is null or (o.channel <> all ($2::text[]) and o.channel not in (select channel from busy)))
  and not ($3 and o.kind = 'incident' and exists (select from post where post.incident_id = o.incident_id and post.ts is not null))
  and not exists (
    select 1 from outbox other
    where other.lane = o.lane and other.id <> o.id and other.state in ('wanted', 'claimed') and (
      other.state = 'claimed'
      or o.kind = 'incident' and o.state = 'wanted' and other.kind = 'incident' and other.seq > o.seq and other.not_before <= now()
      or o.kind <> 'incident' and (other.seq < o.seq or other.kind = 'incident') and (other.not_before <= now() or other.tries > 0)
    )
  )
order by o.priority, o.seq
limit 1
for update of o skip locked`;

/** Any number that no other advisory lock of Rounds uses. */
const CLAIM_LOCK = 58_214_407;

const TAKE = `
with before as (select id, extract(epoch from now() - sending_since) * 1000 as sent_ago_ms from outbox where id = $1)
update outbox set state = 'claimed', token = token + 1, tries = tries + 1, lease_until = now() + $2 * interval '1 millisecond'
from before where outbox.id = before.id
returning outbox.*, before.sent_ago_ms::float8 as sent_ago_ms,
  (extract(epoch from now() - made_at) * 1000)::float8 as made_ago_ms,
  kind = 'incident' and exists (select from post where post.incident_id = outbox.incident_id and post.ts is not null) as changes_post`;

/** Takes the row whose turn it is, or `undefined`. Safe with any number of bots. */
export async function claimNext(pool: Pool, options: ClaimOptions): Promise<Claim | undefined> {
  return inTransaction(pool, async (db) => {
    // One claim at a time over all bots: two snapshots, each without the other's claim, would put two rows of a lane in flight.
    await db.query('select pg_advisory_xact_lock($1)', [CLAIM_LOCK]);
    const found = await db.query<{ id: string }>(CLAIM, [options.channelGapMs, options.channelsHeld ?? [], options.changesHeld ?? false]);
    const id = found.rows[0]?.id;
    if (id === undefined) return undefined;
    const { rows } = await db.query<ClaimRow>(TAKE, [id, options.leaseMs]);
    const row = rows[0];
    if (!row) return undefined;
    if (row.kind === 'incident') await supersedeOlder(db, row.lane, id);
    return fromRow(row);
  });
}

async function supersedeOlder(db: Db, lane: string, id: string): Promise<void> {
  await db.query(
    `update outbox set state = 'superseded', ended_at = now()
     where lane = $1 and kind = 'incident' and state = 'wanted' and seq < (select seq from outbox where id = $2)`,
    [lane, id],
  );
}

function fromRow(row: ClaimRow): Claim {
  return {
    id: row.id,
    token: row.token,
    kind: row.kind,
    lane: row.lane,
    payload: row.payload,
    priority: row.priority,
    reason: row.reason,
    tries: row.tries,
    changesPost: row.changes_post,
    madeAgoMs: row.made_ago_ms,
    ...(row.channel ? { channel: row.channel } : {}),
    ...(row.incident_id ? { incidentId: row.incident_id } : {}),
    ...(row.timeline_id ? { timelineId: row.timeline_id } : {}),
    ...(row.sent_ago_ms === null ? {} : { sentAgoMs: row.sent_ago_ms }),
  };
}

type Held = Pick<Claim, 'id' | 'token'>;

/** Commits that a request is about to go out, and renews the lease. Returns `false` when another has taken over. */
export async function markSending(db: Db, claim: Held, leaseMs: number): Promise<boolean> {
  return touched(db, claim, `sending_since = now(), lease_until = now() + $3 * interval '1 millisecond'`, [leaseMs]);
}

/** Slack has it. To be called in the transaction that records what Slack said. */
export async function markSent(db: Db, claim: Held, sent: { ts?: string; possibleDuplicate?: boolean }): Promise<boolean> {
  return touched(db, claim, `state = 'sent', ts = $3, possible_duplicate = $4, ended_at = now(), error = null`, [
    sent.ts ?? null,
    sent.possibleDuplicate ?? false,
  ]);
}

/** Slack will never take it. */
export async function markRefused(db: Db, claim: Held, error: string): Promise<boolean> {
  return touched(db, claim, `state = 'refused', error = $3, ended_at = now()`, [error.slice(0, 500)]);
}

/** Nothing went out, or what went out may go out again: to be tried again after a while. */
export async function putBack(db: Db, claim: Held, delayMs: number, error: string): Promise<boolean> {
  return touched(
    db,
    claim,
    `state = 'wanted', sending_since = null, lease_until = null, error = $4, not_before = now() + $3 * interval '1 millisecond'`,
    [delayMs, error.slice(0, 500)],
  );
}

/**
 * Nobody knows whether it arrived: it stays in hand, and is taken up again once `afterRequestMs` have passed since the request, but not
 * before `delayMs` from now.
 */
export async function markUnclear(db: Db, claim: Held, wait: { afterRequestMs: number; delayMs: number }, error: string): Promise<boolean> {
  const until = `greatest(sending_since + $3 * interval '1 millisecond', now() + $4 * interval '1 millisecond')`;
  return touched(db, claim, `lease_until = ${until}, error = $5`, [wait.afterRequestMs, wait.delayMs, error.slice(0, 500)]);
}

async function touched(db: Db, claim: Held, change: string, values: unknown[]): Promise<boolean> {
  const { rowCount } = await db.query(`update outbox set ${change} where id = $1 and token = $2 and state = 'claimed'`, [
    claim.id,
    claim.token,
    ...values,
  ]);
  return rowCount === 1;
}

/** Slack asked to leave a channel alone: what waits for it waits that long. */
export async function holdChannel(db: Db, channel: string, holdMs: number): Promise<void> {
  await db.query(
    `update outbox set not_before = greatest(not_before, now() + $2 * interval '1 millisecond') where state = 'wanted' and channel = $1`,
    [channel, holdMs],
  );
}

/** How many rows wait, and how long the one has waited whose turn came first. */
export async function outboxBacklog(db: Db): Promise<{ waiting: number; oldestMs: number }> {
  const { rows } = await db.query<{ waiting: number; oldest_ms: number }>(
    `select count(*) as waiting, coalesce(extract(epoch from now() - min(made_at)) * 1000, 0)::float8 as oldest_ms
     from outbox where state in ('wanted', 'claimed')`,
  );
  return { waiting: rows[0]?.waiting ?? 0, oldestMs: rows[0]?.oldest_ms ?? 0 };
}

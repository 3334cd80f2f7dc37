/**
 * What is told outside Slack: one row for each incident, class (or its end) and way.
 *
 *   wanted ──claim──► sending ──────────► sent       the other side has taken it
 *     ▲                 │  └─lease over─► sending    by another, under the same id: it may be there twice
 *     └──not taken──────┘
 *   wanted ─────────────────────────────► dropped    Slack has it by now, or it is over
 *
 * Mail cannot be looked up, so it is told at least once: who is killed between the mail server's answer and its record leaves a row that
 * is `sending`, and whoever takes it over sends it again with the same Message-ID (Idempotency-Key of a webhook), by which the other
 * side tells one from two.
 */
import type { About, Way } from '../core/elsewhere.ts';
import type { Db } from './db.ts';

/** What nobody could be told for so long is old news. */
const EXPIRES_HOURS = 24;

export interface Untold {
  incidentId: number;
  /** How long the first of it that Slack does not have has waited. */
  waitedMs: number;
  /** What was told elsewhere of it before. */
  told: { about: About; way: Way }[];
}

/**
 * Whether Slack has what the thread's row `o` tells of: the post that was wanted with it, just before it, or one that was wanted later,
 * was sent. A post shows what is true when it is sent, so the newest tells all that the older ones would.
 */
const SLACK_HAS_IT = `exists (
  select from outbox s where s.incident_id = o.incident_id and s.kind = 'incident' and s.state = 'sent' and s.seq >= coalesce(
    (select max(c.seq) from outbox c where c.incident_id = o.incident_id and c.kind = 'incident' and c.seq < o.seq), o.seq))`;

/**
 * Incidents of which Slack does not have the opening, the latest raise, or the end of what was told elsewhere, for longer than that:
 * nobody has posted it since, whatever the reason. Once the opening has waited so long, a raise is not waited for once more.
 */
export async function untoldFor(db: Db, afterMs: number): Promise<Untold[]> {
  const { rows } = await db.query<{ incident_id: number; waited_ms: number; told: Untold['told'] | null }>(
    `with candidate as materialized (
       select id, state from incident where state = 'open'
       union
       select i.id, i.state from told_elsewhere t join incident i on i.id = t.incident_id
       where i.state = 'resolved' and t.about <> 'resolved' and t.state in ('sending', 'sent')
     )
     select i.id as incident_id, (extract(epoch from now() - min(o.made_at)) * 1000)::float8 as waited_ms,
       (select jsonb_agg(jsonb_build_object('about', t.about, 'way', t.way)) from told_elsewhere t
        where t.incident_id = i.id and t.state <> 'dropped') as told
     from candidate i
     join timeline e on e.incident_id = i.id and e.kind = any (
       case i.state when 'open' then array['opened', 'class-raised'] else array['resolved'] end)
     join outbox o on o.incident_id = i.id and o.kind = 'thread' and o.timeline_id = e.id
     where o.made_at <= now() - $1 * interval '1 millisecond' and o.made_at > now() - $2 * interval '1 hour' and not ${SLACK_HAS_IT}
     group by i.id order by i.id`,
    [afterMs, EXPIRES_HOURS],
  );
  return rows.map((row) => ({ incidentId: row.incident_id, waitedMs: row.waited_ms, told: row.told ?? [] }));
}

/** Wants it told, again when it was dropped before. Returns whether that is new. */
export async function wantElsewhere(db: Db, incidentId: number, about: About, way: Way): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into told_elsewhere (incident_id, about, way) values ($1, $2, $3)
     on conflict (incident_id, about, way) do update
       set state = 'wanted', tries = 0, not_before = now(), wanted_at = now(), ended_at = null, error = null
       where told_elsewhere.state = 'dropped'`,
    [incidentId, about, way],
  );
  return rowCount === 1;
}

export interface ClaimedTelling {
  incidentId: number;
  about: About;
  way: Way;
  /** Always the same for it. */
  id: string;
  token: number;
  tries: number;
  /** Nobody knows what became of an earlier try. */
  possibleDuplicate: boolean;
  /** The id of what was told before of the same incident, the same way. */
  earlierId?: string;
}

interface TellingRow {
  incident_id: number;
  about: About;
  way: Way;
  id: string;
  token: number;
  tries: number;
  possible_duplicate: boolean;
  earlier_id: string | null;
}

/** Takes what is to be told now by these ways, at most that many; each is one worker's. */
export async function claimTellings(db: Db, options: { ways: readonly Way[]; most: number; leaseMs: number }): Promise<ClaimedTelling[]> {
  const { rows } = await db.query<TellingRow>(
    `with due as (
       select incident_id, about, way, state from told_elsewhere
       where (state = 'wanted' and not_before <= now() or state = 'sending' and lease_until < now()) and way = any($1)
       order by wanted_at limit $2 for update skip locked
     )
     update told_elsewhere t set state = 'sending', token = t.token + 1, tries = t.tries + 1,
       lease_until = now() + $3 * interval '1 millisecond', possible_duplicate = t.possible_duplicate or due.state = 'sending'
     from due where t.incident_id = due.incident_id and t.about = due.about and t.way = due.way
     returning t.*, (select e.id from told_elsewhere e where e.incident_id = t.incident_id and e.way = t.way and e.state = 'sent'
       order by e.wanted_at limit 1) as earlier_id`,
    [options.ways, options.most, options.leaseMs],
  );
  return rows.map((row) => ({
    ...{ incidentId: row.incident_id, about: row.about, way: row.way, id: row.id, token: row.token, tries: row.tries },
    possibleDuplicate: row.possible_duplicate,
    ...(row.earlier_id ? { earlierId: row.earlier_id } : {}),
  }));
}

/** Whether Slack has it by now. */
export async function slackHasIt(db: Db, { incidentId, about }: Pick<ClaimedTelling, 'incidentId' | 'about'>): Promise<boolean> {
  const { rows } = await db.query<{ has: boolean }>(
    `select ${SLACK_HAS_IT} as has from outbox o join timeline e on e.id = o.timeline_id
     where o.incident_id = $1 and o.kind = 'thread' and e.kind = any($2) order by o.seq desc limit 1`,
    [incidentId, about === 'resolved' ? ['resolved'] : ['opened', 'class-raised']],
  );
  return rows[0]?.has ?? false;
}

type Held = Pick<ClaimedTelling, 'incidentId' | 'about' | 'way' | 'token'>;

/** The other side has it. To be called in the transaction that tells the thread. Returns `false` when another has taken over. */
export async function toldIt(db: Db, held: Held): Promise<boolean> {
  return ended(db, held, `state = 'sent', ended_at = now(), error = null`);
}

/** Nobody needs to be told any more. */
export async function dropIt(db: Db, held: Held, why: string): Promise<boolean> {
  return ended(db, held, `state = 'dropped', ended_at = now(), error = $5`, [why]);
}

/** It is to be told again later. `unclear`: nobody knows whether the other side has it. */
export async function tellLater(db: Db, held: Held, later: { delayMs: number; error: string; unclear: boolean }): Promise<boolean> {
  const change = `state = 'wanted', lease_until = null, not_before = now() + $5 * interval '1 millisecond', error = $6,
    possible_duplicate = possible_duplicate or $7`;
  return ended(db, held, change, [later.delayMs, later.error.slice(0, 300), later.unclear]);
}

async function ended(db: Db, { incidentId, about, way, token }: Held, change: string, values: unknown[] = []): Promise<boolean> {
  const { rowCount } = await db.query(
    `update told_elsewhere set ${change} where incident_id = $1 and about = $2 and way = $3 and token = $4 and state = 'sending'`,
    [incidentId, about, way, token, ...values],
  );
  return rowCount === 1;
}

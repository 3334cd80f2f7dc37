/** What was said and done in a span, beside the decision log: to be held against what another configuration would have said. */
import type { Quiet } from '../core/quiet.ts';
import { at, type Db } from './db.ts';

/** How many incidents were posted in that time. */
export async function postsBetween(db: Db, fromMs: number, untilMs: number): Promise<number> {
  const { rows } = await db.query<{ posts: number }>(
    `select count(*) as posts from timeline where kind = 'opened' and at between $1 and $2`,
    [at(fromMs), at(untilMs)],
  );
  return rows[0]?.posts ?? 0;
}

/** Silences that were on at some time in between, each until it really ended. */
export async function silencesBetween(db: Db, fromMs: number, untilMs: number): Promise<Quiet[]> {
  const { rows } = await db.query<Quiet>(
    `select 'silence' as kind, id::text as id, title, reason, made_by as by, services, components, tenants, checks,
       (extract(epoch from made_at) * 1000)::float8 as "fromMs", (extract(epoch from least(ends_at, ended_at)) * 1000)::float8 as "untilMs"
     from silence where made_at <= $2 and least(ends_at, ended_at) >= $1 order by id`,
    [at(fromMs), at(untilMs)],
  );
  return rows;
}

/** The time zone of the configuration in force; UTC while there is none. */
export async function timezoneInForce(db: Db): Promise<string> {
  const { rows } = await db.query<{ timezone: string }>(
    `select config->>'timezone' as timezone from config_revision join config_in_force using (revision)`,
  );
  return rows[0]?.timezone ?? 'UTC';
}

/** Maintenance windows and silences, as judgement and the worker read them. */
import type { Config } from '../core/config/model.ts';
import { windowsBetween } from '../core/maintenance.ts';
import type { Covers, Quiet } from '../core/quiet.ts';
import type { KeptBack } from '../core/quiet-end.ts';
import { jsonArray, numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';
import { activeSilences } from './silence.ts';

/** What is kept quiet at that moment: windows of the configuration and silences. One small query. */
export async function quietsAt(db: Db, config: Pick<Config, 'maintenance'>, nowMs: number): Promise<Quiet[]> {
  return [...windowsBetween(config, nowMs, nowMs), ...(await activeSilences(db, nowMs))];
}

/** A window that some worker has seen begin. `sinceMs`: since when what it kept back counts. */
export type SeenWindow = Quiet & { sinceMs: number };

interface Row extends Covers {
  id: string;
  title: string;
  from_at: Date;
  until_at: Date;
  since: Date;
}

function fromRow({ id, title, services, components, tenants, checks, ...row }: Row): SeenWindow {
  const covered = { services, components, tenants, checks };
  const times = { fromMs: row.from_at.getTime(), untilMs: row.until_at.getTime(), sinceMs: row.since.getTime() };
  return { kind: 'maintenance', id, title, ...times, ...covered };
}

/** Windows that were seen to begin, and whose end was not acted upon yet. */
export async function seenWindows(db: Db): Promise<SeenWindow[]> {
  const { rows } = await db.query<Row>('select * from quiet_window where settled_at is null order by id');
  return rows.map(fromRow);
}

/**
 * Notes windows as they stand now, each once over any number of workers; one that was over before its time, since the configuration had
 * lost it, may begin anew. Returns the ids of those that were not known, or were other than this.
 */
export async function noteWindows(db: Db, windows: readonly Quiet[], nowMs: number): Promise<string[]> {
  if (windows.length === 0) return [];
  const sorted = [...windows].sort((a, b) => (a.id < b.id ? -1 : 1));
  const lists = ['services', 'components', 'tenants', 'checks'] as const;
  const { rows } = await db.query<{ id: string }>(
    `insert into quiet_window (id, title, from_at, until_at, services, components, tenants, checks, since)
     select id, title, to_timestamp(from_ms / 1000), to_timestamp(until_ms / 1000), ${lists.map((list) => `array(select jsonb_array_elements_text(covered->'${list}'))`).join(', ')},
       to_timestamp(from_ms / 1000)
     from unnest($1::text[], $2::text[], $3::float8[], $4::float8[], $5::jsonb[]) as one (id, title, from_ms, until_ms, covered)
     on conflict (id) do update set title = excluded.title, until_at = excluded.until_at, services = excluded.services,
       components = excluded.components, tenants = excluded.tenants, checks = excluded.checks, settled_at = null,
       since = case when quiet_window.settled_at is null then quiet_window.since else $6 end
     where quiet_window.settled_at is null or quiet_window.settled_at < quiet_window.until_at
     returning id`,
    [
      textArray(sorted.map((one) => one.id)),
      textArray(sorted.map((one) => one.title)),
      numberArray(sorted.map((one) => one.fromMs)),
      numberArray(sorted.map((one) => one.untilMs)),
      jsonArray(sorted.map(({ services, components, tenants, checks }) => ({ services, components, tenants, checks }))),
      at(nowMs),
    ],
  );
  return rows.map((row) => row.id);
}

/** Takes the ends of these windows in hand, until the transaction ends. Returns those that no other has taken. */
export async function settleWindows(db: Db, ids: readonly string[], atMs: number): Promise<SeenWindow[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<Row>(
    `update quiet_window set settled_at = $2
     from (select id from quiet_window where id = any($1) and settled_at is null order by id for update) as mine
     where quiet_window.id = mine.id returning quiet_window.*`,
    [ids, at(atMs)],
  );
  return rows.map(fromRow);
}

/** Windows long over are of no use to anybody: the configuration says when they were, and decisions what they kept back. */
export async function forgetWindows(db: Db, settledBeforeMs: number): Promise<void> {
  await db.query('delete from quiet_window where settled_at < $1', [at(settledBeforeMs)]);
}

/** What each of these kept back since it began, by its id; what kept nothing back is not in it. */
export async function keptBack(db: Db, quiets: readonly { id: string; sinceMs: number }[]): Promise<Map<string, KeptBack>> {
  if (quiets.length === 0) return new Map();
  const { rows } = await db.query<{ id: string; inputs: { checks?: string[]; incident?: number; service?: string } }>(
    `select one.id, decision.inputs from unnest($1::text[], $2::float8[]) as one (id, since_ms)
     join decision on decision.subject = 'quiet' and decision.inputs->>'quiet' = one.id and decision.at >= to_timestamp(one.since_ms / 1000)`,
    [textArray(quiets.map((one) => one.id)), numberArray(quiets.map((one) => one.sinceMs))],
  );
  const uniquely = <T>(values: readonly T[]) => [...new Set(values)];
  return new Map(
    [...Map.groupBy(rows, (row) => row.id)].map(([id, own]) => [
      id,
      {
        checks: uniquely(own.flatMap((row) => row.inputs.checks ?? [])).sort(),
        incidents: uniquely(own.flatMap((row) => row.inputs.incident ?? [])),
        budgets: uniquely(own.flatMap((row) => (row.inputs.checks || row.inputs.incident ? [] : (row.inputs.service ?? [])))),
      },
    ]),
  );
}

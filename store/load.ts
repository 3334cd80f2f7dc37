/** The load that tenants put on components: the last sample of each agent, and hours of the last days. */
import { type LoadState, NO_LOAD, worstFirst } from '../core/load/fold.ts';
import type { LoadMeasure, NoisyTenant } from '../core/load.ts';
import { jsonArray, numberArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';

/** Where a sample comes from. */
export interface LoadSource {
  check: string;
  location: string;
  component: string;
}

/** Two weeks tell who usually does what; growth is seen in them as well. */
const KEPT = '15 days';
/** A check that was removed leaves its row; what it knew of what is usual is worth something if it comes back soon. */
const SOURCE_KEPT = '40 days';

/** Locks what is known of these sources, in the order of their names. One whose check is of another component by now begins anew. */
export async function lockLoads(db: Db, sources: readonly LoadSource[]): Promise<Map<LoadSource, LoadState>> {
  const columns = [textArray(sources.map(({ check }) => check)), textArray(sources.map(({ location }) => location))];
  await db.query(
    `insert into load_state (check_id, location, component, state)
     select check_id, location, component, $4 from unnest($1::text[], $2::text[], $3::text[]) as one (check_id, location, component)
     order by check_id, location on conflict do nothing`,
    [...columns, textArray(sources.map(({ component }) => component)), JSON.stringify(NO_LOAD)],
  );
  const { rows } = await db.query<{ check_id: string; location: string; component: string; state: LoadState }>(
    `select check_id, location, component, state from load_state
     where (check_id, location) in (select * from unnest($1::text[], $2::text[])) order by check_id, location for update`,
    columns,
  );
  return new Map(
    sources.map((source) => {
      const row = rows.find((one) => one.check_id === source.check && one.location === source.location);
      return [source, row?.component === source.component ? row.state : NO_LOAD];
    }),
  );
}

/** What a source is known to say after a sample. */
export interface FoldedSource extends LoadSource {
  state: LoadState;
  freshUntilMs: number;
  noisy: readonly NoisyTenant[];
}

/** Writes sources that are locked. */
export async function writeLoads(db: Db, folded: readonly FoldedSource[]): Promise<void> {
  await db.query(
    `update load_state set component = one.component, planned_at = to_timestamp(one.planned_ms / 1000),
       fresh_until = to_timestamp(one.fresh_ms / 1000), state = one.state, noisy = one.noisy
     from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::jsonb[], $7::jsonb[])
       as one (check_id, location, component, planned_ms, fresh_ms, state, noisy)
     where load_state.check_id = one.check_id and load_state.location = one.location`,
    [
      textArray(folded.map(({ check }) => check)),
      textArray(folded.map(({ location }) => location)),
      textArray(folded.map(({ component }) => component)),
      numberArray(folded.map(({ state }) => state.plannedAtMs)),
      numberArray(folded.map(({ freshUntilMs }) => freshUntilMs)),
      jsonArray(folded.map(({ state }) => state)),
      jsonArray(folded.map(({ noisy }) => noisy)),
    ],
  );
}

/** What one tenant did in one hour, or a part of it. */
export interface TenantHour {
  component: string;
  tenant: string;
  measure: LoadMeasure;
  hourMs: number;
  seconds: number;
  /** Rates times seconds, of this tenant and of everybody. */
  amount: number;
  ofAll: number;
  peak: number;
  noisySeconds: number;
}

/** Adds to the hours, each row named once. In one order, so that two workers never wait for each other in a circle. */
export async function addTenantHours(db: Db, hours: readonly TenantHour[]): Promise<void> {
  if (hours.length === 0) return;
  await db.query(
    `insert into tenant_load as known (component, tenant, measure, hour, seconds, amount, of_all, peak, noisy_seconds)
     select component, tenant, measure, to_timestamp(hour_ms / 1000), seconds, amount, of_all, peak, noisy_seconds
     from unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
       as one (component, tenant, measure, hour_ms, seconds, amount, of_all, peak, noisy_seconds)
     order by component, tenant, measure, hour_ms
     on conflict (component, tenant, measure, hour) do update set
       seconds = known.seconds + excluded.seconds, amount = known.amount + excluded.amount, of_all = known.of_all + excluded.of_all,
       peak = greatest(known.peak, excluded.peak), noisy_seconds = known.noisy_seconds + excluded.noisy_seconds`,
    [
      textArray(hours.map(({ component }) => component)),
      textArray(hours.map(({ tenant }) => tenant)),
      textArray(hours.map(({ measure }) => measure)),
      numberArray(hours.map(({ hourMs }) => hourMs)),
      numberArray(hours.map(({ seconds }) => seconds)),
      numberArray(hours.map(({ amount }) => amount)),
      numberArray(hours.map(({ ofAll }) => ofAll)),
      numberArray(hours.map(({ peak }) => peak)),
      numberArray(hours.map(({ noisySeconds }) => noisySeconds)),
    ],
  );
}

/** Forgets hours that are two weeks old, and sources that have been silent for much longer. */
export async function forgetLoads(db: Db, nowMs: number): Promise<void> {
  await db.query(`delete from tenant_load where hour < $1::timestamptz - interval '${KEPT}'`, [at(nowMs)]);
  await db.query(`delete from load_state where planned_at < $1::timestamptz - interval '${SOURCE_KEPT}'`, [at(nowMs)]);
}

/**
 * Tenants that put far more load on these components than they usually do, the worst first: those that others wait for, then by their share
 * and by how unusual it is. One tenant may be there by several measures. Samples that are no longer fresh say nothing.
 */
export async function noisyTenants(db: Db, components: readonly string[], nowMs: number): Promise<NoisyTenant[]> {
  const { rows } = await db.query<{ noisy: NoisyTenant[] }>(
    `select noisy from load_state where component = any ($1) and fresh_until >= $2 and noisy <> '[]'`,
    [components, at(nowMs)],
  );
  // What two locations see of one server is one thing.
  const seen = Map.groupBy(
    rows.flatMap(({ noisy }) => noisy),
    ({ component, tenant, measure }) => JSON.stringify([component, tenant, measure]),
  );
  return [...seen.values()].flatMap((same) => same.sort(worstFirst)[0] ?? []).sort(worstFirst);
}

/** The last sample of a source, and whether it still speaks for now. */
export interface KnownLoad extends LoadSource {
  plannedAtMs: number;
  isFresh: boolean;
  state: LoadState;
}

/** What is known of these components, the latest sample first. */
export async function knownLoads(db: Db, components: readonly string[], nowMs: number): Promise<KnownLoad[]> {
  const { rows } = await db.query<{
    check_id: string;
    location: string;
    component: string;
    planned_at: Date;
    is_fresh: boolean;
    state: LoadState;
  }>(
    `select check_id, location, component, planned_at, fresh_until >= $2 as is_fresh, state from load_state
     where component = any ($1) and planned_at > '-infinity' order by planned_at desc, check_id, location`,
    [components, at(nowMs)],
  );
  return rows.map((row) => ({
    check: row.check_id,
    location: row.location,
    component: row.component,
    plannedAtMs: row.planned_at.getTime(),
    isFresh: row.is_fresh,
    state: row.state,
  }));
}

/** What a tenant did over a span of hours. */
export interface TenantHours {
  component: string;
  tenant: string;
  measure: LoadMeasure;
  /** The mean rate while it was looked at. */
  mean: number;
  /** Of what everybody did, 0 to 1. */
  share: number;
  /** In which anything was seen, and in which it was noisy. */
  hours: number;
  noisyHours: number;
}

/** What tenants did on these components in the hours since then. */
export async function tenantHoursSince(db: Db, components: readonly string[], sinceMs: number): Promise<TenantHours[]> {
  const { rows } = await db.query<TenantHours>(
    `select component, tenant, measure, sum(amount) / nullif(sum(seconds), 0) as mean,
            coalesce(sum(amount) / nullif(sum(of_all), 0), 0) as share,
            count(*)::int as hours, (count(*) filter (where noisy_seconds > 0))::int as "noisyHours"
     from tenant_load where component = any ($1) and hour >= date_trunc('hour', $2::timestamptz) group by 1, 2, 3 order by 1, 2, 3`,
    [components, at(sinceMs)],
  );
  return rows;
}

/** How many tenants are noisy on each component, by samples that are fresh. */
export async function countNoisy(db: Db, nowMs: number): Promise<Map<string, number>> {
  const { rows } = await db.query<{ component: string; tenants: number }>(
    `select component, count(distinct one ->> 'tenant')::int as tenants from load_state, jsonb_array_elements(noisy) as one
     where fresh_until >= $1 group by component`,
    [at(nowMs)],
  );
  return new Map(rows.map((row) => [row.component, row.tenants]));
}

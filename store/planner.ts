/** How far the planner has planned, and since when without a gap. One row, shared by all planners. */
import { at, type Db } from './db.ts';

export interface PlannerBeat {
  /** What was due before this was due to nobody: Rounds was stopped. */
  planningSinceMs: number;
  /** Slots up to here are in the ledger. */
  plannedUntilMs: number;
}

const JUMPED = `abs(extract(epoch from $1 - planner.beat_at)) * 1000 > $2`;

/**
 * Tells that planning goes on. A beat after a silence of more than `gapMs`, or as much before the last one since a clock was put right, begins anew: `planningSince` and `plannedUntil` are
 * now. Otherwise the next planner goes on where the last one stopped, so that a restart loses no slot.
 */
export async function beat(db: Db, nowMs: number, gapMs: number): Promise<PlannerBeat> {
  const { rows } = await db.query<{ planning_since: Date; planned_until: Date }>(
    `insert into planner (planning_since, beat_at, planned_until) values ($1, $1, $1)
     on conflict (one) do update set
       planning_since = case when ${JUMPED} then $1 else planner.planning_since end,
       planned_until = case when ${JUMPED} then $1 else planner.planned_until end,
       beat_at = case when ${JUMPED} then $1 else greatest(planner.beat_at, $1) end
     returning planning_since, planned_until`,
    [at(nowMs), gapMs],
  );
  const row = rows[0];
  if (!row) throw new Error('PostgreSQL returned no planner row');
  return { planningSinceMs: row.planning_since.getTime(), plannedUntilMs: row.planned_until.getTime() };
}

/** Notes that every slot up to that time is in the ledger. */
export async function plannedUntil(db: Db, untilMs: number): Promise<void> {
  await db.query('update planner set planned_until = greatest(planned_until, $1)', [at(untilMs)]);
}

/** Since when planning has gone on without a gap; 0 when it never began. */
export async function planningSince(db: Db): Promise<number> {
  const { rows } = await db.query<{ planning_since: Date }>('select planning_since from planner');
  return rows[0]?.planning_since.getTime() ?? 0;
}

/** Rows of the ledger as they would be there, for tests of what is read of them. */
import type { Db } from '../../store/db.ts';

export interface EndedRun {
  check: string;
  location?: string;
  /** How long ago its slot was; 0 unless told. */
  agoMs?: number;
  ask?: number;
  state?: string;
  reason?: string;
  /** `null`: it brought no result. */
  verdict?: string | null;
  durationMs?: number;
  failure?: object | null;
  steps?: readonly object[];
  measurements?: Record<string, number>;
}

/** Enters a run that has ended, with its result. */
export async function addRun(db: Db, run: EndedRun): Promise<void> {
  const { check, location = 'north', agoMs = 0, ask = 0, verdict = 'up', steps = [], measurements = {} } = run;
  await db.query(`select make_run_partitions(now() - $1 * interval '1 ms', now())`, [agoMs]);
  await db.query(
    `with c as (insert into check_key (check_id) values ($1) on conflict (check_id) do update set check_id = excluded.check_id returning key),
     l as (insert into location_key (location) values ($2) on conflict (location) do update set location = excluded.location returning key),
     r as (insert into revision_key (revision) values ('test') on conflict (revision) do update set revision = excluded.revision returning key)
     insert into run (check_key, location_key, revision_key, slot, ask_id, asked, state, reason, verdict, duration_ms, start_lateness_ms, failure, detail)
     select c.key, l.key, r.key, date_trunc('milliseconds', now()) - $3 * interval '1 ms', $4, case when $4 <> 0 then 'manual'::purpose end,
       $5::run_state, $6, $7::verdict, $8, 0, $9, $10 from c, l, r`,
    [
      check,
      location,
      agoMs,
      ask,
      run.state ?? (verdict === null ? 'missed' : 'run'),
      run.reason ?? null,
      verdict,
      verdict === null ? null : (run.durationMs ?? 900),
      run.failure ? JSON.stringify(run.failure) : null,
      JSON.stringify({ steps, measurements }),
    ],
  );
}

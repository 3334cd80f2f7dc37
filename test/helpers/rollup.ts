/** Histories of slots: generated, written into the ledger in any order, and counted by brute force over the raw runs. */
import fc from 'fast-check';
import type { Purpose, Verdict } from '../../core/check.ts';
import type { Sli } from '../../core/slo/slo.ts';
import { type SlotRun, slotOutcome } from '../../core/slo/slot.ts';
import type { Pool } from '../../store/db.ts';

export interface RawRun {
  check: string;
  location: string;
  slotMs: number;
  ask: number;
  purpose: Purpose;
  plannedAtMs: number;
  /** Null: it brought nothing. */
  verdict: Verdict | null;
  durationMs: number;
  connectMs: number | null;
}

export const LOCATIONS = ['north', 'south', 'cloud'];

/** One slot as it may go: what each location says, and what is asked besides. */
const locationRuns = fc.record({
  verdict: fc.oneof(
    { weight: 12, arbitrary: fc.constant<Verdict | null>('up') },
    { weight: 4, arbitrary: fc.constantFrom<Verdict | null>('degraded', 'down', 'fault', null) },
  ),
  durationMs: fc.integer({ min: 1, max: 60 }).map((tenths) => tenths * 100),
  connectMs: fc.option(fc.integer({ min: 1, max: 200 }), { freq: 5 }),
  again: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({ purpose: fc.constantFrom<Purpose>('confirm', 'manual'), verdict: fc.constantFrom<Verdict>('up', 'down') }),
    },
  ),
});

/** Runs of some checks in slots of a minute, in any order. Some slots are left out, some have fewer locations. */
export function anyHistory(checks: readonly string[], fromMs: number, slots: number): fc.Arbitrary<RawRun[]> {
  const slot = fc.record({
    check: fc.constantFrom(...checks),
    slot: fc.nat(slots - 1),
    runs: fc.array(locationRuns, { minLength: 1, maxLength: LOCATIONS.length }),
    outage: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  });
  return fc
    .uniqueArray(slot, { selector: (one) => `${one.check}@${one.slot}`, minLength: 20, maxLength: 150, size: 'max' })
    .chain((all) => {
      const runs = all.flatMap((one, index) =>
        one.runs.flatMap((run, place) => {
          const slotMs = fromMs + one.slot * 60_000 + 17_350;
          const base = { check: one.check, location: LOCATIONS[place] ?? '', slotMs, durationMs: run.durationMs, connectMs: run.connectMs };
          const verdict = one.outage ? ('down' as const) : run.verdict;
          const scheduled: RawRun = { ...base, ask: 0, purpose: 'scheduled', plannedAtMs: slotMs, verdict };
          const { again } = run;
          return again ? [scheduled, { ...base, ...again, ask: index + 1, plannedAtMs: slotMs + 3000 }] : [scheduled];
        }),
      );
      return fc.shuffledSubarray(runs, { minLength: runs.length, maxLength: runs.length });
    });
}

/** Writes runs into the ledger as if they had just been told. Told again, nothing changes. */
export async function tell(pool: Pool, runs: readonly RawRun[]): Promise<void> {
  const names = (pick: (run: RawRun) => string) => [...new Set(runs.map(pick))];
  await pool.query('insert into check_key (check_id) select unnest($1::text[]) on conflict do nothing', [names((run) => run.check)]);
  await pool.query('insert into location_key (location) select unnest($1::text[]) on conflict do nothing', [names((run) => run.location)]);
  await pool.query(`insert into revision_key (revision) values ('test') on conflict do nothing`);
  await pool.query(
    `insert into shape (digest, measurements, steps) values ('00000000-0000-0000-0000-000000000001', '{login_ms,connect_ms}', '{}') on conflict do nothing`,
  );
  const slots = runs.map((run) => run.slotMs);
  await pool.query('select make_run_partitions($1, $2)', [new Date(Math.min(...slots)), new Date(Math.max(...slots))]);
  await pool.query(
    `insert into run (slot, planned_at, check_key, ask_id, revision_key, state, asked, verdict, duration_ms, location_key, shape_key, numbers, detail)
     select to_timestamp(slot_ms / 1000), nullif(to_timestamp(planned_ms / 1000), to_timestamp(slot_ms / 1000)), c.key, ask, r.key,
       case when verdict is null then 'missed' else 'run' end::run_state, nullif(purpose, 'scheduled')::purpose, verdict::verdict, duration_ms, l.key,
       case when connect_ms is not null and place % 2 = 0 then s.key end,
       case when connect_ms is not null and place % 2 = 0 then '1.5 ' || connect_ms end,
       case when connect_ms is not null and place % 2 = 1 then jsonb_build_object('measurements', jsonb_build_object('connect_ms', connect_ms)) end
     from jsonb_to_recordset($1) as one ("check" text, location text, slot_ms float8, planned_ms float8, ask int, purpose text, verdict text,
       duration_ms real, connect_ms int, place int)
     join check_key c on check_id = one."check" join location_key l using (location) cross join revision_key r
     cross join (select key from shape where digest = '00000000-0000-0000-0000-000000000001') s
     on conflict do nothing`,
    [
      JSON.stringify(
        runs.map((run, place) => ({
          ...{
            check: run.check,
            location: run.location,
            slot_ms: run.slotMs,
            planned_ms: run.plannedAtMs,
            ask: run.ask,
            purpose: run.purpose,
          },
          ...{ verdict: run.verdict, duration_ms: run.durationMs, connect_ms: run.verdict === null ? null : run.connectMs, place },
        })),
      ),
    ],
  );
}

export interface BruteTally {
  good: number;
  bad: number;
  unseen: number;
}

/** What became of the slots of these checks in that time, each looked at by itself. */
export function bruteForce(runs: readonly RawRun[], sli: Sli, checks: readonly string[], fromMs: number, untilMs: number): BruteTally {
  const own = runs.filter((run) => checks.includes(run.check) && run.slotMs >= fromMs && run.slotMs < untilMs);
  const tally: BruteTally = { good: 0, bad: 0, unseen: 0 };
  for (const slot of Map.groupBy(own, (run) => `${run.check}@${run.slotMs}`).values()) {
    const due = new Set(slot.filter((run) => run.purpose === 'scheduled').map((run) => run.location)).size;
    tally[slotOutcome(sli, due, slot.map(asSlotRun))]++;
  }
  return tally;
}

function asSlotRun({ location, purpose, plannedAtMs, verdict, durationMs, connectMs }: RawRun): SlotRun {
  const measurements: Record<string, number> = verdict === null || connectMs === null ? {} : { connect_ms: connectMs };
  return { location, purpose, plannedAtMs, verdict: verdict ?? undefined, durationMs, measurements };
}

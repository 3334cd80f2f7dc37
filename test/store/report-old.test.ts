/** A report of a week whose first days are kept as rollups alone, against the same report while all runs were there. */
import { expect, it } from 'vitest';
import type { ReportNumbers } from '../../core/report/figures.ts';
import { type RollupMemory, rollUp } from '../../jobs/rollup.ts';
import { inTransaction } from '../../store/db.ts';
import { pacesOf } from '../../store/journey.ts';
import { reportNumbers } from '../../store/report-numbers.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { testJobs } from '../helpers/jobs.ts';
import { LOCATIONS, type RawRun, tell } from '../helpers/rollup.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW_MS = Date.UTC(2026, 0, 15, 12);

function history(): RawRun[] {
  const slots = Array.from({ length: (8 * DAY_MS) / (10 * 60_000) }, (_, index) => NOW_MS - 8 * DAY_MS + index * 10 * 60_000 + 30_000);
  return slots.flatMap((slotMs, index) =>
    ['riverside', 'hillcrest'].flatMap((tenant) =>
      LOCATIONS.map((location, place): RawRun => {
        const down = index % 37 === 0 && tenant === 'riverside';
        const missed = index % 53 === 0 && location === 'south';
        return {
          ...{ check: `post-invoice/${tenant}`, location, slotMs, ask: 0, purpose: 'scheduled', plannedAtMs: slotMs, connectMs: null },
          ...{ verdict: missed ? null : down ? 'down' : 'up', durationMs: 800 + place * 100 + (index % 50) * 4 },
        };
      }),
    ),
  );
}

it('says the same of a week whether its runs are kept or were counted', { timeout: 60_000 }, async () => {
  const config = {
    ...aConfig(['riverside', 'hillcrest'].map((tenant) => aCheck({ tenant, everyMs: 600_000 }))),
    storage: { rawMs: 10 * DAY_MS, hoursMs: 90 * DAY_MS, daysMs: 365 * DAY_MS },
  };
  const jobs = await testJobs(config, NOW_MS);
  const { pool } = jobs.deps;
  await tell(pool, history());
  const hour = (NOW_MS - 8 * DAY_MS) / 60_000;
  await pool.query(`update rollup_progress set received_until = now() - interval '1 minute', hours_until = $1, days_until = $2`, [
    hour,
    hour - (hour % 1440),
  ]);
  await pool.query('select pg_sleep(0.06)');
  const memory: RollupMemory = { forgotMs: NOW_MS };
  for (let turn = 0; turn < 20 && (await rollUp(jobs.deps, memory)); turn++);

  const frame = { id: 'week', title: 'Week', timeZone: 'UTC', services: ['billing'], fromMs: NOW_MS - 5 * DAY_MS, untilMs: NOW_MS };
  const report = (): Promise<ReportNumbers> => inTransaction(pool, (db) => reportNumbers(db, config, frame));
  const groups = new Map([['invoices', ['post-invoice/riverside', 'post-invoice/hillcrest']]]);
  const pace = () => pacesOf(pool, { groups, nowMs: NOW_MS, usualMs: 7 * DAY_MS });
  const [whole, wholePace] = [await report(), (await pace()).get('invoices')];
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'run'::regclass and relname < $1`,
    [`run_${new Date(NOW_MS - 2 * DAY_MS).toISOString().slice(0, 13).replaceAll('-', '').replace('T', '_')}`],
  );
  for (const { name } of rows) await pool.query(`drop table ${name}`);
  const [counted, countedPace] = [await report(), (await pace()).get('invoices')];

  expect(rows.length).toBeGreaterThan(10);
  expect(whole.journeys[0]).toMatchObject({ well: expect.any(Number), failed: expect.any(Number) });
  expect(whole.services[0]?.failed).toBeGreaterThan(10);
  const seen = (numbers: ReportNumbers) =>
    [...numbers.services, ...numbers.journeys, ...numbers.tenants].map(({ id, well, failed, unseen }) => ({ id, well, failed, unseen }));
  expect(seen(counted)).toEqual(seen(whole));
  const places = (numbers: ReportNumbers) => numbers.locations.map(({ id, well, failed, unseen }) => ({ id, well, failed, unseen }));
  expect(places(counted)).toEqual(places(whole));
  expect(counted.chart.parts).toEqual(whole.chart.parts);
  expect(counted.exceptions.reduce((sum, one) => sum + one.runs, 0)).toBe(whole.exceptions.reduce((sum, one) => sum + one.runs, 0));
  for (const [index, one] of whole.services.entries()) {
    const other = counted.services[index];
    for (const key of ['p50Ms', 'p95Ms', 'usualP50Ms', 'usualP95Ms'] as const) {
      expect(Math.abs((other?.[key] ?? 0) / (one[key] ?? 1) - 1)).toBeLessThan(0.021);
    }
  }
  expect(countedPace?.p95Ms).toBe(wholePace?.p95Ms);
  expect(Math.abs((countedPace?.usualP95Ms ?? 0) / (wholePace?.usualP95Ms ?? 1) - 1)).toBeLessThan(0.021);
  expect(Math.abs((counted.firstMs ?? 0) - (whole.firstMs ?? 0))).toBeLessThanOrEqual(HOUR_MS);
  expect(counted.rows.map(({ check, location, up, down, missed }) => ({ check, location, up, down, missed }))).toEqual(
    whole.rows.map(({ check, location, up, down, missed }) => ({ check, location, up, down, missed })),
  );
  await jobs.close();
});

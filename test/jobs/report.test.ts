import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduledReport } from '../../core/config/model.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import type { ReportNumbers } from '../../core/report/figures.ts';
import { foldReport } from '../../jobs/fold.ts';
import { makeDueReports } from '../../jobs/report.ts';
import { sweepRuns } from '../../jobs/sweep.ts';
import { NotInForce } from '../../store/config.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const check = aCheck({ tenant: 'riverside' });
const report: ScheduledReport = {
  id: 'noon',
  title: 'Noon rounds',
  cron: '0 12 * * *',
  timezone: 'UTC',
  channel: '#reports',
  services: ['billing', 'scheduling'],
};
const config = aConfig([check], { reports: { noon: report } });

let jobs: TestJobs;
beforeAll(async () => {
  jobs = await testJobs(config, NOON_MS - 30 * 60_000);
});
beforeEach(async () => {
  await jobs.query('truncate run, due, check_state, report, report_watch');
  await jobs.query('delete from outbox');
  jobs.at(NOON_MS - 30 * 60_000);
  // The report is known from before its slot.
  await makeDueReports(jobs.deps);
});
afterAll(() => jobs.close());

const rows = () =>
  jobs.query<{ slot: Date; state: string; reason: string | null; numbers: ReportNumbers | null }>('select * from report order by slot');
const wanted = () =>
  jobs.query<{ channel: string; priority: number; payload: { reportId: number } }>(`select * from outbox where kind = 'report'`);

/** Runs that were planned, ended and folded. */
async function ran(inputs: readonly FoldInput[]): Promise<void> {
  await order(jobs, check, inputs);
  for (const [location, said] of Map.groupBy(inputs, (input) => input.location)) {
    await foldReport(jobs.deps, location, asReport(said.map((input) => asResult(input))));
  }
}

describe('a slot', () => {
  it('is made once its time has come, with its numbers, and wanted in Slack below all alerts', async () => {
    await ran(everywhere(check, -2, 'up'));
    expect(await makeDueReports(jobs.deps)).toBe(false);
    jobs.at(NOON_MS + 100);
    expect(await makeDueReports(jobs.deps)).toBe(true);
    expect(await makeDueReports(jobs.deps)).toBe(false);
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ slot: new Date(NOON_MS), state: 'made' });
    expect(row?.numbers).toMatchObject({ id: 'noon', fromMs: NOON_MS - DAY_MS, untilMs: NOON_MS, missedSlots: [] });
    expect(row?.numbers).not.toHaveProperty('madeUp');
    expect(await wanted()).toMatchObject([{ channel: '#reports', priority: 60 }]);
  });

  it('is made once by any number of workers at once', async () => {
    jobs.at(NOON_MS + 100);
    const made = await Promise.all([1, 2, 3, 4].map(() => makeDueReports(jobs.deps)));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await rows()).toHaveLength(1);
    expect(await wanted()).toHaveLength(1);
  });

  it('waits for runs of its window that are under way, a minute at most', async () => {
    await order(jobs, check, everywhere(check, -1, 'up'));
    jobs.at(NOON_MS + 1_000);
    expect(await makeDueReports(jobs.deps)).toBe(false);
    jobs.at(NOON_MS + 61_000);
    expect(await makeDueReports(jobs.deps)).toBe(true);
    expect((await rows())[0]?.numbers?.underWay).toBe(3);
  });

  it('that a worker died with is made by the next', async () => {
    jobs.at(NOON_MS + 100);
    const dying = {
      ...jobs.deps,
      config: {
        ...config,
        get checks(): never {
          throw new Error('killed');
        },
      },
    };
    expect(await makeDueReports({ ...dying, config: dying.config as never })).toBe(false);
    expect(await rows()).toEqual([]);
    expect(await makeDueReports(jobs.deps)).toBe(true);
  });

  it('is decided on under the configuration in force alone', async () => {
    jobs.at(NOON_MS + 100);
    await expect(makeDueReports({ ...jobs.deps, configSeq: 7 })).rejects.toThrow(NotInForce);
    expect(await rows()).toEqual([]);
  });

  it('of a report that was not known then is due to nobody', async () => {
    const late = { ...jobs.deps, config: aConfig([check], { reports: { early: { ...report, id: 'early', cron: '0 11 * * *' } } }) };
    jobs.at(NOON_MS);
    expect(await makeDueReports(late)).toBe(false);
    jobs.at(NOON_MS + 60_000);
    expect(await makeDueReports(late)).toBe(false);
    expect(await rows()).toEqual([]);
  });

  it('is made at half past two of the night that leaves it out, and once in the night that has it twice', async () => {
    const night = { ...report, cron: '30 2 * * *', timezone: 'Europe/Berlin' };
    for (const [day, slot] of [
      ['2026-03-28T12:00:00Z', '2026-03-29T01:00:00.000Z'],
      ['2026-10-24T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ] as const) {
      const id = `night-${day.slice(5, 7)}`;
      const deps = { ...jobs.deps, config: aConfig([check], { reports: { [id]: { ...night, id } } }) };
      for (let minute = 0; minute <= 24 * 60; minute += 30) {
        jobs.at(Date.parse(day) + minute * 60_000);
        await makeDueReports(deps);
      }
      const slots = await jobs.query<{ slot: Date }>('select slot from report where report = $1', [id]);
      expect(slots.map((row) => row.slot.toISOString())).toEqual([slot]);
    }
  });
});

describe('when nothing ran', () => {
  it('a slot of up to 12 h ago is made up for, and says so', async () => {
    jobs.at(NOON_MS + 11 * HOUR_MS);
    expect(await makeDueReports(jobs.deps)).toBe(true);
    expect((await rows())[0]?.numbers).toMatchObject({ madeUp: true, slotMs: NOON_MS, untilMs: NOON_MS });
  });

  it('an older one is entered as missed, and the next report tells of it and of its time', async () => {
    jobs.at(NOON_MS + 13 * HOUR_MS);
    expect(await makeDueReports(jobs.deps)).toBe(false);
    expect(await rows()).toMatchObject([{ slot: new Date(NOON_MS), state: 'missed', reason: 'nothing-ran', numbers: null }]);
    jobs.at(NOON_MS + DAY_MS + 100);
    expect(await makeDueReports(jobs.deps)).toBe(true);
    expect((await rows())[1]?.numbers?.missedSlots).toEqual([{ slotMs: NOON_MS, reason: 'nothing-ran' }]);
    jobs.at(NOON_MS + 2 * DAY_MS + 100);
    await makeDueReports(jobs.deps);
    expect((await rows())[2]?.numbers?.missedSlots).toEqual([]);
  });

  it('for days, the newest slot stands for all', async () => {
    jobs.at(NOON_MS + 2 * DAY_MS + HOUR_MS);
    expect(await makeDueReports(jobs.deps)).toBe(true);
    const all = await rows();
    expect(all.map((row) => row.state)).toEqual(['missed', 'missed', 'made']);
    expect(all[2]?.numbers).toMatchObject({ fromMs: NOON_MS - DAY_MS, untilMs: NOON_MS + 2 * DAY_MS, madeUp: true });
  });

  it('a clock that was put back does not stop reports until it has caught up', async () => {
    jobs.at(NOON_MS + 300 * DAY_MS);
    await makeDueReports(jobs.deps);
    jobs.at(NOON_MS - HOUR_MS);
    await makeDueReports(jobs.deps);
    jobs.at(NOON_MS + 100);
    expect(await makeDueReports(jobs.deps)).toBe(true);
  });
});

describe('the numbers', () => {
  const numbersNow = async () => {
    jobs.at(NOON_MS + 61_000);
    await makeDueReports(jobs.deps);
    const numbers = (await rows())[0]?.numbers;
    if (!numbers) throw new Error('no report was made');
    return numbers;
  };

  it('count rounds by the quorum of the locations that were due', async () => {
    await ran([
      ...everywhere(check, -6, 'up'),
      ...everywhere(check, -5, 'down', 'up', 'up'),
      ...everywhere(check, -4, 'down', 'down', 'up'),
      ...everywhere(check, -3, 'degraded'),
      // Two of three broke at the agent: one says down, nobody knows.
      ...everywhere(check, -2, 'down', 'fault', 'fault'),
    ]);
    const numbers = await numbersNow();
    expect(numbers.journeys).toMatchObject([{ id: 'post-invoice', well: 3, failed: 1, unseen: 1 }]);
    expect(numbers.locations).toMatchObject([
      { id: 'north', well: 2, failed: 3, unseen: 0 },
      { id: 'south', well: 3, failed: 1, unseen: 1 },
      { id: 'cloud', well: 4, failed: 0, unseen: 1 },
    ]);
    expect(numbers.rows[0]).toMatchObject({ up: 1, degraded: 1, down: 3, fault: 0 });
  });

  it('count a round that brought nothing as not seen, never as well', async () => {
    await order(jobs, check, everywhere(check, -10, 'up'));
    await ran(everywhere(check, -9, 'up').slice(0, 2));
    await order(jobs, check, everywhere(check, -9, 'up').slice(2));
    await ran(everywhere(check, -8, 'up').slice(0, 1));
    await order(jobs, check, everywhere(check, -8, 'up').slice(1));
    jobs.at(NOON_MS - SLOT_MS);
    await sweepRuns(jobs.deps);
    const numbers = await numbersNow();
    expect(numbers.journeys).toMatchObject([{ well: 1, failed: 0, unseen: 2 }]);
    expect(numbers.exceptions).toMatchObject([{ state: 'missed', runs: 6, checks: ['Post an invoice'] }]);
  });

  it('take p95 from scheduled runs that were not down, and what is usual from the week before', async () => {
    await ran([
      ...everywhere(check, -2, 'up').map((input) => ({ ...input, durationMs: 1_000 })),
      ...everywhere(check, -3, 'degraded').map((input) => ({ ...input, durationMs: 4_000 })),
      ...everywhere(check, -4, 'down').map((input) => ({ ...input, durationMs: 15_000 })),
      ...everywhere(check, -1_441, 'up').map((input) => ({ ...input, durationMs: 500 })),
      ...everywhere(check, -8 * 1_440 - 1, 'up').map((input) => ({ ...input, durationMs: 9_000 })),
    ]);
    const [journey] = (await numbersNow()).journeys;
    expect((journey?.p95Ms ?? 0) / 4_000).toBeCloseTo(1, 1);
    expect((journey?.p50Ms ?? 0) / 1_000).toBeCloseTo(1, 1);
    expect((journey?.usualP95Ms ?? 0) / 500).toBeCloseTo(1, 1);
  });

  it('of a day without a single result are no data', async () => {
    const numbers = await numbersNow();
    expect(numbers).not.toHaveProperty('firstMs');
    expect(numbers.services).toMatchObject([
      { id: 'billing', well: 0, failed: 0, unseen: 0 },
      { id: 'scheduling', well: 0 },
    ]);
  });
});

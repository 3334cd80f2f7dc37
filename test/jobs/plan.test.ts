import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { slotsBetween } from '../../core/run.ts';
import { QUEUES, roundSchema } from '../../jobs/contract.ts';
import { planSlots } from '../../jobs/plan.ts';
import { openQueues } from '../../jobs/queue.ts';
import { requeueRuns } from '../../jobs/sweep.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { type TestJobs, testJobs } from '../helpers/jobs.ts';
import { quietLog } from '../helpers/log.ts';
import { onEachQueue } from '../helpers/queues.ts';

const light = aCheck({ template: 'front-door', everyMs: 2_000 });
const browser = aCheck({ template: 'book', everyMs: 2_000, type: 'journey', locations: ['north'] });
let jobs: TestJobs;
let startMs: number;

/** How far is planned: whole seconds, up to 5 s ahead. */
const horizonOf = (nowMs: number) => Math.floor((nowMs + 5_000) / 1_000) * 1_000;

describe('slots', () => {
  it('are exact, offset by the check, and the same wherever planning begins', () => {
    const check = { id: 'post-invoice/riverside', everyMs: 60_000 };
    const hour = slotsBetween(check, 0, 3_600_000);
    expect(hour).toHaveLength(60);
    expect(new Set(hour.map((slot) => slot % 60_000)).size).toBe(1);
    expect((hour[0] ?? 0) % 50).toBe(0);
    const inParts = [0, 100_000, 1_000_001, 3_000_000].map((from, index, all) => slotsBetween(check, from, all[index + 1] ?? 3_600_000));
    expect(inParts.flat()).toEqual(hour);
  });

  it('spread the checks of one interval over it', () => {
    const offsets = Array.from(
      { length: 600 },
      (_, index) => (slotsBetween({ id: `check-${index}`, everyMs: 60_000 }, 0, 60_000)[0] ?? 0) / 1000,
    );
    expect(new Set(offsets).size).toBeGreaterThan(30);
  });
});

onEachQueue((backend) => {
  beforeEach(async () => {
    startMs = Date.now();
    jobs = await testJobs(aConfig([light, browser]), startMs, backend);
  });
  afterEach(() => jobs.close());

  const unqueued = () => jobs.query<{ name: string }>('select unnest(checks) from due where not queued');
  const runs = () => jobs.query<{ name: string }>(`select name from ledger order by name`);

  describe('the planner', () => {
    it('enters each due run once, however many planners walk, and queues it', async () => {
      const counts = await Promise.all([planSlots(jobs.deps), planSlots(jobs.deps), planSlots(jobs.deps)]);
      const entered = await runs();
      const expected = [light, browser].flatMap((check) => slotsBetween(check, startMs, horizonOf(startMs)).flatMap(() => check.locations));
      expect(entered).toHaveLength(expected.length);
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(entered.length);
      expect(await unqueued()).toEqual([]);
    });

    it('goes on where a planner that died stopped, and begins anew after a stop', async () => {
      await planSlots(jobs.deps);
      const before = (await runs()).length;
      jobs.at(startMs + 20_000);
      await planSlots(jobs.deps);
      const slots = slotsBetween(light, startMs, horizonOf(startMs + 20_000)).length;
      expect((await runs()).filter((run) => run.name.startsWith('front-door'))).toHaveLength(slots * 3);
      expect((await runs()).length).toBeGreaterThan(before);
      jobs.at(startMs + 3_600_000);
      await planSlots(jobs.deps);
      const [planner] = await jobs.query<{ planning_since: Date }>('select planning_since from planner');
      expect(planner?.planning_since.getTime()).toBe(startMs + 3_600_000);
      expect((await runs()).length, 'an hour in which nobody planned is due to nobody').toBeLessThan(before * 10);
    });

    it('plans on when a clock that had jumped ahead is put right', async () => {
      jobs.at(startMs + 3_600_000);
      await planSlots(jobs.deps);
      jobs.at(startMs + 10_000);
      await planSlots(jobs.deps);
      const slots = slotsBetween(light, startMs + 10_000, horizonOf(startMs + 10_000));
      const planned = await jobs.query<{ slot: Date }>(
        `select distinct slot from ledger where check_id = 'front-door' and slot < to_timestamp($1 / 1000.0)`,
        [startMs + 60_000],
      );
      expect(planned.map(({ slot }) => slot.getTime()).sort()).toEqual(slots);
    });

    it('sends light checks of a second as one round, and journeys one by one, not before their time', async () => {
      const rounds: unknown[] = [];
      const journeys: unknown[] = [];
      jobs.deps.queues.work(QUEUES.round('north'), { concurrency: 1, policy: 'once' }, async ({ data }) => {
        rounds.push(data);
      });
      jobs.deps.queues.work(QUEUES.journey('north'), { concurrency: 1, policy: 'once' }, async ({ data }) => {
        journeys.push({ data, atMs: Date.now() });
      });
      await planSlots(jobs.deps);
      await expect.poll(() => rounds.length > 0 && journeys.length > 0, { timeout: 8_000 }).toBe(true);
      const round = roundSchema.parse(rounds[0]);
      expect(round.orders).toMatchObject([{ check: 'front-door', type: 'http' }]);
      const journey = journeys[0] as { data: unknown; atMs: number };
      const order = roundSchema.parse(journey.data).orders[0];
      expect(order?.check).toBe('book');
      expect(journey.atMs).toBeGreaterThanOrEqual((order?.notBeforeMs ?? 0) - 50);
    });

    it('leaves nothing unqueued when it dies between the ledger and the queue', async () => {
      const { queues } = jobs.deps;
      const gone = await openQueues({ url: jobs.queueUrl, log: quietLog, name: 'test' });
      await gone.close();
      jobs.deps.queues = gone;
      await expect(planSlots(jobs.deps)).rejects.toThrow();
      const entered = await runs();
      expect(entered.length).toBeGreaterThan(0);
      expect(await unqueued()).toHaveLength(entered.length);
      jobs.deps.queues = queues;
      expect(await requeueRuns(jobs.deps), 'a planner that lives is not overtaken').toBe(0);
      expect(await requeueRuns(jobs.deps, 0)).toBe(entered.length);
      expect(await unqueued()).toEqual([]);
      expect(await requeueRuns(jobs.deps, 0), 'nothing is queued twice').toBe(0);
    });
  });
});

/** From results to what is told: a window and a silence over an outage, with the real folding and judging. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Maintenance } from '../../core/config/model.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { settleQuiet } from '../../jobs/quiet.ts';
import { markDirty } from '../../store/scope.ts';
import { insertSilence } from '../../store/silence.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const check = aCheck({ tenant: 'riverside' });
const nothing = { services: [], components: [], tenants: [], checks: [] };
const endMs = NOON_MS + 5 * SLOT_MS;
const patches: Maintenance = {
  ...{ id: 'patches', title: 'Database patches', ...nothing, components: ['postgres'], timezone: 'UTC' },
  ...{ fromWallMs: NOON_MS - SLOT_MS, untilWallMs: endMs, exceptDaysMs: [], exceptWallsMs: [] },
};

let jobs: TestJobs;

beforeEach(async () => {
  jobs = await testJobs(aConfig([check]), NOON_MS - 2 * SLOT_MS);
});
afterEach(() => jobs.close());

async function slots(from: number, to: number, verdict: 'up' | 'down'): Promise<void> {
  for (let slot = from; slot <= to; slot++) {
    const inputs = everywhere(check, slot, verdict);
    await order(jobs, check, inputs);
    for (const input of inputs) {
      jobs.at(input.plannedAtMs + 1_000);
      await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
      await turn(input.plannedAtMs + 1_000);
    }
  }
}

/** What the worker's loops do. */
async function turn(ms: number): Promise<void> {
  jobs.at(ms);
  await settleQuiet(jobs.deps);
  await judgeDirty(jobs.deps, new Map());
}

const told = async () => (await jobs.query<{ kind: string }>('select distinct kind from outbox order by kind')).map((row) => row.kind);
const notice = async () =>
  (await jobs.query<{ payload: object }>(`select payload from outbox where kind = 'notice'`)).map((row) => row.payload);
const measured = async () => (await jobs.query<{ runs: number }>('select count(*) as runs from result'))[0]?.runs;
const reasons = async () =>
  (await jobs.query<{ reason: string }>(`select distinct reason from decision where subject = 'quiet'`)).map((row) => row.reason);

test('what fails in a window is measured and kept back, and is told within a second of its end', async () => {
  jobs.deps.config = aConfig([check], { maintenance: { patches } });
  await turn(NOON_MS - SLOT_MS);
  await slots(0, 4, 'down');
  expect(await measured()).toBe(15);
  expect(await reasons()).toEqual(['suppressed-by-maintenance']);
  expect(await told()).toEqual([]);

  await turn(endMs);
  expect(await told()).toEqual(['incident', 'notice', 'thread']);
  expect(await notice()).toMatchObject([
    {
      title: 'Database patches ended at 12:05 (6 min)',
      lines: ['1 check failed meanwhile.', 'Still wrong: Patient billing, Riverside Clinic cannot post invoices.'],
    },
  ]);
});

test('what is well again at the end of a silence opens nothing', async () => {
  const silence = { ...nothing, title: 'Riverside Clinic', reason: 'moving house', madeBy: 'ana', tenants: ['riverside'] };
  await insertSilence(jobs.deps.pool, { ...silence, madeAtMs: NOON_MS - SLOT_MS, endsAtMs: endMs });
  await slots(0, 1, 'down');
  await slots(2, 4, 'up');
  expect(await reasons()).toEqual(['suppressed-by-silence']);
  await turn(endMs);
  expect(await told()).toEqual(['notice']);
  expect(await notice()).toMatchObject([{ title: 'Silence of Riverside Clinic ended at 12:05 (6 min)', mark: '🟢' }]);
});

test('an end that comes while a scope is marked already is judged once more', async () => {
  jobs.deps.config = aConfig([check], { maintenance: { patches } });
  await turn(NOON_MS - SLOT_MS);
  await slots(0, 4, 'down');
  await markDirty(jobs.deps.pool, ['billing']);
  jobs.at(endMs - 1);
  await judgeDirty(jobs.deps, new Map());
  expect(await told()).toEqual([]);
  await turn(endMs + 500);
  expect(await told()).toContain('incident');
});

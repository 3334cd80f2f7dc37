/** Several problems in one scope, causes found later, and locations that are not to be believed: on a real database. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check, Verdict } from '../../core/check.ts';
import type { Facts } from '../../core/incident.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { sweepRuns } from '../../jobs/sweep.ts';
import { insertChange } from '../../store/change.ts';
import { locationTroublesOf } from '../../store/location-trouble.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const invoice = aCheck({ template: 'post-invoice' });
const booking = aCheck({ template: 'book', title: 'Book an appointment', does: 'book appointments', service: 'scheduling' });
const database: Check = (() => {
  const { service: _service, ...rest } = aCheck({ template: 'vitals', title: 'Vital signs', critical: false });
  return { ...rest, component: 'postgres' };
})();
const all = [invoice, booking, database];
const noUsual = new Map<string, number>();
let jobs: TestJobs;

beforeEach(async () => {
  jobs = await testJobs(aConfig(all), NOON_MS);
});
afterEach(() => jobs.close());

/** One round of every check, `verdicts` by check: one for all locations, or one for each. Then judged, some seconds later. */
async function round(slot: number, verdicts: Partial<Record<string, Verdict | Verdict[]>> = {}): Promise<void> {
  for (const check of all) {
    const own = verdicts[check.id] ?? 'up';
    const inputs = everywhere(check, slot, ...((Array.isArray(own) ? own : [own]) as ['up']));
    await order(jobs, check, inputs);
    jobs.at(NOON_MS + slot * SLOT_MS + 1_000);
    for (const input of inputs) await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
  }
  await look(NOON_MS + slot * SLOT_MS + 8_000);
}

/** What the loops of a worker do. */
async function look(nowMs: number): Promise<void> {
  jobs.at(nowMs);
  await sweepRuns(jobs.deps);
  await judgeDirty(jobs.deps, noUsual);
  await sweepRuns(jobs.deps);
  await judgeDirty(jobs.deps, noUsual);
}

interface Row {
  id: number;
  scope: string;
  root: string;
  class: string;
  state: string;
  facts: Facts;
  merged_into: number | null;
}

const incidents = () => jobs.query<Row>('select id, scope, root, class, state, facts, merged_into from incident order by id');
const lines = async () =>
  (await jobs.query<{ incident_id: number; kind: string }>('select incident_id, kind from timeline order by id')).map(
    (row) => `${row.incident_id} ${row.kind}`,
  );

describe('a cause', () => {
  it('is found after its symptom was told: the same incident goes on under it, and what joins says the change before it', async () => {
    await round(0);
    const change = {
      atMs: NOON_MS + SLOT_MS - 120_000,
      kind: 'migration' as const,
      title: 'index on account_move',
      outcome: 'done' as const,
    };
    await insertChange(jobs.deps.pool, { ...change, source: 'api', services: [], components: ['postgres'], tenants: [] }, 'api/1');
    await round(1, { 'post-invoice': 'down' });
    expect(await incidents()).toMatchObject([{ root: 'service:billing', class: 'full interruption', state: 'open' }]);
    await round(2, { 'post-invoice': 'down', vitals: 'down', book: 'down' });
    const [only, ...others] = await incidents();
    expect(others).toEqual([]);
    expect(only).toMatchObject({ root: 'component:postgres', state: 'open' });
    expect(only?.facts.services.map((service) => service.id).sort()).toEqual(['billing', 'scheduling']);
    expect(only?.facts.suspects[0]).toMatchObject({ kind: 'component', id: 'postgres' });
    expect(only?.facts.changes).toMatchObject([{ title: 'index on account_move', kind: 'migration' }]);
    for (const slot of [3, 4, 5]) await round(slot);
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
    expect(await lines()).toEqual(['1 opened', '1 impact-changed', '1 resolved']);
  });

  it('ends, and what outlives it is said', async () => {
    await round(0);
    await round(1, { vitals: 'down', 'post-invoice': 'down' });
    await round(2, { vitals: 'down', 'post-invoice': 'down' });
    for (const slot of [3, 4, 5]) await round(slot, { 'post-invoice': 'down' });
    expect(await lines()).toContain('1 outlived-cause');
    expect(await incidents()).toMatchObject([{ state: 'open', class: 'full interruption' }]);
  });

  it('joins two that were told apart: the younger ends, and points to the older', async () => {
    await round(0);
    await round(1, { 'post-invoice': 'down' });
    for (const slot of [2, 3, 4, 5]) await round(slot, { 'post-invoice': 'down' });
    await round(6, { 'post-invoice': 'down', vitals: 'down' });
    expect(await incidents(), 'the database fails five minutes after: not the cause').toMatchObject([
      { root: 'service:billing', class: 'full interruption' },
      { root: 'component:postgres', class: 'risk' },
    ]);
    await round(7, { 'post-invoice': 'down', vitals: 'down', book: 'down' });
    expect((await incidents())[1]).toMatchObject({ root: 'component:postgres', class: 'full interruption' });
    expect((await incidents())[1]?.facts.members.sort()).toEqual(['book', 'vitals']);
    expect(await jobs.query(`select count(*)::int as open from incident where state = 'open'`)).toEqual([{ open: 2 }]);
  });
});

describe('a location', () => {
  it('that fails at everything while others see all well is told as blind, once, and believed again afterwards', async () => {
    const cut: Verdict[] = ['up', 'up', 'down'];
    await round(0);
    for (const slot of [1, 2, 3, 4]) await round(slot, { 'post-invoice': cut, book: cut, vitals: cut });
    expect(await incidents()).toMatchObject([{ scope: '-monitoring', class: 'blind', state: 'open' }]);
    expect((await incidents())[0]?.facts.locations).toMatchObject([{ id: 'cloud', kind: 'cut-off' }]);
    expect(await locationTroublesOf(jobs.deps.pool)).toMatchObject([{ id: 'cloud', kind: 'cut-off' }]);
    for (const slot of [5, 6]) await round(slot);
    expect(await incidents()).toMatchObject([{ scope: '-monitoring', state: 'resolved' }]);
    expect(await lines()).toEqual(['1 opened', '1 resolved']);
  });

  it('of which nothing comes is told as blind, and none of its checks by itself', async () => {
    await round(0);
    for (const slot of [1, 2, 3, 4, 5]) {
      for (const check of all) {
        const inputs = everywhere(check, slot, 'up');
        await order(jobs, check, inputs);
        jobs.at(NOON_MS + slot * SLOT_MS + 1_000);
        for (const input of inputs.filter((one) => one.location !== 'south')) {
          await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
        }
      }
      await look(NOON_MS + slot * SLOT_MS + 59_000);
    }
    expect(await incidents()).toMatchObject([{ scope: '-monitoring', class: 'blind', state: 'open' }]);
    expect((await incidents())[0]?.facts.locations).toMatchObject([{ id: 'south', kind: 'silent' }]);
  });
});

it('adopts the verdicts that belong to it, and none of another problem of the scope', async () => {
  await round(0);
  await round(1, { vitals: 'down' });
  const rows = await jobs.query<{ subject: string; incident_id: number | null }>(
    `select subject, incident_id from decision where subject like 'verdict %' order by id`,
  );
  expect(rows).toEqual([{ subject: 'verdict vitals', incident_id: 1 }]);
});

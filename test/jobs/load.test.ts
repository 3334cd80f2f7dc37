import { register } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../core/check.ts';
import type { Tenant } from '../../core/config/model.ts';
import type { Loads } from '../../core/result.ts';
import { foldReport } from '../../jobs/fold.ts';
import { readGauges } from '../../jobs/gauges.ts';
import { noteLoads } from '../../jobs/load.ts';
import { inTransaction } from '../../store/db.ts';
import { knownLoads, noisyTenants, tenantHoursSince } from '../../store/load.ts';
import { aCheck, aConfig, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const vital = (change: Partial<Check>): Check => {
  const { service: _, ...check } = aCheck({ component: 'postgres', type: 'postgres', locations: ['north', 'south'], ...change });
  return check;
};
const check = vital({ template: 'vital-signs' });
const queues = vital({ template: 'queues', component: 'redis', type: 'bullmq', locations: ['north'] });
const ofTenant = vital({ template: 'own-server', tenant: 'hillcrest' });
const ofService = aCheck({ template: 'of-a-service', locations: ['north'] });
const tenants: Record<string, Tenant> = Object.fromEntries(
  ['riverside', 'hillcrest'].map((id) => [id, { id, title: id.toUpperCase(), fields: { id, role: `${id}_app`, queue: `${id}-*` } }]),
);
const components = Object.fromEntries(['postgres', 'redis'].map((id) => [id, { id, title: id, dependsOn: [] }]));
const config = aConfig([check, queues, ofTenant, ofService], { tenants, components });

let jobs: TestJobs;
beforeEach(async () => {
  jobs = await testJobs(config, NOON_MS);
});
afterEach(() => jobs.close());

function loads(slot: number, busy: Record<string, number>): Loads {
  const list = Object.entries(busy).map(([role, statementMs]) => ({
    ...{ by: 'role' as const, name: `${role}_app`, countingSinceMs: 7 },
    ...{ counters: { statementMs }, levels: { connections: 1, waiting: 0 } },
  }));
  return { atMs: NOON_MS + slot * SLOT_MS, loads: list, unreadable: [] };
}

async function told(one: Check, location: string, slot: number, sample: Loads): Promise<void> {
  const input = said(one, location, slot, 'up');
  await order(jobs, one, [input]);
  await foldReport(jobs.deps, location, asReport([asResult(input, { loads: sample })]));
}

const hours = () => tenantHoursSince(jobs.deps.pool, ['postgres', 'redis'], NOON_MS);

test('what is told twice is counted once, and a result that comes late changes nothing', async () => {
  for (const slot of [0, 1, 1, 3, 2]) await told(check, 'north', slot, loads(slot, { hillcrest: slot * 30_000, riverside: 0 }));
  const [known] = await knownLoads(jobs.deps.pool, ['postgres'], NOON_MS);
  expect(known).toMatchObject({ check: 'vital-signs', location: 'north', isFresh: true, plannedAtMs: NOON_MS + 3 * SLOT_MS });
  expect((await hours()).find((one) => one.tenant === 'hillcrest' && one.measure === 'statement-time')).toMatchObject({
    mean: 0.5,
    share: 1,
  });
});

test('samples in one report are folded in their order', async () => {
  const inputs = [2, 0, 1].map((slot) => ({ slot, input: said(check, 'north', slot, 'up') }));
  await order(
    jobs,
    check,
    inputs.map(({ input }) => input),
  );
  const results = inputs.map(({ slot, input }) => asResult(input, { loads: loads(slot, { hillcrest: slot * 6_000 }) }));
  await foldReport(jobs.deps, 'north', asReport(results));
  expect((await hours())[1]).toMatchObject({ measure: 'statement-time', mean: 0.1 });
});

test('queues are ranked like roles, by how they begin', async () => {
  const queued = (slot: number, hillcrest: number): Loads => ({
    atMs: NOON_MS + slot * SLOT_MS,
    loads: Object.entries({ 'hillcrest-reports': hillcrest, 'hillcrest-mail': 1, 'riverside-mail': 7, other: 3 }).map(([name, jobs]) => ({
      ...{ by: 'queue' as const, name, countingSinceMs: 0 },
      ...{ counters: {}, levels: { jobs } },
    })),
    unreadable: [],
  });
  for (let slot = 0; slot < 8; slot++) await told(queues, 'north', slot, queued(slot, 4));
  for (const slot of [8, 9]) await told(queues, 'north', slot, queued(slot, 12_400));
  expect((await noisyTenants(jobs.deps.pool, ['redis'], NOON_MS + 9 * SLOT_MS)).map(({ text }) => text)).toEqual([
    'HILLCREST: 12,401 jobs queued of 12,411, usually 4.8',
  ]);
});

test('checks of a service, of one tenant’s own server and of no configuration are passed over', async () => {
  await told(ofTenant, 'north', 0, loads(0, { hillcrest: 1 }));
  await told(ofService, 'north', 0, loads(0, { hillcrest: 1 }));
  const row = { check: 'gone', plannedAtMs: NOON_MS };
  await inTransaction(jobs.deps.pool, (db) => noteLoads(jobs.deps, db, 'north', [{ result: { loads: loads(0, { hillcrest: 1 }) }, row }]));
  expect(await jobs.query('select * from load_state')).toEqual([]);
});

test('many reports of two locations at once hold nobody up, and none is lost', async () => {
  const samples = ['north', 'south'].flatMap((location) => [0, 1, 2, 3, 4, 5].map((slot) => ({ location, slot })));
  await Promise.all(
    samples.map(({ location, slot }) => told(check, location, slot, loads(slot, { hillcrest: slot * 6_000, riverside: 0 }))),
  );
  const known = await knownLoads(jobs.deps.pool, ['postgres'], NOON_MS);
  expect(known.map(({ location, plannedAtMs }) => [location, plannedAtMs])).toEqual([
    ['north', NOON_MS + 5 * SLOT_MS],
    ['south', NOON_MS + 5 * SLOT_MS],
  ]);
});

test('the metrics tell samples, and how many are noisy', async () => {
  register.resetMetrics();
  for (let slot = 0; slot < 8; slot++) await told(check, 'north', slot, loads(slot, { hillcrest: slot * 600, riverside: slot * 600 }));
  for (const slot of [8, 9]) await told(check, 'north', slot, loads(slot, { hillcrest: slot * 60_000, riverside: slot * 600 }));
  jobs.at(NOON_MS + 9 * SLOT_MS);
  await readGauges(jobs.deps, []);
  const values = async (name: string) =>
    (await register.getSingleMetric(name)?.get())?.values.map(({ labels, value }) => [labels.component, value]);
  expect(await values('rounds_load_samples_total')).toEqual([['postgres', 10]]);
  expect(await values('rounds_tenants_noisy')).toEqual([
    ['postgres', 1],
    ['redis', 0],
  ]);
});

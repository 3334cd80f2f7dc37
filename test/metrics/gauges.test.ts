import { register } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { QUEUES } from '../../jobs/contract.ts';
import { foldReport } from '../../jobs/fold.ts';
import { readGauges } from '../../jobs/gauges.ts';
import { judgeScope } from '../../jobs/judge.ts';
import { planSlots } from '../../jobs/plan.ts';
import { noteAgents } from '../../store/agent.ts';
import { aCheck, aConfig, everywhere, NOON_MS } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { type Backend, onEachQueue } from '../helpers/queues.ts';

const invoice = ['riverside', 'hillcrest'].map((tenant) => aCheck({ tenant }));
const [riverside] = invoice as [(typeof invoice)[number]];
const database = aCheck({ template: 'database', title: 'PostgreSQL', component: 'postgres', type: 'postgres', locations: ['north'] });
const { service: _service, ...ofComponent } = database;
const config = aConfig([...invoice, ofComponent]);

/** The value of one series; `undefined` when there is none. */
async function value(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  const metric = await register.getSingleMetric(name)?.get();
  const found = metric?.values.find((one) => Object.entries(labels).every(([label, text]) => one.labels[label] === text));
  return found?.value;
}

onEachQueue((backend: Backend) => {
  let jobs: TestJobs;
  beforeEach(async () => {
    register.resetMetrics();
    jobs = await testJobs(config, NOON_MS, backend);
  });
  afterEach(() => jobs.close());

  test('a queue tells how much waits on it, and since when the oldest could have been taken', async () => {
    const { queues } = jobs.deps;
    expect(await queues.load(QUEUES.round('north'))).toEqual({ waiting: 0, active: 0, delayed: 0, failed: 0 });
    const beforeMs = Date.now();
    await queues.add(QUEUES.round('north'), [{ id: 'old', data: {} }], 'once');
    const betweenMs = Date.now();
    await queues.add(QUEUES.round('north'), [{ id: 'new', data: {} }], 'once');
    await queues.add(QUEUES.round('north'), [{ id: 'later', data: {}, delayMs: 60_000 }], 'once');
    const load = await queues.load(QUEUES.round('north'));
    expect(load).toMatchObject({ waiting: 2, active: 0, delayed: 1, failed: 0 });
    expect(load.oldestMs).toBeGreaterThanOrEqual(beforeMs - 20);
    expect(load.oldestMs).toBeLessThanOrEqual(betweenMs + 20);
  });

  test('how things stand is read for the metrics, with a zero for what is not there', async () => {
    // Long enough for a slot of each check.
    jobs.at(NOON_MS + 59_000);
    await planSlots(jobs.deps);
    const failing = everywhere(riverside, 0, 'down');
    await order(jobs, riverside, failing);
    for (const one of failing) await foldReport(jobs.deps, one.location, asReport([asResult(one)]));
    await judgeScope(jobs.deps, 'billing', new Map());
    await noteAgents(jobs.deps.pool, [
      { location: 'north', name: 'a', agoMs: 0, skewMs: 0 },
      { location: 'north', name: 'b', agoMs: 0, skewMs: 0 },
      { location: 'south', name: 'c', agoMs: 600_000, skewMs: 0 },
    ]);
    await readGauges(jobs.deps, ['north', 'south', 'cloud']);

    const billing = { service: 'billing', component: '' };
    expect(await value('rounds_checks', { ...billing, state: 'down' })).toBe(1);
    expect(await value('rounds_checks', { ...billing, state: 'unknown' })).toBe(1);
    expect(await value('rounds_checks', { ...billing, state: 'up' })).toBe(0);
    expect(await value('rounds_checks', { service: '', component: 'postgres', state: 'unknown' })).toBe(1);
    expect(await value('rounds_incidents_open', { class: 'partial outage' })).toBe(1);
    expect(await value('rounds_incidents_open', { class: 'blind' })).toBe(0);
    expect(await value('rounds_incidents_opened_total', { class: 'partial outage' })).toBe(1);
    expect(await value('rounds_agents_heard', { location: 'north' })).toBe(2);
    expect(await value('rounds_agents_heard', { location: 'south' })).toBe(0);
    const due = (await value('rounds_runs_due_total', { location: 'north', purpose: 'scheduled' })) ?? 0;
    expect(due).toBeGreaterThan(0);
    // Light checks due in one second are one job, so there may be fewer jobs than runs.
    const states = await Promise.all(
      ['waiting', 'delayed'].map((state) => value('rounds_queue_jobs', { queue: 'round', location: 'north', state })),
    );
    const queued = states.reduce<number>((sum, one) => sum + (one ?? 0), 0);
    expect(queued).toBeGreaterThan(0);
    expect(queued).toBeLessThanOrEqual(due);
    expect(await value('rounds_queue_jobs', { queue: 'results', location: 'cloud', state: 'waiting' })).toBe(0);
    expect(await value('rounds_planner_planned_until_timestamp_seconds')).toBe(NOON_MS / 1000 + 64);
  });
});

test('runs are counted once, as they ended, and a reason of an agent’s own making is no label', async () => {
  register.resetMetrics();
  const jobs = await testJobs(config, NOON_MS);
  const [up, fault] = [everywhere(riverside, 0, 'up'), everywhere(riverside, 1, 'fault')];
  await order(jobs, riverside, [...up, ...fault]);
  const north = asReport([asResult(up[0]!), asResult(fault[0]!, { failure: { kind: 'made-up-4711', message: 'x' } })]);
  await foldReport(jobs.deps, 'north', north);
  await foldReport(jobs.deps, 'north', north);
  await foldReport(jobs.deps, 'south', asReport([asResult(up[1]!, { startLatenessMs: 45_000 })]));
  await foldReport(jobs.deps, 'cloud', asReport([], { refusals: [{ run: up[2]!.run, reason: 'stale' }] }));
  const ended = (location: string, state: string, reason: string) => value('rounds_runs_ended_total', { location, state, reason });
  expect(await ended('north', 'run', 'none')).toBe(1);
  expect(await ended('north', 'fault', 'other')).toBe(1);
  expect(await ended('south', 'late', 'agent-busy')).toBe(1);
  expect(await ended('cloud', 'missed', 'stale')).toBe(1);
  expect(await value('rounds_results_total', { location: 'north', type: 'http', verdict: 'up' })).toBe(1);
  expect((await register.getSingleMetric('rounds_runs_ended_total')!.get()).values).toHaveLength(4);
  await jobs.close();
});

/** Agents whose wall clocks are wrong and workers whose clock jumps: what is due runs at its time, by the true clock, and none of it is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Check } from '../../core/check.ts';
import { QUEUES, type Report, reportSchema } from '../../jobs/contract.ts';
import { planSlots } from '../../jobs/plan.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { type TestJobs, testJobs } from '../helpers/jobs.ts';
import { blackHole, listening, type TestServer } from '../helpers/probing.ts';
import { type RunningProcess, startProcess } from '../helpers/processes.ts';
import { onEachQueue } from '../helpers/queues.ts';

const HOUR_MS = 3_600_000;
/** Each is due once at most while a test plans (6 s, and 5 s ahead), so a request tells whose it is. */
const CHECKS_AT_A_LOCATION = 40;
const EVERY_MS = 30_000;
const PLANS_FOR_MS = 6_000;
/** Longer than the lock of a job lasts unless it is renewed. */
const HELD_MS = 13_000;

let jobs: TestJobs;
let target: TestServer;
let hole: TestServer;
let agents: RunningProcess[];
let reports: Report[];
/** When each check was run last, by the true clock. */
let ranAtMs: Map<string, number>;
let folder: string;

onEachQueue((backend) => {
  beforeEach(async () => {
    agents = [];
    reports = [];
    ranAtMs = new Map();
    folder = mkdtempSync(join(tmpdir(), 'rounds-clock-'));
    target = await listening(
      createServer((request, response) => {
        ranAtMs.set(request.url?.slice(1) ?? '', Date.now());
        response.end();
      }),
    );
    hole = await blackHole();
    const checks = ['north', 'south'].flatMap((location) =>
      Array.from({ length: CHECKS_AT_A_LOCATION }, (_, index) => aLightCheck(`c${index}-at-${location}`, location)),
    );
    jobs = await testJobs(aConfig(checks), Date.now(), backend);
    for (const location of ['north', 'south']) {
      const told = async ({ data }: { data: unknown }) => void reports.push(reportSchema.parse(data));
      jobs.deps.queues.work(QUEUES.results(location), { concurrency: 1, policy: 'until-stored' }, told);
    }
  });
  afterEach(async () => {
    await Promise.all(agents.map((agent) => agent.kill()));
    await jobs.close();
    await target.close();
    await hole.close();
    rmSync(folder, { recursive: true });
  });

  const aLightCheck = (id: string, location: string): Check =>
    aCheck({ template: id, everyMs: EVERY_MS, timeoutMs: 5_000, retries: 0, locations: [location], params: http(target.port, id) });

  const http = (port: number, path = '') => ({
    url: `http://127.0.0.1:${port}/${path}`,
    method: 'GET',
    headers: {},
    redirects: 'follow',
    bodyLimit: 1e6,
    expect: {},
  });

  const anAgent = (location: string, clockAhead: [fromS: number, aheadMs: number][]) =>
    startProcess('agent', ['--location', location], {
      ROUNDS_QUEUE_URL: jobs.queueUrl,
      ROUNDS_DATA: mkdtempSync(join(folder, 'agent-')),
      NODE_OPTIONS: `--import ${new URL('../fixtures/clock-ahead.ts', import.meta.url).href}`,
      CLOCK_AHEAD: JSON.stringify(clockAhead),
    });

  /** Plans as a worker does whose clock is ahead by so much; returns how much later than its slot each run began. */
  async function planFor(aheadMs: number): Promise<{ run: string; lateMs: number }[]> {
    const clock = { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
    const untilMs = performance.now() + PLANS_FOR_MS;
    const due = new Map<string, number>();
    while (performance.now() < untilMs) {
      await planSlots({ ...jobs.deps, clock });
      const planned = await jobs.query<{ check_id: string; slot: Date }>(
        'select check_id, slot from ledger where slot between to_timestamp($1 / 1000.0) and to_timestamp($2 / 1000.0)',
        [clock.now(), clock.now() + 10_000],
      );
      for (const { check_id, slot } of planned) due.set(check_id, slot.getTime() - aheadMs);
      await sleep(250);
    }
    await expect.poll(() => [...due.keys()].filter((id) => !ranAtMs.has(id)), { timeout: 12_000 }).toEqual([]);
    return [...due].map(([run, dueAtMs]) => ({ run, lateMs: (ranAtMs.get(run) ?? Number.NaN) - dueAtMs }));
  }

  function expectOnTime(runs: { run: string; lateMs: number }[]): void {
    const late = runs.map(({ lateMs }) => lateMs).sort((a, b) => a - b);
    expect(late.length).toBeGreaterThan(15);
    expect(late[0], 'none before its time').toBeGreaterThan(-250);
    expect(late[Math.floor(late.length / 2)], 'most of them at once').toBeLessThan(1_000);
    // A machine under load may hold one up; what waits for a clock that is wrong waits 5 s, or for ever.
    expect(late.at(-1), 'none much later').toBeLessThan(4_000);
    expect(reports.flatMap(({ refusals }) => refusals)).toEqual([]);
  }

  test('agents that are ahead, behind and jumping run what is due at its time, and take nothing from each other', async () => {
    agents = await Promise.all([
      anAgent('north', [[0, 90_000]]),
      anAgent(
        'north',
        [...Array(20).keys()].map((index) => [index * 2, [-3 * 60_000, 5 * 60_000, -2 * HOUR_MS][index % 3] ?? 0]),
      ),
      anAgent('south', [[0, -2 * HOUR_MS]]),
    ]);
    const held = aCheck({ id: 'held', timeoutMs: HELD_MS, retries: 0 });
    const order = { run: 'held@north@1@scheduled@0', check: 'held', title: 'Held', type: 'http', params: http(hole.port), revision: 'r' };
    const times = { timeoutMs: held.timeoutMs, retries: 0, notBeforeMs: Date.now(), notAfterMs: Date.now() + 60_000 };
    await jobs.deps.queues.add(QUEUES.round('north'), [{ id: 'held', data: { v: 1, orders: [{ ...order, ...times }] } }], 'once');
    expectOnTime(await planFor(0));
    const told = () => reports.flatMap(({ results }) => results).find(({ run }) => run === order.run)?.verdict;
    await expect.poll(told, { timeout: HELD_MS }).toBe('down');
    await expect.poll(() => jobs.deps.queues.load(QUEUES.round('north')), { timeout: 10_000 }).toMatchObject({ active: 0, failed: 0 });
  }, 60_000);

  test('when the clock of the workers is put back and ahead by two hours agents take up their work as ever', async () => {
    agents = await Promise.all([anAgent('north', [[0, 0]]), anAgent('south', [[0, 600_000]])]);
    expectOnTime(await planFor(-2 * HOUR_MS));
    ranAtMs.clear();
    expectOnTime(await planFor(2 * HOUR_MS));
  }, 60_000);
});

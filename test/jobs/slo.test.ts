/** Budgets that burn, from runs in the ledger to what judgement reads. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/model.ts';
import type { Slo } from '../../core/slo/slo.ts';
import { budgetLeft, burnRate } from '../../jobs/metrics.ts';
import { type RollupMemory, rollUp } from '../../jobs/rollup.ts';
import { readBudgets, type SloMemory, watchBudgets } from '../../jobs/slo.ts';
import { activeBurns, budgetsOf } from '../../store/slo.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { type TestJobs, testJobs } from '../helpers/jobs.ts';
import { bruteForce, LOCATIONS, type RawRun, tell } from '../helpers/rollup.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOON_MS = Date.UTC(2026, 0, 15, 12);
const TENANTS = ['riverside', 'hillcrest'];

const works: Slo = {
  ...{ id: 'works', service: 'billing', title: 'Invoices can be posted', objective: 0.999, budgets: ['service', 'tenant'] },
  sli: { kind: 'availability', check: 'post-invoice' },
  window: { kind: 'rolling', durationMs: 28 * 24 * HOUR_MS },
};

function configOf(slos: Slo[]): Config {
  const config = aConfig(TENANTS.map((tenant) => aCheck({ tenant })));
  const billing = config.services.billing;
  return billing ? { ...config, services: { ...config.services, billing: { ...billing, slos } } } : config;
}

const CONFIG = configOf([works]);

/** Slots of both tenants from that many minutes before noon until noon, each from everywhere. */
function slots(fromMinutes: number, untilMinutes: number, verdict: (tenant: string, minute: number) => RawRun['verdict']): RawRun[] {
  return Array.from({ length: untilMinutes - fromMinutes }, (_, index) => fromMinutes + index).flatMap((minute) =>
    TENANTS.flatMap((tenant) =>
      LOCATIONS.map((location): RawRun => {
        const slotMs = NOON_MS + minute * MINUTE_MS + 7_000;
        return {
          ...{ check: `post-invoice/${tenant}`, location, slotMs, ask: 0, purpose: 'scheduled', plannedAtMs: slotMs },
          ...{ verdict: verdict(tenant, minute), durationMs: 900, connectMs: null },
        };
      }),
    ),
  );
}

let jobs: TestJobs;
let rollups: RollupMemory;
let memory: SloMemory;

async function look(config = CONFIG): Promise<boolean> {
  await jobs.query('select pg_sleep(0.06)');
  await rollUp({ ...jobs.deps, config }, rollups);
  return watchBudgets({ ...jobs.deps, config }, memory);
}

beforeAll(async () => {
  jobs = await testJobs(CONFIG, NOON_MS);
});
beforeEach(async () => {
  await jobs.query('truncate run, due, rollup_minute, rollup_hour, rollup_day, rollup_series, slo_state, scope, decision');
  const minute = NOON_MS / MINUTE_MS - 5 * 1440;
  await jobs.query('update rollup_progress set received_until = now(), hours_until = $1, days_until = $2', [minute, minute - 720]);
  rollups = { forgotMs: NOON_MS };
  memory = {};
  jobs.at(NOON_MS);
});
afterAll(() => jobs.close());

const burning = async () =>
  (await activeBurns(jobs.deps.pool, ['billing', 'scheduling'])).map(
    ({ slo, tenant, longMs }) => `${slo} ${tenant ?? ''} ${longMs / HOUR_MS}h`,
  );

describe('a budget', () => {
  it('that burns is told once, with its numbers, and its scope is to be judged', async () => {
    const runs = slots(-120, 0, (tenant, minute) => (tenant === 'riverside' && minute >= -5 ? 'down' : 'up'));
    await tell(jobs.deps.pool, runs);
    expect(await look()).toBe(true);
    expect(await burning()).toEqual(['works riverside 1h', 'works  1h']);
    const [, whole] = await activeBurns(jobs.deps.pool, ['billing']);
    const hour = bruteForce(
      runs,
      works.sli,
      TENANTS.map((tenant) => `post-invoice/${tenant}`),
      NOON_MS - 59 * MINUTE_MS,
      NOON_MS + MINUTE_MS,
    );
    expect(hour).toEqual({ good: 113, bad: 5, unseen: 0 });
    expect(whole).toMatchObject({
      ...{ service: 'billing', slo: 'works', title: 'Invoices can be posted', objective: 0.999, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
      ...{ severity: 'page', rate: expect.closeTo(5 / 118 / 0.001, 6), sinceMs: NOON_MS, window: '28 days' },
    });
    expect(await jobs.query('select id, dirty_seq from scope')).toEqual([{ id: 'billing', dirty_seq: 1 }]);
    expect(await look()).toBe(false);
    jobs.at(NOON_MS + MINUTE_MS);
    expect(await look()).toBe(false);
    expect(await jobs.query('select subject, reason from decision order by id')).toEqual(
      // Two hours of data are too few to say that of all pairs for the service.
      [
        ...Array(2).fill({ subject: 'slo:billing/works', reason: 'burn-raised' }),
        ...Array(4).fill({ subject: 'slo:billing/works/riverside', reason: 'burn-raised' }),
      ],
    );
  });

  it('is nobody’s alarm for one bad minute', async () => {
    await tell(
      jobs.deps.pool,
      slots(-240, 0, (_, minute) => (minute === -2 ? 'down' : 'up')),
    );
    expect(await look()).toBe(false);
    expect(await burning()).toEqual([]);
  });

  it('burns no more when enough was seen, and not before', async () => {
    await tell(
      jobs.deps.pool,
      slots(-120, 0, (_, minute) => (minute >= -5 ? 'down' : 'up')),
    );
    await look();
    expect(await burning()).toHaveLength(3);
    // An hour without data.
    jobs.at(NOON_MS + HOUR_MS);
    expect(await look()).toBe(false);
    expect(await burning()).toHaveLength(3);
    await tell(
      jobs.deps.pool,
      slots(60, 75, () => 'up'),
    );
    jobs.at(NOON_MS + 75 * MINUTE_MS);
    expect(await look()).toBe(true);
    expect(await burning()).toEqual(
      ['works  6h', 'works hillcrest 6h', 'works riverside 6h'].map((one) => expect.stringContaining(one.slice(-2))),
    );
  });

  it('that is configured no more burns no more', async () => {
    await tell(
      jobs.deps.pool,
      slots(-60, 0, (_, minute) => (minute >= -5 ? 'down' : 'up')),
    );
    await look();
    expect(await burning()).toHaveLength(3);
    expect(await look(configOf([]))).toBe(true);
    expect(await jobs.query('select * from slo_state')).toEqual([]);
  });

  it('is what a brute-force count over the raw runs says, with the share of what is still to come', async () => {
    const runs = slots(-2 * 24 * 60 + 60, 0, (tenant, minute) => ((minute + (tenant === 'riverside' ? 3 : 0)) % 97 === 0 ? 'down' : 'up'));
    for (let at = 0; at < runs.length; at += 5000) await tell(jobs.deps.pool, runs.slice(at, at + 5000));
    await look();
    const standings = await budgetsOf(jobs.deps.pool, CONFIG, ['billing'], NOON_MS);
    expect(standings.map(({ ref }) => ref.tenant)).toEqual([undefined, ...TENANTS]);
    for (const { ref, budget } of standings) {
      const checks = ref.checks.map((check) => check.id);
      const { good, bad } = bruteForce(runs, works.sli, checks, 0, NOON_MS + MINUTE_MS);
      // The first slot came 47 hours ago: what of 28 days lies before counts by its number.
      const total = good + bad + (28 * 1440 - 47 * 60) * checks.length;
      expect(budget).toMatchObject({ good, bad });
      const left = 1 - bad / (0.001 * total);
      expect(Math.abs(budget.left - left)).toBeLessThan(0.001 * Math.abs(left));
    }
    await readBudgets({ ...jobs.deps, config: CONFIG });
    const gauges = await budgetLeft.get();
    expect(gauges.values).toEqual([
      expect.objectContaining({ labels: { service: 'billing', slo: 'works' }, value: standings[0]?.budget.left }),
    ]);
    expect((await burnRate.get()).values.find(({ labels }) => labels.over === '1d')?.value).toBeCloseTo(10.3, 0);
  });
});

it('what comes late counts, and is told', async () => {
  await tell(
    jobs.deps.pool,
    slots(-120, 0, (tenant, minute) => (tenant === 'riverside' && minute >= -6 ? null : 'up')),
  );
  expect(await look()).toBe(false);
  await jobs.query(
    `update run set verdict = 'down', state = 'late', received_at = clock_timestamp() from check_key
     where key = check_key and check_id = 'post-invoice/riverside' and verdict is null`,
  );
  jobs.at(NOON_MS + 1000);
  expect(await look()).toBe(true);
  expect(await burning()).toContain('works riverside 1h');
});

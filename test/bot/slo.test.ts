import { describe, expect, test } from 'vitest';
import slo from '../../bot/commands/slo.ts';
import type { CommandContext } from '../../bot/contract.ts';
import { LIMITS, type Message } from '../../bot/render/blocks.ts';
import { renderSlos } from '../../bot/render/slo.ts';
import type { Config } from '../../core/config/model.ts';
import { budgetOf } from '../../core/slo/budget.ts';
import { budgetsIn } from '../../core/slo/budgets.ts';
import type { Burn } from '../../core/slo/burn.ts';
import type { Slo } from '../../core/slo/slo.ts';
import type { BudgetStanding } from '../../store/slo.ts';
import { aCheck, aConfig, NOON_MS } from '../helpers/domain.ts';
import { testJobs } from '../helpers/jobs.ts';

const DAY_MS = 86_400_000;

function aSlo(change: Partial<Slo> = {}): Slo {
  return {
    ...{ id: 'works', service: 'billing', title: 'Invoices can be posted', objective: 0.999, budgets: ['service', 'tenant'] },
    sli: { kind: 'availability', check: 'post-invoice' },
    window: { kind: 'rolling', durationMs: 28 * DAY_MS },
    ...change,
  };
}

function configOf(slos: Slo[], tenants = ['riverside', 'hillcrest']): Config {
  const config = aConfig(tenants.map((tenant) => aCheck({ tenant })));
  const billing = config.services.billing;
  return billing ? { ...config, services: { ...config.services, billing: { ...billing, slos } } } : config;
}

/** How each budget stands, by tenant; the service's has no name. */
function standings(config: Config, bad: Record<string, number>, change: Record<string, Partial<BudgetStanding>> = {}): BudgetStanding[] {
  return budgetsIn(config).map((ref) => ({
    ref,
    budget: budgetOf(ref.slo.objective, { good: 39_960, bad: bad[ref.tenant ?? ''] ?? 0 }),
    window: '28 days',
    windowMs: 28 * DAY_MS,
    rate: 0,
    ...change[ref.tenant ?? ''],
  }));
}

const burn: Burn = {
  ...{
    slo: 'works',
    service: 'billing',
    title: 'Invoices can be posted',
    objective: 0.999,
    rate: 21.3,
    longMs: 3_600_000,
    shortMs: 300_000,
  },
  ...{ severity: 'page', sinceMs: NOON_MS - 360_000, budgetLeft: 0.61, window: '28 days' },
};

function linesOf(message: Message): string[] {
  return message.blocks.flatMap((block) => (block.type === 'section' ? block.text.text.split('\n') : []));
}

function render(config: Config, all: BudgetStanding[]): string[] {
  return linesOf(renderSlos({ config, nowMs: NOON_MS }, Object.values(config.services), all));
}

describe('/rounds slo', () => {
  test('says what is left, and that all is kept', () => {
    const config = configOf([aSlo()]);
    expect(render(config, standings(config, {}))).toEqual([
      '*🟢 The objective is kept.*',
      '*Patient billing*',
      '🟢 Invoices can be posted: 100 % good, objective 99.9 %. Budget of 28 days: 100 % left',
    ]);
  });

  test('tells the clinics that are worse than the whole, the worst first', () => {
    const config = configOf([aSlo()]);
    const all = standings(config, { '': 15, riverside: 90, hillcrest: 20 }, { '': { burn }, riverside: { rate: 4.2 } });
    expect(render(config, all)).toEqual([
      '*🟡 The error budget of 1 of 1 objective burns too fast.*',
      '*Patient billing*',
      '🟡 Invoices can be posted: 99.962 % good, objective 99.9 %. Budget of 28 days: 62 % left, burning 21 times too fast over 1 h, since 11:54, used up in 19 h 14 min',
      '• Riverside Clinic: spent 2.2 times over, burning 4.2 times too fast in the last hour',
      '• Hillcrest Dental: 49 % left',
    ]);
  });

  test('says of what is counted by clinic alone, and of what nothing was seen', () => {
    const config = configOf([aSlo({ budgets: ['tenant'] }), aSlo({ id: 'other', title: 'Other', budgets: ['service'] })]);
    const nothing = { budget: budgetOf(0.999, { good: 0, bad: 0 }) };
    expect(render(config, standings(config, {}, { '': nothing }))).toEqual([
      '*⚪ No data for 1 of 2 objectives.*',
      '*Patient billing*',
      '🟢 Invoices can be posted: objective 99.9 %, by clinic: all kept',
      '⚪ Other: no data, objective 99.9 %',
    ]);
  });

  test('fits into a message, however many there are', () => {
    const tenants = Array.from({ length: 300 }, (_, index) => `clinic-${index}`);
    const slos = Array.from({ length: 80 }, (_, index) => aSlo({ id: `slo-${index}`, title: `Objective ${index} ${'x'.repeat(60)}` }));
    const config = configOf(slos, tenants);
    const bad = Object.fromEntries(tenants.map((tenant) => [tenant, 50]));
    const made = renderSlos({ config, nowMs: NOON_MS }, Object.values(config.services), standings(config, bad));
    expect(JSON.stringify(made.blocks).length).toBeLessThan(LIMITS.message + 1000);
    expect(made.text.length).toBeLessThanOrEqual(LIMITS.fallback);
  });

  test('reads the database, and helps with names', async () => {
    const config = configOf([aSlo()]);
    const jobs = await testJobs(config, NOON_MS);
    const { pool, clock, log } = jobs.deps;
    const call = { text: '', user: 'U0ANA', channel: 'C1', responseUrl: '', triggerId: 't', arrivedMs: 0 };
    const type = async (...words: string[]) => {
      const context: CommandContext = { pool, config, clock, log, call, person: undefined, words, verbs: [] };
      return linesOf(await slo.run(context));
    };
    expect(await type('billing')).toEqual([
      '*⚪ No data for 1 of 1 objective.*',
      '*Patient billing*',
      '⚪ Invoices can be posted: no data, objective 99.9 %',
    ]);
    expect(await type('biling')).toEqual(['I know no service "biling". Did you mean *billing*? `/rounds slo billing`']);
    expect(await type('scheduling')).toEqual(['Clinic scheduling has no objectives. They stand in rounds.yaml under "slos" of a service.']);
    await jobs.close();
  });
});

import { afterEach, describe, expect, test } from 'vitest';
import agents from '../../bot/commands/agents.ts';
import journeys from '../../bot/commands/journeys.ts';
import type { CommandContext, CommandVerb } from '../../bot/contract.ts';
import { LIMITS, type Message } from '../../bot/render/blocks.ts';
import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import type { StepResult } from '../../core/result.ts';
import { foldReport } from '../../jobs/fold.ts';
import { aCheck, aConfig, everywhere, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

/** Slots of a minute up to now: what is said counts from PostgreSQL's clock too. */
const NOW_MS = Math.floor(Date.now() / SLOT_MS) * SLOT_MS + 20_000;
const LAST_SLOT_MS = NOW_MS - 20_000;

const clinics = ['riverside', 'hillcrest'];
const invoice = clinics.map((tenant) => aCheck({ tenant, type: 'journey' }));
const book = clinics.map((tenant) =>
  aCheck({ tenant, template: 'book', title: 'Book an appointment', does: 'book appointments', service: 'scheduling', type: 'journey' }),
);
const gateway = aCheck({ template: 'gateway', title: 'Front door', type: 'http' });

let jobs: TestJobs | undefined;
afterEach(async () => {
  await jobs?.close();
  jobs = undefined;
});

async function started(checks: readonly Check[], change: Partial<Config> = {}): Promise<TestJobs> {
  jobs = await testJobs(aConfig([...checks], { timezone: 'UTC', ...change }), NOW_MS);
  return jobs;
}

/** Slots are counted back from the last one: 0 is now, -1 a minute ago. */
function at(slot: number, inputs: readonly FoldInput[]): FoldInput[] {
  return inputs.map((input) => {
    const plannedAtMs = LAST_SLOT_MS + slot * SLOT_MS;
    return { ...input, plannedAtMs, run: input.run.replace(/@\d+@scheduled/, `@${plannedAtMs}@scheduled`) };
  });
}

async function report(check: Check, inputs: readonly FoldInput[], steps: StepResult[] = []): Promise<void> {
  await order(jobs!, check, inputs);
  for (const location of new Set(inputs.map((input) => input.location))) {
    const own = inputs.filter((input) => input.location === location);
    await foldReport(jobs!.deps, location, asReport(own.map((input) => asResult(input, { steps }))));
  }
}

async function type(verb: CommandVerb, text = ''): Promise<Message> {
  const { pool, config, clock, log } = jobs!.deps;
  const call = { text, user: 'U0ANA', channel: 'C1', responseUrl: '', triggerId: 't', arrivedMs: 0 };
  const words = text.split(' ').filter(Boolean);
  const context: CommandContext = { pool, config, clock, log, call, person: undefined, words, verbs: [] };
  return verb.run(context);
}

function linesOf(message: Message): string[] {
  return message.blocks.flatMap((block) => (block.type === 'section' ? block.text.text.split('\n') : []));
}

const steps = (openMs: number): StepResult[] => [
  { name: 'log in', durationMs: 600, outcome: 'passed' },
  { name: 'open the invoice', durationMs: openMs, outcome: 'passed' },
];

describe('without data', () => {
  test('nothing is well, and nothing is said of times', async () => {
    await started([...invoice, ...book]);
    expect(linesOf(await type(journeys))).toEqual([
      '*⚪ 2 of 2 journeys are not seen for everybody.*',
      '*Patient billing*',
      '⚪ Post an invoice: not seen yet',
      '*Clinic scheduling*',
      '⚪ Book an appointment: not seen yet',
      '`/rounds journeys post-invoice` shows one by clinic, location and step.',
    ]);
    expect(linesOf(await type(journeys, 'post-invoice'))).toEqual([
      '⚪ Post an invoice: not seen yet',
      'Patient billing · every 1 min from Data centre north, Data centre south and Data centre cloud',
      '⚪ *Riverside Clinic*: not seen yet',
      '⚪ *Hillcrest Dental*: not seen yet',
    ]);
  });

  test('and without journeys it says so', async () => {
    await started([gateway]);
    expect(linesOf(await type(journeys))).toEqual(['*No journeys are configured.*']);
    expect(linesOf(await type(journeys, 'gateway'))).toEqual([
      '"Front door" is no journey, it is a check of type http: `/rounds status` shows it. There are no journeys.',
    ]);
  });
});

describe('with rounds', () => {
  test('what fails comes first, with clinic, step and since when; times stand beside what is usual', async () => {
    await started([...invoice, ...book, gateway]);
    const [riverside, hillcrest] = invoice as [Check, Check];
    for (const check of book) for (const slot of [-90, -89, -1, 0]) await report(check, at(slot, everywhere(check, 0, 'up')));
    for (const slot of [-90, -1]) await report(riverside, at(slot, everywhere(riverside, 0, 'up')));
    await report(riverside, at(0, everywhere(riverside, 0, 'down', 'down', 'up')));
    for (const slot of [-1, 0]) await report(hillcrest, at(slot, everywhere(hillcrest, 0, 'up')));

    const told = linesOf(await type(journeys));
    const clock = new Date(LAST_SLOT_MS).toISOString().slice(11, 16);
    expect(told.slice(0, 4)).toEqual([
      '*🟠 1 of 2 journeys fails.*',
      '*Patient billing*',
      '🟠 Post an invoice: 1 of 2 clinics succeed, p95 0.9 s in the last hour (usually 0.9 s), last round 20 s ago from Data centre cloud, Data centre north and Data centre south',
      `• Riverside Clinic: fails at "confirm the invoice": no answer within 15 s, since ${clock} (20 s ago), seen from 2 of 3 locations: Data centre north and Data centre south`,
    ]);
    expect(told[5]).toMatch(
      /^🟢 Book an appointment: 2 of 2 clinics succeed, p95 0\.9 s in the last hour \(usually 0\.9 s\), last round 20 s ago/,
    );
    expect(told.join('\n')).not.toContain('Front door');
  });

  test('what was seen long ago succeeds no more, though it was never down', async () => {
    await started(invoice);
    for (const check of invoice) await report(check, at(-30, everywhere(check, 0, 'up')));
    expect(linesOf(await type(journeys)).slice(0, 3)).toEqual([
      '*⚪ 1 of 1 journey is not seen for everybody.*',
      '*Patient billing*',
      expect.stringContaining(
        '⚪ Post an invoice: 0 of 2 clinics succeed, 2 not seen at present, p95 0.9 s in the last hour, last round 30 min ago',
      ),
    ]);
  });

  test('one location is not enough to say that a clinic is well', async () => {
    await started([invoice[0]!]);
    await report(invoice[0]!, at(0, [said(invoice[0]!, 'north', 0, 'up')]));
    const told = linesOf(await type(journeys));
    expect(told[2]).toMatch(/^⚪ Post an invoice: not seen by enough locations yet/);
    expect(told[3]).toBe('• Riverside Clinic: not clear yet: seen from 1 of 3 locations: Data centre north, 2 must agree');
  });

  test('by name it tells of each clinic and location, where the time goes, and which step is slower than elsewhere', async () => {
    await started([...invoice, gateway]);
    const [riverside, hillcrest] = invoice as [Check, Check];
    await report(hillcrest, at(0, everywhere(hillcrest, 0, 'up')), steps(400));
    await report(riverside, at(0, [said(riverside, 'north', 0, 'up', { durationMs: 3_000 })]), steps(2_400));
    await report(riverside, at(0, [said(riverside, 'south', 0, 'up'), said(riverside, 'cloud', 0, 'up')]), steps(400));
    const told = linesOf(await type(journeys, 'post an invoice'));
    expect(told[2]).toBe('Where the time goes, in the middle of 6 runs: log in 0.6 s (60 %) → open the invoice 0.4 s (40 %)');
    expect(told[3]).toBe('🟢 *Riverside Clinic*: succeeds');
    expect(told[4]).toBe('• Data centre north, 20 s ago: up in 3.0 s: log in 0.6 s → *open the invoice 2.4 s* (elsewhere 0.4 s)');
    expect(told[7]).toBe('🟢 *Hillcrest Dental*: succeeds');
    expect(linesOf(await type(journeys, 'post-invoice/hillcrest'))[0]).toMatch(/^🟢 Post an invoice: succeeds, p95 0\.9 s/);
    expect(linesOf(await type(journeys, 'post-invoce'))).toEqual([
      'I know no journey "post-invoce". Did you mean *post-invoice*? `/rounds journeys post-invoice`',
    ]);
    expect(linesOf(await type(journeys, 'gateway'))[0]).toContain('"Front door" is no journey');
  });
});

describe('with 500 clinics', () => {
  const tenants = Array.from({ length: 500 }, (_, index) => `clinic-${index}`);
  const many = tenants.map((tenant) => aCheck({ tenant, type: 'journey', locations: ['north'] }));
  const titles = Object.fromEntries(tenants.map((id) => [id, { id, title: `Clinic ${id} <of a long name>`, fields: {} }]));

  test('all is within the limits of Slack, and what is cut is counted', async () => {
    await started(many, { tenants: titles });
    const inputs = many.flatMap((check, index) => at(0, everywhere(check, 0, index % 5 === 0 ? 'down' : 'up')));
    await order(jobs!, many[0]!, inputs);
    const longSteps = Array.from({ length: 40 }, (_, index) => ({
      ...steps(400)[0]!,
      name: `step ${index} ${'of many words '.repeat(6)}`,
    }));
    await foldReport(jobs!.deps, 'north', asReport(inputs.map((input) => asResult(input, { steps: longSteps }))));

    for (const message of [await type(journeys), await type(journeys, 'post-invoice')]) {
      expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
      expect(JSON.stringify(message.blocks).length).toBeLessThan(12_000);
      for (const block of message.blocks) if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(LIMITS.section);
    }
    const overview = linesOf(await type(journeys));
    expect(overview[2]).toContain('🟠 Post an invoice: 400 of 500 clinics succeed');
    expect(overview[6]).toBe('and 97 more clinics that do not succeed');
    expect(linesOf(await type(journeys, 'post-invoice')).at(-1)).toBe('and 492 more clinics: 92 fail, 400 succeed');
  });
});

test('agents are told from what is in the database', async () => {
  await started([invoice[0]!]);
  await report(invoice[0]!, at(0, everywhere(invoice[0]!, 0, 'up')));
  await jobs!.query(
    `insert into agent (location, name, first_seen, last_seen, skew_ms) values ('north', 'north@web-1/7', now(), now(), 3), ('north', 'north@web-2/9', now(), now(), 3)`,
  );
  const told = linesOf(await type(agents));
  expect(told[0]).toBe('*🟢 All locations see.*');
  expect(told[1]).toBe('🟢 *Data centre north*: fresh results of its check; 2 agents heard of late');
  expect(told.filter((line) => /web-[12]/.test(line))).toHaveLength(2);
  expect(told).toContain('Last hour: 1 run as planned, none late, missed or failed at the agent');
});

import { afterEach, describe, expect, test } from 'vitest';
import tenants from '../../bot/commands/tenants.ts';
import type { CommandContext } from '../../bot/contract.ts';
import { LIMITS, type Message } from '../../bot/render/blocks.ts';
import { renderTenants } from '../../bot/render/tenants.ts';
import type { Config, Tenant } from '../../core/config/model.ts';
import { NO_LOAD } from '../../core/load/fold.ts';
import type { Load, LoadCounters, LoadLevels } from '../../core/result.ts';
import { foldReport } from '../../jobs/fold.ts';
import { aCheck, aConfig, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const TITLES = { riverside: 'Riverside Clinic', hillcrest: 'Hillcrest Dental', 'saint-anne': 'Saint Anne <Hospital>' };
const clinics: Record<string, Tenant> = Object.fromEntries(
  Object.entries(TITLES).map(([id, title]) => [id, { id, title, fields: { id, title, database: id, role: `${id}_app` } }]),
);
const { service: _, ...check } = aCheck({
  template: 'vital-signs',
  component: 'postgres',
  type: 'postgres',
  locations: ['north', 'south'],
});

let jobs: TestJobs | undefined;
afterEach(async () => {
  await jobs?.close();
  jobs = undefined;
});

async function started(change: Partial<Config> = {}): Promise<void> {
  jobs = await testJobs(aConfig([check], { tenants: clinics, ...change }), NOON_MS);
}

let slot = 0;
/** A sample of both locations, a minute after the one before: what each database has done since its server was started. */
async function sampled(databases: Record<string, [LoadCounters, LoadLevels]>, unreadable: string[] = []): Promise<void> {
  slot++;
  const loads: Load[] = Object.entries(databases).map(([name, [counters, levels]]) => ({
    by: 'database',
    name,
    countingSinceMs: 7,
    counters,
    levels,
  }));
  for (const location of check.locations) {
    const input = said(check, location, slot, 'up');
    await order(jobs!, check, [input]);
    await foldReport(jobs!.deps, location, asReport([asResult(input, { loads: { atMs: input.plannedAtMs, loads, unreadable } })]));
    jobs!.at(input.plannedAtMs + 5_000);
  }
}

/** Minutes in which the databases are busy for so many seconds each minute, and grow. */
async function minutes(count: number, busyS: Record<string, number>, levels: LoadLevels = { connections: 4, waiting: 0 }): Promise<void> {
  for (let minute = 0; minute < count; minute++) {
    for (const [name, seconds] of Object.entries(busyS)) done.set(name, (done.get(name) ?? 0) + seconds * 1_000);
    const said = [...done].map(([name, statementMs]) => {
      const grown = name === 'saint-anne' ? 1e9 + slot * 60_000 : 1e9;
      return [name, [{ statementMs }, { ...(name === 'hillcrest' ? levels : { connections: 4 }), sizeBytes: grown }]] as const;
    });
    await sampled(Object.fromEntries(said) as never, ['time by role: pg_stat_statements is not in this database']);
  }
}
const done = new Map<string, number>();

async function type(text = ''): Promise<Message> {
  const { pool, config, clock, log } = jobs!.deps;
  const call = { text, user: 'U0ANA', channel: 'C1', responseUrl: '', triggerId: 't', arrivedMs: 0 };
  const context: CommandContext = { pool, config, clock, log, call, person: undefined, words: text.split(' ').filter(Boolean), verbs: [] };
  return tenants.run(context);
}

function linesOf(message: Message): string[] {
  return message.blocks.flatMap((block) => (block.type === 'section' ? block.text.text.split('\n') : []));
}

const QUIET = { riverside: 6, hillcrest: 3, 'saint-anne': 9, postgres: 2 };

describe('/rounds tenants', () => {
  test('tells who drives the load now and who grows, against what is usual', async () => {
    await started();
    await minutes(10, QUIET);
    expect(linesOf(await type())).toEqual([
      '*No tenant does far more than it usually does*',
      '*PostgreSQL (shared cluster)*',
      '• *Saint Anne &lt;Hospital&gt;*: 0.15 s of statements a second of 0.33, usually 0.15; 4 connections of 16, usually 4',
      '• *Riverside Clinic*: 0.1 s of statements a second of 0.33, usually 0.11; 4 connections of 16, usually 4',
      '• *Hillcrest Dental*: 0.05 s of statements a second of 0.33, usually 0.053; 4 connections of 16, usually 4',
      'Grows: Saint Anne &lt;Hospital&gt; by 86 MB a day',
      'Not known: time by role: pg_stat_statements is not in this database',
    ]);
    await minutes(2, { ...QUIET, hillcrest: 240 }, { connections: 12, waiting: 0, blocks: 3 });
    const message = await type();
    expect(message.text).toBe('Hillcrest Dental does far more than usual');
    expect(linesOf(message).slice(0, 3)).toEqual([
      '*Hillcrest Dental does far more than usual*',
      '*PostgreSQL (shared cluster)*',
      '• *Hillcrest Dental*: 4 s of statements a second of 4.3, usually 0.053; 12 connections of 24, usually 4; 3 sessions of others wait for it',
    ]);
  });

  test('of one component tells each tenant, and the numbers for shared or dedicated', async () => {
    await started();
    await minutes(10, QUIET);
    await minutes(3, { ...QUIET, hillcrest: 240 });
    const lines = linesOf(await type('PostgreSQL (shared cluster)'));
    const at = lines.indexOf('*In the last 14 days*');
    expect(lines.slice(at + 1)).toEqual([
      expect.stringMatching(
        /^• \*Hillcrest Dental\*: \d+ % of statement time, \d+ % of connections; far above its usual in 1 of \d hours?$/,
      ),
      expect.stringMatching(/^• \*Saint Anne &lt;Hospital&gt;\*: \d+ % of statement time.*; far above its usual in 0 of \d hours?$/),
      expect.stringMatching(/^• \*Riverside Clinic\*: \d+ % of statement time.*; far above its usual in 0 of \d hours?$/),
    ]);
  });

  test('of one tenant tells every component where it is', async () => {
    await started();
    await minutes(10, QUIET);
    expect(linesOf(await type('saint-anne'))).toEqual([
      '*Saint Anne &lt;Hospital&gt;: as usual, as far as is known*',
      '*PostgreSQL (shared cluster)*',
      '• 0.15 s of statements a second of 0.33, usually 0.15',
      '• 4 connections of 16, usually 4',
      '• grown by 1 kB a second of 1 kB, usually 1 kB',
      'Grows by 86 MB a day.',
      expect.stringMatching(
        /^In the last 14 days: 45 % of statement time, 25 % of connections, 100 % of bytes grown; far above its usual in 0 of \d hours?\.$/,
      ),
    ]);
  });

  test('says when nothing is fresh, when nothing was sampled, and when nobody has a name', async () => {
    await started();
    expect(linesOf(await type())).toEqual([
      'No load has been sampled yet. It is, with every run of a `postgres` or `bullmq` check of a component.',
    ]);
    expect(linesOf(await type('hillcrest'))[0]).toMatch(/^Nothing is known of the load of \*Hillcrest Dental\*\. Whose load/);
    await minutes(1, QUIET);
    jobs!.at(NOON_MS + (slot + 30) * SLOT_MS);
    expect(linesOf(await type()).slice(0, 2)).toEqual([
      '*⚪ Nothing fresh is known of the load of tenants*',
      '*PostgreSQL (shared cluster)* ⚪ not sampled for 30 min',
    ]);
    await jobs?.close();
    await started({ tenants: { riverside: { id: 'riverside', title: 'Riverside Clinic', fields: {} } } });
    expect(linesOf(await type())[0]).toMatch(/^Nobody can tell whose load is whose\. .*`database`, `role` and `queue`/);
  });

  test('helps with a name that is almost right', async () => {
    await started();
    expect(linesOf(await type('hilcrest'))).toEqual([
      'I know no tenant or component "hilcrest". Did you mean *hillcrest*? `/rounds tenants hillcrest`',
    ]);
  });
});

test('a hundred tenants on twenty components stay within the limits', () => {
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => {
      const [id, title] = [`tenant-${index}`, `Clinic number ${index} ${'of the valley '.repeat(4)}`];
      return [id, { id, title, fields: { database: id } }];
    }),
  );
  const components = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`db-${index}`, { id: `db-${index}`, title: `Database ${index}`, dependsOn: [] }]),
  );
  const now = { value: 41, total: 4_400, usual: 2, blocks: 3 };
  const seen = { history: { seconds: {}, samples: 9 }, now, beyond: { samples: 3, sinceMs: 1 } };
  const state = {
    ...NO_LOAD,
    unreadable: ['x'.repeat(200), 'y'.repeat(200)],
    tenants: Object.fromEntries(Object.keys(many).map((id) => [id, { 'statement-time': seen, connections: seen }])),
  };
  const loads = Object.keys(components).map((component) => ({
    check: 'c',
    location: 'north',
    component,
    plannedAtMs: 1,
    isFresh: true,
    state,
  }));
  const message = renderTenants({ config: aConfig([], { tenants: many, components }), nowMs: 2, loads, noisy: [], hours: [], days: 14 });
  expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
  expect(JSON.stringify(message.blocks).length).toBeLessThan(12_000);
  expect(linesOf(message)).toContain('and 98 more tenants');
  expect(linesOf(message).at(-1)).toBe('and 12 more components: `/rounds tenants COMPONENT`');
});

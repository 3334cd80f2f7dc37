import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import changes from '../../bot/commands/changes.ts';
import type { CommandContext } from '../../bot/contract.ts';
import { LIMITS, type Message } from '../../bot/render/blocks.ts';
import { type ChangesView, renderChanges } from '../../bot/render/changes.ts';
import type { NewChange, ReportedChange } from '../../core/change.ts';
import type { Config } from '../../core/config/model.ts';
import { reportChanges } from '../../store/change.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { aCheck, aConfig, NOON_MS } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const base = aConfig([aCheck()], { timezone: 'Europe/Berlin' });
const config: Config = {
  ...base,
  services: { ...base.services, reports: { ...base.services.billing!, id: 'reports', title: 'Reports', dependsOn: [] } },
};

function aChange(agoMs: number, values: Partial<NewChange> = {}): NewChange {
  const atMs = NOON_MS - agoMs;
  return {
    atMs,
    endedAtMs: atMs,
    kind: 'deployment',
    title: 'billing 4.12.0',
    outcome: 'done',
    source: 'github',
    services: [],
    components: [],
    tenants: [],
    ...values,
  };
}

const view = (list: NewChange[], more: Partial<ChangesView> = {}): ChangesView => ({
  config,
  nowMs: NOON_MS,
  spanMs: 24 * HOUR_MS,
  changes: list.map((one, index): ReportedChange => ({ id: index + 1, ...one })),
  ...more,
});

function linesOf(message: Message): string[] {
  return message.blocks.flatMap((block) =>
    block.type === 'section' ? block.text.text.split('\n') : block.type === 'context' ? [block.elements[0]?.text ?? ''] : [],
  );
}

test('each change is a line: when, what, how it went, who, who told, what it touches', () => {
  const list = [
    aChange(4 * MINUTE_MS, { title: 'billing-prod 4.12.0', source: 'argo-cd', outcome: 'begun', services: ['billing'], by: 'ana' }),
    aChange(20 * MINUTE_MS, {
      kind: 'migration',
      outcome: 'failed',
      url: 'https://ci.example/a|b?c=1&d=2',
      tenants: ['riverside'],
      components: ['postgres'],
    }),
    aChange(16 * HOUR_MS, { kind: 'other', title: '<!channel> *now*', source: 'cli' }),
  ];
  expect(linesOf(renderChanges(view(list)))).toEqual([
    '*3 changes in the last 24 h*',
    '*12:56* billing-prod 4.12.0 · deployment, under way · by ana · Argo CD · Patient billing',
    '*12:40* <https://ci.example/a%7Cb?c=1&amp;d=2|billing 4.12.0> · *migration, failed* · GitHub · PostgreSQL (shared cluster) and Riverside Clinic',
    '*Wed 21:00* &lt;!channel&gt; *\u200bnow*\u200b · other change · typed in',
  ]);
});

test('of a subject, it says that some may concern anything', () => {
  const told = linesOf(renderChanges(view([aChange(MINUTE_MS)], { subject: 'Patient billing' })));
  expect(told[0]).toBe('*1 change that concerns Patient billing in the last 24 h*');
  expect(told.at(-1)).toBe('Of those without a name at the end nobody said what they touch.');
  expect(linesOf(renderChanges(view([], { subject: 'Patient billing' })))).toEqual([
    'No change that concerns Patient billing was reported in the last 24 h.',
  ]);
});

test('hundreds of the longest stay within the limits, and what is cut is counted', () => {
  const long = aChange(MINUTE_MS, {
    title: '&'.repeat(200),
    by: '<'.repeat(200),
    url: `https://ci.example/?${'&'.repeat(70)}`,
    services: ['billing', 'scheduling'],
  });
  const message = renderChanges(view(Array(300).fill(long)));
  expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
  expect(JSON.stringify(message.blocks).length).toBeLessThan(12_000);
  expect(linesOf(message).join('\n')).not.toContain('characters more');
  expect(linesOf(renderChanges(view(Array.from({ length: 30 }, (_, index) => aChange(index * MINUTE_MS)))))).toContain(
    'and 11 more changes',
  );
});

describe('/rounds changes', () => {
  let database: TestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await testDatabase();
    await migrate(database.url, quietLog);
    pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
    const told = {
      own: aChange(MINUTE_MS, { title: 'own', services: ['billing'] }),
      below: aChange(2 * MINUTE_MS, { title: 'below', components: ['postgres'] }),
      clinic: aChange(3 * MINUTE_MS, { title: 'clinic', tenants: ['riverside'] }),
      old: aChange(30 * HOUR_MS, { title: 'old', services: ['billing'] }),
    };
    await reportChanges(
      pool,
      config,
      Object.entries(told).map(([key, change]) => ({ key, change })),
    );
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const type = async (text: string) => {
    const clock = { now: () => NOON_MS, monotonic: () => 0 };
    const message = await changes.run({ pool, config, clock, words: text.split(' ').filter(Boolean) } as unknown as CommandContext);
    return linesOf(message).map((line) => /^\*[^*]+\* (\w+) ·/.exec(line)?.[1] ?? line);
  };

  it.each([
    ['', ['*3 changes in the last 24 h*', 'own', 'below', 'clinic']],
    ['2d', ['*4 changes in the last 2 d*', 'own', 'below', 'clinic', 'old']],
    // With what it stands on.
    ['billing', ['*2 changes that concern Patient billing in the last 24 h*', 'own', 'below']],
    ['Patient billing 2d', ['*3 changes that concern Patient billing in the last 2 d*', 'own', 'below', 'old']],
    ['reports', ['No change that concerns Reports was reported in the last 24 h.']],
    ['postgres', ['*1 change that concerns PostgreSQL (shared cluster) in the last 24 h*', 'below']],
    ['riverside 2m', ['No change that concerns Riverside Clinic was reported in the last 2 min.']],
    ['biling', ['I know no service, component or clinic "biling". Did you mean *billing*? `/rounds changes billing`']],
    ['90d', ['I look back 31 days at most: `/rounds changes 31d`']],
  ])('%j', async (text, lines) => {
    expect(await type(text)).toEqual(lines);
  });
});

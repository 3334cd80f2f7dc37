import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NO_LOAD } from '../../core/load/fold.ts';
import type { NoisyTenant } from '../../core/load.ts';
import { inTransaction, openPool } from '../../store/db.ts';
import {
  addTenantHours,
  countNoisy,
  type FoldedSource,
  forgetLoads,
  knownLoads,
  lockLoads,
  noisyTenants,
  type TenantHour,
  tenantHoursSince,
  writeLoads,
} from '../../store/load.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';
import { someFacts } from '../helpers/slack.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0012').length;
const NOW_MS = Date.UTC(2026, 0, 31, 12);
const HOUR_MS = 3_600_000;

function noisy(tenant: string, change: Partial<NoisyTenant> = {}): NoisyTenant {
  const text = `${tenant}: 41 s of statements a second of 44, usually 2`;
  return { tenant, component: 'postgres', measure: 'statement-time', value: 41, usual: 2, share: 0.9, sinceMs: NOW_MS, text, ...change };
}

function source(check: string, location: string, change: Partial<FoldedSource> = {}): FoldedSource {
  const state = { ...NO_LOAD, plannedAtMs: NOW_MS };
  return { check, location, component: 'postgres', state, freshUntilMs: NOW_MS + 1_000, noisy: [], ...change };
}

function hour(tenant: string, ago: number, change: Partial<TenantHour> = {}): TenantHour {
  const hourMs = NOW_MS - ago * HOUR_MS;
  return {
    component: 'postgres',
    tenant,
    measure: 'bytes-grown',
    hourMs,
    seconds: 60,
    amount: 600,
    ofAll: 1_200,
    peak: 10,
    noisySeconds: 0,
    ...change,
  };
}

it('loads come to a database with incidents, are locked, written, ranked, added up and forgotten', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 3, log: quietLog });
  await pool.query(
    `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at)
     values ('billing', 'degradation', 'degradation', '#x', $1, 'test', now(), now())`,
    [JSON.stringify(someFacts())],
  );
  expect(await migrate(database.url, quietLog)).toContain('0012_load');

  const [north, south] = [source('database', 'north'), source('database', 'south')];
  const write = (sources: FoldedSource[]) =>
    inTransaction(pool, async (db) => {
      const known = await lockLoads(db, sources);
      await writeLoads(db, sources);
      return sources.map((one) => known.get(one));
    });
  expect(await write([south, north])).toEqual([NO_LOAD, NO_LOAD]);
  expect(await write([north])).toEqual([north.state]);
  // The check is of another component by now.
  expect(await write([{ ...north, component: 'other' }])).toEqual([NO_LOAD]);

  await write([
    source('database', 'north', { noisy: [noisy('lakeside', { share: 0.5 }), noisy('hillcrest', { blocks: 3, share: 0.4 })] }),
    source('database', 'south', { noisy: [noisy('lakeside', { share: 0.6 })] }),
    source('elsewhere', 'north', { component: 'other', noisy: [noisy('riverside', { component: 'other' })] }),
  ]);
  const names = async (components: string[], nowMs = NOW_MS) =>
    (await noisyTenants(pool, components, nowMs)).map(({ tenant, share }) => `${tenant} ${share}`);
  expect(await names(['postgres'])).toEqual(['hillcrest 0.4', 'lakeside 0.6']);
  expect(await names(['postgres', 'other'])).toEqual(['hillcrest 0.4', 'riverside 0.9', 'lakeside 0.6']);
  expect(await names(['postgres'], NOW_MS + 2_000)).toEqual([]);
  expect(await countNoisy(pool, NOW_MS)).toEqual(
    new Map([
      ['postgres', 2],
      ['other', 1],
    ]),
  );
  expect((await knownLoads(pool, ['postgres'], NOW_MS + 2_000)).map(({ location, isFresh }) => [location, isFresh])).toEqual([
    ['north', false],
    ['south', false],
  ]);

  await addTenantHours(pool, [hour('hillcrest', 1), hour('hillcrest', 2), hour('lakeside', 1, { ofAll: 0, amount: 0 })]);
  await addTenantHours(pool, [hour('hillcrest', 1, { amount: 1_800, noisySeconds: 30 }), hour('hillcrest', 24 * 20)]);
  expect(await tenantHoursSince(pool, ['postgres'], NOW_MS - 30 * 24 * HOUR_MS)).toEqual([
    { component: 'postgres', tenant: 'hillcrest', measure: 'bytes-grown', mean: 15, share: 0.75, hours: 3, noisyHours: 1 },
    { component: 'postgres', tenant: 'lakeside', measure: 'bytes-grown', mean: 0, share: 0, hours: 1, noisyHours: 0 },
  ]);
  await forgetLoads(pool, NOW_MS);
  const [left] = await tenantHoursSince(pool, ['postgres'], 0);
  expect(left).toMatchObject({ tenant: 'hillcrest', hours: 2 });
  await forgetLoads(pool, NOW_MS + 41 * 24 * HOUR_MS);
  expect(await knownLoads(pool, ['postgres', 'other'], NOW_MS)).toEqual([]);
  await pool.end();
  await database.drop();
});

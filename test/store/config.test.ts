import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { register } from 'prom-client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readWritten } from '../../cli/config.ts';
import { applyConfig } from '../../jobs/config.ts';
import { listRunners, NotInForce, readInForce, whileInForce } from '../../store/config.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { type ConfigWatch, watchConfig } from '../../store/in-force.ts';
import { migrate } from '../../store/migrate.ts';
import { written } from '../helpers/config.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const yaml = (every: string, more = '') => `
version: 1
timezone: UTC
locations: { north: {}, south: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops } }
checks:
  zebra: { service: billing, every: ${every}, http: { url: http://a.example, headers: { X-Key: '\${secret:KEY}' } } }
  apple: { service: billing, every: 1m, http: { url: http://b.example } }
${more}`;

let database: TestDatabase;
let pool: Pool;
const watches: ConfigWatch[] = [];

beforeEach(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 6, log: quietLog });
});
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.stop();
  await pool.end();
  await database.drop();
});

const apply = async (text: string, folder?: string) => applyConfig(pool, await written(text, folder), 'test');

it('is put in force once, with its number, as it was written and with its secrets as references', async () => {
  expect(await apply(yaml('60s'))).toMatchObject({ seq: 1, changed: true });
  expect(await apply(yaml('60s', '# a comment'))).toMatchObject({ seq: 1, changed: false });
  const stored = await readInForce(pool);
  expect(stored).toMatchObject({ seq: 1, file: '/etc/rounds/rounds.yaml', folder: '/etc/rounds', appliedBy: 'test' });
  const values = JSON.parse(stored?.source ?? '');
  expect(Object.keys(values.checks)).toEqual(['zebra', 'apple']);
  expect(values.checks.zebra).toMatchObject({ every: '60s', http: { headers: { 'X-Key': `\${secret:KEY}` } } });
  const { rows } = await pool.query('select config from config_revision where revision = $1', [stored?.revision]);
  expect(rows[0].config.checks.zebra.everyMs).toBe(60_000);
});

it('is another one when its journeys are in another folder, though it says the same', async () => {
  const first = await apply(yaml('60s'));
  expect(await apply(yaml('60s'), '/srv/rounds')).toMatchObject({ seq: 2, changed: true, revision: first.revision });
});

it('is what all who decide wait for, and what they are refused under when it has changed', async () => {
  await apply(yaml('60s'));
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const folding = whileInForce(pool, 1, async () => {
    begun.resolve();
    await gate.promise;
    order.push('folded');
  });
  await begun.promise;
  const applying = apply(yaml('30s')).then(() => order.push('applied'));
  const waits = `select count(*)::int as count from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())`;
  const waiting = async () => (await pool.query<{ count: number }>(waits)).rows[0]?.count ?? 0;
  await expect.poll(waiting, { timeout: 5_000 }).toBe(1);
  // It asks before the new one is in force, and is answered after: it must see the new number, not the one it began with.
  const late = whileInForce(pool, 1, async () => order.push('late'));
  late.catch(() => undefined);
  await expect.poll(waiting, { timeout: 5_000 }).toBe(2);
  gate.resolve();
  await Promise.all([folding, applying]);
  await expect(late).rejects.toThrow(NotInForce);
  expect(order).toEqual(['folded', 'applied']);
  expect(await whileInForce(pool, 2, async () => 'decided')).toBe('decided');
});

it('is 0 while nobody has applied one', async () => {
  expect(await whileInForce(pool, 0, async () => 'decided')).toBe('decided');
  await expect(whileInForce(pool, 1, async () => 'decided')).rejects.toThrow('another configuration is in force (number 0, not 1)');
});

async function watch(options: Partial<Parameters<typeof watchConfig>[0]> = {}): Promise<ConfigWatch> {
  const made = await watchConfig({ pool, log: quietLog, read: readWritten, lookMs: 20, ...options });
  watches.push(made);
  return made;
}

it('is taken over by who watches, and it can be seen who has', async () => {
  const fallback = async () => (await written(yaml('60s'))).config;
  const bot = await watch({ fallback, runner: { id: 'bot@here/1', kind: 'bot' } });
  expect(bot.configSeq).toBe(0);
  expect(await listRunners(pool)).toEqual([{ id: 'bot@here/1', kind: 'bot', seq: 0 }]);
  const { revision } = await apply(yaml('30s'));
  await expect.poll(() => bot.config.checks.zebra?.everyMs, { timeout: 5_000 }).toBe(30_000);
  expect(bot.config.revision).toBe(revision);
  await expect.poll(() => listRunners(pool)).toEqual([{ id: 'bot@here/1', kind: 'bot', seq: 1 }]);
  expect(await register.metrics()).toContain(`rounds_config_info{revision="${revision}"} 1`);
  await bot.stop();
  expect(await listRunners(pool)).toEqual([]);
});

it('is left alone by a version that cannot read it, which says so and decides nothing until it can', async () => {
  await apply(yaml('60s'));
  const log = keepingLog();
  const worker = await watch({ log });
  const { rows } = await pool.query('select source::text as source from config_in_force');
  const future = rows[0].source.replace('"http":', '"gopher":');
  await pool.query('update config_in_force set seq = 2, source = $1, revision = $2, applied_by = $3', [future, 'cafe', 'worker@new/7']);
  const sentence =
    'This version of Rounds cannot run the configuration in force (revision cafe, applied by worker@new/7): /etc/rounds/rounds.yaml checks.zebra.gopher: unknown key "gopher"';
  await expect.poll(() => worker.trouble(), { timeout: 5_000 }).toContain(sentence);
  await sleep(100);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect(await register.metrics()).toMatch(/rounds_config_last_reload_successful 0\n/);
  expect(worker.config.checks.zebra?.everyMs).toBe(60_000);
  await expect(whileInForce(pool, worker.configSeq, async () => 'decided')).rejects.toThrow(NotInForce);
  await expect(watch(), 'it cannot start with it either').rejects.toThrow(sentence);
  await apply(yaml('30s'));
  await expect.poll(() => worker.config.checks.zebra?.everyMs, { timeout: 5_000 }).toBe(30_000);
  expect(worker.trouble()).toBeUndefined();
  expect(await register.metrics()).toMatch(/rounds_config_last_reload_successful 1\n/);
});

it('is missed in a sentence by who has nothing else to run', async () => {
  await expect(watch()).rejects.toThrow('No configuration is in force: start a worker, or run "rounds reload rounds.yaml".');
});

it('may be the first in a database of the version before, of which nothing is lost', async () => {
  const older = await testDatabase();
  const files = readdirSync(new URL('../../store/migrations', import.meta.url)).sort();
  await migrate(older.url, quietLog, files.indexOf('0003_config_in_force.sql'));
  const before = openPool({ url: older.url, name: 'test', max: 2, log: quietLog });
  await before.query(`insert into config_revision (revision, config) values ('0123456789ab', '{"timezone": "UTC"}')`);
  await expect(readInForce(before)).rejects.toThrow('config_in_force');
  await migrate(older.url, quietLog);
  expect(await readInForce(before)).toBeUndefined();
  expect(await applyConfig(before, await written(yaml('60s')), 'test')).toMatchObject({ seq: 1, changed: true });
  const { rows } = await before.query(`select config from config_revision where revision = '0123456789ab'`);
  expect(rows).toEqual([{ config: { timezone: 'UTC' } }]);
  await before.end();
  await older.drop();
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyConfig } from '../../jobs/config.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { written } from '../helpers/config.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { rounds } from '../helpers/program.ts';

const CONFIG = `
version: 1
timezone: Europe/Berlin
locations: { north: {} }
teams: { ops: { channel: '#ops' } }
tenants: { riverside: { title: Riverside Clinic } }
components: { ingress: { title: Traefik, layer: ingress } }
services: { billing: { title: Patient billing, owner: ops }, scheduling: { owner: ops } }
checks: { door: { service: billing, every: 60s, http: { url: http://a.example } } }
`;

let database: TestDatabase;
let pool: Pool;
const change = (...args: string[]) => rounds({ DATABASE_URL: database.url }, 'change', ...args);
const rows = async () =>
  (await pool.query('select title, kind, outcome, by_whom, at, services, components, tenants from change order by id')).rows;

beforeAll(async () => {
  database = await testDatabase();
  pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('rounds change', () => {
  it('says what is to be done first', async () => {
    expect(await change('list')).toMatchObject({ code: 1, err: expect.stringContaining('run "rounds migrate" first') });
    await rounds({ DATABASE_URL: database.url }, 'migrate');
    expect(await change('list')).toMatchObject({
      code: 1,
      err: 'No configuration is in force: start a worker, or run "rounds reload" first.\n',
    });
    await applyConfig(pool, await written(CONFIG), 'test');
    expect(await change('list')).toEqual({ code: 0, out: 'No change was reported in the last 24h.\n', err: '' });
  });

  it('adds what was typed, in the words and the time of the configuration', async () => {
    const added = await change(
      'add',
      'billing 4.12.0',
      '--service',
      'billing',
      '--tenant',
      'riverside',
      '--at',
      '00:00',
      '--by',
      'ana',
      '--release',
      '4.12.0',
    );
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(added.out).toMatch(
      /^Change \d+: 00:00 billing 4\.12\.0 \(deployment, by ana, typed in\): Patient billing and Riverside Clinic\n$/,
    );
    const [row] = await rows();
    expect(row).toMatchObject({
      title: 'billing 4.12.0',
      kind: 'deployment',
      outcome: 'done',
      by_whom: 'ana',
      services: ['billing'],
      tenants: ['riverside'],
    });
    expect(row.at.getTime()).toBeLessThanOrEqual(Date.now());
    const inBerlin = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', timeStyle: 'short' });
    expect(inBerlin.format(row.at)).toBe('00:00');
  });

  it('takes an option several times, or once with commas', async () => {
    await change('add', 'two', '--service', 'billing', '--service', 'scheduling');
    await change('add', 'two more', '--service', 'billing, scheduling');
    expect((await rows()).slice(-2).map(({ services }) => services)).toEqual([
      ['billing', 'scheduling'],
      ['billing', 'scheduling'],
    ]);
  });

  it('ends what was begun with the same id, once', async () => {
    const begin = ['add', 'shard 3 moved', '--kind', 'migration', '--component', 'ingress', '--id', 'move-3'];
    expect((await change(...begin, '--outcome', 'begun')).out).toMatch(/^Change \d+: .* \(migration, under way, by .*\): Traefik\n$/);
    expect((await change(...begin)).out).toMatch(/^Change \d+ has ended: /);
    expect((await change(...begin)).out).toMatch(/^Nothing to do: this is change \d+ already\.\n$/);
    expect((await rows()).filter(({ title }) => title === 'shard 3 moved')).toMatchObject([{ outcome: 'done', components: ['ingress'] }]);
  });

  it('takes a change of nothing but components of the layer ingress for one of ingress', async () => {
    await change('add', 'new certificates', '--component', 'ingress');
    expect((await rows()).at(-1)).toMatchObject({ kind: 'ingress' });
  });

  it('has them judged', async () => {
    const { rows: scopes } = await pool.query('select id from scope where dirty_seq > judged_seq order by id');
    expect(scopes.map(({ id }) => id)).toContain('billing');
  });

  it('lists the latest first, and those that concern something', async () => {
    const { out } = await change('list', '--service', 'scheduling');
    expect(out.trim().split('\n')).toEqual([expect.stringContaining(' two more '), expect.stringContaining(' two ')]);
    const all = JSON.parse((await change('list', '--json', '--since', '2d')).out);
    expect(all[0]).toMatchObject({ title: 'new certificates', source: 'cli', components: ['ingress'] });
  });

  it.each([
    [['ad'], /^rounds change: expected add or list, got "ad"; did you mean "add"\?\n$/],
    [['add'], /^title: expected a text, got ""\n$/],
    [
      ['add', 'x', '--service', 'biling'],
      /^--service: expected one of the services billing, scheduling, got "biling"; did you mean "billing"\?\n$/,
    ],
    [['add', 'x', '--kind', 'deploy'], /^--kind: expected one of deployment, .*, got "deploy"/],
    [['add', 'x', '--at', '25:00'], /^--at: expected a time such as 10:41, "2026-01-31 10:41" or 2026-01-31T10:41:00Z, got "25:00"\n$/],
    [['add', 'x', '--at', '2999-01-01 10:00'], /^--at: expected a time that has come/],
    [['add', 'x', '--outcome', 'begun'], /^--id: expected an id with the outcome begun/],
    [['add', 'x', '--url', 'ci/12'], /^--url: expected an address such as/],
    [['list', '--since', 'monday'], /^--since: expected a duration such as 24h or 7d, got "monday"\n$/],
    [['list', '--tenant', 'riversid'], /^--tenant: expected one of riverside, got "riversid"; did you mean "riverside"\?\n$/],
  ])('%j is refused with what was expected', async (args, err) => {
    expect(await change(...args)).toEqual({ code: 1, out: '', err: expect.stringMatching(err) });
  });
});

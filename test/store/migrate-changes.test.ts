import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NewChange, ONE_CHANGE_MS } from '../../core/change.ts';
import { changesBetween, changesFor, insertChange, reportChanges } from '../../store/change.ts';
import { inTransaction, openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0008').length;
const NOON_MS = Date.UTC(2026, 0, 15, 12);
const MINUTE_MS = 60_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog, before);
  pool = openPool({ url: database.url, name: 'test', max: 6, log: quietLog });
  await pool.query(
    `insert into incident (scope, class, peak, state, channel, facts, config_revision, began_at, opened_at)
     values ('billing', 'degradation', 'degradation', 'open', '#ops', '{}', 'test', now(), now()),
            ('care', 'degradation', 'degradation', 'resolved', '#ops', '{}', 'test', now(), now())`,
  );
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

function aChange(values: Partial<NewChange> = {}): NewChange {
  return {
    atMs: NOON_MS,
    kind: 'deployment',
    title: 'billing 4.12.0',
    outcome: 'begun',
    source: 'github',
    services: ['billing'],
    components: [],
    tenants: [],
    ...values,
  };
}

const insert = (change: NewChange, key: string, more = {}) => inTransaction(pool, (db) => insertChange(db, change, key, more));
const all = () => changesBetween(pool, NOON_MS - 30 * 86_400_000, NOON_MS + 30 * 86_400_000);
const byId = async (id: number | undefined) => (await all()).find((one) => one.id === id);

it('changes come to a database that has incidents', async () => {
  expect(await migrate(database.url, quietLog)).toContain('0008_changes');
  expect(await all()).toEqual([]);
});

describe('a change', () => {
  it('is stored once, whoever delivers it again', async () => {
    const whole = aChange({ by: 'ana', url: 'https://ci.example/1', version: '4.12.0', components: ['postgres'], tenants: ['riverside'] });
    const first = await insert(whole, 'once');
    expect(first).toEqual({ id: expect.any(Number), is: 'new' });
    expect(await insert(whole, 'once')).toEqual({ id: first.id, is: 'known' });
    expect(await byId(first.id)).toEqual({ id: first.id, ...whole });
  });

  it('is one when twenty deliver it at the same moment', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => insert(aChange(), 'at-once')));
    expect(outcomes.filter(({ is }) => is === 'new')).toHaveLength(1);
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(1);
  });

  it('ends once, and begins when the earliest says, in whatever order that is told', async () => {
    const begun = aChange({ atMs: NOON_MS - 3 * MINUTE_MS });
    const done = aChange({ outcome: 'done', endedAtMs: NOON_MS });
    const inOrder = [await insert(begun, 'in-order'), await insert(done, 'in-order')];
    const turned = [await insert(done, 'turned'), await insert(begun, 'turned')];
    expect([...inOrder, ...turned].map(({ is }) => is)).toEqual(['new', 'moved', 'new', 'known']);
    const expected = { ...done, atMs: NOON_MS - 3 * MINUTE_MS };
    expect(await byId(inOrder[0]?.id)).toMatchObject(expected);
    expect(await byId(turned[0]?.id)).toMatchObject(expected);
    expect(await insert(aChange({ outcome: 'failed', endedAtMs: NOON_MS }), 'in-order')).toMatchObject({ is: 'known' });
    expect(await byId(inOrder[0]?.id)).toMatchObject({ outcome: 'done' });
  });

  it('is another one when its key comes again after hours, where keys do', async () => {
    const later = aChange({ atMs: NOON_MS + ONE_CHANGE_MS + 6 * MINUTE_MS });
    const [first, retried, again] = [
      await insert(aChange(), 'v1', { repeats: true }),
      await insert(aChange({ atMs: NOON_MS + 5 * MINUTE_MS }), 'v1', { repeats: true }),
      await insert(later, 'v1', { repeats: true }),
    ];
    expect([first.is, retried.is, again.is]).toEqual(['new', 'known', 'new']);
    expect(again.id).not.toBe(first.id);
    expect(await insert(later, 'v1', { repeats: true })).toEqual({ id: again.id, is: 'known' });
    // The first, delivered again after the second has come.
    expect(await insert(aChange(), 'v1', { repeats: true })).toEqual({ id: first.id, is: 'known' });
    // One whose key never comes again is the same for ever.
    await insert(aChange(), 'run-7');
    expect(await insert(later, 'run-7')).toMatchObject({ is: 'known' });
  });

  it('is not made by its end alone, where that is said at every interval', async () => {
    const end = aChange({ outcome: 'done', endedAtMs: NOON_MS });
    const more = { repeats: true, onlyEnds: true };
    expect(await insert(end, 'revision', more)).toEqual({ is: 'nothing' });
    const begun = await insert(aChange(), 'revision', { repeats: true });
    expect([await insert(end, 'revision', more), await insert(end, 'revision', more)]).toEqual([
      { id: begun.id, is: 'moved' },
      { id: begun.id, is: 'known' },
    ]);
    expect(await insert(aChange({ ...end, atMs: NOON_MS + 20 * 86_400_000 }), 'revision', more)).toEqual({ is: 'nothing' });
  });
});

describe('what is asked of changes', () => {
  const HOUR_MS = 60 * MINUTE_MS;
  const dayMs = Date.UTC(2025, 5, 1);
  const ids: Record<string, number | undefined> = {};

  beforeAll(async () => {
    const done = (atMs: number, values: Partial<NewChange>) => aChange({ atMs, endedAtMs: atMs, outcome: 'done', services: [], ...values });
    const changes = {
      early: done(dayMs, { services: ['billing'] }),
      long: aChange({ atMs: dayMs + HOUR_MS, endedAtMs: dayMs + 3 * HOUR_MS, outcome: 'done', services: [], components: ['postgres'] }),
      late: done(dayMs + 4 * HOUR_MS, { tenants: ['riverside'] }),
      everything: done(dayMs + 5 * HOUR_MS, {}),
    };
    for (const [name, change] of Object.entries(changes)) ids[name] = (await insert(change, name)).id;
  });

  const named = (changes: { id: number }[]) => changes.map(({ id }) => Object.keys(ids).find((name) => ids[name] === id));

  it('the latest come first, and what ended in the time belongs to it', async () => {
    expect(named(await changesBetween(pool, dayMs, dayMs + 5 * HOUR_MS))).toEqual(['everything', 'late', 'long', 'early']);
    expect(named(await changesBetween(pool, dayMs + 2 * HOUR_MS, dayMs + 4 * HOUR_MS))).toEqual(['late', 'long']);
    expect(named(await changesBetween(pool, dayMs, dayMs + 5 * HOUR_MS, 2))).toEqual(['everything', 'late']);
  });

  it('those of which nobody said what they touch may concern whatever is asked for', async () => {
    const of = async (touched: { services?: string[]; components?: string[]; tenants?: string[] }) =>
      named(await changesFor(pool, { services: [], components: [], tenants: [], ...touched }, dayMs, dayMs + 5 * HOUR_MS));
    expect(await of({ services: ['billing'] })).toEqual(['everything', 'early']);
    expect(await of({ components: ['postgres'], tenants: ['riverside'] })).toEqual(['everything', 'late', 'long']);
    expect(await of({})).toEqual(['everything']);
  });
});

describe('scopes are judged', () => {
  const config = aConfig([aCheck()]);
  const dirty = async () => {
    const { rows } = await pool.query<{ id: string; dirty_seq: number }>('select id, dirty_seq from scope order by id');
    return Object.fromEntries(rows.map((row) => [row.id, row.dirty_seq]));
  };

  it('of what a change touches, when it is new or has ended, and never for what was known', async () => {
    const told = (outcome: NewChange['outcome']) => [
      { key: 'judged', change: aChange({ outcome, services: [], components: ['postgres'] }) },
    ];
    expect(await reportChanges(pool, config, told('begun'))).toMatchObject([{ is: 'new' }]);
    expect(await dirty()).toEqual({ billing: 1 });
    await reportChanges(pool, config, told('begun'));
    expect(await dirty()).toEqual({ billing: 1 });
    await reportChanges(pool, config, told('done'));
    expect(await dirty()).toEqual({ billing: 2 });
  });

  it('of every open incident, when it may concern everything', async () => {
    await pool.query('delete from scope');
    await reportChanges(pool, config, [{ key: 'everything-2', change: aChange({ services: [] }) }]);
    expect(await dirty()).toEqual({ billing: 1 });
  });

  it('all changes of a delivery are stored or none, and are answered in their order', async () => {
    const two = [
      { key: 'z', change: aChange({ title: 'z' }) },
      { key: 'a', change: aChange({ title: 'a' }) },
    ];
    const inserted = await reportChanges(pool, config, two);
    expect(await Promise.all(inserted.map(async ({ id }) => (await byId(id))?.title))).toEqual(['z', 'a']);
    const broken = [
      { key: 'one', change: aChange() },
      { key: 'two', change: aChange({ kind: 'nonsense' as NewChange['kind'] }) },
    ];
    await expect(reportChanges(pool, config, broken)).rejects.toThrow('change_kind_check');
    expect((await pool.query(`select 1 from change where key in ('one', 'two')`)).rows).toEqual([]);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { AgentBook } from '../../jobs/agents.ts';
import { listAgents } from '../../store/agent.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const START_MS = 1_800_000_000_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 1, log: quietLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

function aBook() {
  let elapsedMs = 0;
  let statements = 0;
  const db = {
    query: ((...args: Parameters<Pool['query']>) => {
      statements++;
      return pool.query(...args);
    }) as Pool['query'],
  };
  const book = new AgentBook({ now: () => START_MS + elapsedMs, monotonic: () => elapsedMs });
  return {
    hear: (location: string, agent: string, skewMs = 0, more: object = {}) =>
      book.heard(location, { agent, sentAtMs: START_MS + elapsedMs - skewMs, ...more }),
    wait: (ms: number) => {
      elapsedMs += ms;
    },
    write: async () => {
      statements = 0;
      await book.write(db);
      return statements > 0;
    },
  };
}

test('two agents of one location are two, and each is written at most every 10 s', async () => {
  const book = aBook();
  expect(book.hear('north', 'north@a/1', 20, { version: '1.2.3', spooled: 4 })).toBe(true);
  expect(book.hear('north', 'north@b/1')).toBe(true);
  expect(await book.write()).toBe(true);
  const known = (await listAgents(pool)).filter((agent) => agent.location === 'north');
  expect(known.map((agent) => agent.name).sort()).toEqual(['north@a/1', 'north@b/1']);
  expect(known.find((agent) => agent.name === 'north@a/1')).toMatchObject({ skewMs: 20, spooled: 4, version: '1.2.3' });

  book.wait(4_000);
  expect(book.hear('north', 'north@a/1')).toBe(false);
  expect(await book.write()).toBe(false);
  book.wait(6_000);
  expect(await book.write()).toBe(true);
  book.wait(10_000);
  expect(await book.write()).toBe(false);
});

test('of several reports between two writings the one that was on its way the shortest tells the clock', async () => {
  const book = aBook();
  for (const skewMs of [900, 120, 400]) book.hear('south', 'south@a/1', skewMs);
  await book.write();
  expect((await listAgents(pool)).find((agent) => agent.location === 'south')?.skewMs).toBe(120);
});

test('what an agent calls itself may be anything', async () => {
  const book = aBook();
  book.hear('cloud', `evil${String.fromCharCode(0)}\n\ud800name`);
  book.hear('cloud', 'evilname');
  for (let index = 0; index < 2_000; index++) book.hear('cloud', `made up ${index}`);
  await book.write();
  const names = (await listAgents(pool)).filter((agent) => agent.location === 'cloud').map((agent) => agent.name);
  expect(names).toHaveLength(100);
  const { rows } = await pool.query(`select 1 from agent where name ~ '[[:cntrl:]]'`);
  expect(rows).toEqual([]);
});

test('what could not be written is written with the next turn', async () => {
  const book = new AgentBook({ now: () => START_MS, monotonic: () => 0 });
  book.heard('east', { agent: 'east@a/1', sentAtMs: START_MS });
  const broken = { query: (() => Promise.reject(new Error('gone'))) as unknown as Pool['query'] };
  await expect(book.write(broken)).rejects.toThrow('gone');
  await book.write(pool);
  expect((await listAgents(pool)).some((agent) => agent.location === 'east')).toBe(true);
});

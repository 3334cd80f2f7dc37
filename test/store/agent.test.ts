import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listAgents, noteAgents, runsEndedSince } from '../../store/agent.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const files = readdirSync(new URL('../../store/migrations', import.meta.url)).sort();

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog, files.indexOf('0005_agent.sql'));
  pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  // The ledger of a database that ran before agents were noted.
  await addRun('north', 'due', null);
  await addRun('north', 'run', null, 'up');
  await addRun('north', 'run', null, 'down');
  await addRun('north', 'late', 'agent-busy', 'up');
  await addRun('north', 'missed', 'no-result');
  await addRun('north', 'missed', 'no-result');
  await addRun('north', 'missed', 'retired');
  await addRun('south', 'fault', 'no-browser', 'fault');
  await migrate(database.url, quietLog);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

let runs = 0;
async function addRun(location: string, state: string, reason: string | null, verdict?: string): Promise<void> {
  const name = `home@${location}@${++runs}@scheduled@0`;
  await pool.query(
    `insert into run (name, check_id, location, slot, purpose, revision, planned_at, not_after, state, reason)
     select $1, 'home', $2, at, 'scheduled', 'test', at, at, $3, $4 from (select now() - $5 * interval '1 s' as at) as one`,
    [name, location, state, reason, runs],
  );
  if (verdict === undefined) return;
  await pool.query(
    `insert into result (run, check_id, location, purpose, revision, planned_at, verdict, duration_ms, start_lateness_ms, steps, measurements, attempts, findings)
     values ($1, 'home', $2, 'scheduled', 'test', now(), $3, 20, 0, '[]', '{}', '[{}]', '[]')`,
    [name, location, verdict],
  );
}

test('how runs ended is counted by location and reason, each once, whatever was there before', async () => {
  const counted = await runsEndedSince(pool, Date.now() - 3_600_000);
  expect(counted.filter((one) => one.runs > 0).sort((a, b) => (`${a.location}${a.state}` < `${b.location}${b.state}` ? -1 : 1))).toEqual([
    { location: 'north', state: 'late', reason: 'agent-busy', runs: 1 },
    { location: 'north', state: 'missed', reason: 'no-result', runs: 2 },
    { location: 'north', state: 'run', reason: '', runs: 2 },
    { location: 'south', state: 'fault', reason: 'no-browser', runs: 1 },
  ]);
  expect(await runsEndedSince(pool, Date.now() + 60_000)).toEqual([]);
});

test('an agent is noted with what it said last, and what comes late from another worker changes nothing', async () => {
  const one = { location: 'north', name: 'north@a/1' };
  await noteAgents(pool, [{ ...one, agoMs: 60_000, skewMs: 5, spooled: 3, version: '1.0.0' }]);
  await noteAgents(pool, [{ ...one, agoMs: 1_000, skewMs: -40 }]);
  await noteAgents(pool, [{ ...one, agoMs: 30_000, skewMs: 7_000, spooled: 9 }]);
  const [agent] = await listAgents(pool);
  expect(agent).toMatchObject({ ...one, skewMs: -40 });
  expect(agent).not.toHaveProperty('spooled');
  expect(agent!.lastSeenMs - agent!.firstSeenMs).toBeGreaterThan(50_000);
});

test('an agent that was silent for a day is forgotten, and of one location no more than a hundred are kept', async () => {
  await noteAgents(pool, [{ location: 'south', name: 'yesterday', agoMs: 86_500_000, skewMs: 0 }]);
  const many = Array.from({ length: 300 }, (_, index) => ({ location: 'south', name: `made up ${index}`, agoMs: index, skewMs: 0 }));
  await noteAgents(pool, many);
  const south = (await listAgents(pool)).filter((agent) => agent.location === 'south');
  expect(south).toHaveLength(100);
  expect(south.at(-1)?.name).toBe('made up 0');
  const { rows } = await pool.query(`select 1 from agent where name = 'yesterday'`);
  expect(rows).toEqual([]);
  expect((await listAgents(pool)).some((agent) => agent.location === 'north')).toBe(true);
});

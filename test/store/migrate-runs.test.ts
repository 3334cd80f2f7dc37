import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckState } from '../../core/evaluate.ts';
import { lockStates, moveStates, readBriefs, readStates, writeStates } from '../../store/check.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const files = readdirSync(new URL('../../store/migrations', import.meta.url)).sort();
const before = files.findIndex((file) => file.includes('_runs.'));

const location = { plannedAtMs: 60_000, verdict: 'up', sinceMs: 0, upStreak: 1, badStreak: 0, worksStreak: 1, durationMs: 900 };
/** As it was written then: the name of the run in it, whether it follows from the rest or not. */
const state = {
  locations: {
    north: { ...location, run: 'home@north@60000@scheduled@0', findings: [] },
    south: { ...location, run: 'home@south@60000@confirm@3', findings: [{ kind: 'blocker', text: 'x', target: {} }] },
  },
  gaps: {},
  moment: 'up',
  held: 'up',
  lone: false,
  split: false,
  heldSinceMs: 0,
};

let database: TestDatabase;
let pool: Pool;

/** A run of the tables as they were, and its result when there is a verdict. */
async function oldRun(run: {
  check: string;
  hoursAgo: number;
  state: string;
  reason?: string;
  verdict?: string;
  ask?: number;
  batch?: number;
}) {
  const purpose = run.ask ? 'confirm' : 'scheduled';
  const name = `${run.check}@north@${run.hoursAgo}@${purpose}@${run.ask ?? 0}`;
  await pool.query(
    `insert into run (name, check_id, location, slot, purpose, ask_id, revision, planned_at, not_after, state, reason, batch_id)
     select $1, $2, 'north', at, $4, $5, 'r1', at + $8 * interval '1 s', at + interval '61 s', $6, $7, $9
     from (select date_trunc('second', now()) - $3 * interval '1 hour' + interval '350 ms' as at) as one`,
    [name, run.check, run.hoursAgo, purpose, run.ask ?? 0, run.state, run.reason ?? null, run.ask ? 1 : 0, run.batch ?? null],
  );
  if (run.verdict === undefined) return;
  await pool.query(
    `insert into result (run, check_id, location, purpose, ask_id, revision, planned_at, verdict, failure, duration_ms, start_lateness_ms, steps,
       measurements, attempts, findings)
     select name, check_id, location, purpose, ask_id, revision, planned_at, $2, $3, 900.5, 3, '[{"name":"log in","durationMs":12,"outcome":"passed"}]',
       '{"connect_ms": 1.5}', $4, '[]' from run where name = $1`,
    [
      name,
      run.verdict,
      run.verdict === 'down' ? '{"kind":"timeout","message":"no answer"}' : null,
      run.verdict === 'down'
        ? '[{"verdict":"down","durationMs":900,"failure":{"kind":"timeout","message":"no answer"}},{"verdict":"down","durationMs":900.5}]'
        : '[{"verdict":"up","durationMs":900.5}]',
    ],
  );
}

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog, before);
  pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  await pool.query(`insert into run_batch (location) values ('north')`);
  await oldRun({ check: 'home', hoursAgo: 1, state: 'run', verdict: 'up' });
  await oldRun({ check: 'home', hoursAgo: 30, state: 'late', reason: 'agent-busy', verdict: 'down' });
  await oldRun({ check: 'home', hoursAgo: 2, state: 'missed', reason: 'no-result' });
  await oldRun({ check: 'home', hoursAgo: 1, state: 'run', verdict: 'up', ask: 7 });
  await oldRun({ check: 'home', hoursAgo: 50, state: 'run', verdict: 'up' });
  await oldRun({ check: 'home', hoursAgo: 0, state: 'due' });
  await oldRun({ check: 'book', hoursAgo: 0, state: 'due' });
  await oldRun({ check: 'left', hoursAgo: 0, state: 'due', ask: 8, batch: 1 });
  await pool.query(`insert into check_state (check_id, scope, revision, state) values ('home', 'billing', 'r1', $1)`, [
    JSON.stringify(state),
  ]);
  await migrate(database.url, quietLog);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('keeps the ledger of the last two days, and what is due', async () => {
  const { rows } = await pool.query(`select check_id, location, purpose, ask_id, revision, state, reason,
    extract(epoch from planned_at - slot)::int as later_s from ledger order by slot, state, check_id, ask_id`);
  const one = { check_id: 'home', location: 'north', purpose: 'scheduled', ask_id: 0, revision: 'r1', reason: null, later_s: 0 };
  expect(rows).toEqual([
    { ...one, state: 'late', reason: 'agent-busy' },
    { ...one, state: 'missed', reason: 'no-result' },
    { ...one, state: 'run' },
    { ...one, state: 'run', purpose: 'confirm', ask_id: 7, later_s: 1 },
    { ...one, state: 'due', check_id: 'book' },
    { ...one, state: 'due' },
    { ...one, state: 'due', check_id: 'left', purpose: 'confirm', ask_id: 8, later_s: 1 },
  ]);
  const { rows: queued } = await pool.query('select ask_id, queued, cardinality(checks) as runs from due order by ask_id');
  expect(queued).toEqual([
    { ask_id: 0, queued: true, runs: 2 },
    { ask_id: 8, queued: false, runs: 1 },
  ]);
});

it('keeps results with all that belongs to them', async () => {
  const { rows } = await pool.query(
    `select verdict, failure, duration_ms, start_lateness_ms, steps, measurements, attempts, findings from result
     where purpose = 'scheduled' order by slot`,
  );
  const both = {
    duration_ms: 900.5,
    start_lateness_ms: 3,
    steps: [{ name: 'log in', durationMs: 12, outcome: 'passed' }],
    measurements: { connect_ms: 1.5 },
    findings: [],
  };
  const failure = { kind: 'timeout', message: 'no answer' };
  expect(rows).toEqual([
    {
      ...both,
      verdict: 'down',
      failure,
      attempts: [
        { verdict: 'down', durationMs: 900, failure },
        { verdict: 'down', durationMs: 900.5 },
      ],
    },
    { ...both, verdict: 'up', failure: null, attempts: [{ verdict: 'up', durationMs: 900.5 }] },
  ]);
});

it('keeps what is held of each check, now and when it is written again', async () => {
  const brief = { held: 'up', locations: { north: { plannedAtMs: 60_000 }, south: { plannedAtMs: 60_000 } } };
  expect([...(await readStates(pool, ['home']))]).toEqual([['home', state]]);
  expect([...(await readBriefs(pool, ['home', 'nothing']))]).toMatchObject([['home', brief]]);
  await writeStates(pool, [{ check: 'home', scope: 'billing', state: state as unknown as CheckState }], 'r2');
  expect([...(await lockStates(pool, [{ id: 'home', scope: 'billing' }], 'r2'))]).toEqual([['home', state]]);
  expect([...(await readBriefs(pool, ['home']))]).toEqual([['home', brief]]);
  await moveStates(pool, [{ id: 'home', scope: 'billing', locations: ['south'] }]);
  expect([...(await readBriefs(pool, ['home']))]).toMatchObject([['home', { held: 'up', locations: { south: { plannedAtMs: 60_000 } } }]]);
  expect(Object.keys((await readBriefs(pool, ['home'])).get('home')?.locations ?? {})).toEqual(['south']);
});

it('makes partitions once, whoever asks, and for any time', async () => {
  const make = () => pool.query<{ made: number }>(`select make_run_partitions('2020-01-01 05:00Z', '2020-01-01 12:00Z') as made`);
  const made = await Promise.all([make(), make()]);
  expect(made.map(({ rows }) => rows[0]?.made).sort()).toEqual([0, 3]);
  const { rows } = await pool.query(`select make_run_partitions(now(), now() + interval '20 hours') as made`);
  expect(rows).toEqual([{ made: 0 }]);
});

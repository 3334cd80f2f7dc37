import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Config, Maintenance } from '../../core/config/model.ts';
import { type CheckState, EMPTY_STATE } from '../../core/evaluate.ts';
import { settleQuiet } from '../../jobs/quiet.ts';
import { lockStates, writeStates } from '../../store/check.ts';
import { openPool } from '../../store/db.ts';
import { recordDecisions } from '../../store/incident.ts';
import { quietsAt } from '../../store/quiet.ts';
import { endSilence, insertSilence, LONGEST_SILENCE_MS } from '../../store/silence.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { type TestJobs, testJobs } from '../helpers/jobs.ts';
import { quietLog } from '../helpers/log.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TWO_MS = Date.UTC(2026, 2, 8, 2);
const FOUR_MS = TWO_MS + 2 * HOUR_MS;
const CLINICS = ['riverside', 'hillcrest', 'lakeside', 'oakwood'];

const sundays: Maintenance = {
  id: 'sundays',
  title: 'Sunday patches',
  services: ['billing'],
  components: [],
  tenants: [],
  checks: [],
  timezone: 'UTC',
  rrule: 'FREQ=WEEKLY;BYDAY=SU;BYHOUR=2',
  lastsMs: 2 * HOUR_MS,
  exceptDaysMs: [],
  exceptWallsMs: [],
};
const WINDOW = `sundays@${TWO_MS}`;
const checks = CLINICS.map((tenant) => aCheck({ tenant }));
const replication = { ...aCheck({ id: 'replication', template: 'replication', title: 'Replication', component: 'postgres' }) };
delete replication.service;
const config = aConfig([...checks, replication], { maintenance: { sundays } });

let jobs: TestJobs;

beforeAll(async () => {
  jobs = await testJobs(config, TWO_MS - HOUR_MS);
  return () => jobs.close();
});

beforeEach(async () => {
  jobs.at(TWO_MS - HOUR_MS);
  jobs.deps.config = config;
  await jobs.query('truncate quiet_window, silence, decision, check_state, scope, outbox cascade');
});

afterEach(async () => {
  // Nothing is told of a second time, whatever comes after.
  jobs.at(FOUR_MS + 30 * HOUR_MS);
  await settleQuiet(jobs.deps);
  const keys = await jobs.query<{ key: string }>(`select key from outbox where kind = 'notice'`);
  expect(new Set(keys.map((row) => row.key)).size).toBe(keys.length);
});

async function stands(states: Record<string, Partial<CheckState>>): Promise<void> {
  await lockStates(jobs.deps.pool, [...checks, replication], 'test');
  const changes = Object.entries(states).map(([check, state]) => ({ check, scope: 'billing', state: { ...EMPTY_STATE, ...state } }));
  await writeStates(jobs.deps.pool, changes, 'test');
}

async function keepBack(quiet: string, inputs: Record<string, unknown>, kind: 'maintenance' | 'silence' = 'maintenance'): Promise<void> {
  const about = { atMs: jobs.deps.clock.now(), scope: 'billing', configRevision: 'test' };
  await recordDecisions(jobs.deps.pool, about, [{ subject: 'quiet', reason: `suppressed-by-${kind}`, inputs: { quiet, ...inputs } }]);
}

const down = { held: 'down', moment: 'down' } as const;

async function notices(): Promise<{ channel: string; title: string; lines: string[]; mark: string }[]> {
  const rows = await jobs.query<{ channel: string; payload: { title: string; lines: string[]; mark: string } }>(
    `select channel, payload from outbox where kind = 'notice' order by seq`,
  );
  return rows.map(({ channel, payload: { mark, title, lines } }) => ({ channel, mark, title, lines }));
}

/** Whether there is something to judge; it is then judged. */
async function dirty(): Promise<string[]> {
  const rows = await jobs.query<{ id: string }>('select id from scope where dirty_seq > judged_seq order by id');
  await jobs.query('update scope set judged_seq = dirty_seq');
  return rows.map((row) => row.id);
}

const turnAt = (ms: number) => {
  jobs.at(ms);
  return settleQuiet(jobs.deps);
};

describe('a maintenance window', () => {
  test('has its scopes judged once when it begins and once when it ends', async () => {
    expect(await turnAt(TWO_MS - 1)).toEqual({ dirty: false, told: false });
    expect(await turnAt(TWO_MS)).toEqual({ dirty: true, told: false });
    expect(await dirty()).toEqual(['billing']);
    expect(await turnAt(TWO_MS + 1_000)).toEqual({ dirty: false, told: false });
    expect(await turnAt(FOUR_MS - 1)).toEqual({ dirty: false, told: false });
    expect(await turnAt(FOUR_MS)).toEqual({ dirty: true, told: false });
    expect(await dirty()).toEqual(['billing']);
    expect(await turnAt(FOUR_MS + 1_000)).toEqual({ dirty: false, told: false });
    expect(await notices()).toEqual([]);
  });

  test('is told of at its end when it kept something back, with what is still wrong', async () => {
    await turnAt(TWO_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside', 'post-invoice/lakeside'] });
    jobs.at(TWO_MS + HOUR_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/lakeside', 'post-invoice/oakwood'] });
    await stands({ 'post-invoice/lakeside': down, 'post-invoice/oakwood': { ...down, moment: 'up' }, replication: down });
    expect(await turnAt(FOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toEqual([
      {
        channel: '#incidents',
        mark: '🟠',
        title: 'Sunday patches ended at 04:00 (2 h)',
        lines: [
          '3 checks failed meanwhile.',
          'Still wrong: Patient billing, 1 of 4 clinics cannot post invoices.',
          'Coming back: Patient billing. Watching for more rounds.',
        ],
      },
    ]);
  });

  test('that ended well says so', async () => {
    await turnAt(TWO_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    await stands({ 'post-invoice/riverside': { held: 'up', moment: 'up' } });
    await turnAt(FOUR_MS);
    expect(await notices()).toMatchObject([{ mark: '🟢', lines: ['1 check failed meanwhile.', 'All well again.'] }]);
  });

  test('that ended while nothing ran is told of by the next worker', async () => {
    await turnAt(TWO_MS + 20 * MINUTE_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    expect(await turnAt(FOUR_MS + 3 * HOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toMatchObject([{ title: 'Sunday patches ended at 04:00 (2 h)' }]);
  });

  test('counts what was kept back before any worker had noted it', async () => {
    jobs.at(TWO_MS + 100);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    await turnAt(TWO_MS + 400);
    expect(await turnAt(FOUR_MS)).toMatchObject({ told: true });
  });

  test('that the configuration has no more ends then, and may be put back', async () => {
    await turnAt(TWO_MS);
    await dirty();
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    jobs.deps.config = { ...config, maintenance: {} };
    expect(await turnAt(TWO_MS + HOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toMatchObject([{ title: 'Sunday patches ended at 03:00: it is in the configuration no more' }]);
    jobs.deps.config = config;
    expect(await turnAt(TWO_MS + 70 * MINUTE_MS)).toEqual({ dirty: true, told: false });
    await keepBack(WINDOW, { checks: ['post-invoice/oakwood'] });
    await turnAt(FOUR_MS);
    expect((await notices())[1]).toMatchObject({
      title: 'Sunday patches ended at 04:00 (2 h)',
      lines: ['1 check failed meanwhile.', 'All well again.'],
    });
  });

  test('that is made longer ends later, and one that is made shorter at once', async () => {
    await turnAt(TWO_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    const lasting = (lastsMs: number): Config => ({ ...config, maintenance: { sundays: { ...sundays, lastsMs } } });
    jobs.deps.config = lasting(4 * HOUR_MS);
    expect(await turnAt(TWO_MS + HOUR_MS)).toMatchObject({ dirty: true, told: false });
    expect(await turnAt(FOUR_MS + HOUR_MS)).toEqual({ dirty: false, told: false });
    jobs.deps.config = lasting(150 * MINUTE_MS);
    expect(await turnAt(FOUR_MS + HOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toMatchObject([{ title: 'Sunday patches ended at 04:30 (2 h 30 min)' }]);
  });

  test('is not taken to be over by a worker whose clock is behind', async () => {
    await turnAt(TWO_MS);
    expect(await turnAt(TWO_MS - 3_000)).toEqual({ dirty: false, told: false });
    jobs.at(TWO_MS + 1_000);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    await turnAt(FOUR_MS);
    await dirty();
    expect(await turnAt(FOUR_MS - 3_000)).toMatchObject({ told: false });
    expect(await notices()).toHaveLength(1);
  });
});

describe('any number of workers', () => {
  test('tell of an end once', async () => {
    await turnAt(TWO_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    jobs.at(FOUR_MS);
    const turns = await Promise.all(Array.from({ length: 4 }, () => settleQuiet(jobs.deps)));
    expect(turns.filter((turn) => turn.told)).toHaveLength(1);
    expect(await notices()).toHaveLength(1);
    expect(await jobs.query('select dirty_seq from scope')).toEqual([{ dirty_seq: 2 }]);
  });

  test('leave nothing undone when one of them is killed in the middle', async () => {
    await turnAt(TWO_MS);
    await keepBack(WINDOW, { checks: ['post-invoice/riverside'] });
    jobs.at(FOUR_MS);
    // Somebody judges the scope: the worker waits for them with everything in hand, and dies.
    const judging = await jobs.deps.pool.connect();
    await judging.query('begin');
    await judging.query('select * from scope for update');
    const pool = openPool({ url: jobs.url, name: 'to be killed', max: 1, log: quietLog });
    const dying = settleQuiet({ ...jobs.deps, pool }).catch((error: Error) => error);
    const waiting = `select pid from pg_stat_activity where application_name = 'rounds to be killed' and wait_event_type = 'Lock'`;
    for (;;) {
      const [victim] = await jobs.query<{ pid: number }>(waiting);
      if (!victim) continue;
      await jobs.query('select pg_terminate_backend($1)', [victim.pid]);
      break;
    }
    expect(await dying).toBeInstanceOf(Error);
    await judging.query('rollback');
    judging.release();
    await pool.end();
    expect(await notices()).toEqual([]);
    expect(await settleQuiet(jobs.deps)).toEqual({ dirty: true, told: true });
    expect(await notices()).toHaveLength(1);
  });

  test('wait for who keeps something back at that moment, and tell of it', async () => {
    await turnAt(TWO_MS);
    const judging = await jobs.deps.pool.connect();
    await judging.query('begin');
    await judging.query('select * from scope for update');
    jobs.at(FOUR_MS);
    const turn = settleQuiet(jobs.deps);
    const about = { atMs: FOUR_MS - 10, scope: 'billing', configRevision: 'test' };
    const inputs = { quiet: WINDOW, checks: ['post-invoice/riverside'] };
    await recordDecisions(judging, about, [{ subject: 'quiet', reason: 'suppressed-by-maintenance', inputs }]);
    await judging.query('commit');
    judging.release();
    expect(await turn).toEqual({ dirty: true, told: true });
  });
});

describe('a silence', () => {
  const silence = {
    title: 'Patient billing',
    reason: 'known: vendor works on it',
    madeBy: 'ana',
    madeAtMs: TWO_MS,
    endsAtMs: FOUR_MS,
    services: ['billing'],
    components: [],
    tenants: [],
    checks: [],
  };

  test('is on until its end, and tells then what it kept back and why', async () => {
    const id = await insertSilence(jobs.deps.pool, silence);
    const at = async (ms: number) => (await quietsAt(jobs.deps.pool, { maintenance: {} }, ms)).map((quiet) => quiet.id);
    expect([await at(TWO_MS), await at(FOUR_MS - 1), await at(FOUR_MS)]).toEqual([[String(id)], [String(id)], []]);
    await keepBack(String(id), { checks: ['post-invoice/riverside'] }, 'silence');
    await stands({ 'post-invoice/riverside': down });
    expect(await turnAt(TWO_MS + HOUR_MS)).toMatchObject({ told: false });
    expect(await turnAt(FOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toMatchObject([
      {
        title: 'Silence of Patient billing ended at 04:00 (2 h)',
        lines: [
          'Silenced by Ana: "known: vendor works on it".',
          '1 check failed meanwhile.',
          'Still wrong: Patient billing, 1 of 4 clinics cannot post invoices.',
        ],
      },
    ]);
  });

  test('that somebody ends says who', async () => {
    const id = await insertSilence(jobs.deps.pool, silence);
    await keepBack(String(id), { checks: ['post-invoice/riverside'] }, 'silence');
    expect(await endSilence(jobs.deps.pool, id, 'ben', TWO_MS + HOUR_MS)).toBe(true);
    expect(await endSilence(jobs.deps.pool, id, 'ana', TWO_MS + HOUR_MS)).toBe(false);
    expect(await turnAt(TWO_MS + HOUR_MS)).toEqual({ dirty: true, told: true });
    expect(await notices()).toMatchObject([{ title: 'Ben ended the silence of Patient billing at 03:00, 1 h early' }]);
  });

  test('of what burns through a budget, or of an incident, is told of as well', async () => {
    const [burning, incident] = [await insertSilence(jobs.deps.pool, silence), await insertSilence(jobs.deps.pool, silence)];
    await keepBack(String(burning), { slo: 'invoices', service: 'billing' }, 'silence');
    await keepBack(String(incident), { incident: 4711 }, 'silence');
    await turnAt(FOUR_MS);
    // The incident is known to nobody: there is no channel to tell.
    expect(await notices()).toMatchObject([{ lines: [expect.anything(), 'Error budgets burnt too fast meanwhile.', 'All well again.'] }]);
  });

  test.each<[string, Partial<typeof silence>]>([
    ['a reason', { reason: '' }],
    ['an end', { endsAtMs: TWO_MS }],
    ['an end within a week', { endsAtMs: TWO_MS + LONGEST_SILENCE_MS + 1_000 }],
    ['something that it covers', { services: [] }],
  ])('needs %s', async (_, change) => {
    await expect(insertSilence(jobs.deps.pool, { ...silence, ...change })).rejects.toThrow(/violates check constraint/);
  });
});

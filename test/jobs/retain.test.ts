import { afterEach, beforeEach, expect, it } from 'vitest';
import { foldReport } from '../../jobs/fold.ts';
import { retain } from '../../jobs/retain.ts';
import { inTransaction } from '../../store/db.ts';
import { aCheck, aConfig, everywhere, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { addRun } from '../helpers/runs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const check = aCheck();
let jobs: TestJobs;

beforeEach(async () => {
  jobs = await testJobs(aConfig([check]), Date.now());
});
afterEach(() => jobs.close());

const partitions = async () =>
  (
    await jobs.query<{ name: string }>(
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'run'::regclass order by 1`,
    )
  ).map(({ name }) => name);
const nameOf = (ms: number) => {
  const hour = new Date(Math.floor(ms / (6 * HOUR_MS)) * 6 * HOUR_MS).toISOString();
  return `run_${hour.slice(0, 10).replaceAll('-', '')}_${hour.slice(11, 13)}`;
};
const runs = async () => (await jobs.query<{ runs: number }>('select count(*) as runs from run'))[0]?.runs;

it('drops runs that are older than is asked for, and has partitions for the day to come', async () => {
  for (const hours of [1, 24, 47, 60, 100]) await addRun(jobs.deps.pool, { check: check.id, agoMs: hours * HOUR_MS });
  await retain(jobs.deps);
  expect(await runs()).toBe(3);
  const there = await partitions();
  const nowMs = Date.now();
  expect(there).toContain(nameOf(nowMs - 47 * HOUR_MS));
  expect(there).toContain(nameOf(nowMs + DAY_MS));
  expect(there[0]).toBe(nameOf(nowMs - 48 * HOUR_MS));

  jobs.deps.config = aConfig([check], { storage: { rawMs: 25 * HOUR_MS, hoursMs: 90 * DAY_MS, daysMs: 365 * DAY_MS } });
  await Promise.all([retain(jobs.deps), retain(jobs.deps)]);
  await retain(jobs.deps);
  expect(await runs()).toBe(2);
});

it('holds nobody up who folds meanwhile, and finishes what another began', async () => {
  await addRun(jobs.deps.pool, { check: check.id, agoMs: 100 * HOUR_MS });
  const old = nameOf(Date.now() - 100 * HOUR_MS);
  const slotMs = Math.floor(Date.now() / 1000) * 1000;
  const inputs = everywhere(check, 0, 'up').map((input) => ({
    ...input,
    plannedAtMs: slotMs,
    run: input.run.replace(/@\d+@/, `@${slotMs}@`),
  }));
  await order(jobs, check, inputs);
  let dropping: Promise<unknown> | undefined;
  await inTransaction(jobs.deps.pool, async (db) => {
    // Whoever detaches waits for this one; those who come after do not wait for him.
    await db.query('select count(*) from run');
    dropping = retain(jobs.deps).catch((error: unknown) => error);
    await expect.poll(() => jobs.query(`select 1 from pg_inherits where inhdetachpending`)).toHaveLength(1);
    for (const input of inputs) await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
    const [worker] = await jobs.query<{ pid: number }>(
      `select pid from pg_stat_activity where query like 'alter table run detach%' and state = 'active'`,
    );
    await jobs.query('select pg_cancel_backend($1)', [worker?.pid]);
  });
  expect(String(await dropping)).toContain('cancel');
  expect(await jobs.query(`select 1 from pg_inherits where inhdetachpending`)).toHaveLength(1);
  await retain(jobs.deps);
  expect(await jobs.query('select to_regclass($1) as there', [old])).toEqual([{ there: null }]);
  expect(await jobs.query('select distinct state from run')).toEqual([{ state: 'run' }]);
});

it('takes away what was detached and not dropped', async () => {
  await addRun(jobs.deps.pool, { check: check.id, agoMs: 100 * HOUR_MS });
  const old = nameOf(Date.now() - 100 * HOUR_MS);
  await jobs.query(`alter table run detach partition ${old}`);
  await retain(jobs.deps);
  expect(await jobs.query('select to_regclass($1) as there', [old])).toEqual([{ there: null }]);
});

it('takes no result of a run that is gone', async () => {
  const gone = said(check, 'north', 0, 'up');
  await order(jobs, check, [gone]);
  jobs.at(gone.plannedAtMs + 3 * DAY_MS);
  await retain(jobs.deps);
  await foldReport(jobs.deps, 'north', asReport([asResult(gone)]));
  expect(await runs()).toBe(0);
  expect(await jobs.query('select from due')).toEqual([]);
});

it('forgets incidents a year after their end with all that belongs to them, and nothing that is open or audited', async () => {
  const ago = (days: number) => `now() - interval '${days} days'`;
  const incident = async (root: string, resolvedDaysAgo?: number) => {
    const [row] = await jobs.query<{ id: number }>(
      `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at, state, resolved_at, root)
       values ('billing', 'risk', 'risk', '#x', '{}', 'old', ${ago(900)}, ${ago(900)}, $1, ${resolvedDaysAgo === undefined ? 'null' : ago(resolvedDaysAgo)}, $2)
       returning id`,
      [resolvedDaysAgo === undefined ? 'open' : 'resolved', root],
    );
    const id = row?.id ?? 0;
    await jobs.query(`insert into timeline (incident_id, at, kind, data) values ($1, ${ago(900)}, 'opened', '{}')`, [id]);
    await jobs.query(
      `insert into outbox (kind, lane, incident_id, timeline_id, priority, reason, ended_at)
       select 'thread', 'x', incident_id, id, 1, 'x', ${ago(900)} from timeline where incident_id = $1`,
      [id],
    );
    await jobs.query(`insert into post (incident_id, channel) values ($1, '#x')`, [id]);
    await jobs.query(
      `insert into button (id, incident_id, incident_revision, verb, params, expires_at) values ($1, $2, 1, 'x', '{}', now())`,
      [`button ${id}`, id],
    );
    await jobs.query(
      `insert into modal (id, verb, params, button_id, incident_id, opened_by, answer_to, expires_at) values ($1, 'x', '{}', $1, $2, 'U0', '{}', now())`,
      [`button ${id}`, id],
    );
    await jobs.query(
      `insert into decision (at, scope, incident_id, subject, reason, inputs, config_revision) values (${ago(900)}, 'x', $1, 'x', 'x', '{}', 'old')`,
      [id],
    );
    return id;
  };
  const [, recent, open] = [await incident('a', 400), await incident('b', 300), await incident('c')];
  await jobs.query(
    `insert into decision (at, scope, subject, reason, inputs, config_revision) values (${ago(400)}, 'x', 'x', 'x', '{}', 'old')`,
  );
  await jobs.query(
    `insert into audit (at, actor, verb, subject, outcome, reason) values (${ago(4_000)}, 'ana', 'acknowledge', 'INC-1', 'done', 'pressed')`,
  );
  await jobs.query(
    `insert into picture (run, mime, bytes, made_at) values ('x', 'image/png', 'x', ${ago(3)}), ('y', 'image/png', 'y', now())`,
  );
  await retain(jobs.deps);
  for (const table of ['timeline', 'outbox', 'post', 'button', 'modal', 'decision']) {
    expect(await jobs.query(`select incident_id as id from ${table} order by 1`), table).toEqual([{ id: recent }, { id: open }]);
  }
  expect(await jobs.query('select id from incident order by id')).toEqual([{ id: recent }, { id: open }]);
  expect(await jobs.query('select run from picture')).toEqual([{ run: 'y' }]);
  expect(await jobs.query('select subject from audit')).toEqual([{ subject: 'INC-1' }]);
});

it('knows every table that refers to an incident', async () => {
  const referring = await jobs.query<{ name: string }>(
    `select distinct conrelid::regclass::text as name from pg_constraint where contype = 'f' and confrelid = 'incident'::regclass order by 1`,
  );
  // One more: say in store/retention.ts what becomes of it.
  const known = ['button', 'escalation', 'execution', 'incident', 'modal', 'outbox', 'post', 'silence', 'timeline', 'told_elsewhere'];
  expect(referring.map(({ name }) => name)).toEqual(known);
});

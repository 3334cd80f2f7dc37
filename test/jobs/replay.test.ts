/** What several workers decided at once is decided once more from the log, and comes out the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { replay } from '../../cli/replay.ts';
import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import { applyConfig } from '../../jobs/config.ts';
import { checkpoint, keepDecisionLog } from '../../jobs/decision-log.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { settleQuiet } from '../../jobs/quiet.ts';
import { sweepRuns } from '../../jobs/sweep.ts';
import { audit } from '../../store/audit.ts';
import { reportChanges } from '../../store/change.ts';
import { inTransaction, openPool, type Pool } from '../../store/db.ts';
import { acknowledgeIncident, incidentById } from '../../store/incident.ts';
import { endSilence, insertSilence } from '../../store/silence.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { quietLog } from '../helpers/log.ts';

const riverside = aCheck({ tenant: 'riverside' });
const hillcrest = aCheck({ tenant: 'hillcrest' });
const booking = aCheck({
  template: 'book',
  title: 'Book an appointment',
  does: 'book appointments',
  service: 'scheduling',
  critical: false,
});
const { service: _service, ...ofNoService } = aCheck({ template: 'postgres', title: 'PostgreSQL', does: 'answer', critical: false });
const postgres: Check = { ...ofNoService, component: 'postgres' };
const all = [riverside, hillcrest, booking, postgres];
const written = { source: '{}', file: 'rounds.yaml', folder: '/' };

let jobs: TestJobs;
let others: Pool[];

beforeEach(async () => {
  jobs = await testJobs(aConfig(all), NOON_MS);
  others = [1, 2].map((one) => openPool({ url: jobs.url, name: `other ${one}`, max: 2, log: quietLog }));
  await inForce(jobs.deps.config);
  await checkpoint(jobs.deps);
});
afterEach(async () => {
  for (const pool of others) await pool.end();
  await jobs.close();
});

async function inForce(config: Config): Promise<void> {
  jobs.deps.config = config;
  jobs.deps.configSeq = (await applyConfig(jobs.deps.pool, { config, written }, 'test')).seq;
}

/** Three workers, each with a clock of its own. */
function workers(nowMs: number, skewMs = 0) {
  return [jobs.deps.pool, ...others].map((pool, index) => ({
    ...jobs.deps,
    pool,
    clock: { now: () => nowMs + index * 40 + (index === 2 ? skewMs : 0), monotonic: () => performance.now() },
  }));
}

/** A slot: the runs are ordered, and told by their locations at once to whichever worker; all judge meanwhile. */
async function slot(number: number, inputs: readonly FoldInput[], skewMs = 0): Promise<void> {
  const byRun = new Map(jobs.deps.config.checks ? Object.values(jobs.deps.config.checks).map((check) => [check.id, check]) : []);
  for (const [id, own] of Map.groupBy(inputs, (input) => input.run.split('@')[0] ?? '')) await order(jobs, byRun.get(id) ?? riverside, own);
  const team = workers(NOON_MS + number * SLOT_MS + 1_500, skewMs);
  const pick = (index: number) => team[index % team.length] ?? jobs.deps;
  const folds = inputs.map((input, index) => foldReport(pick(index), input.location, asReport([asResult(input)])));
  const turns = team.flatMap((deps) => [judgeDirty(deps, new Map([['post-invoice', 912.5]])), settleQuiet(deps), sweepRuns(deps)]);
  await Promise.all([...folds, ...turns]);
  await Promise.all(team.map((deps) => judgeDirty(deps, new Map([['post-invoice', 913.25]]))));
}

/** All checks well everywhere, but for these. */
function mostly(number: number, change: (input: FoldInput, check: Check) => FoldInput | undefined): FoldInput[] {
  return all.flatMap((check) => everywhere(check, number, 'up').flatMap((input) => change(input, check) ?? []));
}

const failing = (check: Check, number: number, location: string) => said(check, location, number, 'down', { durationMs: 15_000.123 });

async function run(options: Record<string, string> = {}) {
  const out: string[] = [];
  const io = { out: (text: string) => out.push(text), err: (text: string) => out.push(text), terminal: false };
  const code = await replay({ env: { DATABASE_URL: jobs.url }, io, log: quietLog, options });
  return { code, text: out.join('') };
}

async function anOutage(from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++)
    await slot(
      number,
      mostly(number, (input, check) => (check === riverside || check === postgres ? failing(check, number, input.location) : input)),
    );
}

describe('rounds replay', () => {
  it('comes out the same after a night with everything in it', { timeout: 120_000 }, async () => {
    const { pool } = jobs.deps;
    for (let number = 0; number < 3; number++)
      await slot(
        number,
        mostly(number, (input) => input),
      );
    await anOutage(3, 7);
    const [open] = await jobs.query<{ id: number }>(`select id from incident where state = 'open'`);
    await inTransaction(pool, async (db) => {
      await incidentById(db, open?.id ?? 0, 'for update');
      await acknowledgeIncident(db, open?.id ?? 0, 'ana', NOON_MS + 7 * SLOT_MS);
      await audit(db, { actor: 'ana', verb: 'acknowledge', subject: `INC-${open?.id}`, outcome: 'done', reason: 'allowed' });
    });
    const change = {
      atMs: NOON_MS + 6 * SLOT_MS,
      kind: 'deployment' as const,
      title: 'billing 4.12',
      outcome: 'done' as const,
      source: 'cli',
    };
    await reportChanges(pool, jobs.deps.config, [
      { change: { ...change, services: ['billing'], components: [], tenants: [] }, key: 'one' },
    ]);
    // It gets worse, the clock of one worker jumps, and one location says nothing.
    for (let number = 7; number < 11; number++) {
      for (const check of all) await order(jobs, check, [said(check, 'north', number, 'up')]);
      await slot(
        number,
        mostly(number, (input, check) =>
          input.location === 'north' ? undefined : check === booking ? input : failing(check, number, input.location),
        ),
        number === 8 ? 7_200_000 : 0,
      );
    }
    await keepDecisionLog(jobs.deps);
    await checkpoint(jobs.deps);
    const covered = { services: ['scheduling'], components: [], tenants: [], checks: [] };
    const silence = {
      title: 'Clinic scheduling',
      reason: 'known',
      madeBy: 'ana',
      madeAtMs: NOON_MS + 11 * SLOT_MS,
      endsAtMs: NOON_MS + 60 * SLOT_MS,
    };
    const id = await insertSilence(pool, { ...silence, ...covered });
    for (let number = 11; number < 15; number++)
      await slot(
        number,
        mostly(number, (input, check) => (check === booking ? failing(check, number, input.location) : input)),
      );
    await endSilence(pool, id, 'ana', NOON_MS + 15 * SLOT_MS);
    await inForce(
      aConfig([riverside, booking, postgres, { ...hillcrest, resolveAfter: 2, locations: ['north', 'south'] }], { revision: 'second' }),
    );
    for (let number = 15; number < 18; number++)
      await slot(
        number,
        mostly(number, (input, check) =>
          check === hillcrest && input.location === 'cloud'
            ? undefined
            : check === booking
              ? failing(check, number, input.location)
              : input,
        ),
      );
    await inForce(aConfig([riverside, postgres], { revision: 'third' }));
    for (let number = 18; number < 22; number++)
      await slot(
        number,
        mostly(number, (input, check) => (check === riverside || check === postgres ? input : undefined)),
      );

    const kinds = await jobs.query<{ reason: string }>('select distinct reason from decision order by 1');
    expect(kinds.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['location-unseen', 'opened', 'quorum-down', 'resolved', 'suppressed-by-silence']),
    );
    const { code, text } = await run();
    expect(text).toMatch(/^2\d\d results, \d+ judgements, \d+ decisions: the same \(since /);
    expect(code).toBe(0);
  });
});

test('begins where this version of Rounds began to decide, unless told otherwise', async () => {
  await slot(
    0,
    mostly(0, (input) => input),
  );
  await jobs.query(`update decision_checkpoint set version = '0.0.1'`);
  await keepDecisionLog(jobs.deps);
  expect(await jobs.query('select count(*) as all from decision_checkpoint'), 'it takes one of its own').toEqual([{ all: 2 }]);
  await slot(
    1,
    mostly(1, (input) => input),
  );
  expect((await run()).text).toMatch(/^12 results, .*: the same/);
  const [first] = await jobs.query<{ at: Date }>("select min(taken_at) + interval '1 ms' as at from decision_checkpoint");
  expect((await run({ from: first?.at.toISOString() ?? '' })).text).toMatch(/^24 results, .*: the same/);
  await jobs.query('delete from run where slot < to_timestamp($1)', [NOON_MS / 1000 + 1]);
  expect((await run({ from: first?.at.toISOString() ?? '' })).text).toMatch(/Some of it was decided by version 0\.0\.1; this is /);
});

describe('what was changed since', () => {
  /** What is said of it when that statement was run after an outage. */
  async function after(statement: string): Promise<string[]> {
    for (let number = 0; number < 2; number++)
      await slot(
        number,
        mostly(number, (input) => input),
      );
    await anOutage(2, 5);
    expect((await run()).code).toBe(0);
    await jobs.query(statement);
    const { code, text } = await run();
    expect(code).toBe(1);
    const [, ...lines] = text.trim().split('\n');
    return lines.map((line) => line.replace(/^(at the end|\S+ \S+ \(entry \d+\)) {2}/, ''));
  }

  const ofRiverside = `(select key from check_key where check_id = 'post-invoice/riverside')`;

  it.each([
    [
      'a result',
      `update run set verdict = 'up', failure = null where check_key = ${ofRiverside} and location_key = (select key from location_key where location = 'south')
         and slot = to_timestamp(${NOON_MS + 3 * SLOT_MS} / 1000)`,
      new RegExp(`^run post-invoice/riverside@south@${NOON_MS + 3 * SLOT_MS}@scheduled@0: it says up now, and is not what was folded`),
    ],
    [
      'a run that is gone',
      `delete from run where check_key = ${ofRiverside} and slot = to_timestamp(${NOON_MS + SLOT_MS} / 1000)`,
      new RegExp(`^run post-invoice/riverside@\\w+@${NOON_MS + SLOT_MS}: it was folded, and the ledger has it no more`),
    ],
    [
      'a decision',
      `update decision set reason = 'quorum-degraded' where subject = 'verdict post-invoice/riverside' and reason = 'quorum-down'`,
      /^decision \d+ \(verdict post-invoice\/riverside\): reason is "quorum-degraded", and "quorum-down" when it is done again$/,
    ],
    [
      'a decision that is gone',
      `delete from decision where subject = 'post'`,
      /^decision \(post\): first-notification is decided when it is done again, and is not stored$/,
    ],
    [
      'a state',
      `update check_state set state = jsonb_set(state::jsonb, '{held}', '"up"')::json where check_id = 'post-invoice/riverside'`,
      /^check post-invoice\/riverside: state\.held is "up", and "down" when it is done again$/,
    ],
    ['an incident', `update incident set class = 'risk'`, /^INC-\d+: class is "risk", and "partial outage" when it is done again$/],
    ['an incident that is gone', `update incident set state = 'resolved', resolved_at = now()`, /^INC-\d+: /],
    [
      'an entry of the log',
      `update decision_log set runs = 'x!y' where seq = (select min(seq) from decision_log where runs <> '')`,
      /^entry \d+ of the log: not a number of the log/,
    ],
    [
      'what a judgement read',
      `update decision_log set snapshot = '3:3:' where kind = 'judge' and scope = 'billing'`,
      /^(decision|check|INC)/,
    ],
  ])('%s is found and named', { timeout: 60_000 }, async (_what, statement, expected) => {
    const lines = await after(statement);
    expect(lines[0]).toMatch(expected);
  });
});

describe('what cannot be replayed', () => {
  it('says so in one sentence', async () => {
    await jobs.query('delete from decision_checkpoint');
    expect(await run()).toEqual({
      code: 2,
      text: 'There is no checkpoint to begin at: a worker takes the first when it starts, and one every hour.\n',
    });
    await checkpoint(jobs.deps);
    const { code, text } = await run({ from: '2026-01-01 10:00' });
    expect(code).toBe(2);
    expect(text).toMatch(/^Nothing that can be replayed is kept of before \S+: storage\.raw says how long that is\.\n$/);
    expect(await run({ from: 'noon' })).toMatchObject({ code: 2, text: expect.stringMatching(/^--from: expected a time such as 10:41/) });
  });

  it('drops the log with the runs that it is about', async () => {
    await slot(
      0,
      mostly(0, (input) => input),
    );
    await jobs.query(`select make_decision_log_partitions(now() - interval '5 days', now())`);
    await jobs.query(
      `insert into decision_log (logged_at, at_ms, kind) values (now() - interval '4 days', 0, 'press'), (now() - interval '1 day', 0, 'press')`,
    );
    await jobs.query(`update decision_checkpoint set taken_at = now() - interval '49 hours'`);
    await keepDecisionLog(jobs.deps);
    expect(await jobs.query(`select count(*) as old from decision_log where logged_at < now() - interval '3 days'`)).toEqual([{ old: 0 }]);
    expect(await jobs.query('select count(*) as old from decision_checkpoint')).toEqual([{ old: 1 }]);
    expect((await run()).code).toBe(0);
  });

  it('says when a run that is needed was dropped', async () => {
    await slot(
      0,
      mostly(0, (input) => input),
    );
    const [first] = await jobs.query<{ name: string }>(
      `select relname as name from pg_class join pg_inherits on inhrelid = pg_class.oid where inhparent = 'run'::regclass order by 1 limit 1`,
    );
    await jobs.query(`drop table ${first?.name}`);
    const { code, text } = await run();
    expect(text).toMatch(/^The run \S+ is needed and was dropped, since it is older than storage\.raw: begin later, with --from\.\n$/);
    expect(code).toBe(2);
  });
});

describe('rounds replay --config', () => {
  const http = 'http: { url: http://a.example }';
  const yaml = `
version: 1
timezone: UTC
locations: { north: {}, south: {}, cloud: {} }
teams: { ops: { channel: '#ops' } }
tenants: { riverside: { title: Riverside Clinic }, hillcrest: { title: Hillcrest Dental } }
components: { postgres: { title: PostgreSQL } }
services: { billing: { title: Patient billing, owner: ops, dependsOn: [postgres] } }
checks:
  post-invoice: { title: Post an invoice, does: post invoices, service: billing, critical: true, forEach: tenants, every: 60s, ${http} }
  postgres: { component: postgres, every: 60s, ${http} }
  sign-in: { service: billing, every: 60s, ${http} }
`;

  it('tells what another rule would have posted', { timeout: 60_000 }, async () => {
    for (let number = 0; number < 2; number++)
      await slot(
        number,
        mostly(number, (input) => input),
      );
    await anOutage(2, 4);
    for (let number = 4; number < 9; number++)
      await slot(
        number,
        mostly(number, (input) => input),
      );
    const folder = await mkdtemp(join(tmpdir(), 'rounds-replay-'));
    const file = join(folder, 'rounds.yaml');
    await writeFile(file, yaml);
    const same = await run({ config: file });
    expect(same.code).toBe(0);
    const lines = same.text.trim().split('\n');
    expect(lines[0]).toMatch(/^From \S+ \S+ until \S+ 12:08:01: 1 post under this configuration, 1 as it was\.$/);
    expect(lines.slice(1, -1).map((line) => line.slice(21))).toEqual([
      '#1 🟠 opened: Patient billing: partial outage. 1 of 2 clinics cannot post invoices: Riverside Clinic.',
      '#1 🟢 resolved: Resolved after 4 min. No runbook was run.',
    ]);
    expect(lines[1]).toMatch(/^2026-01-15 12:02:0[12]/);
    expect(lines.at(-1)).toBe('Not known: 1 of its checks had no results then (sign-in).');

    await writeFile(file, `${yaml}maintenance: { patches: { components: [postgres], from: '2026-01-15 12:00', lasts: 1h } }\n`);
    const { text } = await run({ config: file });
    expect(text.split('\n')[0]).toMatch(/: 0 posts under this configuration, 1 as it was\.$/);
    expect(JSON.parse((await run({ config: file, json: 'true' })).text)).toMatchObject({
      posts: [],
      posted: 1,
      checksWithoutResults: ['sign-in'],
    });
    await rm(folder, { recursive: true });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Check } from '../../core/check.ts';
import type { FoldInput } from '../../core/evaluate.ts';
import { adopt } from '../../jobs/config.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { Malformed } from '../../jobs/queue.ts';
import { sweepRuns } from '../../jobs/sweep.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const riverside = aCheck({ tenant: 'riverside' });
const hillcrest = aCheck({ tenant: 'hillcrest' });
const noUsual = new Map<string, number>();
let jobs: TestJobs;

beforeEach(async () => {
  jobs = await testJobs(aConfig([riverside, hillcrest]), NOON_MS);
});
afterEach(() => jobs.close());

/** Orders the runs, and folds each as its location's agent reports it. */
async function happens(check: Check, inputs: readonly FoldInput[]): Promise<void> {
  await order(jobs, check, inputs);
  for (const input of inputs) {
    jobs.at(input.plannedAtMs + 1_000);
    await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
  }
}

const outbox = () =>
  jobs.query<{ kind: string; reason: string; channel: string }>(
    'select kind, reason, channel from outbox where channel is not null order by seq',
  );
const incidents = () =>
  jobs.query<{ id: number; class: string; state: string; revision: number }>('select id, class, state, revision from incident');

describe('folding a report', () => {
  it('takes a redelivered result once', async () => {
    const failing = said(riverside, 'north', 0, 'down');
    await happens(riverside, [failing]);
    await foldReport(jobs.deps, 'north', asReport([asResult({ ...failing, verdict: 'up' })]));
    expect(await jobs.query('select verdict from result')).toEqual([{ verdict: 'down' }]);
    const [row] = await jobs.query<{ state: { locations: { north: { verdict: string; badStreak: number } } } }>(
      'select state from check_state',
    );
    expect(row?.state.locations.north).toMatchObject({ verdict: 'down', badStreak: 1 });
  });

  it('takes nothing that nobody ordered, and nothing from another location', async () => {
    const stranger = said(riverside, 'north', 7, 'down');
    await foldReport(jobs.deps, 'north', asReport([asResult(stranger)]));
    await order(jobs, riverside, [said(riverside, 'north', 0, 'up')]);
    await foldReport(jobs.deps, 'south', asReport([asResult(said(riverside, 'north', 0, 'down'))]));
    expect(await jobs.query('select run from result')).toEqual([]);
    expect(await jobs.query(`select state from ledger`)).toEqual([{ state: 'due' }]);
  });

  it('gives up a report that can never be stored, and keeps nothing of it', async () => {
    const inputs = everywhere(riverside, 0, 'up').slice(0, 1);
    await order(jobs, riverside, inputs);
    const [spoiled] = inputs.map((input) => asResult(input, { failure: { kind: 'status', message: 'a\0b' } }));
    if (!spoiled) throw new Error('one location');
    await expect(foldReport(jobs.deps, 'north', asReport([spoiled]))).rejects.toThrow(Malformed);
    expect(await jobs.query('select run from result')).toEqual([]);
    expect(await jobs.query('select state from ledger')).toEqual([{ state: 'due' }]);
  });

  it('takes the result of a run that is told of twice', async () => {
    const [input] = everywhere(riverside, 0, 'up');
    if (!input) throw new Error('one location');
    await order(jobs, riverside, [input]);
    const refusals = [{ run: input.run, reason: 'stale' as const }];
    await foldReport(jobs.deps, 'north', asReport([asResult(input), asResult({ ...input, verdict: 'down' })], { refusals }));
    expect(await jobs.query('select verdict from result')).toEqual([{ verdict: 'up' }]);
    expect(await jobs.query('select state, reason from ledger')).toEqual([{ state: 'run', reason: null }]);
  });

  it('ends every due run: run, late, fault or missed, each with its reason', async () => {
    const inputs = everywhere(riverside, 0, 'up', 'up', 'fault');
    const fourth = said(riverside, 'north', 1, 'up');
    await order(jobs, riverside, [...inputs, fourth]);
    const [north, south, cloud] = inputs.map((input) => asResult(input));
    if (!north || !south || !cloud) throw new Error('three locations');
    await foldReport(jobs.deps, 'north', asReport([north], { refusals: [{ run: fourth.run, reason: 'stale' }] }));
    await foldReport(jobs.deps, 'south', asReport([{ ...south, startLatenessMs: 40_000 }]));
    await foldReport(jobs.deps, 'cloud', asReport([{ ...cloud, failure: { kind: 'no-browser', message: 'no browser' } }]));
    const ended = await jobs.query<{ location: string; state: string; reason: string | null }>(
      'select location, state, reason from ledger order by planned_at, location',
    );
    expect(ended).toEqual([
      { location: 'cloud', state: 'fault', reason: 'no-browser' },
      { location: 'north', state: 'run', reason: null },
      { location: 'south', state: 'late', reason: 'agent-busy' },
      { location: 'north', state: 'missed', reason: 'stale' },
    ]);
  });

  it('asks the other locations to confirm, once a slot', async () => {
    await happens(riverside, everywhere(riverside, 0, 'up'));
    await happens(riverside, [said(riverside, 'north', 1, 'down')]);
    await happens(riverside, [said(riverside, 'south', 1, 'down')]);
    const asks = await jobs.query<{ purpose: string; checks: { targets: unknown } }>('select purpose, checks from ask');
    expect(asks).toHaveLength(1);
    expect(asks[0]).toMatchObject({ purpose: 'confirm', checks: { targets: [{ check: riverside.id, locations: ['south', 'cloud'] }] } });
  });

  it('keeps a picture and shows it with the incident', async () => {
    const inputs = everywhere(riverside, 0, 'down');
    await order(jobs, riverside, inputs);
    const picture = { mime: 'image/jpeg' as const, base64: Buffer.from('not a real picture').toString('base64') };
    for (const input of inputs) await foldReport(jobs.deps, input.location, asReport([asResult(input, { picture })]));
    await judgeDirty(jobs.deps, noUsual);
    const [row] = await jobs.query<{ bytes: Buffer }>('select bytes from incident join picture on picture.id = incident.picture_id');
    expect(row?.bytes.toString()).toBe('not a real picture');
  });
});

describe('judging', () => {
  it('says nothing while all is well, nor for one location that fails once', async () => {
    await happens(riverside, everywhere(riverside, 0, 'up'));
    await happens(riverside, everywhere(riverside, 1, 'down', 'up', 'up'));
    await happens(riverside, everywhere(riverside, 2, 'up'));
    expect(await judgeDirty(jobs.deps, noUsual)).toBe(false);
    expect(await incidents()).toEqual([]);
    expect(await outbox()).toEqual([]);
  });

  it('opens, raises in place, and resolves: one incident, one post, its story in the thread', async () => {
    await happens(riverside, everywhere(riverside, 0, 'up'));
    await happens(hillcrest, everywhere(hillcrest, 0, 'up'));
    await happens(riverside, everywhere(riverside, 1, 'down'));
    expect(await judgeDirty(jobs.deps, noUsual)).toBe(true);
    expect(await incidents()).toMatchObject([{ class: 'partial outage', state: 'open', revision: 1 }]);
    await happens(hillcrest, everywhere(hillcrest, 1, 'down'));
    await judgeDirty(jobs.deps, noUsual);
    expect(await incidents()).toMatchObject([{ class: 'full interruption', state: 'open', revision: 2 }]);
    for (const slot of [2, 3, 4]) {
      await happens(riverside, everywhere(riverside, slot, 'up'));
      await happens(hillcrest, everywhere(hillcrest, slot, 'up'));
    }
    await judgeDirty(jobs.deps, noUsual);
    expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
    const rows = await outbox();
    expect(new Set(rows.map((row) => row.channel))).toEqual(new Set(['#incidents']));
    expect(rows.filter((row) => row.kind === 'thread').map((row) => row.reason)).toEqual(['opened', 'class-raised', 'resolved']);
    expect(rows.filter((row) => row.kind === 'incident').map((row) => row.reason)).toEqual([
      'first-notification',
      'class-raised',
      'resolved',
    ]);
  });

  it('keeps why: the verdicts that led to it belong to the incident', async () => {
    await happens(riverside, everywhere(riverside, 0, 'down'));
    await judgeDirty(jobs.deps, noUsual);
    const chain = await jobs.query<{ subject: string; reason: string }>(
      'select subject, reason from decision where incident_id is not null order by id',
    );
    expect(chain.map(({ subject, reason }) => `${subject}: ${reason}`)).toEqual([
      'verdict post-invoice/riverside: quorum-down',
      'class billing: critical-some-tenants',
      'incident: opened',
      'post: first-notification',
    ]);
  });

  it('is done by whoever comes next when a worker died between folding and judging', async () => {
    await happens(riverside, everywhere(riverside, 0, 'down'));
    expect(await jobs.query('select id from scope where dirty_seq > judged_seq')).toHaveLength(1);
    await Promise.all([judgeDirty(jobs.deps, noUsual), judgeDirty(jobs.deps, noUsual), judgeDirty(jobs.deps, noUsual)]);
    expect(await incidents()).toHaveLength(1);
    expect((await outbox()).filter((row) => row.kind === 'incident')).toHaveLength(1);
  });
});

describe('silence', () => {
  it('is told as blind when runs that were due bring nothing, and ends when results come again', async () => {
    await happens(riverside, everywhere(riverside, 0, 'up'));
    await happens(hillcrest, everywhere(hillcrest, 0, 'up'));
    await order(jobs, riverside, [...everywhere(riverside, 1, 'up'), ...everywhere(riverside, 2, 'up')]);
    jobs.at(NOON_MS + 4 * SLOT_MS);
    expect(await sweepRuns(jobs.deps)).toBe(true);
    await judgeDirty(jobs.deps, noUsual);
    expect(await incidents()).toMatchObject([{ class: 'blind', state: 'open' }]);
    expect(await jobs.query(`select distinct state, reason from ledger where slot > to_timestamp($1 / 1000.0)`, [NOON_MS])).toEqual([
      { state: 'missed', reason: 'never-queued' },
    ]);
    await happens(riverside, everywhere(riverside, 4, 'up'));
    await judgeDirty(jobs.deps, noUsual);
    expect(await incidents()).toMatchObject([{ class: 'blind', state: 'resolved' }]);
  });
});

it('keeps an incident open when a new configuration judges its checks in another scope', async () => {
  await happens(riverside, everywhere(riverside, 0, 'down'));
  await judgeDirty(jobs.deps, noUsual);
  const moved = [riverside, hillcrest].map((check) => ({ ...check, scope: 'accounts' }));
  const { billing } = jobs.deps.config.scopes;
  jobs.deps.config = aConfig(moved, {
    scopes: { accounts: { ...(billing ?? { services: [], components: [], checks: [] }), id: 'accounts' } },
  });
  await adopt(jobs.deps.pool, jobs.deps.config);
  await judgeDirty(jobs.deps, noUsual);
  expect(await jobs.query('select id, scope, state from incident')).toMatchObject([{ scope: 'accounts', state: 'open' }]);
});

it('tells blindness of a check by its own time, not by the slowest of all', async () => {
  const nightly = aCheck({ template: 'nightly', everyMs: 3_600_000, timeoutMs: 1_800_000 });
  jobs.deps.config = aConfig([riverside, hillcrest, nightly]);
  await order(jobs, riverside, [...everywhere(riverside, 1, 'up'), ...everywhere(riverside, 2, 'up')]);
  jobs.at(NOON_MS + 4 * SLOT_MS);
  await sweepRuns(jobs.deps);
  expect(await jobs.query('select distinct state from ledger')).toEqual([{ state: 'missed' }]);
});

it('judges every scope, though one of them cannot be judged', async () => {
  await happens(riverside, everywhere(riverside, 0, 'down'));
  await jobs.query(`insert into scope (id, dirty_seq, dirty_at) values ('aaa', 1, now() - interval '1 hour')`);
  await jobs.query(
    `insert into incident (scope, root, class, peak, channel, facts, config_revision, began_at, opened_at)
     values ('aaa', 'service:aaa', 'risk', 'risk', '#x', '{}', 'old', now(), now())`,
  );
  await judgeDirty(jobs.deps, noUsual);
  expect(await jobs.query(`select class from incident where scope = 'billing'`)).toEqual([{ class: 'partial outage' }]);
});

it('closes the incidents of checks that a new configuration no longer has', async () => {
  await happens(riverside, everywhere(riverside, 0, 'down'));
  await judgeDirty(jobs.deps, noUsual);
  jobs.deps.config = aConfig([hillcrest], { scopes: {} });
  await adopt(jobs.deps.pool, jobs.deps.config);
  await judgeDirty(jobs.deps, noUsual);
  expect(await incidents()).toMatchObject([{ state: 'resolved' }]);
  expect((await outbox()).at(-1)).toMatchObject({ kind: 'thread', reason: 'resolved' });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FoldInput } from '../../core/evaluate.ts';
import { endAction, giveUpActions, sendExecutions } from '../../jobs/act.ts';
import { finishAsks, planAsks } from '../../jobs/ask.ts';
import { QUEUES } from '../../jobs/contract.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import { insertAsk } from '../../store/ask.ts';
import { insertExecution } from '../../store/execution.ts';
import { aCheck, aConfig, everywhere, NOON_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { onEachQueue } from '../helpers/queues.ts';

const riverside = aCheck({ tenant: 'riverside' });
const hillcrest = aCheck({ tenant: 'hillcrest' });
let jobs: TestJobs;

onEachQueue((backend) => {
  beforeEach(async () => {
    jobs = await testJobs(aConfig([riverside, hillcrest]), NOON_MS, backend);
  });
  afterEach(() => jobs.close());

  /** An open incident of Riverside, and an execution that somebody pressed for. */
  async function anExecution(): Promise<string> {
    const failing = everywhere(riverside, 0, 'down');
    await order(jobs, riverside, failing);
    for (const input of failing) await foldReport(jobs.deps, input.location, asReport([asResult(input)]));
    await judgeDirty(jobs.deps, new Map());
    const [incident] = await jobs.query<{ id: number }>('select id from incident');
    return insertExecution(jobs.deps.pool, {
      incidentId: incident?.id ?? 0,
      runbook: 'reopen',
      title: 'Reopen sign-in',
      action: 'http.request',
      location: 'north',
      params: { url: 'http://127.0.0.1:1/' },
      target: {},
      askedBy: 'ana',
      notAfterMs: 120_000,
      verify: ['post-invoice'],
    });
  }

  /** Every location answers the runs of that purpose, each as told. */
  async function answers(purpose: string, verdicts: Record<string, FoldInput['verdict']>): Promise<void> {
    const ordered = await jobs.query<{ name: string; location: string }>('select name, location from ledger where purpose = $1', [purpose]);
    for (const { name, location } of ordered) {
      const verdict = verdicts[location];
      if (!verdict) continue;
      const input = said(riverside, location, 0, verdict, { run: name });
      await foldReport(jobs.deps, location, asReport([asResult(input)]));
    }
  }

  const story = async () =>
    (
      await jobs.query<{ kind: string; data: { outcome?: string; text?: string; summary?: string } }>(
        'select kind, data from timeline order by id',
      )
    ).map(({ kind, data }) => [kind, data.outcome, data.text ?? data.summary].filter(Boolean).join(': '));

  describe('an ask', () => {
    it('becomes one run for each check and location, once, however many workers look', async () => {
      await insertAsk(jobs.deps.pool, {
        purpose: 'manual',
        key: 'manual/1',
        targets: [{ check: riverside.id, locations: ['north', 'south'] }],
      });
      await insertAsk(jobs.deps.pool, { purpose: 'manual', key: 'manual/1', targets: [{ check: hillcrest.id, locations: ['north'] }] });
      const planned = await Promise.all([planAsks(jobs.deps), planAsks(jobs.deps)]);
      expect(planned.reduce((sum, one) => sum + one, 0)).toBe(2);
      expect(await jobs.query('select check_id, location from ledger order by location')).toEqual([
        { check_id: riverside.id, location: 'north' },
        { check_id: riverside.id, location: 'south' },
      ]);
    });

    it('is answered once all of its runs have ended, once', async () => {
      const answerTo = { responseUrl: 'http://127.0.0.1:1/answer', user: 'U0ANA' };
      await insertAsk(jobs.deps.pool, {
        purpose: 'manual',
        key: 'manual/2',
        targets: [{ check: riverside.id, locations: ['north', 'south'] }],
        answerTo,
      });
      await planAsks(jobs.deps);
      await answers('manual', { north: 'up' });
      expect(await finishAsks(jobs.deps)).toBe(0);
      await answers('manual', { south: 'down' });
      expect(await finishAsks(jobs.deps)).toBe(1);
      expect(await finishAsks(jobs.deps)).toBe(0);
      const rows = await jobs.query<{ kind: string; payload: object }>('select kind, payload from outbox');
      expect(rows).toMatchObject([{ kind: 'answer', payload: answerTo }]);
    });
  });

  describe('a runbook action', () => {
    it('is sent once to the agent of its location, and its answer is taken once', async () => {
      const execution = await anExecution();
      const sent: unknown[] = [];
      jobs.deps.queues.work(QUEUES.action('north'), { concurrency: 1, policy: 'once' }, async ({ data }) => {
        sent.push(data);
      });
      const counts = await Promise.all([sendExecutions(jobs.deps), sendExecutions(jobs.deps)]);
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(1);
      await expect.poll(() => sent.length, { timeout: 8_000 }).toBe(1);
      expect(sent[0]).toMatchObject({ execution, token: 1, type: 'http.request' });
      const done = { execution, token: 1, outcome: 'done' as const, summary: 'Sign-in reopened.', durationMs: 40 };
      expect(await endAction(jobs.deps, 'north', { ...done, token: 0 }), 'an older token').toBe(false);
      expect(await endAction(jobs.deps, 'south', done), 'another location').toBe(false);
      expect(await endAction(jobs.deps, 'north', { ...done, execution: 'not-a-uuid' })).toBe(false);
      expect(await endAction(jobs.deps, 'north', done)).toBe(true);
      expect(await endAction(jobs.deps, 'north', done), 'the same answer again').toBe(false);
      expect((await story()).at(-1)).toBe('acted: done: Sign-in reopened.');
    });

    it('is sent though another could not be', async () => {
      const execution = await anExecution();
      await jobs.query(
        `insert into execution (incident_id, runbook, title, action, location, params, target, asked_by, not_after, verify)
         select incident_id, runbook, title, action, 'south', params, target, asked_by, not_after, verify from execution`,
      );
      const { queues } = jobs.deps;
      const sent: unknown[] = [];
      queues.work(QUEUES.action('north'), { concurrency: 1, policy: 'once' }, async ({ data }) => {
        sent.push(data);
      });
      const southIsAway = async (...[ref, added, policy]: Parameters<typeof queues.add>) => {
        if (ref.location === 'south') throw new Error('the queue does not answer');
        await queues.add(ref, added, policy);
      };
      const deps = { ...jobs.deps, queues: { ...queues, add: southIsAway, serverNow: () => queues.serverNow() } };
      expect(await sendExecutions(deps)).toBe(2);
      await expect.poll(() => sent, { timeout: 8_000 }).toMatchObject([{ execution }]);
    });

    it.each([
      [
        { north: 'up', south: 'up', cloud: 'up' },
        'verified: passed: Checked again from 3 locations: "Post an invoice" takes 0.9 s. Watching for 2 more rounds.',
      ],
      [
        { north: 'up', south: 'down', cloud: 'down' },
        'verified: failed: Checked again: "Post an invoice" still fails at "confirm the invoice": no answer within 15 s',
      ],
      [{ north: 'degraded', south: 'degraded', cloud: 'up' }, 'verified: failed: Checked again: "Post an invoice" works, but slowly.'],
      [{ north: 'up', south: 'fault', cloud: 'fault' }, 'verified: unclear: No answer from enough locations about "Post an invoice".'],
    ] as const)('is verified by the journey of the tenants that were hit: %j', async (verdicts, told) => {
      const execution = await anExecution();
      await sendExecutions(jobs.deps);
      await endAction(jobs.deps, 'north', { execution, token: 1, outcome: 'done', summary: 'Done.', durationMs: 1 });
      await planAsks(jobs.deps);
      expect(await jobs.query(`select distinct check_id from ledger where purpose = 'verify'`)).toEqual([{ check_id: riverside.id }]);
      await answers('verify', verdicts);
      await finishAsks(jobs.deps);
      expect((await story()).at(-1)).toBe(told);
    });

    it('whose agent never answers ends as unclear, and is checked all the same', async () => {
      await anExecution();
      await sendExecutions(jobs.deps);
      await jobs.query(`update execution set not_after = now() - interval '6 minutes'`);
      expect(await giveUpActions(jobs.deps)).toBe(1);
      expect(await jobs.query('select state from execution')).toEqual([{ state: 'unclear' }]);
      expect((await story()).at(-1)).toContain('Whether it took effect is not known');
      const [late] = await jobs.query<{ id: string }>('select id from execution');
      const report = { execution: late?.id ?? '', token: 1, outcome: 'done' as const, summary: 'Sign-in reopened.', durationMs: 200_000 };
      expect(await endAction(jobs.deps, 'north', report), 'a late answer is still told').toBe(true);
      expect((await story()).at(-1)).toBe('acted: done: Sign-in reopened.');
      expect(await jobs.query('select purpose from ask')).toContainEqual({ purpose: 'verify' });
    });
  });
});

/** What several workers decided at once is decided once more from the log, and comes out the same. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
    for (let number = 7; number < 11; number++)
      await slot(
        number,
        mostly(number, (input, check) =>
          input.location === 'north' ? undefined : check === booking ? input : failing(check, number, input.location),
        ),
        number === 8 ? 7_200_000 : 0,
      );
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
      expect.arrayContaining(['opened', 'quorum-down', 'resolved', 'suppressed-by-silence']),
    );
    const { code, text } = await run();
    expect(text).toMatch(/^2\d\d results, \d+ judgements, \d+ decisions: the same \(since /);
    expect(code).toBe(0);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../jobs/contract.ts';
import { type Arrived, foldReports } from '../../jobs/fold.ts';
import { Folding } from '../../jobs/folding.ts';
import { aCheck, aConfig, everywhere, NOON_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';

const empty = asReport([]);
const full = (results: number): Report => asReport(Array.from({ length: results }, () => asResult(said(aCheck(), 'north', 0, 'up'))));

describe('reports that come while others are folded', () => {
  /** Folds when it is let go, and notes which came together. */
  function held() {
    const lots: string[][] = [];
    const gates: PromiseWithResolvers<boolean>[] = [];
    const folding = new Folding((lot) => {
      lots.push(lot.map(({ location }) => location));
      const gate = Promise.withResolvers<boolean>();
      gates.push(gate);
      return gate.promise;
    });
    return {
      lots,
      folding,
      gate: (index: number) =>
        expect
          .poll(() => gates[index])
          .toBeDefined()
          .then(() => gates[index]!),
    };
  }

  it('make the next lot, all of them together, and each is told what came of it', async () => {
    const { lots, folding, gate } = held();
    const first = folding.take('north', empty);
    const others = ['south', 'cloud', 'north'].map((location) => folding.take(location, empty));
    (await gate(0)).resolve(true);
    expect(await first).toBe(true);
    (await gate(1)).resolve(false);
    expect(await Promise.all(others)).toEqual([false, false, false]);
    expect(lots).toEqual([['north'], ['south', 'cloud', 'north']]);
  });

  it('are no more than can be folded in a moment', async () => {
    const { lots, folding, gate } = held();
    const all = [empty, full(2_000), full(900), full(500), full(500)].map((report, index) => folding.take(`at ${index}`, report));
    for (const index of [0, 1, 2]) (await gate(index)).resolve(false);
    await Promise.all(all);
    expect(lots).toEqual([['at 0'], ['at 1', 'at 2'], ['at 3', 'at 4']]);
  });

  it('are folded one by one when one of them cannot be stored', async () => {
    const lots: string[][] = [];
    const folding = new Folding(async (lot) => {
      lots.push(lot.map(({ location }) => location));
      if (lot.some(({ location }) => location === 'spoiled')) throw new Error('no');
      return true;
    });
    const told = await Promise.allSettled(['north', 'south', 'spoiled', 'cloud'].map((location) => folding.take(location, empty)));
    expect(told.map((one) => one.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(lots).toEqual([['north'], ['south', 'spoiled', 'cloud'], ['south'], ['spoiled'], ['cloud']]);
  });
});

describe('several reports in one transaction', () => {
  const check = aCheck();
  let jobs: TestJobs;
  beforeEach(async () => {
    jobs = await testJobs(aConfig([check]), NOON_MS);
  });
  afterEach(() => jobs.close());
  const arrived = (...reports: [string, Report][]): Arrived[] => reports.map(([location, report]) => ({ location, report }));

  it('are stored and folded as one by one', async () => {
    const inputs = everywhere(check, 0, 'up', 'down', 'down');
    await order(jobs, check, inputs);
    const dirty = await foldReports(
      jobs.deps,
      arrived(...inputs.map((one): [string, Report] => [one.location, asReport([asResult(one)])])),
    );
    expect(dirty).toBe(true);
    expect(await jobs.query('select location, verdict from result order by location')).toEqual([
      { location: 'cloud', verdict: 'down' },
      { location: 'north', verdict: 'up' },
      { location: 'south', verdict: 'down' },
    ]);
    const [row] = await jobs.query<{ state: { held: string } }>('select state from check_state');
    expect(row?.state.held).toBe('down');
  });

  it('take nothing that one location says of another, though that tells of the same run', async () => {
    const [north] = everywhere(check, 0, 'up');
    if (!north) throw new Error('one location');
    await order(jobs, check, [north]);
    const lie = asReport([asResult({ ...north, verdict: 'down' })]);
    await foldReports(jobs.deps, arrived(['south', lie], ['north', asReport([asResult(north)])], ['cloud', lie]));
    expect(await jobs.query('select location, verdict from result')).toEqual([{ location: 'north', verdict: 'up' }]);
  });

  it('take a run once that is told of in two of them', async () => {
    const [north] = everywhere(check, 0, 'up');
    if (!north) throw new Error('one location');
    await order(jobs, check, [north]);
    const refused = asReport([], { refusals: [{ run: north.run, reason: 'stale' }] });
    const second = asReport([asResult({ ...north, verdict: 'down' })]);
    await foldReports(jobs.deps, arrived(['north', refused], ['north', asReport([asResult(north)])], ['north', second]));
    expect(await jobs.query('select verdict, state from run')).toEqual([{ verdict: 'up', state: 'run' }]);
  });
});

describe('what a row holds', () => {
  const check = aCheck();
  let jobs: TestJobs;
  beforeEach(async () => {
    jobs = await testJobs(aConfig([check]), NOON_MS);
  });
  afterEach(() => jobs.close());

  it('is all that the agent told, whatever it is', async () => {
    const [north] = everywhere(check, 0, 'up');
    const failing = said(check, 'north', 1, 'down');
    if (!north) throw new Error('one location');
    await order(jobs, check, [north, failing]);
    const usual = {
      measurements: { connect_ms: 12.345678, body_bytes: 12_345_678_901, tiny: 1e-7, 'a "name" {of}': -3 },
      steps: [
        { name: 'log in', durationMs: 600.125, outcome: 'passed' as const },
        { name: 'ärztin, "sign"', durationMs: 0, outcome: 'passed' as const },
      ],
    };
    const unusual = {
      measurements: {},
      steps: [
        { name: 'log in', durationMs: 600, outcome: 'failed' as const },
        { name: 'sign', durationMs: 0, outcome: 'skipped' as const },
      ],
      attempts: [
        { verdict: 'up' as const, durationMs: 1 },
        { verdict: 'down' as const, durationMs: 900, failure: { kind: 'timeout', message: 'no answer' } },
      ],
      findings: [{ kind: 'blocker', text: 'pid 4121', target: { pid: 4121 } }],
    };
    await foldReports(jobs.deps, arrived(asReport([asResult(north, usual), asResult(failing, unusual)])));
    const rows = await jobs.query<object>(
      'select run, verdict, failure, steps, measurements, attempts, findings from result order by slot',
    );
    expect(rows).toEqual([
      { run: north.run, verdict: 'up', failure: null, ...usual, attempts: [{ verdict: 'up', durationMs: 900 }], findings: [] },
      { run: failing.run, verdict: 'down', failure: failing.failure, ...unusual },
    ]);
    expect(await jobs.query('select measurements, steps from shape order by key')).toHaveLength(2);
  });

  it('has its names with it when there is no shape for them', async () => {
    const [north] = everywhere(check, 0, 'up');
    if (!north) throw new Error('one location');
    await order(jobs, check, [north]);
    const measurements = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`made up by the agent ${index}`, index]));
    await foldReports(jobs.deps, arrived(asReport([asResult(north, { measurements })])));
    expect(await jobs.query('select measurements from result')).toEqual([{ measurements }]);
    expect(await jobs.query('select from shape')).toEqual([]);
  });

  function arrived(report: Report): Arrived[] {
    return [{ location: 'north', report }];
  }
});

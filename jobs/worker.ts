/** The worker: planner, evaluation, asks, actions and sweeper of one process. Any number of them may run. */
import { usualDurations } from '../store/usual.ts';
import { endAction, giveUpActions, sendExecutions } from './act.ts';
import { AgentBook } from './agents.ts';
import { finishAsks, planAsks } from './ask.ts';
import { adoptAnew, type LiveDeps, underOneConfig } from './config.ts';
import { type Report, reportSchema } from './contract.ts';
import { startCounting } from './counting.ts';
import { keepDecisionLog } from './decision-log.ts';
import { wakeBot } from './deps.ts';
import { escalateDue, handOver } from './escalate.ts';
import { tellElsewhere } from './fallback.ts';
import { foldReports } from './fold.ts';
import { Folding } from './folding.ts';
import { readGauges } from './gauges.ts';
import { judgeDirty } from './judge.ts';
import { type Loop, startLoop } from './loop.ts';
import * as metrics from './metrics.ts';
import { planSlots } from './plan.ts';
import { Malformed } from './queue.ts';
import { settleQuiet } from './quiet.ts';
import { makeDueReports } from './report.ts';
import { ResultQueues } from './result-queues.ts';
import { retain } from './retain.ts';
import { requeueRuns, sweepRuns } from './sweep.ts';
import type { Ways } from './ways.ts';

const TURN_MS = 1_000;
const ACTIONS_TURN_MS = 500;
/** What a window's edge changes is to be judged within a second. */
const QUIET_TURN_MS = 500;
const USUAL_TURN_MS = 60_000;
const REPORT_TURN_MS = 5_000;
const FALLBACK_TURN_MS = 5_000;
const AGENTS_TURN_MS = 2_000;
const GAUGES_TURN_MS = 15_000;
const DAY_MS = 86_400_000;
const RETAIN_TURN_MS = 600_000;
const DECISION_LOG_TURN_MS = 300_000;
const CLOSE_BOUND_MS = 8_000;

/**
 * Starts the worker's loops and its queues; `stop` finishes what is in hand. Each turn and each report has one configuration from
 * beginning to end. `ways`: how people are told while Slack is away.
 */
export async function startWorker(deps: LiveDeps, ways: Ways = {}): Promise<{ stop(): Promise<void> }> {
  await underOneConfig(deps, adoptAnew);
  let usualMs: ReadonlyMap<string, number> = new Map();
  const { log } = deps;

  const judging = startLoop({
    name: 'judge',
    everyMs: TURN_MS,
    log,
    work: async () => {
      if (await underOneConfig(deps, (now) => judgeDirty(now, usualMs))) await wakeBot(deps);
    },
  });
  const asking = startLoop({
    name: 'ask',
    everyMs: TURN_MS,
    log,
    work: async () => {
      await underOneConfig(deps, planAsks);
      if ((await underOneConfig(deps, finishAsks)) > 0) await wakeBot(deps);
    },
  });
  const book = new AgentBook(deps.clock);
  const noting = startLoop({ name: 'agents', everyMs: AGENTS_TURN_MS, log, work: () => book.write(deps.pool) });
  const folding = new Folding((lot) => underOneConfig(deps, (now) => foldReports(now, lot)));
  const reports = new ResultQueues({
    queues: deps.queues,
    log,
    monotonic: deps.clock.monotonic,
    take: async (location, data) => {
      const report = parseReport(location, data);
      if (book.heard(location, report)) noting.wake();
      const acted = await takeReport(deps, folding, location, report, judging);
      asking.wake();
      if (acted) await wakeBot(deps);
    },
  });
  await reports.fit(Object.keys(deps.config.locations));
  const loops: Loop[] = [
    judging,
    asking,
    noting,
    startLoop({
      name: 'plan',
      everyMs: TURN_MS,
      log,
      work: () =>
        underOneConfig(deps, async (now) => {
          // Nothing is planned for a location whose queues are not there.
          await reports.fit(Object.keys(now.config.locations));
          await planSlots(now);
        }),
    }),
    startLoop({
      name: 'act',
      everyMs: ACTIONS_TURN_MS,
      log,
      work: async () => {
        await sendExecutions(deps);
        if ((await underOneConfig(deps, giveUpActions)) > 0) await wakeBot(deps);
      },
    }),
    startLoop({
      name: 'sweep',
      everyMs: TURN_MS,
      log,
      work: async () => {
        await underOneConfig(deps, (now) => requeueRuns(now));
        if (await underOneConfig(deps, sweepRuns)) judging.wake();
      },
    }),
    startLoop({
      name: 'escalate',
      everyMs: TURN_MS,
      log,
      work: async () => {
        const called = await underOneConfig(deps, escalateDue);
        if ((await underOneConfig(deps, handOver)) || called) await wakeBot(deps);
      },
    }),
    startLoop({
      name: 'quiet',
      everyMs: QUIET_TURN_MS,
      log,
      work: async () => {
        const { dirty, told } = await underOneConfig(deps, settleQuiet);
        if (dirty) judging.wake();
        if (told) await wakeBot(deps);
      },
    }),
    startLoop({ name: 'fallback', everyMs: FALLBACK_TURN_MS, log, work: () => underOneConfig(deps, (now) => tellElsewhere(now, ways)) }),
    startLoop({
      name: 'report',
      everyMs: REPORT_TURN_MS,
      log,
      work: async () => {
        if (await underOneConfig(deps, makeDueReports)) await wakeBot(deps);
      },
    }),
    ...startCounting(deps, judging),
    startLoop({ name: 'retain', everyMs: RETAIN_TURN_MS, log, work: () => underOneConfig(deps, retain) }),
    startLoop({ name: 'decision log', everyMs: DECISION_LOG_TURN_MS, log, work: () => underOneConfig(deps, keepDecisionLog) }),
    startLoop({ name: 'gauges', everyMs: GAUGES_TURN_MS, log, work: () => readGauges(deps, reports.locations) }),
    startLoop({
      name: 'usual',
      everyMs: USUAL_TURN_MS,
      log,
      work: async () => {
        usualMs = await usualDurations(deps.pool, deps.clock.now() - DAY_MS);
      },
    }),
  ];

  return {
    async stop() {
      await reports.close(CLOSE_BOUND_MS);
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function parseReport(location: string, data: unknown): Report {
  const parsed = reportSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  metrics.malformed.inc({ location });
  const issue = parsed.error.issues[0];
  throw new Malformed(`a report is not of its shape: ${issue?.path.join('.')}: ${issue?.message}`);
}

async function takeReport(deps: LiveDeps, folding: Folding, location: string, report: Report, judging: Loop): Promise<boolean> {
  metrics.clockSkew.set({ location }, (deps.clock.now() - report.sentAtMs) / 1000);
  metrics.lastReport.setToCurrentTime({ location });
  if (await metrics.timed(metrics.foldSeconds, () => folding.take(location, report))) judging.wake();
  metrics.reports.inc({ location });
  let acted = false;
  for (const action of report.actions) acted = (await underOneConfig(deps, (now) => endAction(now, location, action))) || acted;
  return acted;
}

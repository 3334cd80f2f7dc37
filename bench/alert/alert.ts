/**
 * How soon people hear of it: targets are broken at random moments, each of a service, a check and a channel of its own, and the way
 * from the first failing attempt, and from the verdict, to the post is taken apart. Everything between is real.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backend, backendsOf } from '../backend.ts';
import { type BenchContext, type Benchmark, countOf, withClosers } from '../benchmark.ts';
import { machineCpuS, nameMachine } from '../machine.ts';
import { percentile, rounded } from '../stats.ts';
import { checkOf } from './config.ts';
import { type AlertStack, startAlertStack } from './stack.ts';
import { BREAKS, type Break } from './target.ts';

/** Between two targets that break: from none to this, so that some incidents begin together. */
const LONGEST_PAUSE_MS = 4_000;
/** What has not been posted by then after its break is given up: an interval, and a minute. */
const GIVE_UP_MS = 70_000;
const LOOK_MS = 100;

interface Alert {
  how: Break;
  /** From the end of the first failing attempt, by the agent's clock. */
  failureToPostMs: number;
  /** From the time of the decision that the check is down, by the worker's. */
  verdictToPostMs: number;
}

interface Run {
  backend: Backend;
  alerts: Alert[];
  /** CPU seconds a second, of everything on the machine while targets broke: near the number of cores, nothing was measured but waiting for one. */
  machineCoresUsed: number;
  postgresVersion: string;
}

/** Breaks every target once on each backend; what stands at the top is that of the slower one. */
export const alert: Benchmark = async (context) => {
  const machine = await nameMachine('');
  const runs: Run[] = [];
  for (const backend of await backendsOf(context)) {
    const run = await runOnce(context, backend);
    runs.push(run);
    context.say(`queue on ${backend}: ${inWords(run)}`);
  }
  const figures = runs.map((run) => ({
    backend: run.backend,
    ...figuresOf(run.alerts),
    machine_cores_used: rounded(run.machineCoresUsed, 2),
  }));
  const slowest = figures.reduce((worst, one) => (one.first_failure_to_post_ms_p95 > worst.first_failure_to_post_ms_p95 ? one : worst));
  const each = figures.length > 1 ? Object.fromEntries(figures.map((one) => [one.backend, one])) : {};
  return { ...slowest, ...each, machine: { ...machine, postgres: runs[0]?.postgresVersion ?? '' } };
};

function runOnce(context: BenchContext, backend: Backend): Promise<Run> {
  return withClosers(async (closers) => {
    const stack = await startAlertStack(context, backend, closers);
    const { signal } = context;
    // Every check has been up everywhere: what is measured is news, not a beginning.
    await sleep((stack.everySeconds + 5) * 1000, undefined, { signal });
    const [fromMs, fromCpuS] = [Date.now(), machineCpuS()];
    const alerts = await breakAll(stack, breaksOf(countOf(context, 'incidents', 30), fromMs), signal);
    const machineCoresUsed = (machineCpuS() - fromCpuS) / ((Date.now() - fromMs) / 1000);
    return { backend, alerts, machineCoresUsed, postgresVersion: stack.postgresVersion };
  });
}

interface ToBreak {
  service: number;
  how: Break;
  atMs: number;
}

function breaksOf(count: number, fromMs: number): ToBreak[] {
  let atMs = fromMs;
  return Array.from({ length: count }, (_, service) => {
    atMs += Math.random() * LONGEST_PAUSE_MS;
    return { service, how: BREAKS[service % BREAKS.length] ?? 'error', atMs };
  });
}

/** Breaks each in its moment, and mends it once its post has arrived. */
async function breakAll({ target, ...stack }: AlertStack, breaks: readonly ToBreak[], signal: AbortSignal): Promise<Alert[]> {
  const alerts = new Map<number, Alert>();
  const broken = new Set<ToBreak>();
  while (alerts.size < breaks.length) {
    for (const one of breaks.filter(({ service, atMs }) => !alerts.has(service) && atMs <= Date.now())) {
      if (!broken.has(one)) target.break(`/${one.service}`, one.how);
      broken.add(one);
      if (Date.now() - one.atMs > GIVE_UP_MS)
        throw new Error(`Nobody was told of ${checkOf(one.service)}, which was broken by ${one.how}.`);
    }
    const told = await toldOf({ target, ...stack });
    for (const { service, how } of broken) {
      const alertOf = told.get(checkOf(service));
      if (!alertOf || alerts.has(service)) continue;
      alerts.set(service, { how, ...alertOf });
      target.mend(`/${service}`);
    }
    await sleep(LOOK_MS, undefined, { signal });
  }
  return [...alerts.values()];
}

interface ToldRow {
  check_id: string;
  posts: string[];
  verdict_ms: number;
  failed_ms: number;
}

/** The checks that are down, with the rows that may become their post: a newer one takes the place of an older one that is not sent yet. */
const TOLD = `
select verdict.check_id, failed_ms, min(extract(epoch from verdict.at)::float8 * 1000) as verdict_ms, array_agg(outbox.id::text) as posts
from (select at, incident_id, substr(subject, 9) as check_id from decision where subject like 'verdict %' and reason <> 'settled') as verdict
join outbox on outbox.incident_id = verdict.incident_id and outbox.kind = 'incident'
join (
  select check_id, min(extract(epoch from planned_at)::float8 * 1000 + start_lateness_ms + (attempts->0->>'durationMs')::float8) as failed_ms
  from result where attempts->0->>'verdict' = 'down' group by 1) as failed using (check_id)
group by 1, 2`;

/** Every check's first post that has arrived. */
async function toldOf({ database, door }: AlertStack): Promise<Map<string, Omit<Alert, 'how'>>> {
  const { rows } = await database.query<ToldRow>(TOLD);
  return new Map(
    rows.flatMap((row) => {
      const arrivedMs = row.posts.flatMap((id) => door.arrivedMs(id) ?? []);
      if (arrivedMs.length === 0) return [];
      const postedMs = Math.min(...arrivedMs);
      return [[row.check_id, { failureToPostMs: postedMs - row.failed_ms, verdictToPostMs: postedMs - row.verdict_ms }]];
    }),
  );
}

function figuresOf(alerts: readonly Alert[]) {
  const of = (share: number, pick: (alert: Alert) => number, how?: Break) =>
    rounded(percentile(alerts.filter((one) => how === undefined || one.how === how).map(pick), share), 0);
  const failure = (alert: Alert) => alert.failureToPostMs;
  const verdict = (alert: Alert) => alert.verdictToPostMs;
  const hows = BREAKS.filter((how) => alerts.some((one) => one.how === how));
  return {
    first_failure_to_post_ms_p95: of(0.95, failure),
    first_failure_to_post_ms_p50: of(0.5, failure),
    first_failure_to_post_ms_max: of(1, failure),
    verdict_to_post_ms_p95: of(0.95, verdict),
    verdict_to_post_ms_p50: of(0.5, verdict),
    verdict_to_post_ms_max: of(1, verdict),
    first_failure_to_post_ms_p95_by_failure: Object.fromEntries(hows.map((how) => [how, of(0.95, failure, how)])),
    incidents: alerts.length,
  };
}

function inWords({ alerts, machineCoresUsed }: Run): string {
  const { first_failure_to_post_ms_p95: failure, verdict_to_post_ms_p95: verdict, incidents } = figuresOf(alerts);
  return `of ${incidents} incidents 95 in 100 were posted within ${failure} ms of the first failure and ${verdict} ms of the verdict; ${rounded(machineCoresUsed, 1)} cores in use`;
}

/**
 * What a worker counts, on prom-client's default registry. Labels are bounded: by the configuration (locations, services, components,
 * actions) or by this source. Checks are no label, since their number is that of the tenants: a service is as near as these come, and
 * `/rounds journeys` and the report tell the rest.
 */
import { Counter, Gauge, Histogram, register } from 'prom-client';

export const runsDue = new Counter({
  name: 'rounds_runs_due_total',
  help: 'Runs that were entered in the ledger, by location and purpose.',
  labelNames: ['location', 'purpose'],
});

export const runsEnded = new Counter({
  name: 'rounds_runs_ended_total',
  help: 'Runs that ended, as run, late, fault or missed, by location and reason; one that was given up and came in after all counts twice.',
  labelNames: ['location', 'state', 'reason'],
});

export const fallback = new Counter({
  name: 'rounds_fallback_total',
  help: 'What was to be told by mail or webhook since Slack was away: sent, failed, unclear (perhaps there), or dropped (Slack has it).',
  labelNames: ['way', 'outcome'],
});

export const results = new Counter({
  name: 'rounds_results_total',
  help: 'Results that were stored, by location, type of check and verdict.',
  labelNames: ['location', 'type', 'verdict'],
});

export const reports = new Counter({
  name: 'rounds_reports_total',
  help: 'Reports of agents that were taken, by location.',
  labelNames: ['location'],
});

export const malformed = new Counter({
  name: 'rounds_reports_malformed_total',
  help: 'Reports of agents that were thrown away because they are not of their shape, by location.',
  labelNames: ['location'],
});

export const lastReport = new Gauge({
  name: 'rounds_location_last_report_timestamp_seconds',
  help: 'When this worker last took a report of a location.',
  labelNames: ['location'],
});

export const clockSkew = new Gauge({
  name: 'rounds_agent_clock_skew_seconds',
  help: 'How far an agent of the location is behind, its clock and the way of its last report together.',
  labelNames: ['location'],
});

export const agentsHeard = new Gauge({
  name: 'rounds_agents_heard',
  help: 'Agents that reported in the last two minutes, by location; the same from each worker.',
  labelNames: ['location'],
});

const WORK_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const foldSeconds = new Histogram({
  name: 'rounds_fold_duration_seconds',
  help: 'How long a report took to be stored and folded.',
  buckets: WORK_BUCKETS,
});

export const judgeSeconds = new Histogram({
  name: 'rounds_judge_duration_seconds',
  help: 'How long a scope took to be judged.',
  buckets: WORK_BUCKETS,
});

export const rollupSeconds = new Histogram({
  name: 'rounds_rollup_duration_seconds',
  help: 'How long a step of counting slots by minute, hour or day took.',
  buckets: WORK_BUCKETS,
});

export const rolledUpUntil = new Gauge({
  name: 'rounds_rollup_until_timestamp_seconds',
  help: 'Up to when what agents told is counted; some seconds ago while all is well; the same from each worker.',
});

export const budgetLeft = new Gauge({
  name: 'rounds_slo_budget_left_ratio',
  help: 'Share of the error budget that is left in the window of the objective; negative when overspent; the same from each worker.',
  labelNames: ['service', 'slo'],
});

export const burnRate = new Gauge({
  name: 'rounds_slo_burn_rate',
  help: 'How many times faster than allowed the error budget burned over that time; 1 uses it up with its window, the same from each worker.',
  labelNames: ['service', 'slo', 'over'],
});

export const plannedUntil = new Gauge({
  name: 'rounds_planner_planned_until_timestamp_seconds',
  help: 'Up to when this worker has seen the slots planned; about 5 s from now while planning goes on.',
});

export const checks = new Gauge({
  name: 'rounds_checks',
  help: 'Checks of a service or component by what is held of them: up, degraded, down, blind or unknown; the same from each worker.',
  labelNames: ['service', 'component', 'state'],
});

export const loadSamples = new Counter({
  name: 'rounds_load_samples_total',
  help: 'Samples of the load that tenants put on a component, that were taken.',
  labelNames: ['component'],
});

export const tenantsNoisy = new Gauge({
  name: 'rounds_tenants_noisy',
  help: 'Tenants that put far more load on a component than they usually do; the same from each worker.',
  labelNames: ['component'],
});

export const incidentsOpen = new Gauge({
  name: 'rounds_incidents_open',
  help: 'Incidents that are open, by class; the same from each worker.',
  labelNames: ['class'],
});

export const incidentsOpened = new Counter({
  name: 'rounds_incidents_opened_total',
  help: 'Incidents that this worker opened, by their first class.',
  labelNames: ['class'],
});

export const changes = new Counter({
  name: 'rounds_changes_total',
  help: 'Changes that were reported to this worker, each once, by who told (github, gitlab, argo-cd, flux, api) and kind.',
  labelNames: ['source', 'kind'],
});

export const actions = new Counter({
  name: 'rounds_actions_total',
  help: 'Actions of runbooks that ended, by type and outcome.',
  labelNames: ['action', 'outcome'],
});

export const queueJobs = new Gauge({
  name: 'rounds_queue_jobs',
  help: 'Jobs on the queues of a location, by state; the same from each worker.',
  labelNames: ['queue', 'location', 'state'],
});

export const queueAge = new Gauge({
  name: 'rounds_queue_oldest_job_age_seconds',
  help: 'How long the oldest job that waits on a queue could have been taken; 0 when none waits.',
  labelNames: ['queue', 'location'],
});

// Of the process and not of the worker: a bot in the same process counts here too.
export const lastTurn =
  (register.getSingleMetric('rounds_loop_last_turn_timestamp_seconds') as Gauge<'loop'> | undefined) ??
  new Gauge({
    name: 'rounds_loop_last_turn_timestamp_seconds',
    help: 'When a loop of the process last ended a turn without an error.',
    labelNames: ['loop'],
  });

export const failedTurns =
  (register.getSingleMetric('rounds_loop_failed_turns_total') as Counter<'loop'> | undefined) ??
  new Counter({
    name: 'rounds_loop_failed_turns_total',
    help: 'Turns of a loop that ended with an error.',
    labelNames: ['loop'],
  });

/** Reasons that the ledger knows. An agent may give any other: a label of its making would have no bound. */
const REASONS: ReadonlySet<string> = new Set([
  'agent-busy',
  'agent-limits',
  'browser-crashed',
  'journey-error',
  'never-queued',
  'no-browser',
  'no-result',
  'parameters',
  'probe-error',
  'secret-missing',
  'stale',
  'stopping',
  'unknown-type',
]);

export interface Ended {
  state: 'run' | 'late' | 'fault' | 'missed';
  reason: string | null;
}

/** Counts runs of a location that ended. */
export function countEnded(location: string, ended: readonly Ended[]): void {
  for (const { state, reason } of ended) runsEnded.inc({ location, state, reason: reasonLabel(reason) });
}

function reasonLabel(reason: string | null): string {
  if (reason === null || reason === '') return 'none';
  return REASONS.has(reason) ? reason : 'other';
}

/** Does the work and notes how long it took, also when it fails. */
export async function timed<T>(histogram: Histogram, work: () => Promise<T>): Promise<T> {
  const end = histogram.startTimer();
  try {
    return await work();
  } finally {
    end();
  }
}

/** What an agent counts, on prom-client's default registry. Labels are bounded by the probes and actions that there are. */
import { Counter, Gauge, Histogram } from 'prom-client';

export const info = new Gauge({
  name: 'rounds_agent_info',
  help: 'The location of the agent; always 1.',
  labelNames: ['location'],
});

export const runs = new Counter({
  name: 'rounds_agent_runs_total',
  help: 'Runs that ended with a result, by type of check and verdict.',
  labelNames: ['type', 'verdict'],
});

export const runSeconds = new Histogram({
  name: 'rounds_agent_run_duration_seconds',
  help: 'The probe’s own time of a run, its last attempt.',
  labelNames: ['type'],
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const latenessSeconds = new Histogram({
  name: 'rounds_agent_start_lateness_seconds',
  help: 'How much later than ordered a run began, by the clock of its planner.',
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
});

export const lastRun = new Gauge({
  name: 'rounds_agent_last_run_timestamp_seconds',
  help: 'When the agent last ended a run with a result.',
});

export const refusals = new Counter({
  name: 'rounds_agent_refusals_total',
  help: 'Runs that were handed back, by reason.',
  labelNames: ['reason'],
});

export const actionsRun = new Counter({
  name: 'rounds_agent_actions_total',
  help: 'Actions of runbooks that ended, by type and outcome.',
  labelNames: ['type', 'outcome'],
});

/** Reports that wait on disk, as they are whenever somebody asks. */
let spooled: () => number = () => 0;

export const spooledReports = new Gauge({
  name: 'rounds_agent_spooled_reports',
  help: 'Reports that wait on disk for the queue.',
  collect() {
    this.set(spooled());
  },
});

/** Counts the reports that wait on disk whenever somebody asks; the last that was called counts. */
export function watchSpool(size: () => number): void {
  spooled = size;
}

export const browserLaunches = new Counter({
  name: 'rounds_agent_browser_launches_total',
  help: 'Starts of the browser; more than one means that it had crashed or was replaced.',
});

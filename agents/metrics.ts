/** What an agent counts, on prom-client's default registry. */
import { Counter, Gauge, Histogram } from 'prom-client';

export const runs = new Counter({
  name: 'rounds_agent_runs_total',
  help: 'Runs ended, by probe and verdict',
  labelNames: ['type', 'verdict'],
});

export const runSeconds = new Histogram({
  name: 'rounds_agent_run_seconds',
  help: 'The probe’s own time of a run',
  labelNames: ['type'],
  buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const latenessSeconds = new Histogram({
  name: 'rounds_agent_start_lateness_seconds',
  help: 'How much later than ordered a run began, by the agent’s own clock',
  buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60],
});

export const refusals = new Counter({ name: 'rounds_agent_refusals_total', help: 'Runs handed back, by reason', labelNames: ['reason'] });

export const actionsRun = new Counter({
  name: 'rounds_agent_actions_total',
  help: 'Actions ended, by type and outcome',
  labelNames: ['type', 'outcome'],
});

/** Counts the reports that wait on disk whenever somebody asks. Called once a process. */
export function watchSpool(size: () => number): void {
  new Gauge({
    name: 'rounds_agent_spooled_reports',
    help: 'Reports that wait on disk for the queue',
    collect() {
      this.set(size());
    },
  });
}

export const browserLaunches = new Counter({ name: 'rounds_agent_browser_launches_total', help: 'Starts of the browser' });

/** What is read from the database and the queue for the metrics, every now and then: how things stand, the same from each worker. */
import { CLASSES } from '../core/check.ts';
import type { Config } from '../core/config/model.ts';
import { countHeard } from '../store/agent.ts';
import { type Standing, standings } from '../store/check.ts';
import { countOpen } from '../store/incident.ts';
import { countNoisy } from '../store/load.ts';
import { QUEUES } from './contract.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

/** An agent is there when it was heard within this. */
const HEARD_MS = 120_000;

type Deps = Pick<JobsDeps, 'pool' | 'queues' | 'config' | 'clock' | 'log'>;

/** Sets the gauges. `locations`: those whose queues are there. */
export async function readGauges(deps: Deps, locations: readonly string[]): Promise<void> {
  const { pool, config } = deps;
  setChecks(config, await standings(pool));
  const open = await countOpen(pool);
  for (const name of CLASSES) metrics.incidentsOpen.set({ class: name }, open.get(name) ?? 0);
  const heard = await countHeard(pool, HEARD_MS);
  metrics.agentsHeard.reset();
  for (const location of Object.keys(config.locations)) metrics.agentsHeard.set({ location }, heard.get(location) ?? 0);
  const noisy = await countNoisy(pool, deps.clock.now());
  metrics.tenantsNoisy.reset();
  for (const component of Object.keys(config.components)) metrics.tenantsNoisy.set({ component }, noisy.get(component) ?? 0);
  await setQueues(deps, locations);
}

const STATES = ['up', 'degraded', 'down', 'blind', 'unknown'] as const;

/** A check that is well as far as is known, but that nobody sees, is blind. */
function stateOf(standing: Standing | undefined): (typeof STATES)[number] {
  if (!standing) return 'unknown';
  const { held, moment } = standing;
  return moment === 'blind' && (held === 'up' || held === 'unknown') ? 'blind' : held;
}

function setChecks(config: Config, standing: ReadonlyMap<string, Standing>): void {
  metrics.checks.reset();
  for (const { id, service = '', component = '' } of Object.values(config.checks)) {
    for (const state of STATES) metrics.checks.inc({ service, component, state }, stateOf(standing.get(id)) === state ? 1 : 0);
  }
}

async function setQueues({ queues, clock, log }: Deps, locations: readonly string[]): Promise<void> {
  metrics.queueJobs.reset();
  metrics.queueAge.reset();
  const refs = locations.flatMap((location) =>
    (['round', 'journey', 'action', 'results'] as const).map((queue) => ({ queue, location, ref: QUEUES[queue](location) })),
  );
  for (const { queue, location, ref } of refs) {
    try {
      const load = await queues.load(ref);
      for (const state of ['waiting', 'active', 'delayed', 'failed'] as const)
        metrics.queueJobs.set({ queue, location, state }, load[state]);
      const ageMs = load.oldestMs === undefined ? 0 : clock.now() - load.oldestMs;
      metrics.queueAge.set({ queue, location }, Math.max(0, ageMs) / 1000);
    } catch (error) {
      // A queue that is away has no numbers; that it is away is told elsewhere.
      log.debug({ queue, location, error: (error as Error).message }, 'a queue could not be counted');
    }
  }
}

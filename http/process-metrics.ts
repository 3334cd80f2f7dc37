/** What every process tells of itself, under the names that all Prometheus clients use, and which version it is. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { VERSION } from '../core/version.ts';

/** Gauges of prom-client whose names end as those of counters do; what they add up is there without them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** A registry of the process's own metrics: CPU, memory, event loop, garbage collection, version. */
export function processMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: 'rounds_build_info',
    help: 'The version of Rounds that the process runs; always 1.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: VERSION }, 1);
  return registry;
}

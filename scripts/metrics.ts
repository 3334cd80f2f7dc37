/** docs/metrics.md, made from what the processes count: the metrics that the modules export, with their help. */
import { Counter, Gauge, Histogram, type Registry, Summary } from 'prom-client';
import { processMetrics } from '../http/process-metrics.ts';

/** One metric as it is documented. */
export interface KnownMetric {
  name: string;
  type: 'counter' | 'gauge' | 'histogram' | 'summary';
  help: string;
  /** Its own; `process` stands on each besides. */
  labels: string[];
}

export interface MetricGroup {
  title: string;
  metrics: KnownMetric[];
}

const TYPES = [
  [Counter, 'counter'],
  [Gauge, 'gauge'],
  [Histogram, 'histogram'],
  [Summary, 'summary'],
] as const;

/** All metrics of Rounds but those of prom-client itself, by the processes that have them. */
export async function metricGroups(): Promise<MetricGroup[]> {
  return [
    { title: 'Every process', metrics: ofRegistry(processMetrics()) },
    {
      title: 'Worker and bot',
      metrics: [
        ...exported(await import('../store/in-force.ts')),
        ...exported(await import('../store/audit.ts')),
        ...exported(await import('../store/escalation.ts')),
      ],
    },
    { title: 'Worker', metrics: exported(await import('../jobs/metrics.ts')) },
    { title: 'Agent', metrics: exported(await import('../agents/metrics.ts')) },
    { title: 'Bot', metrics: exported(await import('../bot/metrics.ts')) },
  ];
}

function exported(module: object): KnownMetric[] {
  const known = Object.values(module).flatMap((value) => knownMetric(value) ?? []);
  return known.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function ofRegistry(registry: Registry): KnownMetric[] {
  const all = registry.getMetricsAsArray().flatMap((metric) => knownMetric(metric) ?? []);
  return all.filter(({ name }) => name.startsWith('rounds_'));
}

function knownMetric(value: unknown): KnownMetric | undefined {
  const type = TYPES.find(([kind]) => value instanceof kind)?.[1];
  if (!type) return undefined;
  const { name, help, labelNames = [] } = value as { name: string; help: string; labelNames?: string[] };
  return { name, type, help, labels: [...labelNames] };
}

/** The whole page. `generated`: the line that says so. */
export async function metricsPage(generated: string): Promise<string> {
  const groups = await metricGroups();
  return [generated, INTRODUCTION, ...groups.map(groupSection)].join('\n\n').concat('\n');
}

const INTRODUCTION = `# Metrics

Each process serves its own at \`/metrics\`, in Prometheus' text format; [operations.md](operations.md#health) says where. Times are in seconds, sizes in bytes. On every
metric stands the label \`process\`: \`worker\`, \`bot\`, \`agent-north\` for an agent at \`north\`. Beside those below each process has the usual \`process_…\` and \`nodejs_…\` of every Node.js program: CPU, memory,
event loop, garbage collection.

The number of series is bounded by the configuration: locations, services, components and types of checks are labels. Checks, tenants, people, channels and incidents are not: with some
hundred tenants they would be tens of thousands of series, and Rounds answers for them itself (\`/rounds journeys\`, \`/rounds status\`, the report).

"The same from each worker" means that it is read from the database: with several workers take \`max by (…)\`, not \`sum\`. All other numbers are of one process: add them up.`;

function groupSection({ title, metrics }: MetricGroup): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const own = labels.length === 0 ? '' : labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${own} | ${help} |`;
  });
  return [`## ${title}`, '', '| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { processMetrics } from '../../http/process-metrics.ts';
import { type KnownMetric, metricGroups } from '../../scripts/metrics.ts';
import { readPromql } from '../helpers/promql.ts';
import { hasPromtool, promtool } from '../helpers/promtool.ts';

interface Target {
  expr: string;
  refId: string;
  datasource: { uid: string };
}
interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { type: string; uid: string };
  targets?: Target[];
}
interface Dashboard {
  schemaVersion: number;
  uid: string;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
  annotations: { list: { expr?: string }[] };
}

/** What Grafana fills in with the source that is chosen. */
const SOURCE = `\${DS_PROMETHEUS}`;

const folder = fileURLToPath(new URL('../../deploy', import.meta.url));
const dashboard: Dashboard = JSON.parse(await readFile(join(folder, 'grafana/rounds.json'), 'utf8'));
const rules: { groups: { rules: { alert: string; expr: string; for: string; labels: object; annotations: object }[] }[] } = parse(
  await readFile(join(folder, 'prometheus/rules.yaml'), 'utf8'),
);
const alerts = rules.groups.flatMap((group) => group.rules);
const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
const expressions = [
  ...panels.flatMap((panel) => (panel.targets ?? []).map((target) => [`${panel.title} ${target.refId}`, target.expr] as const)),
  ...dashboard.annotations.list.flatMap(({ expr }) => (expr ? [['an annotation', expr] as const] : [])),
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
];

/** By the names under which samples stand: a histogram has three. */
let labelsOf: Map<string, ReadonlySet<string>>;

beforeAll(async () => {
  const known = (await metricGroups()).flatMap((group) => group.metrics);
  labelsOf = new Map(known.flatMap((metric) => series(metric)));
  for (const { name } of processMetrics().getMetricsAsArray()) if (!labelsOf.has(name)) labelsOf.set(name, new Set(COMMON));
});

/** On everything: our own, and what Prometheus adds to each target. */
const COMMON = ['process', 'job', 'instance'];

function series({ name, type, labels }: KnownMetric): [string, ReadonlySet<string>][] {
  const own = new Set([...labels, ...COMMON]);
  if (type !== 'histogram') return [[name, own]];
  return [
    [`${name}_bucket`, new Set([...own, 'le'])],
    [`${name}_sum`, own],
    [`${name}_count`, own],
  ];
}

describe('every expression', () => {
  test.each(expressions)('%s is about metrics that there are, by labels that they have', (_, expression) => {
    const { selectors, grouping } = readPromql(expression);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, labels } of selectors) {
      expect([...labelsOf.keys()]).toContain(metric);
      for (const label of labels) expect([...(labelsOf.get(metric) ?? [])], metric).toContain(label);
    }
    const all = new Set(selectors.flatMap(({ metric }) => [...(labelsOf.get(metric) ?? [])]));
    for (const label of grouping) expect([...all]).toContain(label);
  });

  test('is one that Prometheus understands', async () => {
    if (!hasPromtool('whether Prometheus understands the expressions of the dashboard')) return;
    const inPrometheus = (text: string) => text.replaceAll(/\$__(rate_interval|range)/g, '5m').replaceAll('$job', '.+');
    const recorded = expressions.map(([, expr], index) => ({ record: `dashboard:expression:${index}`, expr: inPrometheus(expr) }));
    const own = await mkdtemp(join(tmpdir(), 'rounds-dashboard-'));
    const file = join(own, 'rules.yaml');
    await writeFile(file, stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
    expect(promtool(['check', 'rules', file])).toBe('');
    await rm(own, { recursive: true });
  });
});

describe('the dashboard', () => {
  test('is one for any installation: its data source is a variable, everywhere', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(41);
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'DS_PROMETHEUS', type: 'datasource', query: 'prometheus' });
    for (const panel of panels) {
      expect(panel.datasource).toEqual({ type: 'prometheus', uid: SOURCE });
      for (const target of panel.targets ?? []) expect(target.datasource.uid).toBe(SOURCE);
    }
    expect(JSON.stringify(dashboard)).not.toMatch(/"uid":"(?!\$\{DS_PROMETHEUS\}|rounds"|-- Grafana --)/);
  });

  test('looks at one job, of those whose processes say that they are Rounds', () => {
    const job = dashboard.templating.list.find(({ name }) => name === 'job');
    expect(job?.definition).toBe('label_values(rounds_build_info, job)');
    expect([...labelsOf.keys()]).toContain('rounds_build_info');
    for (const panel of panels)
      for (const { expr } of panel.targets ?? [])
        for (const { labels } of readPromql(expr).selectors) expect(labels, `${panel.title}: ${expr}`).toContain('job');
  });

  test('has its rows, and no two panels in one place', () => {
    const rows = dashboard.panels.filter((panel) => panel.type === 'row').map((panel) => panel.title);
    expect(rows).toEqual(['What users see', 'Runs', 'Slack', 'Processes']);
    expect(new Set(dashboard.panels.map((panel) => panel.id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
      expect(x + w, title).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe('the alarms', () => {
  test('are three, each with a time, a severity and a sentence for whoever is woken', () => {
    expect(alerts.map(({ alert }) => alert)).toEqual(['RoundsDoesNotTell', 'RoundsDoesNotPlan', 'RoundsLocationSilent']);
    for (const alarm of alerts) {
      expect(alarm).toMatchObject({ for: expect.stringMatching(/^\d+m$/), labels: { severity: expect.stringMatching(/^(page|ticket)$/) } });
      expect(alarm.annotations).toMatchObject({ summary: expect.stringMatching(/\.$/), description: expect.stringMatching(/\.$/) });
    }
  });

  test('fire when they should and only then', () => {
    if (!hasPromtool('the test of the alarms')) return;
    expect(promtool(['check', 'rules', 'rules.yaml'], undefined, join(folder, 'prometheus'))).toBe('');
    expect(promtool(['test', 'rules', 'rules.test.yaml'], undefined, join(folder, 'prometheus'))).toBe('');
  });
});

test.each([
  ['sum by (le, type) (rate(a_bucket{job=~"x(", type!="y"}[5m]))', [{ metric: 'a_bucket', labels: ['job', 'type'] }], ['le', 'type']],
  [
    'time() - max(b) > 60 or absent(b)',
    [
      { metric: 'b', labels: [] },
      { metric: 'b', labels: [] },
    ],
    [],
  ],
  [
    'a * on (x) group_left (y) b{}',
    [
      { metric: 'a', labels: [] },
      { metric: 'b', labels: [] },
    ],
    ['x', 'y'],
  ],
  ['changes(max(c{d="e"})[2m:15s])', [{ metric: 'c', labels: ['d'] }], []],
])('reads %s', (expression, selectors, grouping) => {
  expect(readPromql(expression)).toEqual({ selectors, grouping });
});

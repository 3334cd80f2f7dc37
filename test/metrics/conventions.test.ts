import { type Metric, register } from 'prom-client';
import { beforeAll, describe, expect, test } from 'vitest';
import { serveHealth } from '../../http/health.ts';
import { type KnownMetric, metricGroups } from '../../scripts/metrics.ts';
import { type Family, parseExposition } from '../helpers/exposition.ts';
import { lint, lintOurs } from '../helpers/promlint.ts';
import { hasPromtool, promtool } from '../helpers/promtool.ts';

/** What a process serves once everything has happened that is counted. */
let page: string;
let families: Family[];
let known: KnownMetric[];

beforeAll(async () => {
  known = (await metricGroups()).flatMap((group) => group.metrics);
  for (const { name, labels } of known) touch(name, labels);
  const server = await serveHealth({ process: 'worker', host: '127.0.0.1', port: 0, ready: async () => undefined, registries: [register] });
  page = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
  await server.close();
  families = parseExposition(page);
});

/** Labels that Prometheus reads only when they are escaped. */
const NASTY = 'a "quoted" back\\slash\nand another line';

function touch(name: string, labels: readonly string[]): void {
  const metric = register.getSingleMetric(name) as
    | (Metric & { inc?(labels: object): void; observe?(labels: object, value: number): void })
    | undefined;
  const values = Object.fromEntries(labels.map((label) => [label, NASTY]));
  if (metric?.observe) metric.observe(values, 0.3);
  else metric?.inc?.(values);
}

test('what a process serves is read without a complaint, and each metric has a sample', () => {
  const ours = families.filter((family) => family.name.startsWith('rounds_'));
  expect(ours.map(({ name }) => name).sort()).toEqual([...new Set(known.map(({ name }) => name))].sort());
  expect(ours.filter((family) => family.samples.length === 0)).toEqual([]);
  expect(families.find(({ name }) => name === 'rounds_runs_ended_total')?.samples[0]?.labels.reason).toBe(NASTY);
});

test('names, types, units and labels keep to the conventions', () => {
  expect(families.flatMap(lint)).toEqual([]);
  expect(families.filter(({ name }) => !/^(process|nodejs)_/.test(name)).flatMap(lintOurs)).toEqual([]);
});

test('every metric of Rounds is documented, with its type and its labels', () => {
  const documented = Object.fromEntries(known.map(({ name, type, labels, help }) => [name, { type, labels: [...labels].sort(), help }]));
  for (const { name, type, help, samples } of families.filter((family) => family.name.startsWith('rounds_'))) {
    const labels = new Set(samples.flatMap((one) => Object.keys(one.labels)));
    for (const common of ['process', 'le']) labels.delete(common);
    expect({ name, type, help, labels: [...labels].sort() }).toEqual({ name, ...documented[name] });
  }
});

test('promtool has nothing to say', () => {
  if (hasPromtool('"promtool check metrics"')) expect(promtool(['check', 'metrics'], page)).toBe('');
});

describe('the reader itself refuses', () => {
  const head = '# HELP a_total A.\n# TYPE a_total counter\n';
  test.each([
    ['a sample without its metric', 'a_total 1\n', 'stands under another metric'],
    ['a series twice', `${head}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 2\n`, 'stands there twice'],
    ['a metric twice', `${head}a_total 1\n${head}`, 'stands there twice'],
    ['a label that is not escaped', `${head}a_total{x="a"b"} 1\n`, 'labels that do not end'],
    ['what is no number', `${head}a_total one\n`, 'not a number'],
    ['a counter that falls below 0', `${head}a_total -1\n`, 'below 0'],
    ['a page that was cut off', `${head}a_total 1`, 'does not end'],
    [
      'a histogram without its last bucket',
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
      'is not the count',
    ],
    [
      'buckets that fall',
      '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      'do not rise',
    ],
  ])('%s', (_, text, complaint) => {
    expect(() => parseExposition(text)).toThrow(complaint);
  });

  test.each([
    ['rounds_waits_ms', 'gauge', 'spelled out'],
    ['rounds_wait_milliseconds', 'gauge', 'base units'],
    ['rounds_runs', 'counter', 'ends in _total'],
    ['rounds_runs_total', 'gauge', 'does not end in _total'],
    ['rounds_seconds_waited', 'gauge', 'comes last'],
    ['rounds_gauge_of_runs', 'gauge', 'no part of the name'],
  ] as const)('a %s that is a %s', (name, type, complaint) => {
    expect(lint({ name, type, help: 'H.', samples: [] }).join()).toContain(complaint);
  });
});

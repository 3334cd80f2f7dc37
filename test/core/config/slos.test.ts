import { describe, expect, test } from 'vitest';
import { formatProblem, loadConfig, loadValue } from '../../../core/config/load.ts';
import { completed, parts } from './parts.ts';

const http = parts.probes.get('http');
const measuring = {
  ...parts,
  probes: new Map([...parts.probes, ...(http ? [['http', { ...http, measurements: { connect_ms: 'to connect' } }] as const] : [])]),
};

function load(text: string) {
  return loadConfig({ file: 'rounds.yaml', text: completed(text) }, measuring);
}

function slosOf(text: string) {
  const loaded = load(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config.services.billing?.slos;
}

const withSlos = (slos: string, more = '') => `
services: { billing: { owner: billing-ops, slos: { ${slos} } } }
${more}`;

test('a service without objectives has none', () => {
  expect(slosOf('')).toBeUndefined();
});

test('an objective with its defaults', () => {
  expect(slosOf(withSlos('front-door-works: { sli: { check: front-door }, objective: 99.9%, window: 28d }'))).toEqual([
    {
      id: 'front-door-works',
      service: 'billing',
      title: 'Front door works',
      sli: { kind: 'availability', check: 'front-door' },
      objective: 0.999,
      window: { kind: 'rolling', durationMs: 28 * 86_400_000 },
      budgets: ['service'],
    },
  ]);
});

test('a latency of each tenant in a month of the calendar', () => {
  const tenants = `tenants: { a: {}, b: {} }
checks: { door: { service: billing, every: 30s, forEach: tenants, http: { url: https://clinic.example } } }`;
  const found = slosOf(
    withSlos('fast: { sli: { check: door, faster: 4s }, objective: 99%, window: month, budgets: [tenant, service] }', tenants),
  );
  expect(found?.[0]).toMatchObject({
    sli: { kind: 'latency', check: 'door', fasterMs: 4000 },
    window: { kind: 'calendar', period: 'month', timezone: 'Europe/Berlin' },
    budgets: ['service', 'tenant'],
  });
});

describe('a measurement', () => {
  test.each([
    ['measurement: connect_ms, below: 100ms', 'lt', 100],
    ['measurement: connect_ms, atMost: 0.5', 'lte', 0.5],
  ])('is held against its limit: %s', (written, op, limit) => {
    expect(
      slosOf(withSlos(`fast: { sli: { check: front-door, ${written} }, objective: 99%, window: quarter, timezone: UTC }`))?.[0],
    ).toMatchObject({
      sli: { kind: 'measurement', measurement: 'connect_ms', op, limit },
      window: { kind: 'calendar', period: 'quarter', timezone: 'UTC' },
    });
  });

  test.each([
    ['lag_s', 'below: 2m', 120],
    ['free_ratio', 'above: 20%', 0.2],
    ['free_bytes', 'atLeast: 2GB', 2e9],
    ['jobs_count', 'atLeast: 3', 3],
  ])('may be written with its unit: %s %s', (name, written, limit) => {
    const text = withSlos(`one: { sli: { check: front-door, measurement: ${name}, ${written} }, objective: 99%, window: 7d }`);
    const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
    expect(loaded.ok && loaded.config.services.billing?.slos?.[0]?.sli).toMatchObject({ limit });
  });

  test('that the probe does not make is refused with those that it makes', () => {
    const loaded = load(withSlos('fast: { sli: { check: front-door, measurement: conect_ms, below: 100 }, objective: 99%, window: 7d }'));
    expect(loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('rounds.yaml', problem))).toEqual([
      'rounds.yaml:2:99 services.billing.slos.fast.sli.measurement: a http check measures no "conect_ms"; did you mean "connect_ms"?',
    ]);
  });
});

test('what was stored is read as it was written', () => {
  const loaded = load(withSlos('door: { sli: { check: front-door }, objective: 99.9%, window: 28d }'));
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const again = loadValue(JSON.parse(JSON.stringify(loaded.value)), undefined, measuring);
  expect(again.ok && again.config).toEqual(loaded.config);
});

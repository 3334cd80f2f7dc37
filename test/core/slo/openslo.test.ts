import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadConfig, loadValue } from '../../../core/config/load.ts';
import type { Config } from '../../../core/config/model.ts';
import { formatProblem } from '../../../core/config/problems.ts';
import { splitDocuments } from '../../../core/config/slo-documents.ts';
import { writtenSlo } from '../../../core/config/slos.ts';
import { exportDocuments, importDocuments } from '../../../core/slo/exchange.ts';
import type { OpenSloDocument } from '../../../core/slo/openslo.ts';
import type { Slo } from '../../../core/slo/slo.ts';
import { completed, parts } from '../config/parts.ts';

const CHECKS = `
tenants: { a: {}, b: {} }
checks:
  door: { service: billing, every: 30s, forEach: tenants, http: { url: https://clinic.example } }
`;

function load(text: string, sloFiles?: ReadonlyMap<string, { file: string; text: string }[]>) {
  return loadConfig({ file: 'rounds.yaml', text: completed(`${CHECKS}${text}`), ...(sloFiles ? { sloFiles } : {}) }, parts);
}

function configOf(text: string): Config {
  const loaded = load(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const percent = fc.integer({ min: 1, max: 99_999 }).map((thousandths) => thousandths / 100_000);
const anySlo: fc.Arbitrary<Slo> = fc.record({
  id: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  service: fc.constant('billing'),
  title: fc.stringMatching(/^[A-Za-z][ -#%-~]{0,30}[a-z]$/),
  sli: fc.oneof(
    fc.constant({ kind: 'availability' as const, check: 'door' }),
    fc.integer({ min: 1, max: 10_000 }).map((fasterMs) => ({ kind: 'latency' as const, check: 'door', fasterMs })),
    fc.record({
      kind: fc.constant('measurement' as const),
      check: fc.constant('door'),
      measurement: fc.constant('connect_ms'),
      op: fc.constantFrom('lt' as const, 'lte' as const, 'gt' as const, 'gte' as const),
      limit: fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => Math.abs(value)),
    }),
  ),
  objective: percent,
  window: fc.oneof(
    fc.integer({ min: 24, max: 92 * 24 }).map((hours) => ({ kind: 'rolling' as const, durationMs: hours * 3_600_000 })),
    fc.record({
      kind: fc.constant('calendar' as const),
      period: fc.constantFrom('week' as const, 'month' as const, 'quarter' as const),
      timezone: fc.constantFrom('Europe/Berlin', 'UTC', 'America/New_York'),
    }),
  ),
  budgets: fc.constantFrom<Slo['budgets']>(['service'], ['tenant'], ['service', 'tenant']),
});

/** A configuration with these objectives in the short form. */
function withSlos(slos: Record<string, unknown>): Config {
  return configOf(`services: { billing: { title: Patient billing, owner: billing-ops, slos: ${JSON.stringify(slos)} } }`);
}

test('every objective comes back the same, from the short form and from its document', () => {
  const bare = withSlos({});
  fc.assert(
    fc.property(anySlo, (slo) => {
      const config = withSlos({ [slo.id]: writtenSlo(slo, 'Europe/Berlin') });
      expect(config.services.billing?.slos).toEqual([slo]);
      const documents = exportDocuments(config);
      const read = configOf(`services: { billing: { title: Patient billing, owner: billing-ops } }\nslos: ${JSON.stringify(documents)}`);
      expect(read.services.billing?.slos).toEqual([{ ...slo, source: 'document' }]);
      expect(exportDocuments(read)).toEqual(documents);
      const last = documents.at(-1) as OpenSloDocument;
      const imported = importDocuments(documents, new Map([[last, slo]]), bare);
      expect(imported).toEqual({ services: { billing: { slos: { [slo.id]: writtenSlo(slo, 'Europe/Berlin') } } }, slos: [] });
    }),
    { numRuns: 40 },
  );
});

const FILE = `# What the front door promises.
apiVersion: openslo/v1
kind: SLO
metadata: { name: doors, displayName: Doors, labels: { team: [a, b] }, annotations: { example.com/page: 'yes' } }
spec:
  description: The front door opens
  service: billing
  indicatorRef: door-ok
  timeWindow: [{ duration: 4w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ displayName: most, targetPercent: 99.5 }]
  alertPolicies: [{ alertPolicyRef: page }]
---
apiVersion: openslo/v1
kind: SLI
metadata: { name: door-ok }
spec:
  ratioMetric:
    counter: true
    bad: { metricSource: { metricSourceRef: ours, spec: { check: door, slots: bad } } }
    total: { metricSource: { metricSourceRef: ours, spec: { check: door, slots: seen } } }
---
apiVersion: openslo/v1
kind: DataSource
metadata: { name: ours }
spec: { type: rounds }
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: { name: page }
spec: { alertWhenBreaching: true, conditions: [{ conditionRef: fast }], notificationTargets: [] }
`;

describe('a file of documents', () => {
  const files = new Map([['slos/*.yaml', [{ file: 'slos/billing.yaml', text: FILE }]]]);

  test('is read with the configuration, stored with it, and exported as it is', () => {
    const loaded = load(`slos: ['slos/*.yaml']`, files);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    expect(loaded.config.services.billing?.slos).toMatchObject([
      {
        id: 'doors',
        title: 'Doors',
        sli: { kind: 'availability', check: 'door' },
        objective: 0.995,
        window: { durationMs: 28 * 86_400_000 },
      },
    ]);
    const kinds = exportDocuments(loaded.config).map((one) => one.kind);
    expect(kinds).toEqual(['SLO', 'SLI', 'DataSource', 'AlertPolicy']);
    expect(exportDocuments(loaded.config)[0]).toMatchObject({
      metadata: { labels: { team: ['a', 'b'] } },
      spec: { description: 'The front door opens' },
    });
    const stored = loadValue(JSON.parse(JSON.stringify(loaded.value)), undefined, parts);
    expect(stored.ok && stored.config).toEqual(loaded.config);
  });

  test('has its errors at their place in that file', () => {
    const broken = FILE.replace('slots: bad', 'slots: baad').replace('service: billing', 'service: biling');
    const loaded = load(`slos: ['slos/*.yaml']`, new Map([['slos/*.yaml', [{ file: 'slos/billing.yaml', text: broken }]]]));
    expect(loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('rounds.yaml', problem))).toEqual([
      'slos/billing.yaml:7:12 slos[0].documents[0].spec.service: expected billing, the only service, got "biling"; did you mean "billing"?',
      'slos/billing.yaml:20:79 slos[0].documents[1].spec.ratioMetric.bad.metricSource.spec.slots: expected one of good, bad, seen, got "baad"; did you mean "bad"?',
    ]);
    const syntax = load(`slos: ['slos/*.yaml']`, new Map([['slos/*.yaml', [{ file: 'slos/billing.yaml', text: `${FILE}---\na: [` }]]]));
    expect(syntax.ok ? [] : syntax.problems[0]).toMatchObject({ file: 'slos/billing.yaml', line: 33 });
  });

  test('keeps the numbers of its lines', () => {
    expect(splitDocuments('a: 1\n---\nb: 2\n--- \nc: 3')).toEqual(['a: 1', '\n\nb: 2', '\n\n\n\nc: 3']);
  });
});

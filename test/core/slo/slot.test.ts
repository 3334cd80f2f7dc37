import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SlotRun, slotOutcome } from '../../../core/slo/slot.ts';

const availability = { kind: 'availability', check: 'post-invoice' } as const;
const fast = { kind: 'latency', check: 'post-invoice', fasterMs: 4000 } as const;
const connect = { kind: 'measurement', check: 'db', measurement: 'connect_ms', op: 'lt', limit: 100 } as const;

const run = (location: string, verdict: SlotRun['verdict'], more: Partial<SlotRun> = {}): SlotRun => ({
  location,
  verdict,
  purpose: 'scheduled',
  plannedAtMs: 0,
  durationMs: 1000,
  ...more,
});

test.each([
  [['up', 'up', 'up'], 'good'],
  [['up', 'degraded', 'down'], 'good'],
  [['down', 'down', 'up'], 'bad'],
  [['down', 'up', undefined], 'unseen'],
  [['up', 'fault', 'fault'], 'unseen'],
  [['down', 'down', 'fault'], 'bad'],
  [[undefined, undefined, undefined], 'unseen'],
] as const)('%j is %s', (verdicts, outcome) => {
  const runs = verdicts.map((verdict, index) => run(`l${index}`, verdict));
  expect(slotOutcome(availability, 3, runs)).toBe(outcome);
});

test('what was due and is not there yet counts for the quorum', () => {
  expect(slotOutcome(availability, 3, [run('north', 'down')])).toBe('unseen');
  expect(slotOutcome(availability, 1, [run('north', 'down')])).toBe('bad');
});

test('a confirmation takes the place of the scheduled run, a run that somebody asked for never does', () => {
  const scheduled = [run('north', 'down'), run('south', 'up'), run('cloud', 'up')];
  const confirmed = ['south', 'cloud'].map((location) => run(location, 'down', { purpose: 'confirm', plannedAtMs: 5000 }));
  expect(slotOutcome(availability, 3, [...confirmed, ...scheduled])).toBe('bad');
  const pressed = confirmed.map((one) => ({ ...one, purpose: 'manual' as const }));
  expect(slotOutcome(availability, 3, [...scheduled, ...pressed])).toBe('good');
  const refused = confirmed.map((one) => ({ ...one, verdict: 'fault' as const }));
  expect(slotOutcome(availability, 3, [...scheduled, ...refused])).toBe('good');
});

test('slow is bad for a latency, and so is down; a measurement that is missing is neither', () => {
  expect(slotOutcome(fast, 3, [run('north', 'up'), run('south', 'up', { durationMs: 4001 }), run('cloud', 'down')])).toBe('bad');
  expect(slotOutcome(fast, 3, [run('north', 'up'), run('south', 'up', { durationMs: 4000 })])).toBe('good');
  expect(slotOutcome(connect, 1, [run('north', 'up', { measurements: { connect_ms: 100 } })])).toBe('bad');
  expect(slotOutcome(connect, 1, [run('north', 'up', { measurements: { connect_ms: 99 } })])).toBe('good');
  expect(slotOutcome(connect, 1, [run('north', 'down', { measurements: {} })])).toBe('unseen');
});

const anyRun = fc.record({
  location: fc.constantFrom('north', 'south', 'cloud'),
  purpose: fc.constantFrom('scheduled', 'confirm', 'verify', 'manual'),
  plannedAtMs: fc.nat(3),
  verdict: fc.constantFrom('up', 'degraded', 'down', 'fault', undefined),
  durationMs: fc.constantFrom(100, 5000),
  measurements: fc.constantFrom({}, { connect_ms: 5 }, { connect_ms: 500 }),
}) as fc.Arbitrary<SlotRun>;

test('neither order nor repetition changes an outcome', () => {
  fc.assert(
    fc.property(
      fc
        .uniqueArray(anyRun, { selector: ({ measurements: _, ...rest }) => JSON.stringify(rest), maxLength: 8 })
        .chain((runs) =>
          fc.tuple(fc.constant(runs), fc.shuffledSubarray([...runs, ...runs], { minLength: 2 * runs.length, maxLength: 2 * runs.length })),
        ),
      ([runs, again]) => {
        for (const sli of [availability, fast, connect]) expect(slotOutcome(sli, 3, again)).toBe(slotOutcome(sli, 3, runs));
      },
    ),
  );
});

import { describe, expect, test } from 'vitest';
import type { Config, EscalationStep } from '../../core/config/model.ts';
import { calledBy, decideSteps, fittingSteps, nextStep, settles } from '../../core/escalate.ts';
import type { Facts, Incident } from '../../core/incident.ts';
import { aCheck, aConfig, NOON_MS } from '../helpers/domain.ts';
import { someFacts } from '../helpers/slack.ts';

const MINUTE_MS = 60_000;
const USUAL = { tiers: [1, 2], classes: ['full interruption', 'partial outage', 'degradation'] } satisfies Partial<EscalationStep>;
const STEPS: EscalationStep[] = [
  { id: '0s on-call', afterMs: 0, to: { kind: 'on-call' }, ...USUAL },
  { id: '600s team', afterMs: 10 * MINUTE_MS, to: { kind: 'team' }, ...USUAL },
  { id: '1800s #operations', afterMs: 30 * MINUTE_MS, to: { kind: 'channel', channel: '#operations' }, ...USUAL },
];

function configOf(escalation: EscalationStep[] = STEPS): Config {
  const check = aCheck({});
  const config = aConfig([check]);
  config.teams.ops = { id: 'ops', channel: '#incidents', members: ['ana', 'ben'], escalation };
  config.teams.platform = { id: 'platform', title: 'The platform', channel: '#platform', members: ['ana'] };
  return config;
}

function anIncident(change: Partial<Incident> = {}, facts: Partial<Facts> = {}): Incident {
  return {
    id: 12,
    scope: 'billing',
    root: 'service:billing',
    class: 'partial outage',
    peak: 'partial outage',
    state: 'open',
    revision: 1,
    channel: '#incidents',
    facts: someFacts(facts),
    beganAtMs: NOON_MS,
    openedAtMs: NOON_MS,
    ...change,
  } as Incident;
}

/** What becomes of each step that many minutes after the beginning. */
function reasons(minutes: number, change: { incident?: Incident; settled?: string[]; config?: Config; begunAtMs?: number } = {}): string[] {
  const { incident = anIncident(), settled = [], config = configOf(), begunAtMs = NOON_MS } = change;
  const input = { config, incident, begunAtMs, settled: new Set(settled), nowMs: NOON_MS + minutes * MINUTE_MS };
  return decideSteps(input).map((one) => one.reason);
}

describe('steps', () => {
  test('come one after the other, none before its time', () => {
    expect(reasons(0)).toEqual(['waited', 'not-yet', 'not-yet']);
    expect(reasons(10 - 1 / MINUTE_MS, { settled: ['0s on-call'] })).toEqual(['settled', 'not-yet', 'not-yet']);
    expect(reasons(10, { settled: ['0s on-call'] })).toEqual(['settled', 'waited', 'not-yet']);
    expect(reasons(45)).toEqual(['waited', 'waited', 'waited']);
  });

  test('are counted from the beginning that is handed in: a raise starts again', () => {
    expect(reasons(40, { begunAtMs: NOON_MS + 35 * MINUTE_MS })).toEqual(['waited', 'not-yet', 'not-yet']);
  });

  test('that an acknowledgement stopped are settled so when their time comes', () => {
    const incident = anIncident({ acknowledgedAtMs: NOON_MS + MINUTE_MS, acknowledgedBy: 'ana' });
    expect(reasons(5, { incident, settled: ['0s on-call'] })).toEqual(['settled', 'not-yet', 'not-yet']);
    expect(reasons(10, { incident, settled: ['0s on-call'] })).toEqual(['settled', 'acknowledged', 'not-yet']);
  });

  test('wait while all is well again and only watched, and come when it is not', () => {
    expect(reasons(12, { incident: anIncident({}, { recovering: true }) })).toEqual(['recovering', 'recovering', 'not-yet']);
    expect(settles('recovering')).toBe(false);
    expect(reasons(12)).toEqual(['waited', 'waited', 'not-yet']);
  });

  test('of an incident that is over are not taken', () => {
    expect(reasons(60, { incident: anIncident({ state: 'resolved' }) })).toEqual(['resolved', 'resolved', 'resolved']);
  });

  test('are none for a team without them', () => {
    expect(reasons(60, { incident: anIncident({}, { owner: 'platform' }) })).toEqual([]);
  });

  test.each([
    ['risk', 'other-class'],
    ['blind', 'other-class'],
    ['degradation', 'waited'],
    ['full interruption', 'waited'],
  ] as const)('for %s: %s unless configured', (klass, reason) => {
    const incident = anIncident({ class: klass });
    expect(reasons(0, { incident })[0]).toBe(reason);
    const all = configOf(STEPS.map((step) => ({ ...step, classes: ['risk', 'blind', 'degradation', 'full interruption'] })));
    expect(reasons(0, { incident, config: all })[0]).toBe('waited');
  });

  test('for tier 3 only where they say so, by the most important service that is hit', () => {
    const [service] = someFacts().services;
    const third = { ...service!, tier: 3 as const };
    expect(reasons(0, { incident: anIncident({}, { services: [third] }) })[0]).toBe('other-tier');
    expect(reasons(0, { incident: anIncident({}, { services: [third, { ...third, tier: 2 }] }) })[0]).toBe('waited');
    const config = configOf(STEPS.map((step) => ({ ...step, tiers: [3] })));
    expect(reasons(0, { incident: anIncident({}, { services: [third] }), config })[0]).toBe('waited');
    expect(reasons(0, { config })[0]).toBe('other-tier');
  });

  test('for what nobody sees go by the tier of its service, and for a component alone by no tier', () => {
    const config = configOf(STEPS.map((step) => ({ ...step, tiers: [1], classes: ['risk', 'blind'] })));
    const blind = anIncident({ class: 'blind' }, { services: [], blind: [{ id: 'post-invoice', title: 'Post an invoice' }] });
    expect(reasons(0, { incident: blind, config })[0]).toBe('waited');
    config.services.billing!.tier = 2;
    expect(reasons(0, { incident: blind, config })[0]).toBe('other-tier');
    expect(reasons(0, { incident: anIncident({ class: 'risk' }, { services: [] }), config })[0]).toBe('waited');
  });
});

describe('the next step for who presses', () => {
  test('is the first that fits and was not taken, acknowledged or not', () => {
    const incident = anIncident({ acknowledgedAtMs: NOON_MS, acknowledgedBy: 'ana' });
    expect(nextStep(configOf(), incident, new Set())?.id).toBe('0s on-call');
    expect(nextStep(configOf(), incident, new Set(['0s on-call', '600s team']))?.id).toBe('1800s #operations');
    expect(nextStep(configOf(), incident, new Set(STEPS.map((step) => step.id)))).toBeUndefined();
    expect(fittingSteps(configOf(), anIncident({ class: 'risk' }))).toEqual([]);
  });
});

describe('a step calls', () => {
  const called = (to: EscalationStep['to']) => calledBy(configOf(), 'ops', { id: 'x', afterMs: 0, to, ...USUAL }, NOON_MS);
  test.each([
    [{ kind: 'on-call' }, { people: ['ana'] }],
    [{ kind: 'team' }, { people: ['ana', 'ben'] }],
    [{ kind: 'person', person: 'ben' }, { people: ['ben'] }],
    [
      { kind: 'channel', channel: '#operations' },
      { people: [], channel: '#operations' },
    ],
    [
      { kind: 'other-team', team: 'platform' },
      { people: ['ana'], channel: '#platform' },
    ],
    [{ kind: 'other-team', team: 'gone' }, { people: [] }],
  ] as const)('%o: %o', (to, expected) => {
    expect(called(to)).toMatchObject(expected);
  });
});

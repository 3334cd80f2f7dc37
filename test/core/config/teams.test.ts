import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config/load.ts';
import type { Config } from '../../../core/config/model.ts';
import { onCallOf } from '../../../core/oncall.ts';
import { completed, parts } from './parts.ts';

const PEOPLE = 'people: { ana: { slack: U0ANA, roles: [responder] }, ben: { slack: U0BEN, roles: [responder] } }';

function load(text: string): Config {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(`${PEOPLE}\n${text}`) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const utc = (text: string) => Date.parse(`${text}Z`);

describe('the steps of a team', () => {
  test('are of tiers 1 and 2 and of what people are hurt by, unless they say else', () => {
    const { teams } = load(`
teams:
  billing-ops:
    channel: '#billing'
    members: [ana, ben]
    escalation:
      - { after: 0s, to: on-call }
      - { after: 10m, to: team, tiers: [1] }
      - { after: 10m, to: ben, classes: [risk, blind] }
      - { after: 20m, to: platform }
      - { after: 30m, to: '#operations' }
  platform: { title: The platform, channel: '#platform', members: [ana] }`);
    const usual = { tiers: [1, 2], classes: ['full interruption', 'partial outage', 'degradation'] };
    expect(teams['billing-ops']?.escalation).toEqual([
      { id: '0s on-call', afterMs: 0, to: { kind: 'on-call' }, ...usual },
      { id: '600s team', afterMs: 600_000, to: { kind: 'team' }, ...usual, tiers: [1] },
      { id: '600s ben', afterMs: 600_000, to: { kind: 'person', person: 'ben' }, ...usual, classes: ['risk', 'blind'] },
      { id: '1200s platform', afterMs: 1_200_000, to: { kind: 'other-team', team: 'platform' }, ...usual },
      { id: '1800s #operations', afterMs: 1_800_000, to: { kind: 'channel', channel: '#operations' }, ...usual },
    ]);
    expect(teams.platform).toEqual({ id: 'platform', title: 'The platform', channel: '#platform', members: ['ana'] });
  });

  test('are none where none are written, and the team is as it was', () => {
    expect(load('').teams['billing-ops']).toEqual({ id: 'billing-ops', channel: '#billing', members: ['ana'] });
  });
});

describe('a rotation', () => {
  const rotation = (written: string) => load(`teams: { billing-ops: { channel: '#b', rotation: { members: [ana, ben], ${written} } } }`);

  test.each([
    ['every: weekly', 7, '2024-01-01T09:00'],
    ['every: 14d, day: thursday', 14, '2024-01-04T09:00'],
    ['every: daily, handover: 07:30', 1, '2024-01-01T07:30'],
    ["every: 2d, from: 2026-02-03, handover: '18:00'", 2, '2026-02-03T18:00'],
    ['every: 7d, from: 2026-02-03', 7, '2026-02-03T09:00'],
  ])('%s', (written, everyDays, anchor) => {
    expect(rotation(written).teams['billing-ops']?.rotation).toEqual({
      ...{ members: ['ana', 'ben'], everyDays, anchorMs: utc(anchor), timezone: 'Europe/Berlin' },
    });
  });

  test('is of its own zone where it names one, and so are the times of those who stand in', () => {
    const config = load(`
teams:
  billing-ops:
    channel: '#b'
    announce: true
    mayEscalate: [responder]
    rotation: { members: [ana, ben], every: daily, timezone: America/New_York, from: 2026-03-08 }
    overrides:
      - { from: 2026-03-10 12:00, until: 2026-03-10T18:00+01:00, person: ben, reason: Ana is at the dentist }
      - { from: 2026-03-10T17:00:00Z, until: 2026-03-10 14:00, person: ben }`);
    const team = config.teams['billing-ops'];
    expect(team).toMatchObject({ announce: true, mayEscalate: ['responder'], rotation: { timezone: 'America/New_York' } });
    expect(team?.overrides).toEqual([
      { fromMs: utc('2026-03-10T16:00'), untilMs: utc('2026-03-10T17:00'), person: 'ben', reason: 'Ana is at the dentist' },
      { fromMs: utc('2026-03-10T17:00'), untilMs: utc('2026-03-10T18:00'), person: 'ben' },
    ]);
    expect(onCallOf(config, 'billing-ops', utc('2026-03-10T16:30'))).toMatchObject({ people: ['ben'], untilMs: utc('2026-03-10T18:00') });
  });
});

describe('the second way out', () => {
  test('has defaults, and is not there unless it is written', () => {
    expect(load('').fallback).toBeUndefined();
    expect(load('fallback: { email: [ops@clinic.example] }').fallback).toEqual({
      ...{ afterMs: 300_000, email: ['ops@clinic.example'], webhook: false, classes: ['full interruption', 'partial outage'] },
    });
    expect(load('fallback: { after: 90s, webhook: true, classes: [blind] }').fallback).toEqual({
      ...{ afterMs: 90_000, email: [], webhook: true, classes: ['blind'] },
    });
  });
});

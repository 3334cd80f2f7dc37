import { describe, expect, test } from 'vitest';
import type { Config, Team } from '../../core/config/model.ts';
import { handoversBetween, onCallOf } from '../../core/oncall.ts';
import { aConfig } from '../helpers/domain.ts';

const HOUR_MS = 3_600_000;
const utc = (text: string) => Date.parse(`${text}Z`);
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16));

const PEOPLE = Object.fromEntries(
  ['ana', 'ben', 'cleo'].map((id) => [id, { id, name: id, slack: `U0${id.toUpperCase()}`, roles: ['responder'] }]),
);

function configOf(team: Partial<Team>): Config {
  return aConfig([], { people: PEOPLE, teams: { ops: { id: 'ops', channel: '#ops', members: ['ana', 'ben'], ...team } } });
}

/** Ana takes over on that wall's time, and then the others in their order. */
function turns(first: string, timezone: string, everyDays = 1, members = ['ana', 'ben', 'cleo']): Partial<Team> {
  return { rotation: { members, everyDays, anchorMs: utc(first), timezone } };
}

describe('without a rotation', () => {
  test('all members with a role are on call, as long as nobody stands in', () => {
    const config = configOf({ members: ['ana', 'ben', 'dora'] });
    config.people.dora = { id: 'dora', name: 'Dora', slack: 'U0DORA', roles: [] };
    expect(onCallOf(config, 'ops', 0)).toEqual({ people: ['ana', 'ben'], by: 'members' });
    expect(handoversBetween(config, 'ops', 0, utc('2030-01-01T00:00'))).toEqual([]);
  });

  test('of a team that is not there nobody is', () => {
    expect(onCallOf(configOf({}), 'others', 0)).toEqual({ people: [], by: 'members' });
  });

  test('an override stands in, and the members come back', () => {
    const overrides = [{ fromMs: utc('2026-01-10T08:00'), untilMs: utc('2026-01-11T08:00'), person: 'cleo', reason: 'all others travel' }];
    const config = configOf({ overrides });
    expect(onCallOf(config, 'ops', utc('2026-01-09T00:00'))).toEqual({
      ...{ people: ['ana', 'ben'], by: 'members', untilMs: utc('2026-01-10T08:00'), next: 'cleo' },
    });
    expect(onCallOf(config, 'ops', utc('2026-01-10T08:00'))).toEqual({
      ...{ people: ['cleo'], by: 'override', reason: 'all others travel', untilMs: utc('2026-01-11T08:00'), next: 'ana' },
    });
    expect(onCallOf(config, 'ops', utc('2026-01-11T08:00'))).toEqual({ people: ['ana', 'ben'], by: 'members' });
  });
});

describe('a rotation', () => {
  const weekly = configOf(turns('2026-01-05T09:00', 'Europe/Berlin', 7));

  test('takes turns at its time, to the millisecond', () => {
    const handover = utc('2026-01-12T08:00');
    expect(onCallOf(weekly, 'ops', handover - 1)).toEqual({ people: ['ana'], by: 'rotation', untilMs: handover, next: 'ben' });
    expect(onCallOf(weekly, 'ops', handover)).toMatchObject({ people: ['ben'], next: 'cleo', untilMs: utc('2026-01-19T08:00') });
  });

  test('goes on without end, also before the day it is counted from', () => {
    expect(onCallOf(weekly, 'ops', utc('2026-01-05T07:59'))).toMatchObject({ people: ['cleo'], next: 'ana' });
    expect(onCallOf(weekly, 'ops', utc('2025-12-29T07:59'))).toMatchObject({ people: ['ben'] });
    expect(onCallOf(weekly, 'ops', utc('2041-07-01T12:00')).people).toHaveLength(1);
  });

  test('of one person is never handed over', () => {
    const config = configOf(turns('2026-01-05T09:00', 'UTC', 1, ['ana']));
    expect(onCallOf(config, 'ops', utc('2026-02-01T00:00'))).toEqual({ people: ['ana'], by: 'rotation' });
    expect(handoversBetween(config, 'ops', utc('2026-01-01T00:00'), utc('2026-03-01T00:00'))).toEqual([]);
  });

  test('gives way to an override in the middle of a shift, over several, and when it is the own person', () => {
    const over = (from: string, until: string, person: string) => ({ fromMs: utc(from), untilMs: utc(until), person });
    const rotation = turns('2026-01-05T09:00', 'UTC');
    const config = configOf({ ...rotation, overrides: [over('2026-01-05T12:00', '2026-01-07T12:00', 'cleo')] });
    expect(
      handoversBetween(config, 'ops', utc('2026-01-05T09:00'), utc('2026-01-09T09:00')).map(({ atMs, to, by }) => [iso(atMs), ...to, by]),
    ).toEqual([
      ['2026-01-05T12:00', 'cleo', 'override'],
      // Cleo's own shift began on the 7th at 9: nothing is handed over when the override ends.
      ['2026-01-08T09:00', 'ana', 'rotation'],
      ['2026-01-09T09:00', 'ben', 'rotation'],
    ]);
    expect(onCallOf(config, 'ops', utc('2026-01-06T00:00'))).toMatchObject({
      people: ['cleo'],
      untilMs: utc('2026-01-08T09:00'),
      next: 'ana',
    });
  });

  test('with overrides that meet hands over from one to the other', () => {
    const overrides = [
      { fromMs: utc('2026-01-06T00:00'), untilMs: utc('2026-01-06T06:00'), person: 'cleo' },
      { fromMs: utc('2026-01-06T06:00'), untilMs: utc('2026-01-06T08:00'), person: 'ana' },
    ];
    const config = configOf({ ...turns('2026-01-05T09:00', 'UTC'), overrides });
    const handovers = handoversBetween(config, 'ops', utc('2026-01-05T10:00'), utc('2026-01-06T09:00'));
    expect(handovers.map(({ atMs, from, to }) => [iso(atMs), ...from, ...to])).toEqual([
      ['2026-01-06T00:00', 'ana', 'cleo'],
      ['2026-01-06T06:00', 'cleo', 'ana'],
      ['2026-01-06T09:00', 'ana', 'ben'],
    ]);
  });
});

/** The instants of handing over, and the hours between them. */
function shifts(timezone: string, first: string, from: string, to: string): [string, number][] {
  const config = configOf(turns(first, timezone));
  const found = handoversBetween(config, 'ops', utc(from), utc(to));
  return found.map(({ atMs }, index) => [iso(atMs) ?? '', (atMs - (found[index - 1]?.atMs ?? atMs)) / HOUR_MS]);
}

describe('on the nights on which clocks are changed the time on the wall holds', () => {
  test.each([
    // Forward on 29 March at 02:00, back on 25 October at 03:00.
    ['Europe/Berlin', '09:00', '2026-03-28', ['2026-03-28T08:00', '2026-03-29T07:00', '2026-03-30T07:00'], [23, 24]],
    ['Europe/Berlin', '09:00', '2026-10-24', ['2026-10-24T07:00', '2026-10-25T08:00', '2026-10-26T08:00'], [25, 24]],
    // 02:30 is left out in spring: an hour later on the wall, as RFC 5545 has it. In autumn it comes twice, and the first counts.
    ['Europe/Berlin', '02:30', '2026-03-28', ['2026-03-28T01:30', '2026-03-29T01:30', '2026-03-30T00:30'], [24, 23]],
    ['Europe/Berlin', '02:30', '2026-10-24', ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'], [24, 25]],
    // Forward on 8 March at 02:00, back on 1 November at 02:00.
    ['America/New_York', '09:00', '2026-03-07', ['2026-03-07T14:00', '2026-03-08T13:00', '2026-03-09T13:00'], [23, 24]],
    ['America/New_York', '09:00', '2026-10-31', ['2026-10-31T13:00', '2026-11-01T14:00', '2026-11-02T14:00'], [25, 24]],
    ['America/New_York', '01:30', '2026-10-31', ['2026-10-31T05:30', '2026-11-01T05:30', '2026-11-02T06:30'], [24, 25]],
    // Half an hour, on 5 April back at 02:00 and on 4 October forward at 02:00.
    ['Australia/Lord_Howe', '09:00', '2026-04-04', ['2026-04-03T22:00', '2026-04-04T22:30', '2026-04-05T22:30'], [24.5, 24]],
    ['Australia/Lord_Howe', '09:00', '2026-10-03', ['2026-10-02T22:30', '2026-10-03T22:00', '2026-10-04T22:00'], [23.5, 24]],
    ['Australia/Lord_Howe', '02:15', '2026-10-03', ['2026-10-02T15:45', '2026-10-03T15:45', '2026-10-04T15:15'], [24, 23.5]],
  ])('%s, handed over at %s from %s on', (timezone, time, _day, expected, hours) => {
    const begin = expected[0] ?? '';
    const from = new Date(utc(begin) - 1).toISOString().slice(0, -1);
    const found = shifts(timezone, `2026-01-01T${time}`, from, expected.at(-1) ?? '');
    expect(found.map(([at]) => at)).toEqual(expected);
    expect(found.slice(1).map(([, length]) => length)).toEqual(hours);
  });

  test.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia'])(
    '%s: at every instant somebody is, and nobody is twice in a row',
    (zone) => {
      const config = configOf(turns('2025-01-01T02:15', zone));
      const [from, to] = [utc('2025-01-01T00:00'), utc('2025-12-31T00:00')];
      const handovers = handoversBetween(config, 'ops', from, to);
      expect(handovers.length).toBeGreaterThan(362);
      const order = ['ana', 'ben', 'cleo'];
      for (const { atMs, from: before, to: after } of handovers) {
        expect(onCallOf(config, 'ops', atMs - 1)).toMatchObject({ people: before, untilMs: atMs, next: after[0] });
        expect(onCallOf(config, 'ops', atMs).people).toEqual(after);
        expect(after[0]).toBe(order[(order.indexOf(before[0] ?? '') + 1) % 3]);
      }
    },
  );
});

import { describe, expect, it } from 'vitest';
import {
  type CheckState,
  confirmFrom,
  count,
  decide,
  EMPTY_STATE,
  type FoldInput,
  foldGap,
  foldResult,
  roundsLeft,
  staleAtMs,
} from '../../core/evaluate.ts';
import { foldCheck } from '../../core/fold.ts';
import { aCheck, at, everywhere, fold, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';

const check = aCheck();

describe('the verdict of the moment', () => {
  it.each([
    ['up', ['up', 'up', 'up']],
    ['up', ['down', 'up', 'up']],
    ['down', ['down', 'down', 'up']],
    ['down', ['down', 'down', 'down']],
    ['degraded', ['degraded', 'down', 'up']],
    ['degraded', ['degraded', 'degraded', 'up']],
  ] as const)('is %s for %j', (moment, verdicts) => {
    expect(fold(check, everywhere(check, 0, ...verdicts)).moment).toBe(moment);
  });

  it('is undecided when enough speak and no half agrees', () => {
    const two = aCheck({ locations: ['north', 'south'] });
    expect(fold(two, everywhere(two, 0, 'up', 'down')).moment).toBe('undecided');
  });

  it('counts nothing that is older than 1.5 intervals and the time of a run', () => {
    const state = fold(check, everywhere(check, 0, 'down'));
    const freshMs = 1.5 * SLOT_MS + 20_000;
    expect(decide(check, state, at(NOON_MS + freshMs)).state.moment).toBe('down');
    expect(decide(check, state, at(NOON_MS + freshMs + 1)).state.moment).toBe('waiting');
  });

  it('is blind when runs that were due brought nothing, and waiting when none was due', () => {
    const silentMs = NOON_MS + 5 * SLOT_MS;
    let state = fold(check, everywhere(check, 0, 'up'));
    const moment = () => decide(check, state, at(silentMs)).state.moment;
    const lose = (location: string, slot: number) => {
      state = foldGap(check, state, location, { plannedAtMs: NOON_MS + slot * SLOT_MS, reason: 'no-result' });
    };
    expect(moment()).toBe('waiting');
    lose('north', 1);
    lose('south', 1);
    expect(moment(), 'one run may be lost').toBe('waiting');
    lose('north', 2);
    expect(moment(), 'two of three may still speak').toBe('waiting');
    lose('south', 2);
    expect(moment()).toBe('blind');
    const blind = decide(check, state, at(silentMs)).state;
    expect(
      decide(check, blind, at(silentMs, { planningSinceMs: NOON_MS + 3 * SLOT_MS })).state.moment,
      'it ends when somebody sees again',
    ).toBe('blind');
    expect(
      decide(check, state, at(silentMs, { planningSinceMs: NOON_MS + 3 * SLOT_MS })).state.moment,
      'what was due before Rounds was started again',
    ).toBe('waiting');
  });

  it('takes a fault of the agent neither for up nor for down', () => {
    const failure = { kind: 'no-browser', message: 'no browser' };
    const faults = [1, 2, 3].flatMap((slot) => check.locations.map((location) => said(check, location, slot, 'fault', { failure })));
    const state = fold(check, [...everywhere(check, 0, 'up'), ...faults]);
    expect(state.locations.north?.verdict).toBe('up');
    expect(state.gaps.north?.reason).toBe('no-browser');
    expect(state.moment).toBe('blind');
    expect(state.held).toBe('up');
  });
});

describe('folding', () => {
  it('never steps backwards', () => {
    const state = fold(check, everywhere(check, 5, 'up'));
    expect(foldResult(check, state, said(check, 'north', 4, 'down')).locations).toEqual(state.locations);
    expect(foldResult(check, state, said(check, 'north', 5, 'down'))).toBe(state);
  });

  it('comes to the same locations in any order of arrival', () => {
    const inputs = [...everywhere(check, 0, 'up'), ...everywhere(check, 1, 'down'), ...everywhere(check, 2, 'down', 'up', 'up')];
    const forward = fold(check, inputs).locations;
    const shuffled = fold(
      check,
      [...inputs].sort((a, b) => (a.location < b.location ? -1 : 1)),
    ).locations;
    expect(shuffled).toEqual(forward);
  });
});

describe('what is held', () => {
  it('gets worse at once and better only after settled rounds by quorum', () => {
    let state = fold(check, [...everywhere(check, 0, 'up'), ...everywhere(check, 1, 'down')]);
    expect(state.held).toBe('down');
    state = fold(check, everywhere(check, 2, 'up'), state);
    expect(state).toMatchObject({ moment: 'up', held: 'down' });
    expect(roundsLeft(check, state)).toBe(2);
    state = fold(check, everywhere(check, 3, 'up'), state);
    expect(state.held).toBe('down');
    state = fold(check, everywhere(check, 4, 'up'), state);
    expect(state.held).toBe('up');
    expect(roundsLeft(check, state)).toBe(0);
  });

  it('takes one slow round for nothing, and two in a row for degraded', () => {
    const state = fold(check, [...everywhere(check, 0, 'up'), ...everywhere(check, 1, 'degraded')]);
    expect(state).toMatchObject({ moment: 'degraded', held: 'up' });
    expect(fold(check, everywhere(check, 2, 'degraded'), state).held).toBe('degraded');
    expect(fold(check, [...everywhere(check, 2, 'up'), ...everywhere(check, 3, 'degraded')], state).held).toBe('up');
  });

  it('turns from down to degraded once a quorum has worked for settled rounds, slowly or in turns', () => {
    let state = fold(check, [...everywhere(check, 0, 'down'), ...everywhere(check, 1, 'degraded'), ...everywhere(check, 2, 'up')]);
    expect(state.held).toBe('down');
    state = fold(check, everywhere(check, 3, 'degraded'), state);
    expect(state.held).toBe('degraded');
  });

  it('turns from down to degraded while one location goes on failing', () => {
    const slots = [2, 3, 4].flatMap((slot) => everywhere(check, slot, 'up', 'up', 'down'));
    expect(fold(check, [...everywhere(check, 0, 'down'), ...everywhere(check, 1, 'down'), ...slots])).toMatchObject({
      held: 'degraded',
      lone: true,
    });
  });

  it('is settled by rounds, not by three presses in ten seconds', () => {
    let state = fold(check, everywhere(check, 0, 'down'));
    for (const press of [1, 2, 3, 4]) {
      const pressed = { extra: true, plannedAtMs: NOON_MS + press * 3_000 };
      state = fold(
        check,
        check.locations.map((location) => said(check, location, 0, 'up', pressed)),
        state,
      );
    }
    expect(state).toMatchObject({ moment: 'up', held: 'down' });
    expect(roundsLeft(check, state)).toBe(3);
  });

  it('takes nothing from a planner whose clock had jumped ahead', () => {
    const [ahead, now] = [everywhere(check, 60, 'up'), everywhere(check, 1, 'down')];
    const told = (state: CheckState, results: FoldInput[]) =>
      foldCheck(check, state, { results, gaps: [] }, at(NOON_MS + SLOT_MS + 1_000)).state;
    for (const order of [
      [...ahead, ...now],
      [...now, ...ahead],
    ])
      expect(told(EMPTY_STATE, order).moment).toBe('down');
    expect(told(fold(check, ahead), now).moment).toBe('down');
    expect(told(fold(check, now), ahead).moment).toBe('down');
  });

  it('is not ended by one good round between bad ones', () => {
    const state = fold(check, [
      ...everywhere(check, 1, 'down'),
      ...everywhere(check, 2, 'up'),
      ...everywhere(check, 3, 'down'),
      ...everywhere(check, 4, 'up'),
      ...everywhere(check, 5, 'up'),
    ]);
    expect(state.held).toBe('down');
  });

  it('stays when nobody can see', () => {
    let state = fold(check, everywhere(check, 0, 'down'));
    for (const slot of [2, 3]) {
      for (const location of check.locations)
        state = foldGap(check, state, location, { plannedAtMs: NOON_MS + slot * SLOT_MS, reason: 'no-result' });
    }
    expect(decide(check, state, at(NOON_MS + 5 * SLOT_MS)).state).toMatchObject({ moment: 'blind', held: 'down' });
  });

  it('began with the first run that failed', () => {
    const state = fold(check, [
      ...everywhere(check, 0, 'up'),
      said(check, 'north', 1, 'down'),
      said(check, 'south', 1, 'down', { plannedAtMs: NOON_MS + SLOT_MS + 2_000 }),
    ]);
    expect(state.held).toBe('down');
    expect(state.heldSinceMs).toBe(NOON_MS + SLOT_MS);
  });

  it('counts one location alone as degraded after three slots, not before', () => {
    const slots = (upTo: number) => Array.from({ length: upTo + 1 }, (_, slot) => everywhere(check, slot, 'down', 'up', 'up')).flat();
    expect(fold(check, slots(1)).held).toBe('up');
    expect(fold(check, slots(2))).toMatchObject({ held: 'degraded', lone: true });
  });

  it('tells two failing locations below the quorum apart', () => {
    const wide = aCheck({ locations: ['a', 'b', 'c', 'd', 'e'] });
    expect(fold(wide, everywhere(wide, 0, 'down', 'down', 'up', 'up', 'up'))).toMatchObject({ held: 'degraded', split: true });
  });
});

describe('confirmation', () => {
  it('asks the other locations when one begins to fail', () => {
    const state = fold(check, [...everywhere(check, 0, 'up'), said(check, 'north', 1, 'down')]);
    expect(confirmFrom(check, state, said(check, 'north', 1, 'down'))).toEqual(['south', 'cloud']);
  });

  it('asks nobody who has said so in this slot already, and nobody for what is known to be down', () => {
    const failing = said(check, 'north', 1, 'down');
    const once = fold(check, [said(check, 'south', 1, 'down'), failing]);
    expect(confirmFrom(check, { ...once, held: 'up' }, failing)).toEqual(['cloud']);
    expect(confirmFrom(check, once, failing)).toEqual([]);
    expect(confirmFrom(check, EMPTY_STATE, said(check, 'north', 1, 'degraded'))).toEqual([]);
  });
});

it('looks again when the next location falls silent', () => {
  const state = fold(check, [said(check, 'north', 0, 'up'), said(check, 'south', 1, 'up')]);
  const freshMs = 1.5 * SLOT_MS + 20_000;
  expect(staleAtMs(check, state, NOON_MS + SLOT_MS)).toBe(NOON_MS + freshMs + 1);
  expect(staleAtMs(check, state, NOON_MS + freshMs + 1)).toBe(NOON_MS + SLOT_MS + freshMs + 1);
  expect(staleAtMs(check, state, NOON_MS + 10 * SLOT_MS)).toBeUndefined();
  expect(count(check, state, at(NOON_MS + SLOT_MS)).fresh).toEqual(['north', 'south']);
});

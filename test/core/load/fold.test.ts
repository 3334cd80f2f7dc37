import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldLoads, type LoadState, NO_LOAD, noisyIn } from '../../../core/load/fold.ts';
import { ownersOn } from '../../../core/load/owners.ts';
import { loadsSchema } from '../../../core/result.ts';
import { aLoad, aSample, type Doing, EVERY_MS, OWNERS, START_MS, TENANTS, Watched } from './samples.ts';

const QUIET: Doing = { hillcrest: { busy: 0.2 }, lakeside: { busy: 0.3 }, riverside: { busy: 0.25 }, postgres: { busy: 0.1 } };

describe('a tenant is noisy', () => {
  test('when it does far more than usual, a large share of all, in two samples', () => {
    const server = new Watched();
    expect(server.slots(20, QUIET)).toEqual([]);
    const report: Doing = { ...QUIET, hillcrest: { busy: 41 } };
    expect(server.slot(report)).toEqual([]);
    expect(server.slot(report)).toEqual(['Hillcrest: 41 s of statements a second of 42, usually 0.21']);
    expect(noisyIn(server.state, 'postgres', String)).toMatchObject([
      { tenant: 'hillcrest', measure: 'statement-time', value: 41, share: expect.closeTo(0.984, 2), sinceMs: START_MS + 21 * EVERY_MS },
    ]);
    expect(server.slot(QUIET)).toEqual([]);
  });

  test('since it began what runs now, between two samples', () => {
    const server = new Watched();
    const still: Doing = { ...QUIET, hillcrest: { busy: 0.05 }, lakeside: { busy: 0.05 } };
    server.slots(20, still);
    const report = (runningMs: number): Doing => ({ ...still, hillcrest: { levels: { running: 1, runningMs } } });
    server.slot(report(12_000));
    server.slot(report(42_000));
    expect(noisyIn(server.state, 'postgres', String)[0]?.sinceMs).toBe(START_MS + 21 * EVERY_MS - 12_000);
  });

  test('not before it is known what is usual', () => {
    const server = new Watched();
    expect(server.slots(5, { hillcrest: { busy: 9 }, lakeside: { busy: 0 } })).toEqual([]);
  });

  test('not by a small share, and not by what hurts nobody', () => {
    const server = new Watched();
    server.slots(20, { ...QUIET, postgres: { busy: 50 } });
    expect(server.slots(5, { ...QUIET, postgres: { busy: 50 }, hillcrest: { busy: 20 } })).toEqual([]);
    const still = new Watched();
    still.slots(20, { hillcrest: { busy: 0.001 }, lakeside: { busy: 0.001 } });
    expect(still.slots(5, { hillcrest: { busy: 0.1 }, lakeside: { busy: 0.001 } })).toEqual([]);
  });

  test('and not for two samples with a good one between them', () => {
    const server = new Watched();
    server.slots(20, QUIET);
    const report: Doing = { ...QUIET, hillcrest: { busy: 30 } };
    expect([server.slot(report), server.slot(QUIET), server.slot(report)]).toEqual([[], [], []]);
  });

  test('when others wait for its lock, which is enough by itself; those that wait are not', () => {
    const server = new Watched();
    const levels = (locks: number, waiting: number, blocks: number) => ({
      connections: 4 + waiting,
      waiting,
      held: waiting,
      locks,
      blocks,
    });
    server.slots(20, {
      hillcrest: { levels: levels(0, 0, 0) },
      lakeside: { levels: levels(2, 0, 0) },
      riverside: { levels: levels(1, 0, 0) },
    });
    const blocked: Doing = {
      hillcrest: { levels: { ...levels(1, 0, 13), running: 1, runningMs: 700_000 } },
      lakeside: { levels: levels(0, 12, 0) },
      riverside: { levels: levels(0, 1, 0), busy: 40 },
    };
    server.slot(blocked);
    expect(server.slot(blocked)).toEqual([
      'Hillcrest: 1 s of statements a second of 1, usually none; 13 sessions of others wait for it',
      'Hillcrest: 1 lock held of 1, usually none; 13 sessions of others wait for it',
    ]);
  });
});

describe('what is usual', () => {
  test('follows a tenant that has grown for good, in some weeks and not in days', () => {
    const server = new Watched();
    // Ten minutes apart, so that weeks are soon over.
    const noisySlots = (days: number, doing: Doing) => {
      let noisy = 0;
      for (let slot = 0; slot < days * 144; slot++) {
        server.atMs += 570_000;
        if (server.slot(doing).length > 0) noisy++;
      }
      return noisy;
    };
    const grown: Doing = { ...QUIET, hillcrest: { busy: 4 } };
    expect(noisySlots(21, QUIET)).toBe(0);
    expect(noisySlots(5, grown)).toBe(5 * 144 - 1);
    noisySlots(16, grown);
    expect(noisySlots(5, grown)).toBe(0);
  });

  test('a report of a day at the end of every month is noisy each time', () => {
    const usual = (state: LoadState) => state.tenants.hillcrest?.['statement-time']?.now?.usual ?? 0;
    const server = new Watched();
    const hours = (count: number, doing: Doing) => {
      for (let slot = 0; slot < count * 20; slot++) {
        server.atMs += 150_000;
        server.slot(doing);
      }
      return server.noisy().length;
    };
    for (let month = 0; month < 3; month++) {
      for (let day = 0; day < 29; day++) {
        hours(10, QUIET);
        hours(14, { ...QUIET, hillcrest: { busy: 0.01 } });
      }
      expect(hours(24, { ...QUIET, hillcrest: { busy: 30 } })).toBe(1);
      expect(usual(server.state)).toBeLessThan(0.3);
    }
  });
});

describe('what comes of samples', () => {
  test('a reset and a failover tell nothing of the interval, and what is usual stays', () => {
    const server = new Watched();
    server.slots(20, QUIET);
    server.reset();
    expect(server.slot({ ...QUIET, hillcrest: { busy: 90 } })).toEqual([]);
    expect(server.state.tenants.hillcrest?.['statement-time']?.now).toBeUndefined();
    server.slots(2, { ...QUIET, hillcrest: { busy: 30 } });
    expect(server.noisy()).toHaveLength(1);
  });

  test('a late sample changes nothing, and neither does one a moment after another', () => {
    const server = new Watched();
    server.slots(10, QUIET);
    const before = server.state;
    server.take(aSample(START_MS + EVERY_MS, [aLoad('hillcrest_app', { statementMs: 1e9 })]));
    server.take(aSample(server.atMs + 200, []), server.atMs + 5_000);
    expect(server.state).toBe(before);
  });

  test('a server whose clock was set back is followed on', () => {
    const server = new Watched();
    server.slots(10, QUIET);
    server.take(aSample(START_MS - 3_600_000, [aLoad('hillcrest_app', { statementMs: 1e9 })]), server.atMs + EVERY_MS);
    expect(server.state.last?.atMs).toBe(START_MS - 3_600_000);
    expect(server.state.tenants.hillcrest?.['statement-time']?.history.samples).toBe(9);
  });

  test('a tenant that a sample does not name keeps what is usual of it; one that is gone does not', () => {
    const server = new Watched();
    server.slots(10, QUIET);
    server.slot({ lakeside: { busy: 1 } });
    expect(server.state.tenants.hillcrest?.['statement-time']).toMatchObject({ history: { samples: 9 } });
    const { hillcrest: _gone, ...left } = TENANTS;
    const loads = aSample(server.atMs + EVERY_MS, []);
    const { state } = foldLoads(server.state, { loads, plannedAtMs: loads.atMs }, ownersOn(left, 'postgres'));
    expect(Object.keys(state.tenants).sort()).toEqual(['lakeside', 'riverside']);
  });

  test('the state of a hundred tenants over a month stays small', () => {
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => {
        const id = `t${index}`;
        return [id, { id, title: id, fields: { role: id } }];
      }),
    );
    const owners = ownersOn(many, 'postgres');
    let state = NO_LOAD;
    for (let slot = 1; slot <= 600; slot++) {
      const atMs = START_MS + slot * 3_000_000;
      const loads = Object.keys(many).map((name, index) =>
        aLoad(name, { statementMs: slot * 1_000 * (1 + ((slot * index) % 17)) }, { connections: (slot * 7 + index) % 23, locks: slot % 9 }),
      );
      state = foldLoads(state, { loads: aSample(atMs, loads), plannedAtMs: atMs }, owners).state;
    }
    expect(JSON.stringify(state).length).toBeLessThan(100 * 1_200);
  });

  test('whatever an agent says, rates are numbers that are not negative, and the state survives JSON', () => {
    const amount = fc.option(fc.double({ min: 0, max: 1e18, noNaN: true }), { nil: undefined });
    const load = fc.record({
      by: fc.constantFrom('role' as const, 'database' as const, 'queue' as const),
      name: fc.constantFrom('hillcrest_app', 'lakeside_app', 'clinic', '__proto__', 'x'),
      countingSinceMs: fc.constantFrom(0, 7),
      counters: fc.record({ statementMs: amount, blocksRead: amount, tempBytes: amount, rowsInserted: amount, rowsDeleted: amount }),
      levels: fc.record({ connections: amount, waiting: amount, running: amount, runningMs: amount, locks: amount, sizeBytes: amount }),
    });
    const sample = fc.record({
      atMs: fc.double({ noNaN: true, noDefaultInfinity: true }),
      loads: fc.array(load),
      unreadable: fc.constant([]),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, fc.integer({ min: 1, max: 1e12 })), { maxLength: 12 }), (samples) => {
        let state = NO_LOAD;
        for (const [raw, plannedAtMs] of samples) {
          const loads = loadsSchema.parse(JSON.parse(JSON.stringify(raw)));
          const folded = foldLoads(state, { loads, plannedAtMs }, OWNERS);
          for (const { value, total, seconds } of folded.rates) {
            expect(Number.isFinite(value) && Number.isFinite(total) && value >= 0 && seconds > 0).toBe(true);
          }
          expect(JSON.parse(JSON.stringify(folded.state))).toEqual(folded.state);
          state = folded.state;
        }
      }),
    );
  });

  test('in whatever order they come, the counters add up to the same', () => {
    const sum = (slots: readonly number[]) => {
      let state = NO_LOAD;
      let done = 0;
      for (const slot of [0, ...slots, 9]) {
        const atMs = START_MS + slot * EVERY_MS;
        const loads = aSample(atMs, [aLoad('hillcrest_app', { statementMs: 3_000 * slot })]);
        const folded = foldLoads(state, { loads, plannedAtMs: atMs }, OWNERS);
        for (const { value, seconds } of folded.rates) done += value * seconds;
        state = folded.state;
      }
      return done;
    };
    const inOrder = [1, 2, 3, 4, 5, 6, 7, 8];
    fc.assert(
      fc.property(fc.shuffledSubarray(inOrder, { minLength: 8 }), (shuffled) => {
        expect(sum(shuffled)).toBeCloseTo(sum(inOrder), 6);
      }),
    );
  });
});

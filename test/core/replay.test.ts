/** Histories in which several workers fold and judge at once: what they came to, and what the replay of their log comes to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../core/check.ts';
import type { CheckView } from '../../core/classify.ts';
import { type CheckState, EMPTY_STATE, type FoldInput } from '../../core/evaluate.ts';
import { foldCheck } from '../../core/fold.ts';
import type { Incident } from '../../core/incident.ts';
import { type Change, judgeScope, NO_MEMORY, type ScopeJudgement, type ScopeMemory } from '../../core/judge.ts';
import { disbelieved, distrusted, type LocationTrouble, locationTroubles, troubleDecisions } from '../../core/location.ts';
import { judgeMonitoring, MONITORING_SCOPE } from '../../core/monitoring.ts';
import { markOf, packRuns, unpackRuns } from '../../core/replay/code.ts';
import { type Entry, type JudgeInputs, loggedInputs, type StoredDecision, type World } from '../../core/replay/entry.ts';
import { isVisible, parseSnapshot, Versions } from '../../core/replay/versions.ts';
import { Replay } from '../../core/replay.ts';
import { runName } from '../../core/run.ts';
import { aCheck, aConfig, NOON_MS, SLOT_MS } from '../helpers/domain.ts';

const { service: _service, ...ofNoService } = aCheck({ template: 'postgres', title: 'PostgreSQL', does: 'answer', critical: false });
const checks: Check[] = [
  aCheck({ tenant: 'riverside' }),
  aCheck({ tenant: 'hillcrest', resolveAfter: 1 }),
  { ...ofNoService, component: 'postgres' },
];
const config = aConfig(checks);
const scope = config.scopes.billing!;
const LOCATIONS = ['north', 'south', 'cloud'];

type Op =
  | {
      kind: 'fold';
      slots: { check: number; location: number; verdict: FoldInput['verdict']; late: number }[];
      missing: [number, number][];
      stale: boolean;
      open: boolean;
    }
  | { kind: 'commit'; which: number }
  | { kind: 'judge'; locations: boolean; quiet: boolean };

const verdict = fc.constantFrom<FoldInput['verdict']>('up', 'up', 'up', 'down', 'down', 'down', 'down', 'degraded', 'fault');
const place = fc.nat({ max: 2 });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('fold' as const),
      slots: fc.array(fc.record({ check: place, location: place, verdict, late: fc.nat({ max: 2 }) }), { minLength: 3, maxLength: 16 }),
      missing: fc.array(fc.tuple(place, place), { maxLength: 2 }),
      stale: fc.boolean(),
      open: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('commit' as const), which: fc.nat({ max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('judge' as const),
      locations: fc.nat({ max: 3 }).map((one) => one === 0),
      quiet: fc.nat({ max: 5 }).map((one) => one === 0),
    }),
  },
);

/** Rounds on a database that lets a judgement see only what was committed. */
class Live {
  readonly log: Entry[] = [];
  readonly incidents = new Map<number, Incident>();
  readonly #states = new Map<string, CheckState>();
  #running: { xid: number; writes: Map<string, CheckState> }[] = [];
  readonly #memories = new Map<string, { memory: ScopeMemory; logged: JudgeInputs }>();
  #troubles: LocationTrouble[] = [];
  #xid = 100;
  #decision = 0;

  fold({ slots, missing, stale, open }: Extract<Op, { kind: 'fold' }>, nowMs: number): void {
    const slotMs = Math.floor(nowMs / SLOT_MS) * SLOT_MS;
    const results = slots.map(({ check, location, verdict: said, late }) =>
      inputOf(checks[check]!, LOCATIONS[location]!, slotMs - late * SLOT_MS, said),
    );
    const gaps = missing.map(([check, location]) => ({
      check: checks[check]!.id,
      location: LOCATIONS[location]!,
      plannedAtMs: slotMs - SLOT_MS,
      reason: 'no-result',
    }));
    const ids = new Set([...results.map((one) => one.check), ...gaps.map((one) => one.check), ...(stale ? [checks[0]!.id] : [])]);
    // Its rows are locked until whoever has them commits.
    for (const one of this.#running.filter(({ writes }) => [...ids].some((id) => writes.has(id)))) this.#commit(one);
    const time = { nowMs, planningSinceMs: 0, distrusted: distrusted(this.#troubles), disbelieved: disbelieved(this.#troubles) };
    const xid = this.#xid++;
    const writes = new Map<string, CheckState>();
    const decided: StoredDecision[] = [];
    for (const id of ids) {
      const work = {
        results: results.filter((one) => one.check === id).map((one) => one.input),
        gaps: gaps.filter((one) => one.check === id),
      };
      const folded = foldCheck(config.checks[id]!, this.#states.get(id) ?? EMPTY_STATE, work, time);
      writes.set(id, stored(folded.state));
      decided.push(...folded.decisions.map((decision) => ({ ...stored(decision), id: ++this.#decision, scope: 'billing' })));
    }
    const coded = unpackRuns(
      packRuns(
        results.map(({ check, input }, index) => ({
          check,
          location: input.location,
          slotMs: input.plannedAtMs,
          ask: index % 3,
          mark: markOf(input),
        })),
        nowMs,
      ),
      nowMs,
    );
    const read = coded.map((run, index) => ({
      check: String(run.check),
      mark: run.mark,
      input: inputOf(config.checks[run.check]!, String(run.location), run.slotMs, results[index]!.input.verdict).input,
    }));
    this.log.push({
      kind: 'fold',
      seq: this.log.length,
      xid,
      atMs: nowMs,
      seenFromXid: 0,
      stored: decided,
      time,
      results: read,
      gaps,
      stale: stale ? [checks[0]!.id] : [],
      lost: [],
    });
    this.#running.push({ xid, writes });
    if (!open) this.#commit(this.#running.at(-1)!);
  }

  commit(which: number): void {
    const one = this.#running[which % Math.max(1, this.#running.length)];
    if (one) this.#commit(one);
  }

  #commit(one: { xid: number; writes: Map<string, CheckState> }): void {
    for (const [id, state] of one.writes) this.#states.set(id, state);
    this.#running = this.#running.filter((other) => other !== one);
  }

  judge({ locations, quiet }: Extract<Op, { kind: 'judge' }>, nowMs: number): void {
    const id = locations ? MONITORING_SCOPE.id : scope.id;
    const open = [...this.incidents.values()].filter((one) => one.scope === id && one.state === 'open');
    const views: CheckView[] = checks.map((check) => ({ check, state: this.#states.get(check.id) ?? EMPTY_STATE }));
    const running = this.#running.map(({ xid }) => xid);
    const xid = this.#xid++;
    const snapshot = parseSnapshot(`${Math.min(xid, ...running)}:${xid}:${running.join(',')}`);
    const before = this.#memories.get(id) ?? { memory: NO_MEMORY, logged: {} };
    const covered = { services: [], components: [], tenants: ['riverside'], checks: [] };
    const quiets = quiet
      ? [{ kind: 'silence' as const, id: '7', title: 'Riverside', fromMs: NOON_MS, untilMs: NOON_MS + 1e9, ...covered }]
      : [];
    const input = {
      ...{ config, scope, views, open, nowMs, actions: new Map(), changes: [], noisy: [], burns: [], quiets, locations: this.#troubles },
      ...{ repairs: new Map(), usuallyMs: new Map([['post-invoice', 900]]), memory: before.memory },
    };
    const judged = locations ? this.#look(views, open[0], nowMs) : judgeScope(input);
    const logged = locations ? {} : stored(loggedInputs(input));
    const changed = Object.fromEntries(
      Object.keys({ ...before.logged, ...logged }).map((key) => [key, logged[key as keyof JudgeInputs] ?? null]),
    );
    this.#memories.set(id, { memory: stored(judged.memory), logged });
    const opened: number[] = [];
    const decided: StoredDecision[] = judged.decisions.map((decision) => ({ ...stored(decision), id: ++this.#decision, scope: id }));
    for (const outcome of judged.outcomes) {
      if (outcome.change.kind === 'none') continue;
      const number = this.#write(id, outcome.incident, outcome.change, nowMs);
      if (outcome.change.kind === 'open') opened.push(number);
      const about = { scope: id, incidentId: number };
      decided.push(...outcome.decisions.map((decision) => ({ ...stored(decision), id: ++this.#decision, ...about })));
    }
    this.log.push({
      kind: 'judge',
      seq: this.log.length,
      xid,
      atMs: nowMs,
      seenFromXid: 0,
      stored: decided,
      scope: id,
      snapshot,
      planningSinceMs: 0,
      inputs: changed,
      opened,
    });
  }

  #look(views: CheckView[], open: Incident | undefined, nowMs: number): ScopeJudgement {
    const states = new Map(views.map((view) => [view.check.id, view.state]));
    const before = this.#troubles;
    this.#troubles = stored(locationTroubles(config, states, { nowMs, planningSinceMs: 0 }, this.#troubles));
    const blind = views.filter((view) => view.state.moment === 'blind');
    const judged = judgeMonitoring({ config, troubles: this.#troubles, blind, open, nowMs });
    return {
      outcomes: [{ ...judged, ...(open ? { incident: open } : {}) }],
      decisions: troubleDecisions(before, this.#troubles),
      memory: NO_MEMORY,
    };
  }

  #write(scopeId: string, known: Incident | undefined, change: Exclude<Change, { kind: 'none' }>, nowMs: number): number {
    const id = known?.id ?? this.incidents.size + 1;
    const { facts } = change;
    if (change.kind === 'open') {
      const { class: klass, channel, beganAtMs } = change;
      const when = { beganAtMs, openedAtMs: nowMs };
      this.incidents.set(
        id,
        stored({ id, scope: scopeId, root: facts.root, class: klass, peak: klass, state: 'open', revision: 1, channel, facts, ...when }),
      );
    } else if (known && change.kind === 'update') {
      this.incidents.set(id, stored({ ...known, class: change.class, peak: change.peak, facts, root: facts.root }));
    } else if (known && change.kind !== 'update') {
      this.incidents.set(id, stored({ ...known, facts, state: 'resolved', resolvedAtMs: nowMs, resolution: change.resolution }));
    }
    return id;
  }

  /** Everything as it is stored, once all have committed. */
  world(): World {
    for (const one of [...this.#running]) this.#commit(one);
    return {
      states: Object.fromEntries([...this.#states].map(([id, state]) => [id, { scope: 'billing', state }])),
      incidents: [...this.incidents.values()],
      scopes: Object.fromEntries(this.#memories),
      troubles: this.#troubles,
    };
  }
}

function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function inputOf(check: Check, location: string, slotMs: number, said: FoldInput['verdict']): { check: string; input: FoldInput } {
  const failure = said === 'up' ? {} : { failure: { kind: said === 'fault' ? 'no-browser' : 'timeout', message: 'no answer within 15 s' } };
  const run = runName({ check: check.id, location, slotMs, purpose: 'scheduled', ask: 0 });
  return { check: check.id, input: { run, location, plannedAtMs: slotMs, verdict: said, durationMs: 900, findings: [], ...failure } };
}

/** Plays the operations, the clock going on, and now and then back. */
function played(ops: readonly (readonly [Op, number])[]): Live {
  const live = new Live();
  let nowMs = NOON_MS;
  for (const [one, wentMs] of ops) {
    nowMs += wentMs;
    if (one.kind === 'fold') live.fold(one, nowMs);
    else if (one.kind === 'judge') live.judge(one, nowMs);
    else live.commit(one.which);
  }
  return live;
}

const NOTHING: World = { states: {}, incidents: [], scopes: {}, troubles: [] };
const history = fc.array(fc.tuple(op, fc.integer({ min: -20_000, max: 70_000 })), { minLength: 1, maxLength: 120, size: 'max' });

describe('a replay', () => {
  it('comes to what was come to, in batches of any size and with any number of transactions at once', () => {
    let [incidents, judgements, unseen] = [0, 0, 0];
    fc.assert(
      fc.property(history, (ops) => {
        const live = played(ops);
        const replay = new Replay(NOTHING, config, new Map());
        const world = live.world();
        // Bounds of what somebody may still have to see, as the database reckons them.
        const needed = live.log.map((_, index) =>
          Math.min(
            ...live.log.slice(index).flatMap((one) => (one.kind === 'judge' ? [Math.min(one.snapshot.xmax, ...one.snapshot.running)] : [])),
          ),
        );
        const differences = live.log.flatMap((entry, index) => replay.step({ ...entry, seenFromXid: needed[index]! }));
        expect([...differences, ...replay.compare(world)]).toEqual([]);
        incidents += live.incidents.size;
        judgements += replay.counts.judgements;
        unseen += live.log.filter((one) => one.kind === 'judge' && one.snapshot.running.size > 0).length;
      }),
      { numRuns: 300, seed: 20261122 },
    );
    // It is no proof when nothing happens.
    expect(incidents).toBeGreaterThan(100);
    expect(judgements).toBeGreaterThan(1_000);
    expect(unseen).toBeGreaterThan(300);
  });

  it('finds a state that is other than what was folded', () => {
    const live = played([
      [
        {
          kind: 'fold',
          slots: [0, 1, 2].map((location) => ({ check: 0, location, verdict: 'down' as const, late: 0 })),
          missing: [],
          stale: false,
          open: false,
        },
        0,
      ],
      [{ kind: 'judge', locations: false, quiet: false }, 1_000],
    ]);
    const replay = new Replay(NOTHING, config, new Map());
    expect(live.log.flatMap((entry) => replay.step(entry))).toEqual([]);
    const world = live.world();
    world.states['post-invoice/riverside']!.state.held = 'up';
    expect(replay.compare(world)).toEqual([
      { place: 'check post-invoice/riverside', text: 'state.held is "up", and "down" when it is done again' },
    ]);
  });
});

describe('the text of what was folded', () => {
  it('comes back as it went, in a dozen letters for each run', () => {
    const ref = fc.oneof(fc.nat({ max: 50_000 }), fc.stringMatching(/^[a-z][a-z0-9./-]{0,20}$/));
    const run = fc.record({
      ...{ check: ref, location: ref, slotMs: fc.integer({ min: NOON_MS - 1e9, max: NOON_MS + 1e6 }), ask: fc.nat({ max: 2 ** 31 - 1 }) },
      mark: fc.stringMatching(/^[0-9a-z]{3}$/),
    });
    fc.assert(
      fc.property(fc.array(run), (runs) => {
        expect(unpackRuns(packRuns(runs, NOON_MS), NOON_MS)).toEqual(runs);
      }),
    );
    const round = Array.from({ length: 50 }, (_, index) => ({
      check: 9_000 + index * 37,
      location: 2,
      slotMs: NOON_MS - 700 + index * 20,
      ask: 0,
      mark: 'x9k',
    }));
    expect(packRuns(round, NOON_MS).length / round.length).toBeLessThanOrEqual(12);
  });

  it.each(['x', '1.2', '1.2.abc', '1.2.abc.3.4.5', '!.1.abc.1'])('says of %s that it is none', (text) => {
    expect(() => unpackRuns(text, NOON_MS)).toThrow(/of the log/);
  });
});

describe('versions', () => {
  it('shows a snapshot what had been committed before it', () => {
    const snapshot = parseSnapshot('5:9:5,7');
    expect([4, 5, 6, 7, 8, 9].filter((xid) => isVisible(snapshot, xid))).toEqual([4, 6, 8]);
    expect(() => parseSnapshot('5:9')).toThrow('not a snapshot: "5:9"');
    const versions = new Versions<string>([['one', 'first']]);
    versions.put('one', 6, 'sixth');
    versions.put('one', 7, 'seventh');
    expect([versions.at('one', snapshot), versions.latest('one')]).toEqual(['sixth', 'seventh']);
    versions.put('one', 9, undefined, 8);
    expect([versions.at('one', parseSnapshot('9:9:')), versions.entries()]).toEqual(['seventh', []]);
  });
});

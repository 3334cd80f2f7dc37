/**
 * Rounds in memory and in simulated time, without input or output: the planner walks the slots, agents run what is due, what they tell is
 * folded, what nobody told of is missed, and dirty scopes are judged once a second. It is made of the functions that the workers use;
 * what `jobs/` does around them (plan, ask, sweep, fold, judge) is done here with the same bounds.
 */
import type { Check } from '../../core/check.ts';
import type { CheckView } from '../../core/classify.ts';
import type { Config } from '../../core/config/model.ts';
import { type CheckState, EMPTY_STATE, type FoldInput, ofLocations } from '../../core/evaluate.ts';
import { type FoldWork, foldCheck } from '../../core/fold.ts';
import { MONITORING_SCOPE } from '../../core/monitoring.ts';
import { runName, slotsBetween } from '../../core/run.ts';
import { obey, type Run, type Told } from './agents.ts';
import { Judging, type Posting } from './judging.ts';
import { Signals } from './signals.ts';
import type { Timeline } from './timeline.ts';

/** `HORIZON_MS` of jobs/plan.ts. */
const HORIZON_MS = 5_000;
/** `PLANNING_GAP_MS` of jobs/deps.ts. */
const PLANNING_GAP_MS = 60_000;
/** `REPORT_GRACE_MS` of jobs/sweep.ts. */
const REPORT_GRACE_MS = 5_000;
/** `NOT_AFTER_MS` of jobs/ask.ts. */
const ASK_NOT_AFTER_MS = 30_000;
/** From a report to the confirmations that it makes: both loops are woken at once. */
const ASKING_MS = 50;
/** Good results are told so much later than their slot. */
const WELL_TOLD_MS = 1_500;
/** All was well for so many intervals before second 0. */
const WELL_BEFORE = 5;

/** A check as it runs. */
interface Running {
  check: Check;
  state: CheckState;
  /** The next slot that is not planned. */
  nextSlotMs: number;
  staleAtMs: number;
  /** The last slot that was not folded, since all was well; 0 when all were. */
  skippedMs: number;
  /** Reports of it arrive until then, after second 0. */
  busyUntilMs: number;
}

interface Arrival {
  atMs: number;
  told: Told;
}

export interface WorldOptions {
  config: Config;
  timeline: Timeline;
  /** The wall clock at second 0. */
  startMs: number;
  /** Configurations that come into force later, by their names. */
  layouts?: ReadonlyMap<string, Config>;
  /** The number of the incident that a letter of the scenario stands for, as far as what was posted tells. */
  incidentOf?: (letter: string, postings: readonly Posting[]) => number | undefined;
  /**
   * Does not fold a slot in which every location sees a check well that has long been well: nothing would come of it. What was left out is
   * folded when something happens. Days pass ten times faster so.
   */
  skipsWell?: boolean;
}

export class World {
  readonly judging: Judging;
  #config: Config;
  readonly #timeline: Timeline;
  readonly #startMs: number;
  readonly #options: WorldOptions;
  #running = new Map<string, Running>();
  /** Ordered by their next slot. */
  #upcoming: Running[] = [];
  readonly #due = new Set<Run>();
  /** By the second in which they arrive. */
  readonly #arrivals = new Map<number, Arrival[]>();
  /** Confirmations that were asked for: `check@slot`. */
  readonly #asked = new Set<string>();
  #asks = 0;
  /** The planner's row. */
  #beatAtMs: number;
  #planningSinceMs: number;
  #plannedUntilMs: number;
  #nextStaleMs = 0;
  #atMs = 0;
  readonly #configs: { at: number; config: string }[];

  constructor(options: WorldOptions) {
    this.#options = options;
    this.judging = new Judging(new Signals(options.timeline, options.startMs));
    this.#config = options.config;
    this.#timeline = options.timeline;
    this.#startMs = options.startMs;
    this.#configs = options.timeline.of('config').map(({ at, config }) => ({ at, config }));
    this.#beatAtMs = this.#startMs;
    this.#plannedUntilMs = this.#startMs;
    const slowestMs = Math.max(...Object.values(this.#config.checks).map((check) => check.everyMs));
    this.#planningSinceMs = this.#startMs - WELL_BEFORE * slowestMs;
    for (const check of Object.values(this.#config.checks)) this.#run(check, wellBefore(check, this.#startMs, this.#planningSinceMs));
    this.#planAnew(this.#startMs);
  }

  get postings(): readonly Posting[] {
    return this.judging.postings;
  }

  /** Checks as they stand. */
  views(): CheckView[] {
    return [...this.#running.values()].map(({ check, state }) => ({ check, state }));
  }

  /** Lets the time pass up to that moment: milliseconds after second 0, whole seconds. */
  runUntil(untilMs: number): void {
    for (; this.#atMs < untilMs; this.#atMs += 1_000) this.#second(this.#atMs);
  }

  /** How many runs are due, reports under way and asks remembered: what must not grow. */
  size(): { due: number; arrivals: number; asked: number } {
    return { due: this.#due.size, arrivals: this.#arrivals.size, asked: this.#asked.size };
  }

  #second(atMs: number): void {
    for (const { at, acknowledge, by } of this.#timeline.of('acknowledge')) {
      const id = at === atMs ? this.#options.incidentOf?.(acknowledge, this.postings) : undefined;
      if (id !== undefined) this.judging.acknowledge(id, by, atMs);
    }
    const stopped = this.#timeline.startsAtMs(atMs) > 0;
    const next = this.#configs[0];
    if (next && next.at <= atMs && !stopped) {
      this.#configs.shift();
      this.#adopt(next.config);
    }
    if (!stopped) {
      this.#plan(atMs);
      this.#sweep(atMs);
    }
    this.#take(atMs);
    const endsMs = atMs + 1_000;
    if (this.#timeline.startsAtMs(endsMs) > 0) return;
    const nowMs = this.#wallMs(endsMs);
    if (this.#options.skipsWell && this.judging.isDue(nowMs)) for (const one of this.#running.values()) this.#makeUp(one, nowMs);
    const again = this.judging.judge({
      config: this.#config,
      states: this.#running,
      atMs: endsMs,
      nowMs,
      planningSinceMs: this.#planningSinceMs,
    });
    for (const id of again) {
      const one = this.#running.get(id);
      if (one) one.staleAtMs = 0;
      this.#nextStaleMs = 0;
    }
  }

  /** The workers' wall clock. */
  #wallMs(atMs: number): number {
    return this.#startMs + atMs + this.#timeline.workersAheadMs(atMs);
  }

  #run(check: Check, state: CheckState): void {
    this.#running.set(check.id, { check, state, nextSlotMs: 0, staleAtMs: Number.POSITIVE_INFINITY, skippedMs: 0, busyUntilMs: 0 });
  }

  /** Begins to plan at that time of the workers' clock. */
  #planAnew(fromMs: number): void {
    for (const one of this.#running.values()) {
      one.nextSlotMs = slotsBetween(one.check, fromMs, fromMs + one.check.everyMs)[0] ?? Number.POSITIVE_INFINITY;
    }
    this.#upcoming = [...this.#running.values()].sort((a, b) => b.nextSlotMs - a.nextSlotMs);
  }

  /** What `store/planner.ts` does with a beat, then `planSlots` of jobs/plan.ts. */
  #plan(atMs: number): void {
    const nowMs = this.#wallMs(atMs);
    if (Math.abs(nowMs - this.#beatAtMs) > PLANNING_GAP_MS) {
      this.#planningSinceMs = nowMs;
      this.#plannedUntilMs = nowMs;
      this.#beatAtMs = nowMs;
      this.#planAnew(nowMs);
    } else this.#beatAtMs = Math.max(this.#beatAtMs, nowMs);
    const untilMs = Math.floor((nowMs + HORIZON_MS) / 1000) * 1000;
    for (let one = this.#upcoming.at(-1); one && one.nextSlotMs <= untilMs; one = this.#upcoming.at(-1)) {
      this.#planSlot(one, one.nextSlotMs, atMs, nowMs);
      one.nextSlotMs += one.check.everyMs;
      this.#upcoming.pop();
      insert(this.#upcoming, one);
    }
    this.#plannedUntilMs = Math.max(this.#plannedUntilMs, untilMs);
  }

  #planSlot(one: Running, slotMs: number, atMs: number, nowMs: number): void {
    const { check } = one;
    const runs = check.locations.map((location): Run => {
      const times = { slotMs, plannedAtMs: slotMs, notAfterMs: slotMs + check.everyMs };
      return { check, location, ...times, purpose: 'scheduled', ask: 0, state: 'due' };
    });
    const told = runs.map((run) => this.#obey(run, atMs, slotMs - nowMs));
    if (this.#options.skipsWell && one.busyUntilMs < atMs && told.every(isWell) && isLongWell(one)) {
      one.skippedMs = slotMs;
      one.staleAtMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#makeUp(one, nowMs);
    for (const [index, run] of runs.entries()) this.#await(run, told[index]);
  }

  /** Folds the last of the slots that were left out and of which all reports are there, as many as are counted. */
  #makeUp(one: Running, nowMs: number): void {
    const { check, skippedMs } = one;
    if (skippedMs === 0) return;
    const { everyMs, resolveAfter } = check;
    const untilMs = skippedMs + WELL_TOLD_MS <= nowMs ? skippedMs : skippedMs - everyMs;
    if (untilMs === skippedMs) one.skippedMs = 0;
    const knownMs = Math.max(...check.locations.map((location) => one.state.locations[location]?.plannedAtMs ?? 0));
    const fromMs = Math.max(knownMs, untilMs - (resolveAfter + 1) * everyMs);
    one.state = wellSince(check, one.state, { fromMs, untilMs, planningSinceMs: this.#planningSinceMs });
  }

  #obey(run: Run, atMs: number, inMs: number): Told | undefined {
    return obey(run, atMs, inMs, { timeline: this.#timeline, workersWallMs: (ms) => this.#wallMs(ms) });
  }

  #await(run: Run, told: Told | undefined): void {
    this.#due.add(run);
    const one = this.#running.get(run.check.id);
    for (const atMs of told?.arrivesAtMs ?? []) {
      if (told) this.#expect({ atMs, told });
      if (one) one.busyUntilMs = Math.max(one.busyUntilMs, atMs);
    }
  }

  #expect(arrival: Arrival): void {
    const second = Math.floor(arrival.atMs / 1_000);
    const known = this.#arrivals.get(second);
    if (known) known.push(arrival);
    else this.#arrivals.set(second, [arrival]);
  }

  /** Ends runs that brought nothing, and looks at checks of which a location fell silent: `sweepRuns` of jobs/sweep.ts. */
  #sweep(atMs: number): void {
    const nowMs = this.#wallMs(atMs);
    const gaps = new Map<string, FoldWork['gaps'][number][]>();
    for (const run of this.#due) {
      const tookMs = run.check.timeoutMs * (1 + run.check.retries);
      if (run.notAfterMs + tookMs + REPORT_GRACE_MS >= nowMs) continue;
      this.#due.delete(run);
      run.state = 'missed';
      const gap = { location: run.location, plannedAtMs: run.plannedAtMs, reason: 'no-result' };
      gaps.set(run.check.id, [...(gaps.get(run.check.id) ?? []), gap]);
    }
    const stale = nowMs >= this.#nextStaleMs ? [...this.#running.values()].filter((one) => one.staleAtMs <= nowMs) : [];
    for (const id of new Set([...gaps.keys(), ...stale.map((one) => one.check.id)]))
      this.#fold(id, { results: [], gaps: gaps.get(id) ?? [] }, atMs);
    if (nowMs >= this.#nextStaleMs) this.#nextStaleMs = Math.min(...[...this.#running.values()].map((one) => one.staleAtMs));
  }

  /** Folds the reports of one second, in the order in which they arrive. */
  #take(atMs: number): void {
    const second = Math.floor(atMs / 1_000);
    const arrivals = this.#arrivals.get(second);
    if (!arrivals) return;
    arrivals.sort((a, b) => a.atMs - b.atMs);
    for (let index = 0; index < arrivals.length; index++) {
      const length = arrivals.length;
      const { atMs: arrivedAtMs, told } = arrivals[index] as Arrival;
      this.#takeOne(told, arrivedAtMs);
      // What it asked for may be told within the same second.
      if (arrivals.length > length) arrivals.sort((a, b) => a.atMs - b.atMs);
    }
    this.#arrivals.delete(second);
  }

  #takeOne({ run, result, refused }: Told, atMs: number): void {
    const { check, location, plannedAtMs } = run;
    if (run.state === 'ended' || this.#running.get(check.id) === undefined) return;
    this.#due.delete(run);
    run.state = 'ended';
    if (!result) {
      this.#fold(check.id, { results: [], gaps: [{ location, plannedAtMs, reason: refused ?? 'refused' }] }, atMs);
      return;
    }
    const input: FoldInput = {
      run: runName({ check: check.id, location, slotMs: run.slotMs, purpose: run.purpose, ask: run.ask }),
      location,
      plannedAtMs,
      verdict: result.verdict,
      durationMs: result.durationMs,
      findings: result.findings,
      ...(result.failure ? { failure: result.failure } : {}),
      ...(run.purpose === 'scheduled' ? {} : { extra: true }),
    };
    this.#fold(check.id, { results: [input], gaps: [] }, atMs);
  }

  #fold(id: string, work: FoldWork, atMs: number): void {
    const one = this.#running.get(id);
    if (!one) return;
    const time = {
      nowMs: this.#wallMs(atMs),
      planningSinceMs: this.#planningSinceMs,
      distrusted: this.judging.distrusted,
      disbelieved: this.judging.disbelieved,
    };
    const folded = foldCheck(one.check, one.state, work, time);
    one.state = folded.state;
    one.staleAtMs = folded.staleAtMs ?? Number.POSITIVE_INFINITY;
    this.#nextStaleMs = Math.min(this.#nextStaleMs, one.staleAtMs);
    if (folded.dirty) this.judging.dirty.add(one.check.scope);
    if (folded.watched) this.judging.dirty.add(MONITORING_SCOPE.id);
    for (const { slotMs, locations } of folded.confirmations) this.#ask(one.check, slotMs, locations, atMs + ASKING_MS);
  }

  /** What `planAsks` of jobs/ask.ts makes of a confirmation: asked once a slot, planned for now. */
  #ask(check: Check, slotMs: number, locations: readonly string[], atMs: number): void {
    const key = `${check.id}@${slotMs}`;
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    // A slot is asked about while it is young: the oldest are forgotten.
    if (this.#asked.size > 20_000) for (const old of this.#asked) if (this.#asked.delete(old) && this.#asked.size <= 10_000) break;
    const ask = ++this.#asks;
    const nowMs = this.#wallMs(atMs);
    for (const location of locations) {
      const times = { slotMs, plannedAtMs: nowMs, notAfterMs: nowMs + ASK_NOT_AFTER_MS };
      const run: Run = { check, location, ...times, purpose: 'confirm', ask, state: 'due' };
      this.#await(run, this.#obey(run, atMs, 0));
    }
  }

  /** Another configuration comes into force: `adopt` of jobs/config.ts. */
  #adopt(name: string): void {
    const config = this.#options.layouts?.get(name);
    if (!config) throw new Error(`no layout is called "${name}"`);
    const before = this.#running;
    this.#config = config;
    this.#running = new Map();
    for (const check of Object.values(config.checks))
      this.#run(check, ofLocations(before.get(check.id)?.state ?? EMPTY_STATE, check.locations));
    this.#planAnew(this.#plannedUntilMs);
    for (const run of this.#due) if (!config.checks[run.check.id]?.locations.includes(run.location)) this.#due.delete(run);
    this.judging.adopt(config);
  }
}

/** The state that a check has after so many rounds in which all was well. */
function wellBefore(check: Check, startMs: number, planningSinceMs: number): CheckState {
  return wellSince(check, EMPTY_STATE, { fromMs: startMs - WELL_BEFORE * check.everyMs, untilMs: startMs, planningSinceMs });
}

/** The state after slots in which every location saw it well at the first attempt. */
function wellSince(check: Check, before: CheckState, span: { fromMs: number; untilMs: number; planningSinceMs: number }): CheckState {
  const { fromMs, untilMs, planningSinceMs } = span;
  return slotsBetween(check, fromMs, untilMs).reduce((state, slotMs) => {
    const results = check.locations.map((location): FoldInput => {
      const run = runName({ check: check.id, location, slotMs, purpose: 'scheduled', ask: 0 });
      return { run, location, plannedAtMs: slotMs, verdict: 'up', durationMs: 300, findings: [] };
    });
    return foldCheck(check, state, { results, gaps: [] }, { nowMs: slotMs + 2_000, planningSinceMs, distrusted: new Set() }).state;
  }, before);
}

function isWell(told: Told | undefined): boolean {
  return told?.result?.verdict === 'up' && told.result.attempts === 1 && told.arrivesAtMs.length === 1;
}

/** One more good slot would change nothing but its date. */
function isLongWell({ check, state }: Running): boolean {
  if (state.held !== 'up' || state.moment !== 'up' || Object.keys(state.gaps).length > 0) return false;
  return check.locations.every((location) => (state.locations[location]?.upStreak ?? 0) > check.resolveAfter);
}

/** Puts it where the list, the latest first, stays in order. */
function insert(list: Running[], one: Running): void {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((list[middle] as Running).nextSlotMs > one.nextSlotMs) from = middle + 1;
    else to = middle;
  }
  list.splice(from, 0, one);
}

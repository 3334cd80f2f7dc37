/**
 * The same history under another configuration: results as they came, and what would have been posted. Judged anew whenever something
 * changed, as the worker does, with the windows of that configuration and the silences and changes of then. What only another
 * configuration would have brought, such as confirmations asked of other locations, or results of checks that nobody ran, is not there.
 */
import { CHANGE_WINDOW_MS } from '../cause.ts';
import type { ReportedChange } from '../change.ts';
import type { IncidentClass } from '../check.ts';
import type { CheckView } from '../classify.ts';
import type { Config, Scope } from '../config/model.ts';
import { type Moment, staleAtMs } from '../evaluate.ts';
import { foldCheck } from '../fold.ts';
import type { Incident } from '../incident.ts';
import { judgeScope, type Outcome } from '../judge.ts';
import type { NoisyTenant } from '../load.ts';
import { disbelieved, distrusted, locationTroubles } from '../location.ts';
import { windowsBetween } from '../maintenance.ts';
import { judgeMonitoring, MONITORING_SCOPE } from '../monitoring.ts';
import type { Quiet } from '../quiet.ts';
import type { ActionWords } from '../runbook.ts';
import type { Burn } from '../slo/burn.ts';
import { headlineOf } from '../words.ts';
import { type Entry, type FoldEntry, type JudgeInputs, mergedInputs, type World } from './entry.ts';
import { LiveWorld } from './world.ts';

/** Something that people would have been told. */
export interface WouldPost {
  atMs: number;
  /** Of the incident, from 1 on in this telling. */
  number: number;
  kind: 'opened' | 'raised' | 'lowered' | 'resolved' | 'merged';
  class: IncidentClass;
  text: string;
}

export interface WhatIfSignals {
  changes: readonly ReportedChange[];
  silences: readonly Quiet[];
}

const KINDS: Readonly<Record<string, WouldPost['kind']>> = {
  opened: 'opened',
  'class-raised': 'raised',
  'class-lowered': 'lowered',
  resolved: 'resolved',
  merged: 'merged',
};

/** The worker judges as often. */
const TURN_MS = 1_000;
const NOBODY = { xid: 0, seenFromXid: Number.POSITIVE_INFINITY };

export class WhatIf {
  readonly posts: WouldPost[] = [];
  /** Checks of which there was a result. */
  readonly seen = new Set<string>();
  readonly #world: LiveWorld;
  readonly #config: Config;
  readonly #actions: ReadonlyMap<string, ActionWords>;
  readonly #signals: WhatIfSignals;
  readonly #logged = new Map<string, JudgeInputs>();
  readonly #dirty = new Set<string>();
  readonly #again = new Map<string, number>();
  readonly #stale = new Map<string, number>();
  #planningSinceMs = 0;
  /** No check is to be looked at before. */
  #staleFromMs = Number.POSITIVE_INFINITY;
  #judgedAtMs: number;
  #number: number;
  /** Ids of the windows and silences that were on when it was last looked. */
  #lastQuiets = '';
  readonly #numbers = new Map<number, number>();

  /** `from`: how everything stood, and when, by the workers' clock. */
  constructor(from: World & { atMs: number }, config: Config, actions: ReadonlyMap<string, ActionWords>, signals: WhatIfSignals) {
    this.#judgedAtMs = from.atMs;
    this.#world = new LiveWorld(from);
    this.#config = config;
    this.#actions = actions;
    this.#signals = signals;
    this.#number = Math.max(0, ...from.incidents.map(({ id }) => id));
    for (const [scope, { logged }] of Object.entries(from.scopes)) this.#logged.set(scope, logged);
    this.#world.adopt(NOBODY, config);
    for (const scope of Object.keys(config.scopes)) this.#dirty.add(scope);
    for (const check of Object.values(config.checks)) this.#lookAt(check.id, staleAtMs(check, this.#world.state(check.id), from.atMs));
  }

  /** Takes what the entry brought. */
  step(entry: Entry): void {
    if (entry.kind === 'judge') this.#logged.set(entry.scope, mergedInputs(this.#logged.get(entry.scope) ?? {}, entry.inputs));
    if (entry.kind !== 'fold') return;
    this.#planningSinceMs = entry.time.planningSinceMs;
    this.#passTime(entry.atMs);
    this.#take(entry);
    this.#judge(entry.atMs);
  }

  /** Lets the time pass until then. */
  end(atMs: number): void {
    this.#passTime(atMs);
    this.#judgeNow(atMs);
  }

  #take({ results, gaps, atMs }: FoldEntry): void {
    const own = Map.groupBy(results, (one) => one.check);
    const missing = Map.groupBy(gaps, (one) => one.check);
    for (const id of new Set([...own.keys(), ...missing.keys()])) {
      this.seen.add(id);
      this.#fold(id, { results: (own.get(id) ?? []).map((one) => one.input), gaps: missing.get(id) ?? [] }, atMs);
    }
  }

  #fold(id: string, work: Parameters<typeof foldCheck>[2], nowMs: number): void {
    const check = this.#config.checks[id];
    if (!check) return;
    const troubles = this.#world.troubles();
    const time: Moment = {
      nowMs,
      planningSinceMs: this.#planningSinceMs,
      distrusted: distrusted(troubles),
      disbelieved: disbelieved(troubles),
    };
    const folded = foldCheck(check, this.#world.state(id), work, time);
    this.#world.writeState(NOBODY, check, folded.state);
    this.#lookAt(id, folded.staleAtMs);
    if (folded.dirty) this.#dirty.add(check.scope);
    if (folded.watched) this.#dirty.add(MONITORING_SCOPE.id);
  }

  /** What was due by then though nothing came: checks that fell silent, what is still to be judged, and what asked to be judged again. */
  #passTime(untilMs: number): void {
    for (let nowMs = this.#nextMs(); nowMs < untilMs; nowMs = this.#nextMs()) {
      for (const [id, atMs] of this.#stale) if (atMs <= nowMs) this.#fold(id, { results: [], gaps: [] }, nowMs);
      this.#staleFromMs = Math.min(Number.POSITIVE_INFINITY, ...this.#stale.values());
      this.#judgeNow(nowMs);
    }
  }

  #nextMs(): number {
    const turnMs = this.#dirty.size > 0 ? this.#judgedAtMs + TURN_MS : Number.POSITIVE_INFINITY;
    return Math.min(turnMs, this.#staleFromMs, ...this.#again.values());
  }

  #lookAt(check: string, atMs: number | undefined): void {
    if (atMs === undefined) this.#stale.delete(check);
    else this.#stale.set(check, atMs);
    this.#staleFromMs = Math.min(this.#staleFromMs, atMs ?? Number.POSITIVE_INFINITY);
  }

  #judge(nowMs: number): void {
    if (Math.abs(nowMs - this.#judgedAtMs) >= TURN_MS) this.#judgeNow(nowMs);
  }

  #judgeNow(nowMs: number): void {
    for (const [scope, atMs] of this.#again) if (atMs <= nowMs) this.#dirty.add(scope);
    for (const scope of this.#edges(nowMs)) this.#dirty.add(scope);
    this.#judgedAtMs = nowMs;
    const scopes = [...this.#dirty].sort();
    this.#dirty.clear();
    for (const scope of scopes) {
      this.#again.delete(scope);
      for (const outcome of scope === MONITORING_SCOPE.id ? this.#judgeLocations(nowMs) : this.#judgeScope(scope, nowMs)) {
        this.#judgeAgain(scope, nowMs, outcome.againAtMs);
        this.#apply(scope, outcome, nowMs);
      }
    }
  }

  #judgeAgain(scope: string, nowMs: number, atMs: number | undefined): void {
    if (atMs !== undefined) this.#again.set(scope, Math.max(atMs, nowMs + TURN_MS));
  }

  /** Scopes in which something is open or kept back are judged when a window or a silence begins or ends. */
  #edges(nowMs: number): string[] {
    const ids = this.#quiets(nowMs)
      .map((quiet) => quiet.id)
      .join(' ');
    if (ids === this.#lastQuiets) return [];
    this.#lastQuiets = ids;
    return Object.keys(this.#config.scopes);
  }
  #quiets(nowMs: number): Quiet[] {
    const silences = this.#signals.silences.filter(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
    return [...windowsBetween(this.#config, nowMs, nowMs), ...silences];
  }

  #judgeScope(scopeId: string, nowMs: number): Outcome[] {
    const config = this.#config;
    const scope = config.scopes[scopeId] ?? { id: scopeId, services: [], components: [], checks: [] };
    const open = this.#world.open(scopeId);
    const changesFromMs = Math.min(nowMs, ...open.map((one) => one.beganAtMs)) - CHANGE_WINDOW_MS;
    const judged = judgeScope({
      ...{ config, scope, open, nowMs, actions: this.#actions, quiets: this.#quiets(nowMs), locations: this.#world.troubles() },
      ...this.#loggedFor(scope),
      views: this.#views(scope.checks),
      changes: this.#signals.changes.filter(({ atMs }) => atMs >= changesFromMs && atMs <= nowMs),
      repairs: new Map(),
      memory: this.#world.remembered(scopeId).memory,
    });
    this.#world.remember(NOBODY, scopeId, { memory: judged.memory, logged: {} });
    this.#judgeAgain(scopeId, nowMs, judged.againAtMs);
    return judged.outcomes;
  }

  /** Loads, budgets and usual durations as they were read then, of what the scope has. */
  #loggedFor({ components, services }: Scope): { noisy: NoisyTenant[]; burns: Burn[]; usuallyMs: Map<string, number> } {
    const all = [...this.#logged.values()];
    const hasSlo = ({ service, slo }: Burn) => this.#config.services[service]?.slos?.some((one) => one.id === slo) ?? false;
    return {
      noisy: all.flatMap(({ noisy = [] }) => noisy).filter((one) => components.includes(one.component)),
      burns: all.flatMap(({ burns = [] }) => burns).filter((one) => services.includes(one.service) && hasSlo(one)),
      usuallyMs: new Map(all.flatMap(({ usual = [] }) => usual)),
    };
  }

  #judgeLocations(nowMs: number): Outcome[] {
    const config = this.#config;
    const views = this.#views(Object.keys(config.checks));
    const before = this.#world.troubles();
    const states = new Map(views.map((view) => [view.check.id, view.state]));
    const troubles = locationTroubles(config, states, { nowMs, planningSinceMs: this.#planningSinceMs }, before);
    this.#world.writeTroubles(NOBODY, troubles);
    const changed = distrusted(before).symmetricDifference(distrusted(troubles));
    for (const { check } of views) if (check.locations.some((location) => changed.has(location))) this.#lookAt(check.id, nowMs);
    const [open] = this.#world.open(MONITORING_SCOPE.id);
    const blind = views.filter((view) => view.state.moment === 'blind');
    return [{ ...judgeMonitoring({ config, troubles, blind, open, nowMs }), ...(open ? { incident: open } : {}) }];
  }

  #views(checks: readonly string[]): CheckView[] {
    return checks.flatMap((id) => {
      const check = this.#config.checks[id];
      return check ? [{ check, state: this.#world.state(id) }] : [];
    });
  }

  #apply(scope: string, { incident, change }: Outcome, atMs: number): void {
    if (change.kind === 'none') return;
    const id = incident?.id ?? ++this.#number;
    if (change.kind === 'open') this.#world.openIncident(NOBODY, { id, scope, atMs }, change);
    else if (incident) this.#world.changeIncident(NOBODY, incident, change, atMs);
    const now = this.#world.incident(id);
    const told = change.kind !== 'update' || change.told ? change.timeline : [];
    for (const { kind } of told) if (now && KINDS[kind]) this.#tell(now, KINDS[kind], atMs);
  }

  #tell(incident: Incident, kind: WouldPost['kind'], atMs: number): void {
    const number = this.#numbers.get(incident.id) ?? this.#numbers.size + 1;
    this.#numbers.set(incident.id, number);
    const { class: klass, facts, resolution = '' } = incident;
    const text = kind === 'resolved' || kind === 'merged' ? resolution : headlineOf(facts, klass);
    this.posts.push({ atMs, number, kind, class: klass, text });
  }
}

/**
 * The second step of evaluation in memory: what jobs/judge.ts and store/incident.ts do around `core/judge.ts`. Scopes that are dirty are
 * judged, incidents are kept, and what people would be told comes out as postings.
 */
import type { IncidentClass } from '../../core/check.ts';
import type { CheckView } from '../../core/classify.ts';
import { scopeNow } from '../../core/config/incidents.ts';
import type { Config } from '../../core/config/model.ts';
import { type CheckState, EMPTY_STATE } from '../../core/evaluate.ts';
import type { Reasoned } from '../../core/facts.ts';
import type { Facts, Incident, TimelineEntry } from '../../core/incident.ts';
import { judgeScope, NO_MEMORY, type Outcome, type ScopeMemory } from '../../core/judge.ts';
import { disbelieved, distrusted, type LocationTrouble, locationTroubles } from '../../core/location.ts';
import { judgeMonitoring, MONITORING_SCOPE } from '../../core/monitoring.ts';
import { covers, type Quiet } from '../../core/quiet.ts';
import { endInWords, type KeptBack } from '../../core/quiet-end.ts';
import { budgetOf, changesOf, headlineOf } from '../../core/words.ts';
import type { Signals } from './signals.ts';

export type PostingKind = 'open' | 'raise' | 'lower' | 'resolve' | 'line' | 'notice';

/** Something that people are told: a post, or a line in its thread. */
export interface Posting {
  /** After second 0. */
  atMs: number;
  kind: PostingKind;
  /** Number of the incident; 0 for a notice. */
  incident: number;
  class: IncidentClass;
  facts?: Facts;
  /** Kind of the entry in the thread, or of the notice. */
  entry: string;
  /** All that is said: headline, cause, line. */
  text: string;
}

/** What the post of an incident said from then on. */
export interface Edit {
  atMs: number;
  incident: number;
  class: IncidentClass;
  facts: Facts;
  text: string;
  isNew: boolean;
}

interface Turn {
  config: Config;
  states: ReadonlyMap<string, { state: CheckState }>;
  /** After second 0. */
  atMs: number;
  /** By the workers' clock. */
  nowMs: number;
  planningSinceMs: number;
}

export class Judging {
  readonly postings: Posting[] = [];
  /** Posts that were brought up to date in place, whether a line was added or not. */
  readonly edits: Edit[] = [];
  readonly dirty = new Set<string>();
  /** What ended, and how. */
  readonly ended: { id: number; change: Outcome['change'] }[] = [];
  /** Is told what is decided of a scope besides its incidents: what was kept back, and why. */
  hear: (scope: string, atMs: number, decisions: readonly Reasoned[]) => void = () => {};
  /** Locations whose agents are at fault. */
  distrusted: ReadonlySet<string> = new Set();
  disbelieved: ReadonlyMap<string, { fromMs: number; untilMs: number }> = new Map();
  readonly #signals: Signals;
  readonly #open = new Map<number, Incident>();
  readonly #memories = new Map<string, ScopeMemory>();
  readonly #again = new Map<string, number>();
  /** By the maintenance or silence: what it kept back. */
  readonly #keptBack = new Map<string, KeptBack>();
  #quiets: Quiet[] = [];
  #signs = '';
  #troubles: LocationTrouble[] = [];
  #numbers = 0;

  constructor(signals: Signals) {
    this.#signals = signals;
  }

  /** Incidents that are open, the oldest first. */
  get open(): Incident[] {
    return [...this.#open.values()];
  }

  /** What is thought of the locations. */
  get troubles(): readonly LocationTrouble[] {
    return this.#troubles;
  }

  /** Judges every dirty scope. Returns the checks that are to be looked at anew, since a location is no longer believed, or is again. */
  judge(turn: Turn): string[] {
    this.#look(turn);
    const again = this.dirty.delete(MONITORING_SCOPE.id) || this.#isDue(MONITORING_SCOPE.id, turn) ? this.#judgeLocations(turn) : [];
    const due = [...this.#again.keys()].filter((scope) => this.#isDue(scope, turn));
    for (const scope of new Set([...this.dirty, ...due])) {
      this.#again.delete(scope);
      for (const outcome of this.#judgeScope(scope, turn)) this.#apply(scope, outcome, turn);
    }
    this.dirty.clear();
    return again;
  }

  /** Whether anything is to be judged at that time of the workers' clock. */
  isDue(nowMs: number): boolean {
    return this.dirty.size > 0 || [...this.#again.values()].some((dueMs) => dueMs <= nowMs);
  }

  #isDue(scope: string, { nowMs }: Turn): boolean {
    return (this.#again.get(scope) ?? Number.POSITIVE_INFINITY) <= nowMs;
  }

  /** What comes and goes besides results: whoever stores it marks the scopes dirty. At the end of what kept something back stands a notice. */
  #look({ config, states, atMs, nowMs }: Turn): void {
    const quiets = this.#signals.quiets(config, atMs, nowMs);
    const ids = new Set(quiets.map((quiet) => quiet.id));
    for (const quiet of this.#quiets.filter((one) => !ids.has(one.id))) {
      const kept = this.#keptBack.get(quiet.id);
      if (!kept) continue;
      const views = this.#views(config, Object.keys(config.checks), states).filter(({ check }) => covers(quiet, check, config));
      const { title, lines } = endInWords({ quiet, endedAtMs: nowMs }, kept, views, config);
      const text = [title, ...lines].join(' · ');
      this.postings.push({ atMs, kind: 'notice', incident: 0, class: 'blind', entry: `${quiet.kind}-ended`, text });
    }
    this.#quiets = quiets;
    const signs = JSON.stringify([
      [...ids],
      this.#signals.changes(atMs),
      this.#signals.noisy(config, atMs),
      this.#signals.burns(config, atMs),
    ]);
    if (signs !== this.#signs) for (const scope of Object.keys(config.scopes)) this.dirty.add(scope);
    this.#signs = signs;
  }

  /** Another configuration came into force: incidents follow their scope, and every scope is judged. */
  adopt(config: Config): void {
    for (const incident of this.#open.values()) {
      const scope = scopeNow(config, incident);
      if (scope !== undefined) incident.scope = scope;
    }
    for (const scope of [...Object.keys(config.scopes), ...this.open.map((incident) => incident.scope)]) this.dirty.add(scope);
  }

  #views(config: Config, checks: readonly string[], states: Turn['states']): CheckView[] {
    return checks.flatMap((id) => {
      const check = config.checks[id];
      return check ? [{ check, state: states.get(id)?.state ?? EMPTY_STATE }] : [];
    });
  }

  /** What jobs/monitoring.ts does. */
  #judgeLocations(turn: Turn): string[] {
    const { config, states, nowMs } = turn;
    const views = this.#views(config, Object.keys(config.checks), states);
    const all = new Map(views.map((view) => [view.check.id, view.state]));
    this.#troubles = locationTroubles(config, all, turn, this.#troubles);
    const changed = this.distrusted.symmetricDifference(distrusted(this.#troubles));
    this.distrusted = distrusted(this.#troubles);
    this.disbelieved = disbelieved(this.#troubles);
    const blind = views.filter((view) => view.state.moment === 'blind');
    const incident = this.open.find((one) => one.scope === MONITORING_SCOPE.id);
    const judged = judgeMonitoring({ config, troubles: this.#troubles, blind, open: incident, nowMs });
    this.#apply(MONITORING_SCOPE.id, { ...judged, ...(incident ? { incident } : {}) }, turn);
    if (judged.againAtMs !== undefined) this.#again.set(MONITORING_SCOPE.id, judged.againAtMs);
    else this.#again.delete(MONITORING_SCOPE.id);
    return views.filter(({ check }) => check.locations.some((location) => changed.has(location))).map(({ check }) => check.id);
  }

  #judgeScope(scopeId: string, { config, states, atMs, nowMs }: Turn): Outcome[] {
    const scope = config.scopes[scopeId] ?? { id: scopeId, services: [], components: [], checks: [] };
    const judged = judgeScope({
      config,
      scope,
      views: this.#views(config, scope.checks, states),
      open: this.open.filter((incident) => incident.scope === scopeId),
      nowMs,
      actions: new Map(),
      changes: this.#signals.changes(atMs),
      noisy: this.#signals.noisy(config, atMs),
      burns: this.#signals.burns(config, atMs).filter((burn) => scope.services.includes(burn.service)),
      quiets: this.#quiets,
      locations: this.#troubles,
      repairs: new Map(),
      memory: this.#memories.get(scopeId) ?? NO_MEMORY,
    });
    this.#memories.set(scopeId, judged.memory);
    if (judged.againAtMs !== undefined) this.#again.set(scopeId, judged.againAtMs);
    this.hear(scopeId, atMs, judged.decisions);
    for (const { subject, inputs } of judged.decisions) if (subject === 'quiet') this.#keep(inputs);
    return judged.outcomes;
  }

  #keep({ quiet, checks, incident, service }: Record<string, unknown>): void {
    const kept = this.#keptBack.get(String(quiet)) ?? { checks: [], incidents: [], budgets: [] };
    this.#keptBack.set(String(quiet), kept);
    if (Array.isArray(checks)) kept.checks.push(...checks);
    if (typeof incident === 'number') kept.incidents.push(incident);
    if (typeof service === 'string') kept.budgets.push(service);
  }

  /** Somebody takes the incident: what bot/actions/acknowledge.ts tells. */
  acknowledge(id: number, by: string, atMs: number): void {
    const incident = this.#open.get(id);
    if (incident) this.postings.push(postingOf({ kind: 'acknowledged', by }, incident, [wordsOf(incident.facts, incident.class)], atMs));
  }

  #apply(scope: string, { incident: known, change }: Outcome, { atMs, nowMs }: Turn): void {
    if (change.kind === 'none') return;
    const { facts } = change;
    const incident = known ?? this.#insert(scope, facts, change.kind === 'open' ? change.class : 'blind', nowMs);
    incident.facts = facts;
    incident.root = facts.root;
    if (change.kind === 'update') {
      incident.class = change.class;
      if (!change.told) return;
      incident.revision++;
    }
    if (change.kind === 'resolve' || change.kind === 'merge') {
      this.#open.delete(incident.id);
      this.ended.push({ id: incident.id, change });
    }
    const text = wordsOf(facts, incident.class);
    this.edits.push({ atMs, incident: incident.id, class: incident.class, facts, text, isNew: !known });
    const resolution = 'resolution' in change ? [change.resolution] : [];
    for (const entry of change.timeline) this.postings.push(postingOf(entry, incident, [...resolution, text], atMs));
  }

  #insert(scope: string, facts: Facts, klass: IncidentClass, nowMs: number): Incident {
    const id = ++this.#numbers;
    const incident: Incident = {
      id,
      scope,
      root: facts.root,
      class: klass,
      peak: klass,
      state: 'open',
      revision: 1,
      channel: '#operations',
      facts,
      beganAtMs: facts.sinceMs,
      openedAtMs: nowMs,
    };
    this.#open.set(id, incident);
    return incident;
  }
}

const KINDS: Readonly<Record<string, PostingKind>> = {
  opened: 'open',
  'class-raised': 'raise',
  'class-lowered': 'lower',
  resolved: 'resolve',
};

function postingOf(entry: TimelineEntry, incident: Incident, words: readonly string[], atMs: number): Posting {
  const { class: klass, facts } = incident;
  return {
    atMs,
    kind: KINDS[entry.kind] ?? 'line',
    incident: incident.id,
    class: klass,
    facts,
    entry: entry.kind,
    text: [...new Set([...words, ...wordsIn(entry)])].join(' · '),
  };
}

/** What the post says of it: with what was found in the components. */
function wordsOf(facts: Facts, klass: IncidentClass): string {
  const found = facts.components.map((component) => component.findings[0]?.text ?? component.failure?.message);
  const lines = [facts.likelyCause?.text, facts.likelyCause?.evidence, changesOf(facts), budgetOf(facts)];
  return [headlineOf(facts, klass), ...lines, ...found].filter(Boolean).join(' · ');
}

/** Every text of an entry. */
function wordsIn(entry: TimelineEntry): string[] {
  return Object.entries(entry).flatMap(([key, value]) => (typeof value === 'string' && key !== 'kind' ? [value] : []));
}

/**
 * Decides once more what was decided, from the decision log, and says where that comes out otherwise than what is stored.
 *
 *   fold         results and gaps into the states of their checks, at the time and with the trust in locations that the log says
 *   judge        a scope with the states that its transaction saw, and with what else it read
 *   config       another configuration comes into force: checks and incidents are fitted to it
 *   press        somebody did something: an acknowledgement is part of an incident
 *   checkpoint   everything is held against what was stored at that moment
 *
 * Entries come in the order of their numbers, which were drawn under the locks. Pure.
 */
import type { CheckView } from './classify.ts';
import type { Config } from './config/model.ts';
import { foldCheck } from './fold.ts';
import { type Incident, parseIncidentName } from './incident.ts';
import { judgeScope, NO_MEMORY, type Outcome, type ScopeJudgement } from './judge.ts';
import { type LocationTrouble, locationTroubles, troubleDecisions } from './location.ts';
import { judgeMonitoring, MONITORING_SCOPE } from './monitoring.ts';
import { markOf } from './replay/code.ts';
import { firstUnlike, unlikeInWords } from './replay/compare.ts';
import { type Entry, type FoldEntry, type JudgeEntry, mergedInputs, readInputs, type StoredDecision, type World } from './replay/entry.ts';
import type { Snapshot } from './replay/versions.ts';
import { LiveWorld } from './replay/world.ts';
import type { ActionWords } from './runbook.ts';

export interface Difference {
  /** Number in the log; without it, it was found at the end. */
  seq?: number;
  atMs?: number;
  /** `check post-invoice/riverside`, `run …`, `decision 4711 (verdict post-invoice/riverside)`, `INC-12`. */
  place: string;
  text: string;
}

export interface Replayed {
  results: number;
  gaps: number;
  judgements: number;
  decisions: number;
  checkpoints: number;
}

/** An incident of which nobody stored the number. */
const NAMELESS_FROM = -1;

type Decided = Omit<StoredDecision, 'id'>;

export class Replay {
  readonly counts: Replayed = { results: 0, gaps: 0, judgements: 0, decisions: 0, checkpoints: 0 };
  readonly #world: LiveWorld;
  readonly #actions: ReadonlyMap<string, ActionWords>;
  #config: Config;
  #nameless = NAMELESS_FROM;

  constructor(from: World, config: Config, actions: ReadonlyMap<string, ActionWords>) {
    this.#world = new LiveWorld(from);
    this.#config = config;
    this.#actions = actions;
  }

  /** Numbers of all incidents that it knows. */
  get incidents(): number[] {
    return [...this.#world.seen().incidents.keys()];
  }

  /** Does once more what the entry tells of. Returns where it comes out otherwise. */
  step(entry: Entry): Difference[] {
    const at = { seq: entry.seq, atMs: entry.atMs };
    switch (entry.kind) {
      case 'fold':
        return [...spoiledRuns(entry), ...this.#held(entry, this.#fold(entry))].map((one) => ({ ...at, ...one }));
      case 'judge':
        return this.#held(entry, this.#judge(entry)).map((one) => ({ ...at, ...one }));
      case 'config':
        this.#config = entry.config;
        this.#world.adopt(entry, entry.config);
        return [];
      case 'press':
        if (entry.verb === 'acknowledge') this.#world.acknowledge(entry, parseIncidentName(entry.subject) ?? 0, entry.by);
        return [];
      case 'checkpoint':
        this.counts.checkpoints++;
        return this.compare(entry.content, entry.snapshot).map((one) => ({ ...at, ...one }));
    }
  }

  /** Holds everything against what is stored: at a snapshot, or as it stands. Of incidents, those that are told and those that should be open. */
  compare(stored: World, snapshot?: Snapshot): Difference[] {
    const own = this.#world.seen(snapshot);
    const incidents = new Map(stored.incidents.map((incident) => [incident.id, incident]));
    const isOpen = (incident: Incident) => incident.state === 'open';
    const ids = new Set([...incidents.keys(), ...[...own.incidents.values()].filter(isOpen).map(({ id }) => id)]);
    return [
      ...unlikes('check', stored.states, own.states),
      ...[...ids].flatMap((id) => unlike(`INC-${id}`, shownOf(incidents.get(id)), shownOf(own.incidents.get(id)))),
      ...unlikes('scope', memoriesOf(stored), memoriesOf(own)),
      ...unlikes('location', byId(stored.troubles), byId(own.troubles)),
    ];
  }

  #fold(entry: FoldEntry): Decided[] {
    const results = Map.groupBy(entry.results, (one) => one.check);
    const gaps = Map.groupBy(entry.gaps, (one) => one.check);
    this.counts.results += entry.results.length;
    this.counts.gaps += entry.gaps.length;
    return [...new Set([...results.keys(), ...gaps.keys(), ...entry.stale])].flatMap((id) => {
      const check = this.#config.checks[id];
      if (!check) return [];
      const work = { results: (results.get(id) ?? []).map((one) => one.input), gaps: gaps.get(id) ?? [] };
      const folded = foldCheck(check, this.#world.state(id), work, entry.time);
      this.#world.writeState(entry, check, folded.state);
      return folded.decisions.map((decision) => ({ ...decision, scope: check.scope }));
    });
  }

  #judge(entry: JudgeEntry): Decided[] {
    this.counts.judgements++;
    const { scope: scopeId } = entry;
    const open = this.#world.open(scopeId);
    const logged = mergedInputs(this.#world.remembered(scopeId).logged, entry.inputs);
    const judgement = scopeId === MONITORING_SCOPE.id ? this.#judgeLocations(entry, open) : this.#judgeServices(entry, open, logged);
    this.#world.remember(entry, scopeId, { memory: judgement.memory, logged });
    const numbers = [...entry.opened];
    const told = judgement.outcomes.flatMap((outcome) => this.#apply(entry, outcome, numbers));
    return [...judgement.decisions.map((decision) => ({ ...decision, scope: scopeId })), ...told];
  }

  #judgeServices(entry: JudgeEntry, open: readonly Incident[], logged: JudgeEntry['inputs']): ScopeJudgement {
    const config = this.#config;
    const scope = config.scopes[entry.scope] ?? { id: entry.scope, services: [], components: [], checks: [] };
    return judgeScope({
      ...{ config, scope, open, nowMs: entry.atMs, actions: this.#actions },
      ...readInputs(logged as Parameters<typeof readInputs>[0]),
      views: this.#views(scope.checks, entry.snapshot),
      memory: this.#world.remembered(entry.scope).memory,
    });
  }

  #judgeLocations(entry: JudgeEntry, [open]: readonly Incident[]): ScopeJudgement {
    const config = this.#config;
    const views = this.#views(Object.keys(config.checks), entry.snapshot);
    const before = this.#world.troubles();
    const troubles = this.#lookAtLocations(entry, views);
    const decisions = troubleDecisions(before, troubles);
    const blind = views.filter((view) => view.state.moment === 'blind');
    const judged = judgeMonitoring({ config, troubles, blind, open, nowMs: entry.atMs });
    return { outcomes: [{ ...(open ? { incident: open } : {}), ...judged }], decisions, memory: NO_MEMORY };
  }

  #lookAtLocations(entry: JudgeEntry, views: readonly CheckView[]): LocationTrouble[] {
    const states = new Map(views.map((view) => [view.check.id, view.state]));
    const moment = { nowMs: entry.atMs, planningSinceMs: entry.planningSinceMs };
    const troubles = locationTroubles(this.#config, states, moment, this.#world.troubles());
    this.#world.writeTroubles(entry, troubles);
    return troubles;
  }

  #views(checks: readonly string[], snapshot: Snapshot): CheckView[] {
    return checks.flatMap((id) => {
      const check = this.#config.checks[id];
      return check ? [{ check, state: this.#world.state(id, snapshot) }] : [];
    });
  }

  /** What jobs/judge.ts writes of one incident. */
  #apply(entry: JudgeEntry, { incident, change, decisions }: Outcome, numbers: number[]): Decided[] {
    if (change.kind === 'none') return [];
    const id = change.kind === 'open' ? (numbers.shift() ?? this.#nameless--) : (incident?.id ?? 0);
    if (change.kind === 'open') this.#world.openIncident(entry, { id, scope: entry.scope, atMs: entry.atMs }, change);
    else if (incident) this.#world.changeIncident(entry, incident, change, entry.atMs);
    return decisions.map((decision) => ({ ...decision, scope: entry.scope, incidentId: id }));
  }

  /** Holds decisions against those that were stored with the entry, and counts them. */
  #held(entry: FoldEntry | JudgeEntry, decided: readonly Decided[]): Difference[] {
    this.counts.decisions += decided.length;
    const isJudged = entry.kind === 'judge';
    const left = [...entry.stored];
    const differences: Difference[] = [];
    for (const own of decided) {
      const index = nearest(left, own);
      const [stored] = index < 0 ? [] : left.splice(index, 1);
      differences.push(...decisionUnlike(stored, own, isJudged));
    }
    const isLeft = 'it is stored, and nothing is decided when it is done again';
    return [...differences, ...left.map((stored) => ({ place: decisionName(stored), text: isLeft }))];
  }
}

/** The one of the same reason, else one about the same; -1 when there is none. */
function nearest(list: readonly Decided[], own: Decided): number {
  const isAlike = (one: Decided) => one.subject === own.subject && one.scope === own.scope;
  const same = list.findIndex((one) => isAlike(one) && one.reason === own.reason);
  return same < 0 ? list.findIndex(isAlike) : same;
}

function decisionUnlike(stored: StoredDecision | undefined, own: Decided, isJudged: boolean): Difference[] {
  if (!stored) return [{ place: `decision (${own.subject})`, text: `${own.reason} is decided when it is done again, and is not stored` }];
  const parts = ({ reason, inputs, incidentId }: Decided) => ({
    reason,
    inputs: JSON.parse(JSON.stringify(inputs)) as unknown,
    ...(isJudged ? { incidentId } : {}),
  });
  return unlike(decisionName(stored), parts(stored), parts(own));
}

function decisionName({ id, subject }: StoredDecision): string {
  return `decision ${id} (${subject})`;
}

/** Results of which the ledger says something else now than was folded. */
function spoiledRuns({ results, lost }: FoldEntry): Difference[] {
  const spoiled = results.filter(({ input, mark }) => markOf(input) !== mark);
  return [
    ...lost.map((run) => ({ place: `run ${run}`, text: 'it was folded, and the ledger has it no more' })),
    ...spoiled.map(({ input }) => ({ place: `run ${input.run}`, text: `it says ${input.verdict} now, and is not what was folded` })),
  ];
}

function unlike(place: string, stored: unknown, replayed: unknown): Difference[] {
  const found = firstUnlike(stored, replayed);
  return found ? [{ place, text: unlikeInWords(found) }] : [];
}

function unlikes(kind: string, stored: Record<string, unknown>, replayed: Record<string, unknown>): Difference[] {
  const keys = new Set([...Object.keys(stored), ...Object.keys(replayed)]);
  return [...keys].flatMap((key) => unlike(`${kind} ${key}`, stored[key], replayed[key]));
}

/** What of an incident follows from the log: revisions and the time of an acknowledgement come from others, too. */
function shownOf(incident: Incident | undefined): unknown {
  if (!incident) return undefined;
  const { id: _id, revision: _revision, acknowledgedAtMs: _atMs, ...shown } = incident;
  return shown;
}

function memoriesOf({ scopes }: Pick<World, 'scopes'>): Record<string, unknown> {
  const known = Object.entries(scopes).filter(([, { memory }]) => Object.values(memory).some((part) => Object.keys(part).length > 0));
  return Object.fromEntries(known.map(([id, { memory }]) => [id, memory]));
}

function byId(troubles: readonly LocationTrouble[]): Record<string, unknown> {
  return Object.fromEntries(troubles.map((one) => [one.id, one]));
}

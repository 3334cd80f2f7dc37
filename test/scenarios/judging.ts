/**
 * The second step of evaluation in memory: what jobs/judge.ts and store/incident.ts do around `core/judge.ts`. Scopes that are dirty are
 * judged, incidents are kept, and what people would be told comes out as postings.
 */
import type { Check, IncidentClass } from '../../core/check.ts';
import type { CheckView } from '../../core/classify.ts';
import { scopeNow } from '../../core/config/incidents.ts';
import type { Config } from '../../core/config/model.ts';
import { type CheckState, EMPTY_STATE } from '../../core/evaluate.ts';
import type { Facts, Incident, TimelineEntry } from '../../core/incident.ts';
import { judge } from '../../core/judge.ts';
import { headlineOf } from '../../core/words.ts';

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

/** What a judgement does to one incident: the one place that knows what `core/judge.ts` returns. */
interface Outcome {
  /** Of an incident that is open already. */
  incident?: Incident;
  change: 'open' | 'update' | 'resolve';
  class: IncidentClass;
  facts: Facts;
  beganAtMs?: number;
  timeline: TimelineEntry[];
}

interface Turn {
  config: Config;
  states: ReadonlyMap<string, { state: CheckState }>;
  /** After second 0. */
  atMs: number;
  /** By the workers' clock. */
  nowMs: number;
}

export class Judging {
  readonly postings: Posting[] = [];
  /** Posts that were brought up to date in place, whether a line was added or not. */
  readonly edits: Edit[] = [];
  readonly dirty = new Set<string>();
  /** Locations whose agents are at fault. */
  distrusted: ReadonlySet<string> = new Set();
  readonly #open = new Map<number, Incident>();
  #numbers = 0;

  /** Incidents that are open, the oldest first. */
  get open(): Incident[] {
    return [...this.#open.values()];
  }

  /** A check was folded. */
  folded(_check: Check, _state: CheckState): void {}

  /** Judges every dirty scope. */
  judge(turn: Turn): void {
    for (const scope of this.dirty) for (const outcome of this.#judgeScope(scope, turn)) this.#apply(scope, outcome, turn);
    this.dirty.clear();
  }

  /** Another configuration came into force: incidents follow their scope, and every scope is judged. */
  adopt(config: Config): void {
    for (const incident of this.#open.values()) {
      const scope = scopeNow(config, incident);
      if (scope !== undefined) incident.scope = scope;
    }
    for (const scope of [...Object.keys(config.scopes), ...this.open.map((incident) => incident.scope)]) this.dirty.add(scope);
  }

  #judgeScope(scopeId: string, { config, states, nowMs }: Turn): Outcome[] {
    const scope = config.scopes[scopeId] ?? { id: scopeId, services: [], components: [], checks: [] };
    const views: CheckView[] = scope.checks.flatMap((id) => {
      const check = config.checks[id];
      return check ? [{ check, state: states.get(id)?.state ?? EMPTY_STATE }] : [];
    });
    const open = this.open.find((incident) => incident.scope === scopeId);
    const { change } = judge({ config, scope, views, nowMs, actions: new Map(), ...(open ? { open } : {}) });
    if (change.kind === 'none') return [];
    const { timeline, facts } = change;
    if (change.kind === 'open') return [{ change: 'open', class: change.class, facts, beganAtMs: change.beganAtMs, timeline }];
    if (!open) throw new Error(`the judgement of ${scopeId} changes an incident that is not open`);
    return [{ change: change.kind, incident: open, class: change.kind === 'update' ? change.class : open.class, facts, timeline }];
  }

  #apply(scope: string, outcome: Outcome, { atMs, nowMs }: Turn): void {
    const { facts, timeline } = outcome;
    const incident = outcome.incident ?? this.#insert(scope, outcome, nowMs);
    if (outcome.incident) {
      incident.class = outcome.class;
      incident.facts = facts;
      incident.revision++;
    }
    if (outcome.change === 'resolve') this.#open.delete(incident.id);
    this.edits.push({
      atMs,
      incident: incident.id,
      class: incident.class,
      facts,
      text: wordsOf(facts, incident.class),
      isNew: !outcome.incident,
    });
    for (const entry of timeline) this.postings.push(postingOf(entry, incident, facts, atMs));
  }

  #insert(scope: string, { class: klass, facts, beganAtMs }: Outcome, nowMs: number): Incident {
    const id = ++this.#numbers;
    const incident = {
      id,
      scope,
      root: facts.root,
      class: klass,
      peak: klass,
      state: 'open' as const,
      revision: 1,
      channel: '#operations',
      facts,
      beganAtMs: beganAtMs ?? nowMs,
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

function postingOf(entry: TimelineEntry, incident: Incident, facts: Facts, atMs: number): Posting {
  return {
    atMs,
    kind: KINDS[entry.kind] ?? 'line',
    incident: incident.id,
    class: incident.class,
    facts,
    entry: entry.kind,
    text: [headlineOf(facts, incident.class), facts.likelyCause?.text, facts.likelyCause?.evidence, ...wordsIn(entry)]
      .filter(Boolean)
      .join(' · '),
  };
}

function wordsOf(facts: Facts, klass: IncidentClass): string {
  return [headlineOf(facts, klass), facts.likelyCause?.text, facts.likelyCause?.evidence].filter(Boolean).join(' · ');
}

/** Every text of an entry. */
function wordsIn(entry: TimelineEntry): string[] {
  return Object.entries(entry).flatMap(([key, value]) => (typeof value === 'string' && key !== 'kind' ? [value] : []));
}

/** Everything that deciding stands on, in memory, with what each transaction made of it. What store/ does in tables, without tables. */
import { scopeNow } from '../config/incidents.ts';
import type { Config } from '../config/model.ts';
import { type CheckState, EMPTY_STATE, ofLocations } from '../evaluate.ts';
import type { Facts, Incident } from '../incident.ts';
import type { Change } from '../judge.ts';
import { NO_MEMORY } from '../judge.ts';
import type { LocationTrouble } from '../location.ts';
import type { World } from './entry.ts';
import { type Snapshot, Versions } from './versions.ts';

type Standing = World['states'][string];
type Remembered = World['scopes'][string];

/** Which transaction writes. */
export interface Writing {
  xid: number;
  seenFromXid: number;
}

const TROUBLES = 'all';

/** As it comes back from the database: without what is undefined. */
function stored<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

export class LiveWorld {
  readonly #states: Versions<Standing>;
  readonly #incidents: Versions<Incident>;
  readonly #scopes: Versions<Remembered>;
  readonly #troubles: Versions<LocationTrouble[]>;

  constructor(first: World) {
    this.#states = new Versions(Object.entries(first.states));
    this.#incidents = new Versions(first.incidents.map((incident) => [String(incident.id), incident] as const));
    this.#scopes = new Versions(Object.entries(first.scopes));
    this.#troubles = new Versions([[TROUBLES, first.troubles]]);
  }

  /** As that snapshot sees it; without one, as it stands. Incidents that were open there, or have ended since the beginning, each by its number. */
  seen(snapshot?: Snapshot): Omit<World, 'incidents'> & { incidents: Map<number, Incident> } {
    return {
      states: Object.fromEntries(this.#states.entries(snapshot)),
      incidents: new Map(this.#incidents.entries(snapshot).map(([, incident]) => [incident.id, incident])),
      scopes: Object.fromEntries(this.#scopes.entries(snapshot)),
      troubles: this.#troubles.at(TROUBLES, snapshot) ?? [],
    };
  }

  state(check: string, snapshot?: Snapshot): CheckState {
    return this.#states.at(check, snapshot)?.state ?? EMPTY_STATE;
  }

  writeState({ xid, seenFromXid }: Writing, check: { id: string; scope: string }, state: CheckState): void {
    this.#states.put(check.id, xid, { scope: check.scope, state }, seenFromXid);
  }

  troubles(): LocationTrouble[] {
    return this.#troubles.latest(TROUBLES) ?? [];
  }

  writeTroubles({ xid, seenFromXid }: Writing, troubles: LocationTrouble[]): void {
    this.#troubles.put(TROUBLES, xid, stored(troubles), seenFromXid);
  }

  /** Open incidents of a scope, or of all, the oldest first. */
  open(scope?: string): Incident[] {
    const all = this.#incidents.entries().map(([, incident]) => incident);
    return all.filter((one) => one.state === 'open' && (scope === undefined || one.scope === scope)).sort((a, b) => a.id - b.id);
  }

  incident(id: number): Incident | undefined {
    return this.#incidents.latest(String(id));
  }

  remembered(scope: string): Remembered {
    return this.#scopes.latest(scope) ?? { memory: NO_MEMORY, logged: {} };
  }

  remember({ xid, seenFromXid }: Writing, scope: string, remembered: Remembered): void {
    this.#scopes.put(scope, xid, stored(remembered), seenFromXid);
  }

  /** Opens an incident under that number. */
  openIncident(writing: Writing, about: { id: number; scope: string; atMs: number }, change: Extract<Change, { kind: 'open' }>): void {
    const { class: klass, channel, facts, beganAtMs, pictureId } = change;
    this.#write(writing, {
      ...{ id: about.id, scope: about.scope, root: facts.root, class: klass, peak: klass, state: 'open', revision: 1, channel, facts },
      ...{ beganAtMs, openedAtMs: about.atMs },
      ...(pictureId ? { pictureId } : {}),
    });
  }

  /** Writes what became of an incident. */
  changeIncident(writing: Writing, open: Incident, change: Exclude<Change, { kind: 'none' | 'open' }>, atMs: number): void {
    const { facts } = change;
    if (change.kind !== 'update') {
      this.#write(writing, { ...open, facts, state: 'resolved', resolution: change.resolution, resolvedAtMs: atMs });
      return;
    }
    const { class: klass, peak, pictureId = open.pictureId } = change;
    const changed = { ...open, class: klass, peak, facts, root: facts.root, ...(pictureId === undefined ? {} : { pictureId }) };
    // What was acknowledged was less.
    if (change.reason === 'class-raised') delete changed.acknowledgedBy;
    this.#write(writing, changed);
  }

  acknowledge(writing: Writing, id: number, by: string): void {
    const open = this.incident(id);
    if (open?.state === 'open') this.#write(writing, { ...open, acknowledgedBy: by });
  }

  /** Fits everything to another configuration: what jobs/config.ts does. */
  adopt(writing: Writing, config: Config): void {
    for (const incident of this.open()) {
      const scope = scopeNow(config, incident);
      if (scope !== undefined && scope !== incident.scope) this.#write(writing, { ...incident, scope });
    }
    for (const [id, { state }] of this.#states.entries()) {
      const check = config.checks[id];
      if (!check) this.#states.put(id, writing.xid, undefined, writing.seenFromXid);
      else this.writeState(writing, check, ofLocations(state, check.locations));
    }
  }

  #write({ xid, seenFromXid }: Writing, incident: Incident & { facts: Facts }): void {
    this.#incidents.put(String(incident.id), xid, stored(incident), seenFromXid);
  }
}

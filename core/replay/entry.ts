/** What the decision log says of one transaction, with everything that it refers to. */
import type { ReportedChange } from '../change.ts';
import type { Config } from '../config/model.ts';
import type { CheckState, FoldInput, Moment } from '../evaluate.ts';
import type { Reasoned } from '../facts.ts';
import type { FoldGap } from '../fold.ts';
import type { Incident } from '../incident.ts';
import type { ScopeInput, ScopeMemory } from '../judge.ts';
import type { NoisyTenant } from '../load.ts';
import type { LocationTrouble } from '../location.ts';
import type { Quiet } from '../quiet.ts';
import type { Burn } from '../slo/burn.ts';
import type { Snapshot } from './versions.ts';

interface Logged {
  seq: number;
  xid: number;
  /** By the clock of whoever decided. */
  atMs: number;
  /** No snapshot of this entry or of a later one lacks what was committed before that transaction. */
  seenFromXid: number;
  /** The decisions that this transaction stored, in their order. */
  stored: readonly StoredDecision[];
}

export interface StoredDecision extends Reasoned {
  id: number;
  scope: string;
  incidentId?: number;
}

export interface FoldedRun {
  check: string;
  input: FoldInput;
  /** See `markOf` in code.ts. */
  mark: string;
}

export interface FoldEntry extends Logged {
  kind: 'fold';
  time: Moment;
  results: FoldedRun[];
  gaps: (FoldGap & { check: string })[];
  /** Looked at only because time had passed. */
  stale: string[];
  /** Names of runs that the ledger has no more. */
  lost: string[];
}

/** What a judgement read that cannot be derived. Empty lists are left out. */
export interface JudgeInputs {
  changes?: ReportedChange[];
  noisy?: NoisyTenant[];
  burns?: Burn[];
  quiets?: Quiet[];
  locations?: LocationTrouble[];
  repairs?: [incident: number, repair: { title: string; by: string }][];
  /** Usual durations of the templates that are not well. */
  usual?: [template: string, ms: number][];
}

export interface JudgeEntry extends Logged {
  kind: 'judge';
  scope: string;
  snapshot: Snapshot;
  planningSinceMs: number;
  /** Only what is other than at the judgement of the scope before; `null`: it is empty again. */
  inputs: { [K in keyof JudgeInputs]: JudgeInputs[K] | null };
  /** Numbers of the incidents that it opened, in its order. */
  opened: number[];
}

export interface ConfigEntry extends Logged {
  kind: 'config';
  config: Config;
}

export interface PressEntry extends Logged {
  kind: 'press';
  verb: string;
  subject: string;
  by: string;
}

export interface CheckpointEntry extends Logged {
  kind: 'checkpoint';
  snapshot: Snapshot;
  content: World;
}

export type Entry = FoldEntry | JudgeEntry | ConfigEntry | PressEntry | CheckpointEntry;

/** Everything that deciding stands on, at one moment. */
export interface World {
  states: Record<string, { scope: string; state: CheckState }>;
  /** Those that are open. */
  incidents: Incident[];
  scopes: Record<string, { memory: ScopeMemory; logged: JudgeInputs }>;
  troubles: LocationTrouble[];
}

/** What of a judgement's input goes into the log. */
export function loggedInputs(input: Pick<ScopeInput, keyof Omit<JudgeInputs, 'usual'> | 'usuallyMs' | 'views'>): JudgeInputs {
  const { changes, noisy, burns, quiets, locations, repairs, usuallyMs, views } = input;
  const shown = new Set(views.flatMap(({ check, state }) => (state.held === 'down' || state.held === 'degraded' ? check.template : [])));
  const usual = [...shown].sort().flatMap((template): [string, number][] => {
    const ms = usuallyMs?.get(template);
    return ms === undefined ? [] : [[template, ms]];
  });
  return withoutEmpty({ changes, noisy, burns, quiets, locations, repairs: [...repairs], usual } as Required<JudgeInputs>);
}

function withoutEmpty(inputs: Required<JudgeInputs>): JudgeInputs {
  return Object.fromEntries(Object.entries(inputs).filter(([, list]) => list.length > 0));
}

/** What a judgement read, from what was read before and what is other. */
export function mergedInputs(before: JudgeInputs, changed: JudgeEntry['inputs']): JudgeInputs {
  return Object.fromEntries(Object.entries({ ...before, ...changed }).filter(([, list]) => list !== null));
}

/** What of a judgement's input the log has. */
export function readInputs(
  inputs: JudgeInputs,
): Required<Omit<JudgeInputs, 'repairs' | 'usual'>> & Pick<ScopeInput, 'repairs' | 'usuallyMs'> {
  const { changes = [], noisy = [], burns = [], quiets = [], locations = [], repairs = [], usual = [] } = inputs;
  return { changes, noisy, burns, quiets, locations, repairs: new Map(repairs), usuallyMs: new Map(usual) };
}

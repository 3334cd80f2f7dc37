/** What judging a scope reads, remembers and comes to. */
import type { CheckView } from './classify.ts';
import type { Group } from './correlate.ts';
import type { Problem, Reasoned } from './facts.ts';
import type { Incident } from './incident.ts';
import type { LocationTrouble } from './location.ts';
import type { Judged } from './progress.ts';
import type { Quiet } from './quiet.ts';
import type { Burn } from './slo/burn.ts';

/** What a scope remembers from one judgement to the next. */
export interface ScopeMemory {
  /** By what keeps them back, such as a silence: checks, incidents and budgets, so that each is decided once. */
  quieted: Record<string, string[]>;
  /** Budgets whose burning an incident has told of, with when it last did: they open none of their own while their windows look back. */
  explained: Record<string, number>;
  /** Budgets that burned before anything else was known to fail: they are told until they burn no more. */
  burning: string[];
}

export const NO_MEMORY: ScopeMemory = { quieted: {}, explained: {}, burning: [] };

export interface ScopeInput
  extends Pick<Problem, 'config' | 'scope' | 'views' | 'nowMs' | 'actions' | 'usuallyMs' | 'changes' | 'noisy' | 'burns'> {
  /** The scope's open incidents. */
  open: readonly Incident[];
  quiets: readonly Quiet[];
  /** Locations that Rounds does not see from: what is unseen through them is told of by them. */
  locations: readonly LocationTrouble[];
  /** The last action that was done in each incident. */
  repairs: ReadonlyMap<number, { title: string; by: string }>;
  memory: ScopeMemory;
}

export interface Outcome extends Judged {
  /** The incident that it is about; without it, the change opens one. */
  incident?: Incident;
}

export interface ScopeJudgement {
  outcomes: Outcome[];
  /** Of no incident: what was kept back, and why. */
  decisions: Reasoned[];
  memory: ScopeMemory;
  /** When to judge again, though nothing new may come. */
  againAtMs?: number;
}

/** A problem on its way to an incident. */
export interface Draft extends Group {
  /** Components in trouble that belong to it and are not to be told: they still say why. */
  mute: CheckView[];
  blind: CheckView[];
  burns: Burn[];
}

/** Of a problem in which no check is known to fail. */
export const NOBODY = { bad: [], mute: [], blind: [] };

/**
 * An incident: one problem, whatever the number of checks that show it. What is known of it now stands in its facts, which
 * every judgement makes anew; what happened stands in its timeline, which only grows.
 */

import type { ChangeKind } from './change.ts';
import type { IncidentClass } from './check.ts';
import type { HeldVerdict } from './evaluate.ts';
import type { LocationTrouble } from './location.ts';
import type { Failure, Finding } from './result.ts';
import type { Burn } from './slo/burn.ts';

export interface Named {
  id: string;
  title: string;
}

/** One journey or check of a service that is not well, over its tenants. */
export interface Symptom {
  /** Template of the check. */
  template: string;
  title: string;
  /** The words after "cannot". */
  does: string;
  critical: boolean;
  /** Expanded checks that are not well. */
  checks: string[];
  verdict: Exclude<HeldVerdict, 'up' | 'unknown'> | 'blind';
  /** Whom it hits; empty for a check without tenants. */
  tenants: Named[];
  tenantsTotal: number;
  /** The failing step and reason of the freshest failure. */
  failure?: Failure;
  /** Time of the freshest failing run, and the usual one, when known. */
  durationMs?: number;
  usuallyMs?: number;
}

export interface ServiceImpact extends Named {
  tier: 1 | 2 | 3;
  class: IncidentClass;
  /** Why this class, by name. */
  reason: string;
  symptoms: Symptom[];
}

export interface ComponentTrouble extends Named {
  check: string;
  verdict: Symptom['verdict'];
  failure?: Failure;
  findings: Finding[];
  sinceMs: number;
}

/** What may have caused it. Shown as suspicion, never as fact. */
export interface Suspect {
  kind: 'component' | 'tenant' | 'change';
  /** Id of the component, tenant or change. */
  id: string;
  title: string;
  /** What is wrong with it, in a clause: "a report (pid 4121) blocks 23 sessions". */
  text: string;
  /** Sentences, the strongest first. */
  evidence: string[];
  /** 0 to 1, only to rank by. */
  score: number;
}

/** A change that was reported shortly before. */
export interface NearChange {
  id: number;
  atMs: number;
  kind: ChangeKind;
  title: string;
}

/** A runbook that fits what is known, bound to its target. */
export interface Offer {
  runbook: string;
  title: string;
  /** One sentence: what will be done, to what. */
  preview: string;
  location: string;
  target: Record<string, string | number>;
}

/** What people were last told: hashes of all that they see, and of what they act on. */
export interface Shown {
  atMs: number[];
  visible: number;
  material: number;
  headline: string;
  /** What people would see, and wait for, since updates are paced. */
  paced?: number;
}

export interface Facts {
  /** Worst first. */
  services: ServiceImpact[];
  components: ComponentTrouble[];
  /** Every tenant hit by any symptom. */
  tenants: Named[];
  tenantsTotal: number;
  /** Titles of the locations that see it, and how many look. */
  seenFrom: string[];
  locationsTotal: number;
  sinceMs: number;
  /** What everything in it is put down to: `component:postgres-main`, or `service:billing` while no cause is known. */
  root: string;
  /** The checks that are not well and belong to it. */
  members: string[];
  /** The first of the suspects, when it is strong enough to be told. */
  likelyCause?: { text: string; evidence: string };
  /** The most suspicious first. */
  suspects: Suspect[];
  /** Changes of the hour before, and since, that touch what is hit; the newest first. */
  changes: NearChange[];
  /** Budgets of the services that are hit that burn too fast. */
  burns: Burn[];
  /** Locations that Rounds does not see from. */
  locations: LocationTrouble[];
  /** What the post says, and when it was brought up to date, the newest last: updates are paced by it. */
  shown: Shown;
  /** The cause that ended while this went on, once it was said. */
  outlived?: string;
  owner: string;
  onCall: Named[];
  offers: Offer[];
  /** All is up again, but not yet for long enough. */
  recovering: boolean;
  /** Since when less is wrong than the post says: told only once it has lasted. */
  betterSinceMs?: number;
  roundsLeft: number;
  /** Something else in the scope fails for people. */
  othersFail?: boolean;
  /** Checks that nobody sees at present. */
  blind: Named[];
}

/** What the thread tells, one line an entry. */
export type TimelineEntry =
  | { kind: 'opened'; class: IncidentClass; reason: string; headline: string; seenFrom: string[] }
  | { kind: 'class-raised' | 'class-lowered'; from: IncidentClass; to: IncidentClass; headline: string; reason: string; onCall?: string[] }
  | { kind: 'impact-changed'; headline: string }
  | { kind: 'outlived-cause'; cause: string; headline: string }
  | { kind: 'merged'; into: number; cause: string }
  | { kind: 'acknowledged'; by: string }
  | { kind: 'silenced'; by: string; untilMs: number; reason: string }
  | {
      kind: 'asked';
      by: string;
      title: string;
      preview: string;
      location: string;
      parameters?: { title: string; value: string | number }[];
    }
  | { kind: 'acted'; outcome: 'done' | 'failed' | 'refused' | 'unclear'; title: string; summary: string }
  | { kind: 'verified'; outcome: 'passed' | 'failed' | 'unclear'; text: string }
  | { kind: 'posted-anew'; reason: string }
  /** Somebody else of the owner, a team's title, is on call. Ids of people. */
  | { kind: 'handed-over'; team: string; from: string[]; to: string[] }
  /** A step of escalation: ids of who was called; `team`, the title of another team; `by`, who pressed instead of waiting. */
  | {
      kind: 'escalated';
      to: 'on-call' | 'team' | 'person' | 'other-team' | 'channel';
      people: string[];
      afterMs: number;
      team?: string;
      channel?: string;
      by?: string;
    }
  /** Slack was away for too long. `about`: the class that was told, or the end. */
  | { kind: 'told-elsewhere'; way: 'email' | 'webhook'; about: IncidentClass | 'resolved' }
  | { kind: 'refused'; by: string; text: string }
  | { kind: 'resolved'; afterMs: number; reason: string; text: string };

export interface Incident {
  id: number;
  scope: string;
  /** See `Facts.root`. */
  root: string;
  class: IncidentClass;
  peak: IncidentClass;
  state: 'open' | 'resolved';
  revision: number;
  channel: string;
  facts: Facts;
  beganAtMs: number;
  openedAtMs: number;
  acknowledgedAtMs?: number;
  acknowledgedBy?: string;
  resolvedAtMs?: number;
  resolution?: string;
  pictureId?: number;
}

/** Of these incidents, the one that hits the service; else one of a component that it stands on. The first in their order. */
export function incidentOf<T extends Pick<Incident, 'facts'>>(
  incidents: readonly T[],
  service: string,
  standsOn: ReadonlySet<string>,
): T | undefined {
  const hits = incidents.find(({ facts }) => facts.services.some((one) => one.id === service));
  return hits ?? incidents.find(({ facts }) => facts.services.length === 0 && facts.components.some((one) => standsOn.has(one.id)));
}

/** `INC-128`, as people call it. */
export function incidentName(id: number): string {
  return `INC-${id}`;
}

/** The number in `INC-128`, `inc128` or `128`; `undefined` when there is none. */
export function parseIncidentName(text: string): number | undefined {
  const match = /^(?:inc-?)?(\d{1,12})$/i.exec(text.trim());
  return match ? Number(match[1]) : undefined;
}

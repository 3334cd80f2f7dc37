/** The configuration as the rest of Rounds sees it: validated, defaults filled in, tenants expanded. */
import type { Check, IncidentClass } from '../check.ts';
import type { OpenSloDocument } from '../slo/openslo.ts';
import type { Slo } from '../slo/slo.ts';

export interface Location {
  id: string;
  title: string;
}

export interface Person {
  id: string;
  name: string;
  /** Slack's user id. */
  slack: string;
  roles: string[];
}

export interface Team {
  id: string;
  /** What people are shown; the id in words unless said. */
  title?: string;
  /** With its `#`. */
  channel: string;
  members: string[];
  /** Who is called when nobody acknowledges, in order. Without it nobody is called but by the post itself. */
  escalation?: EscalationStep[];
  /** Roles that may go to the next step at once. */
  mayEscalate?: string[];
  /** Without one all members with a role are on call. */
  rotation?: Rotation;
  /** Somebody else for a while; no two of them at one time. */
  overrides?: Override[];
  /** A new shift is told in the team's channel. */
  announce?: boolean;
}

export type EscalationTo =
  | { kind: 'on-call' }
  | { kind: 'team' }
  | { kind: 'person'; person: string }
  /** Who is on call there, in its channel. */
  | { kind: 'other-team'; team: string }
  | { kind: 'channel'; channel: string };

export interface EscalationStep {
  /** The step is known by it: `600s team`. */
  id: string;
  /** Since the opening, or the latest raise to a worse class. */
  afterMs: number;
  to: EscalationTo;
  tiers: (1 | 2 | 3)[];
  classes: IncidentClass[];
}

/** Shifts one after the other, without end in both directions. */
export interface Rotation {
  members: string[];
  everyDays: number;
  /** The time on the wall at which the first member takes over: milliseconds since 1970 as if the wall were in UTC. */
  anchorMs: number;
  timezone: string;
}

export interface Override {
  fromMs: number;
  untilMs: number;
  person: string;
  reason?: string;
}

export interface Tenant {
  id: string;
  title: string;
  /** Everything the configuration says of it, for `${tenant.…}`. */
  fields: Record<string, string>;
  /** Where its `database`, `role` and `queue` are; any component when it does not say. */
  components?: string[];
  /** Names of what changes it, see changed-by.ts. */
  changedBy?: string[];
}

export interface Component {
  id: string;
  title: string;
  layer?: string;
  dependsOn: string[];
  /** Names of what changes it, see changed-by.ts. */
  changedBy?: string[];
}

export interface Service {
  id: string;
  title: string;
  tier: 1 | 2 | 3;
  owner: string;
  dependsOn: string[];
  /** Names of what changes it, see changed-by.ts. */
  changedBy?: string[];
  /** Services joined by what they depend on are judged together. */
  scope: string;
  /** What is promised of it. */
  slos?: Slo[];
}

/** When a runbook is offered: every condition that is given must hold. */
export interface RunbookWhen {
  services?: string[];
  components?: string[];
  /** Templates of checks. */
  checks?: string[];
  /** Failure kinds. */
  failures?: string[];
  /** The failing step's words. */
  steps?: string[];
}

/** What somebody fills in before a runbook runs. */
export interface Parameter {
  name: string;
  title: string;
  type: 'text' | 'number' | 'choice' | 'duration';
  help?: string;
  /** As it is typed. */
  default?: string;
  /** Of a number; of a duration, in milliseconds; of a text, in characters. */
  min?: number;
  max?: number;
  /** Of a choice. */
  options?: string[];
}

export interface Runbook {
  id: string;
  title: string;
  /** What it does, in a sentence for whoever is about to press. */
  explains?: string;
  when: RunbookWhen;
  /** `template`: as written, when `${param.…}` stands in it; `params` then is what it usually becomes. */
  action: { type: string; params: Record<string, unknown>; template?: Record<string, unknown>; location: string };
  /** What is asked for before it runs; one press is enough without any. */
  parameters?: Parameter[];
  /** Roles that may run it. Empty: nobody. */
  mayRun: string[];
  /** Templates of checks that tell whether it helped. */
  verify: string[];
}

/** A report that is posted at certain times. */
export interface ScheduledReport {
  id: string;
  title: string;
  /** Five fields, read in `timezone`. */
  cron: string;
  timezone: string;
  /** With its `#`. */
  channel: string;
  /** Ids; `all` is spelled out when the file is read. */
  services: string[];
  /** How far back it looks. Without it: to the slot before. */
  windowMs?: number;
}

/** Times in which what it covers is measured and not told. See core/maintenance.ts. */
export interface Maintenance {
  id: string;
  title: string;
  /** Several kinds given: all must fit. All empty: everything. */
  services: string[];
  components: string[];
  tenants: string[];
  /** Templates, or expanded checks. */
  checks: string[];
  timezone: string;
  /** How it repeats; without, it is once. */
  rrule?: string;
  /** How long each lasts, exactly; only one that is once may have an end instead. */
  lastsMs?: number;
  /** When it begins, on the wall (see core/wall.ts); of a rule: from when on it counts. */
  fromWallMs?: number;
  /** When it ends; of a rule: when the last may begin. */
  untilWallMs?: number;
  /** Days on which none begins, by their midnight, and times at which none does. */
  exceptDaysMs: number[];
  exceptWallsMs: number[];
}

/** Where people are told when Slack has been away for longer than `afterMs`. */
export interface Fallback {
  afterMs: number;
  /** Addresses; empty for no mail. */
  email: string[];
  from?: string;
  webhook: boolean;
  classes: IncidentClass[];
}

/** How long what is kept, milliseconds. */
export interface Kept {
  /** Runs with all that was measured, and pictures. */
  rawMs: number;
  /** What was counted by the hour. */
  hoursMs: number;
  /** What was counted by the day, incidents, decisions and posts. */
  daysMs: number;
}

/** A group of services and components that is judged under one lock. */
export interface Scope {
  id: string;
  services: string[];
  components: string[];
  checks: string[];
}

export interface Config {
  /** Hash of everything below: decisions name the revision they were made under. */
  revision: string;
  timezone: string;
  fallback?: Fallback;
  /** As it is written, defaults filled in; see `keptOf`. */
  storage?: Kept;
  locations: Record<string, Location>;
  people: Record<string, Person>;
  teams: Record<string, Team>;
  tenants: Record<string, Tenant>;
  components: Record<string, Component>;
  services: Record<string, Service>;
  checks: Record<string, Check>;
  runbooks: Record<string, Runbook>;
  reports: Record<string, ScheduledReport>;
  maintenance: Record<string, Maintenance>;
  scopes: Record<string, Scope>;
  /** The OpenSLO documents that it holds, those too that nothing is made of, as they are written. */
  openslo?: OpenSloDocument[];
}

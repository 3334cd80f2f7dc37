/**
 * Which steps of escalation an open incident has come to. Pure: the clock, the beginning and what was taken come in as arguments.
 *
 *   beginning ──0s──► step 1 ──10m──► step 2 ──30m──► step 3
 *
 * The beginning is the opening, or the latest raise to a worse class, which also takes an acknowledgement back. Each step is settled
 * once from each beginning, when its time has come: taken, or not taken with the reason. An acknowledgement stops what is yet to come;
 * while all is well again and only watched, steps wait. Somebody who presses takes the next step at once, acknowledged or not.
 */
import type { IncidentClass } from './check.ts';
import type { Config, EscalationStep, Team } from './config/model.ts';
import type { Incident } from './incident.ts';
import { onCallOf } from './oncall.ts';

/** Why a step is taken, is not, or is not yet. */
export type StepReason =
  | 'waited'
  | 'pressed'
  | 'acknowledged'
  | 'other-class'
  | 'other-tier'
  | 'settled'
  | 'not-yet'
  | 'recovering'
  | 'resolved';

/** Those that settle a step for good, from this beginning. */
export type SettledReason = Extract<StepReason, 'waited' | 'pressed' | 'acknowledged' | 'other-class' | 'other-tier'>;

export interface EscalationInput {
  config: Config;
  incident: Incident;
  /** The opening, or the latest raise. */
  begunAtMs: number;
  /** Ids of the steps that were settled from this beginning. */
  settled: ReadonlySet<string>;
  nowMs: number;
}

export interface StepDecision {
  step: EscalationStep;
  /** Counts from 1. */
  place: number;
  dueAtMs: number;
  reason: StepReason;
}

/** All steps of the incident's owner with what becomes of each now, in order. A team without steps has none. */
export function decideSteps(input: EscalationInput): StepDecision[] {
  const steps = input.config.teams[input.incident.facts.owner]?.escalation ?? [];
  return steps.map((step, index) => {
    const dueAtMs = input.begunAtMs + step.afterMs;
    return { step, place: index + 1, dueAtMs, reason: reasonOf(input, step, dueAtMs) };
  });
}

/** Whether that reason settles a step: it is stored then, and not asked again. */
export function settles(reason: StepReason): reason is SettledReason {
  return ['waited', 'pressed', 'acknowledged', 'other-class', 'other-tier'].includes(reason);
}

function reasonOf(input: EscalationInput, step: EscalationStep, dueAtMs: number): StepReason {
  const { incident, settled, nowMs, config } = input;
  if (incident.state === 'resolved') return 'resolved';
  if (settled.has(step.id)) return 'settled';
  if (nowMs < dueAtMs) return 'not-yet';
  const unfit = unfitFor(config, incident, step);
  if (unfit) return unfit;
  if (incident.acknowledgedAtMs !== undefined) return 'acknowledged';
  return incident.facts.recovering ? 'recovering' : 'waited';
}

/** The next step for somebody who presses: the first that fits and was not taken. `taken`: ids of steps that somebody was called by. */
export function nextStep(config: Config, incident: Incident, taken: ReadonlySet<string>): EscalationStep | undefined {
  return fittingSteps(config, incident).find((step) => !taken.has(step.id));
}

/** The steps that are for an incident of this class and tier. */
export function fittingSteps(config: Config, incident: Incident): EscalationStep[] {
  const steps = config.teams[incident.facts.owner]?.escalation ?? [];
  return steps.filter((step) => unfitFor(config, incident, step) === undefined);
}

function unfitFor(config: Config, incident: Incident, step: EscalationStep): 'other-class' | 'other-tier' | undefined {
  if (!step.classes.includes(incident.class)) return 'other-class';
  const tier = tierOf(config, incident);
  return tier === undefined || step.tiers.includes(tier) ? undefined : 'other-tier';
}

/** The most important tier that is hit, or that nobody sees; of a component alone nobody knows. */
export function tierOf(config: Config, incident: Incident): 1 | 2 | 3 | undefined {
  const hit = incident.facts.services.map((service) => service.tier);
  const unseen = incident.facts.blind.flatMap(({ id }) => config.services[config.checks[id]?.service ?? '']?.tier ?? []);
  const tiers = hit.length > 0 ? hit : unseen;
  return tiers.length === 0 ? undefined : (Math.min(...tiers) as 1 | 2 | 3);
}

export interface Called {
  /** Ids of people, in the order in which they are named. */
  people: string[];
  /** Where a notice goes as well. */
  channel?: string;
  /** The team that was called, when it is another than the owner. */
  team?: Team;
}

/** Whom a step calls at that instant, and where. */
export function calledBy(config: Config, owner: string, step: EscalationStep, atMs: number): Called {
  const { to } = step;
  switch (to.kind) {
    case 'on-call':
      return { people: onCallOf(config, owner, atMs).people };
    case 'team':
      return { people: config.teams[owner]?.members ?? [] };
    case 'person':
      return { people: [to.person] };
    case 'channel':
      return { people: [], channel: to.channel };
    case 'other-team': {
      const team = config.teams[to.team];
      return { people: onCallOf(config, to.team, atMs).people, ...(team ? { team, channel: team.channel } : {}) };
    }
  }
}

/** Whether a class is one that people are called for unless said otherwise. */
export function isUrgent(klass: IncidentClass): boolean {
  return klass === 'full interruption' || klass === 'partial outage';
}

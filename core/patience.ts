/** What got better is told once it has lasted; what was known of an incident is kept until then. */
import { CLASSES, type IncidentClass } from './check.ts';
import type { CheckView } from './classify.ts';
import type { Config } from './config/model.ts';
import type { Facts, Incident, ServiceImpact } from './incident.ts';

/** What is better is told after this at the latest, also when what still fails is looked at once an hour. */
const LONGEST_PATIENCE_MS = 5 * 60_000;
/** What judging the course of one incident needs. */
export interface Progress {
  config: Config;
  /** All checks of the scope. */
  views: readonly CheckView[];
  /** Those of this problem that are not well. */
  bad: readonly CheckView[];
  /** Checks that are not well and belong to another problem. */
  elsewhere: ReadonlySet<string>;
  nowMs: number;
}

/** Whether the first class is the worse. */
export function worse(a: IncidentClass, b: IncidentClass): boolean {
  return CLASSES.indexOf(a) < CLASSES.indexOf(b);
}

/** Less is wrong than before, and nothing that was well. What went to another incident did not get better. */
function isBetter(input: Progress, open: Incident, now: Facts, klass: IncidentClass): boolean {
  const before = open.facts;
  const [bad, known] = [new Set(now.members), new Set(before.members)];
  const isLess = bad.size < known.size || worse(open.class, klass);
  return isLess && bad.isSubsetOf(known) && !before.members.some((member) => input.elsewhere.has(member));
}

export interface Patient {
  facts: Facts;
  klass: IncidentClass;
  /** When what is better has lasted. */
  againAtMs?: number;
}

/** While all is up again, and until what is better has lasted for an interval of what still fails, the post says what it said. */
export function patient(input: Progress, open: Incident, now: Facts, klass: IncidentClass): Patient {
  if (worse(klass, open.class) || !isBetter(input, open, now, klass)) return { facts: now, klass };
  const betterSinceMs = open.facts.betterSinceMs ?? input.nowMs;
  const roundMs = Math.min(LONGEST_PATIENCE_MS, Math.max(0, ...input.bad.map((view) => view.check.everyMs)));
  const { betterSinceMs: _since, ...settled } = now;
  const againAtMs = betterSinceMs + roundMs;
  if (!now.recovering && input.nowMs >= againAtMs) return { facts: settled, klass };
  const { services, components, tenants, tenantsTotal, offers, sinceMs, members, suspects, likelyCause } = open.facts;
  const kept = { services, components, tenants, tenantsTotal, offers, sinceMs, members, suspects, ...(likelyCause ? { likelyCause } : {}) };
  return { facts: { ...now, ...kept, betterSinceMs }, klass: open.class, ...(now.recovering ? {} : { againAtMs }) };
}

/**
 * People were hurt since the first symptom, though that one may be well again. A component that was in trouble before anybody
 * was hurt is told as the cause, not as the beginning.
 */
export function carry(before: Facts, now: Facts): Facts {
  const facts = {
    ...now,
    services: now.services.map((service) => withKnownFailures(service, before)),
    shown: before.shown,
    ...(before.outlived === undefined ? {} : { outlived: before.outlived }),
  };
  const alike = before.services.length > 0 === now.services.length > 0;
  return alike ? { ...facts, sinceMs: Math.min(before.sinceMs, now.sinceMs) } : facts;
}

/** A check that is up again, but not yet for long enough, shows no failure any more: what it was stays said until the end. */
function withKnownFailures(service: ServiceImpact, before: Facts): ServiceImpact {
  const known = before.services.find((one) => one.id === service.id);
  const symptoms = service.symptoms.map((symptom) => {
    const failure = symptom.failure ?? known?.symptoms.find((one) => one.template === symptom.template)?.failure;
    return failure ? { ...symptom, failure } : symptom;
  });
  return { ...service, symptoms };
}

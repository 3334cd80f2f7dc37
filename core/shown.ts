/** What people were shown of an incident, and how long what merely keeps it current waits. */
import type { IncidentClass } from './check.ts';
import type { Facts } from './incident.ts';
import { stableHash } from './run.ts';
import { headlineOf } from './words.ts';

/** Updates wait 5, 10, 20, 40, 60, 60 … s for each other: seven in five minutes, so that raises leave it at ten. */
const FIRST_PACE_MS = 5_000;
const LONGEST_PACE_MS = 60_000;
const PACE_WINDOW_MS = 5 * 60_000;
const PACED_UPDATES = 12;

/**
 * What people act on: when this changes, buttons of before no longer hold. Facts come back from the database with their keys
 * in another order, so objects are spelled out.
 */
function material(facts: Facts): string {
  const services = facts.services.map((service) => [service.id, service.class]);
  const offers = facts.offers.map((offer) => [offer.runbook, Object.entries(offer.target).sort()]);
  return JSON.stringify([services, ids(facts.tenants), offers, ids(facts.components), ids(facts.locations)]);
}

/** What people see: when this changes, the post is brought up to date. Numbers that tick every round are not in it. */
function visible(facts: Facts): string {
  const symptoms = facts.services.flatMap((service) =>
    service.symptoms.map((one) => [one.template, one.verdict, one.failure?.step, one.failure?.kind]),
  );
  const isBetter = facts.betterSinceMs !== undefined;
  return JSON.stringify([
    isBetter,
    symptoms,
    facts.seenFrom,
    facts.recovering,
    facts.roundsLeft,
    facts.likelyCause && facts.suspects[0]?.id,
    facts.root,
    facts.changes.map((change) => change.id),
    facts.burns.map((burn) => [burn.service, burn.slo, burn.tenant]),
    facts.locations.map((one) => [one.id, one.kind]),
    ids(facts.blind),
  ]);
}

/** Ids in their order. */
export function ids(list: readonly { id: string }[]): string[] {
  return list.map((one) => one.id);
}

/** Whether people would act otherwise now than on what they were shown. */
export function isMaterial(facts: Facts, shown: Facts['shown']): boolean {
  return stableHash(material(facts)) !== shown.material;
}

/** Whether people see something else now than what they were shown. */
export function isVisible(facts: Facts, shown: Facts['shown']): boolean {
  return visibleHash(facts) !== shown.visible;
}

/** A hash of all that people see of it. */
export function visibleHash(facts: Facts): number {
  return stableHash(visible(facts));
}

/** The facts, as shown at that time. `before`: when it was brought up to date until then. */
export function withShown(facts: Facts, klass: IncidentClass, before: readonly number[], nowMs: number): Facts {
  const atMs = [...before, nowMs].slice(-PACED_UPDATES);
  const shown = { atMs, visible: stableHash(visible(facts)), material: stableHash(material(facts)), headline: headlineOf(facts, klass) };
  return { ...facts, shown };
}

/** How long an update still has to wait. One that raises or lowers the class waits for nothing. */
export function paceMs(shown: readonly number[], nowMs: number): number {
  const recent = shown.filter((at) => at > nowMs - PACE_WINDOW_MS);
  const last = recent.at(-1);
  if (last === undefined) return 0;
  return Math.max(0, last + Math.min(LONGEST_PACE_MS, FIRST_PACE_MS * 2 ** (recent.length - 1)) - nowMs);
}

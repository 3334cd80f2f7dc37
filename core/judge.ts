/**
 * The second step of evaluation: all checks of a scope are judged together, under the scope's lock.
 *
 *             trouble             worse                       better
 *   (none) ───────────► open ───────────► open (raised) ───────────► open (lowered)
 *                         │                                              │
 *                         └──────────── nothing held any more ───────────┴──► resolved
 *
 * A scope has at most one open incident: what fails together in services that stand on the same components is one problem
 * until something shows otherwise. The class is that of the worst service; when no service is hit, `risk` for a component in
 * trouble, else `blind` for checks that nobody sees. What gets better is told once it has lasted for a round of what still
 * fails: on the way to the end, checks settle one by one, and each is no news of its own. Everything is made anew from what is
 * held, so the end is derived and never remembered. Pure: the clock, the actions' words and the repairs come in as arguments.
 */
import { CLASSES, type IncidentClass } from './check.ts';
import { isBad } from './classify.ts';
import { spanInWords } from './duration.ts';
import { assess, type JudgeInput, pictureOf, type Reasoned } from './facts.ts';
import type { Facts, Incident, ServiceImpact, TimelineEntry } from './incident.ts';
import { headlineOf, listInWords } from './words.ts';

/** What is better is told after this at the latest, also when what still fails is looked at once an hour. */
const LONGEST_PATIENCE_MS = 5 * 60_000;

export type Change =
  | { kind: 'none' }
  | { kind: 'open'; class: IncidentClass; channel: string; facts: Facts; beganAtMs: number; pictureId?: number; timeline: TimelineEntry[] }
  | {
      kind: 'update';
      class: IncidentClass;
      peak: IncidentClass;
      facts: Facts;
      /** Buttons of the earlier state no longer hold. */
      material: boolean;
      reason: string;
      pictureId?: number;
      timeline: TimelineEntry[];
    }
  | { kind: 'resolve'; facts: Facts; resolution: string; reason: string; timeline: TimelineEntry[] };

export interface Judgement {
  change: Change;
  decisions: Reasoned[];
}

/** Judges a scope. */
export function judge(input: JudgeInput): Judgement {
  const { facts, klass, decisions } = assess(input);
  const { open } = input;
  if (!open && klass === 'none') return { change: { kind: 'none' }, decisions: [] };
  if (!open && klass !== 'none') return opened(input, facts, klass, decisions);
  if (open && klass === 'none') return resolved(input, open, facts, decisions);
  return updated(input, open as Incident, facts, klass as IncidentClass, decisions);
}

function worse(a: IncidentClass, b: IncidentClass): boolean {
  return CLASSES.indexOf(a) < CLASSES.indexOf(b);
}

function opened(input: JudgeInput, facts: Facts, klass: IncidentClass, decisions: Reasoned[]): Judgement {
  const channel = input.config.teams[facts.owner]?.channel ?? '';
  const reason = facts.services[0]?.reason ?? (klass === 'risk' ? 'component-only' : 'blind');
  const entry: TimelineEntry = { kind: 'opened', class: klass, reason, headline: headlineOf(facts, klass), seenFrom: facts.seenFrom };
  return {
    change: { kind: 'open', class: klass, channel, facts, beganAtMs: facts.sinceMs, ...pictureOf(input), timeline: [entry] },
    decisions: [
      ...decisions,
      { subject: 'incident', reason: 'opened', inputs: { class: klass, seenFrom: facts.seenFrom, since: facts.sinceMs } },
      { subject: 'post', reason: 'first-notification', inputs: { channel, class: klass } },
    ],
  };
}

/**
 * What people act on: when this changes, buttons of before no longer hold. Facts come back from the database with their keys
 * in another order, so objects are spelled out.
 */
function material(facts: Facts): string {
  const services = facts.services.map((service) => [service.id, service.class]);
  const offers = facts.offers.map((offer) => [offer.runbook, Object.entries(offer.target).sort()]);
  return JSON.stringify([services, ids(facts.tenants), offers, ids(facts.components)]);
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
    Boolean(facts.likelyCause),
    ids(facts.blind),
  ]);
}

function ids(list: readonly { id: string }[]): string[] {
  return list.map((one) => one.id);
}

/** What became of the class and the impact, by name. */
function changeReason(open: Incident, facts: Facts, klass: IncidentClass, headline: string): string {
  if (worse(klass, open.class)) return 'class-raised';
  if (worse(open.class, klass)) return 'class-lowered';
  if (facts.recovering) return 'recovering';
  if (facts.betterSinceMs !== undefined) return 'shown-anew';
  return headline === headlineOf(open.facts, open.class) ? 'shown-anew' : 'impact-changed';
}

/** The line that the thread gets for it; what only keeps the post current has none. */
function entryOf(reason: string, open: Incident, facts: Facts, klass: IncidentClass, headline: string): TimelineEntry[] {
  if (reason === 'class-raised' || reason === 'class-lowered') {
    const onCall = reason === 'class-raised' ? { onCall: ids(facts.onCall) } : {};
    return [{ kind: reason, from: open.class, to: klass, headline, reason: facts.services[0]?.reason ?? klass, ...onCall }];
  }
  return reason === 'impact-changed' ? [{ kind: reason, headline }] : [];
}

/** Ids of the checks that the facts are about. */
function badChecks(facts: Facts): Set<string> {
  const ofServices = facts.services.flatMap((service) => service.symptoms.flatMap((symptom) => symptom.checks));
  return new Set([...ofServices, ...facts.components.map((component) => component.check)]);
}

/** Less is wrong than before, and nothing that was well. */
function isBetter(now: Facts, before: Facts): boolean {
  const [bad, known] = [badChecks(now), badChecks(before)];
  return bad.size < known.size && bad.isSubsetOf(known);
}

/** While all is up again, and until what is better has lasted for an interval of what still fails, the post says what it said. */
function patient(input: JudgeInput, open: Incident, now: Facts, klass: IncidentClass): { facts: Facts; klass: IncidentClass } {
  if (worse(klass, open.class) || !isBetter(now, open.facts)) return { facts: now, klass };
  const betterSinceMs = open.facts.betterSinceMs ?? input.nowMs;
  const roundMs = Math.min(LONGEST_PATIENCE_MS, Math.max(0, ...input.views.filter(isBad).map((view) => view.check.everyMs)));
  const { betterSinceMs: _since, ...settled } = now;
  if (!now.recovering && input.nowMs - betterSinceMs >= roundMs) return { facts: settled, klass };
  const { services, components, tenants, tenantsTotal, offers, sinceMs, likelyCause } = open.facts;
  const kept = { services, components, tenants, tenantsTotal, offers, sinceMs, ...(likelyCause ? { likelyCause } : {}) };
  return { facts: { ...now, ...kept, betterSinceMs }, klass: open.class };
}

function updated(input: JudgeInput, open: Incident, now: Facts, nowClass: IncidentClass, decisions: Reasoned[]): Judgement {
  const { facts, klass } = patient(input, open, carry(open.facts, now), nowClass);
  const isMaterial = klass !== open.class || material(facts) !== material(open.facts);
  if (!isMaterial && visible(facts) === visible(open.facts)) return { change: { kind: 'none' }, decisions: [] };
  const headline = headlineOf(facts, klass);
  const reason = changeReason(open, facts, klass, headline);
  const keepsPicture = open.pictureId !== undefined && reason !== 'class-raised';
  return {
    change: {
      kind: 'update',
      class: klass,
      peak: worse(klass, open.peak) ? klass : open.peak,
      facts,
      material: isMaterial,
      reason,
      ...(keepsPicture ? {} : pictureOf(input)),
      timeline: entryOf(reason, open, facts, klass, headline),
    },
    decisions: [
      ...decisions,
      { subject: 'incident', reason, inputs: { from: open.class, class: klass, tenants: facts.tenants.map((tenant) => tenant.id) } },
      { subject: 'post', reason, inputs: { headline } },
    ],
  };
}

/**
 * People were hurt since the first symptom, though that one may be well again. A component that was in trouble before anybody
 * was hurt is told as the cause, not as the beginning.
 */
function carry(before: Facts, now: Facts): Facts {
  const facts = { ...now, services: now.services.map((service) => withKnownFailures(service, before)) };
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

function resolved(input: JudgeInput, open: Incident, facts: Facts, decisions: Reasoned[]): Judgement {
  const known = new Set(input.views.map((view) => view.check.id));
  const gone = ![...badChecks(open.facts), ...ids(open.facts.blind)].some((id) => known.has(id));
  const afterMs = input.nowMs - open.beganAtMs;
  const by = input.repair ? `Fixed by "${input.repair.title}" (${input.repair.by}).` : 'No runbook was run.';
  const text = gone ? 'Its checks were removed from the configuration: it is no longer watched.' : by;
  const reason = gone ? 'retired' : 'resolved';
  const checks = input.views.map((view) => view.check.id);
  return {
    change: {
      kind: 'resolve',
      // What was wrong stays readable in the closed post; of what nobody saw beside it, what is still so.
      facts: {
        ...open.facts,
        offers: [],
        recovering: false,
        roundsLeft: 0,
        blind: open.class === 'blind' ? open.facts.blind : facts.blind,
      },
      resolution: gone ? `Closed after ${spanInWords(afterMs)}. ${text}` : `Resolved after ${spanInWords(afterMs)}. ${text}`,
      reason,
      timeline: [{ kind: 'resolved', afterMs, reason, text }],
    },
    decisions: [
      ...decisions,
      { subject: 'incident', reason, inputs: { afterMs, checks: listInWords(checks, 20) } },
      { subject: 'post', reason: 'resolved', inputs: { channel: open.channel } },
    ],
  };
}

/**
 * What becomes of one incident.
 *
 *             trouble             worse                       better
 *   (none) ───────────► open ───────────► open (raised) ───────────► open (lowered)
 *                        │ │                                             │
 *                        │ └── the same problem as an older one ──► merged│
 *                        └──────────── nothing held any more ────────────┴──► resolved
 *
 * Worse is told at once. What gets better is told once it has lasted for a round of what still fails: on the way to the end, checks settle
 * one by one, and each is no news of its own. What merely keeps the post current is paced, the more the longer it goes on. Everything is
 * made anew from what is held, so the end is derived and never remembered. Pure: the clock comes in as an argument.
 */
import type { IncidentClass } from './check.ts';
import { spanInWords } from './duration.ts';
import { type Assessment, pictureOf, type Reasoned } from './facts.ts';
import { type Facts, type Incident, incidentName, type TimelineEntry } from './incident.ts';
import { carry, type Patient, type Progress, patient, worse } from './patience.ts';
import { ids, isMaterial, isVisible, paceMs, visibleHash, withShown } from './shown.ts';
import { headlineOf, listInWords } from './words.ts';

export interface Resolving {
  nowMs: number;
  /** Whether the configuration still has the check. */
  isKnown(check: string): boolean;
  /** The last action that was done in this incident. */
  repair?: { title: string; by: string };
}

export interface Judged {
  change: Change;
  decisions: Reasoned[];
  /** To be judged again at this time, though nothing new may come. */
  againAtMs?: number;
}

const NOTHING: Judged = { change: { kind: 'none' }, decisions: [] };

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
      /** Otherwise it is only noted. */
      told: boolean;
      reason: string;
      pictureId?: number;
      timeline: TimelineEntry[];
    }
  /** The younger of two that are one problem: it ends, and points to the older. */
  | { kind: 'merge'; into: number; facts: Facts; resolution: string; timeline: TimelineEntry[] }
  | { kind: 'resolve'; facts: Facts; resolution: string; reason: string; timeline: TimelineEntry[] };

/** A problem that nobody knew. */
export function opened(input: Progress, { facts, klass, decisions }: Assessment): Judged {
  const channel = input.config.teams[facts.owner]?.channel ?? '';
  const reason = facts.services[0]?.reason ?? (klass === 'risk' ? 'component-only' : 'blind');
  const entry: TimelineEntry = { kind: 'opened', class: klass, reason, headline: headlineOf(facts, klass), seenFrom: facts.seenFrom };
  return {
    change: {
      kind: 'open',
      class: klass,
      channel,
      facts: withShown(facts, klass, [], input.nowMs),
      beganAtMs: facts.sinceMs,
      ...pictureOf(input),
      timeline: [entry],
    },
    decisions: [
      ...decisions,
      { subject: 'incident', reason: 'opened', inputs: { class: klass, root: facts.root, seenFrom: facts.seenFrom, since: facts.sinceMs } },
      { subject: 'post', reason: 'first-notification', inputs: { channel, class: klass } },
    ],
  };
}

/** What became of the class and the impact, by name. */
function changeReason(open: Incident, facts: Facts, klass: IncidentClass, headline: string): string {
  if (worse(klass, open.class)) return 'class-raised';
  if (worse(open.class, klass)) return 'class-lowered';
  if (facts.recovering) return 'recovering';
  if (facts.betterSinceMs !== undefined) return 'shown-anew';
  return headline === open.facts.shown.headline ? 'shown-anew' : 'impact-changed';
}

/** The line that the thread gets for it; what only keeps the post current has none. */
function entryOf(reason: string, open: Incident, facts: Facts, klass: IncidentClass, headline: string): TimelineEntry[] {
  if (reason === 'class-raised' || reason === 'class-lowered') {
    const onCall = reason === 'class-raised' ? { onCall: ids(facts.onCall) } : {};
    return [{ kind: reason, from: open.class, to: klass, headline, reason: facts.services[0]?.reason ?? klass, ...onCall }];
  }
  return reason === 'impact-changed' ? [{ kind: reason, headline }] : [];
}

/** What becomes of an incident that is open. */
export function updated(input: Progress, open: Incident, assessed: Assessment): Judged {
  const patience = patient(input, open, carry(open.facts, assessed.facts), assessed.klass);
  const judged = tell(input, open, assessed, patience);
  const again = [judged.againAtMs, patience.againAtMs].filter((atMs) => atMs !== undefined);
  return again.length === 0 ? judged : { ...judged, againAtMs: Math.min(...again) };
}

function tell(input: Progress, open: Incident, assessed: Assessment, { facts, klass }: Patient): Judged {
  const { shown } = open.facts;
  const changes = klass !== open.class || isMaterial(facts, shown);
  const waits = waiting(open, facts);
  const outlived = outlivedLine(input, open, facts, klass);
  if (!changes && outlived.length === 0 && !isVisible(facts, shown)) return noted(open, facts, waits);
  const atOnce = klass !== open.class || outlived.length > 0;
  const waitMs = atOnce ? 0 : paceMs(shown.atMs, input.nowMs);
  if (waitMs > 0) return paced(open, facts, input.nowMs + waitMs, waits);
  const headline = headlineOf(facts, klass);
  const reason = outlived.length > 0 && klass === open.class ? 'outlived-cause' : changeReason(open, facts, klass, headline);
  const keepsPicture = open.pictureId !== undefined && reason !== 'class-raised';
  const told = withShown(facts, klass, shown.atMs, input.nowMs);
  return {
    change: {
      kind: 'update',
      class: klass,
      peak: worse(klass, open.peak) ? klass : open.peak,
      facts: outlived.length > 0 ? { ...told, outlived: open.facts.root } : told,
      material: changes,
      told: true,
      reason,
      ...(keepsPicture ? {} : pictureOf(input)),
      timeline: [...entryOf(reason, open, facts, klass, headline), ...outlived],
    },
    decisions: [
      ...assessed.decisions,
      ...waits,
      { subject: 'incident', reason, inputs: { from: open.class, class: klass, root: facts.root, tenants: ids(facts.tenants) } },
      { subject: 'post', reason, inputs: { headline } },
    ],
  };
}

/** Who belongs to it, and since when it is better, is kept also when nobody is told. */
function noted(open: Incident, facts: Facts, decisions: Reasoned[]): Judged {
  const kept = (one: Facts) => JSON.stringify([one.root, one.members, one.betterSinceMs, one.shown.paced]);
  if (kept(facts) === kept(open.facts)) return NOTHING;
  const { class: klass, peak } = open;
  const change = { kind: 'update' as const, class: klass, peak, facts, material: false, told: false, reason: 'noted', timeline: [] };
  return { change, decisions };
}

/** An update that waits for those before it: decided once for what people would see. */
function paced(open: Incident, facts: Facts, againAtMs: number, waits: Reasoned[]): Judged {
  const hash = visibleHash(facts);
  const isNew = open.facts.shown.paced !== hash;
  const decision = { subject: 'update', reason: 'paced', inputs: { until: againAtMs } };
  const kept = { ...facts, shown: { ...facts.shown, paced: hash } };
  return { ...noted(open, kept, [...waits, ...(isNew ? [decision] : [])]), againAtMs };
}

/** What is better is not told before it has lasted: decided when it begins to wait. */
function waiting(open: Incident, facts: Facts): Reasoned[] {
  if (facts.betterSinceMs === undefined || open.facts.betterSinceMs !== undefined) return [];
  return [{ subject: 'update', reason: 'waits-until-it-lasts', inputs: { since: facts.betterSinceMs } }];
}

/** Its cause is well again, and it goes on in runs that were planned since: that is said once. */
function outlivedLine(input: Progress, open: Incident, facts: Facts, klass: IncidentClass): TimelineEntry[] {
  const [kind, cause] = open.facts.root.split(':');
  if (kind !== 'component' || cause === undefined || facts.outlived === open.facts.root || facts.root !== open.facts.root) return [];
  const own = input.views.filter((view) => view.check.component === cause);
  if (own.length === 0 || own.some((view) => view.state.held !== 'up')) return [];
  const wellSinceMs = Math.max(...own.map((view) => view.state.heldSinceMs));
  const fails = input.bad.some(
    ({ state }) =>
      (state.moment === 'down' || state.moment === 'degraded') &&
      Object.values(state.locations).some((said) => said.verdict !== 'up' && said.plannedAtMs > wellSinceMs),
  );
  const title = input.config.components[cause]?.title ?? cause;
  return fails ? [{ kind: 'outlived-cause', cause: title, headline: headlineOf(facts, klass) }] : [];
}

/** Nothing of it is held any more. */
export function resolved(input: Resolving, open: Incident): Judged {
  const about = [...open.facts.members, ...ids(open.facts.blind)];
  const gone = about.length > 0 && !about.some((id) => input.isKnown(id));
  const afterMs = input.nowMs - open.beganAtMs;
  const by = input.repair ? `Fixed by "${input.repair.title}" (${input.repair.by}).` : 'No runbook was run.';
  const text = gone ? 'Its checks were removed from the configuration: it is no longer watched.' : by;
  const reason = gone ? 'retired' : 'resolved';
  return {
    change: {
      kind: 'resolve',
      facts: { ...open.facts, offers: [], recovering: false, roundsLeft: 0, blind: open.class === 'blind' ? open.facts.blind : [] },
      resolution: gone ? `Closed after ${spanInWords(afterMs)}. ${text}` : `Resolved after ${spanInWords(afterMs)}. ${text}`,
      reason,
      timeline: [{ kind: 'resolved', afterMs, reason, text }],
    },
    decisions: [
      { subject: 'incident', reason, inputs: { afterMs, checks: listInWords(about, 20) } },
      { subject: 'post', reason: 'resolved', inputs: { channel: open.channel } },
    ],
  };
}

/** It turned out to be the same problem as an older incident. */
export function merged(input: Pick<Progress, 'config'>, open: Incident, into: Incident, root: string): Judged {
  const [kind, id] = root.split(':');
  const title = (kind === 'component' && input.config.components[id ?? '']?.title) || '';
  const cause = title ? `the same cause: ${title}` : 'the same problem';
  return {
    change: {
      kind: 'merge',
      into: into.id,
      facts: { ...open.facts, offers: [], recovering: false, roundsLeft: 0 },
      resolution: `Told on in ${incidentName(into.id)}: ${cause}.`,
      timeline: [{ kind: 'merged', into: into.id, cause }],
    },
    decisions: [
      { subject: 'incident', reason: 'merged', inputs: { into: into.id, root } },
      { subject: 'post', reason: 'merged', inputs: { into: into.id } },
    ],
  };
}

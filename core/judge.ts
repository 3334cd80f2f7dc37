/**
 * The second step of evaluation: all checks of a scope are judged together, under the scope's lock.
 *
 *   what is not well ─► kept back by maintenance or a silence, unless an open incident has it already (`core/quiet.ts`)
 *                    ─► put together to problems (`core/correlate.ts`)
 *                    ─► with budgets that burn, and checks that nobody sees
 *   each problem     ─► what is known of it (`core/facts.ts`), who is suspected (`core/cause.ts`)
 *                    ─► what becomes of its incident (`core/progress.ts`)
 *   open incidents without a problem end.
 *
 * The class is that of the worst service; when no service is hit, `risk` for a component in trouble, else `blind` for checks that nobody
 * sees. Nothing is kept back without a decision that says so. Pure: the clock, the actions' words and the repairs come in as arguments.
 */
import type { CheckView } from './classify.ts';
import { isBad } from './classify.ts';
import { correlate, type Group } from './correlate.ts';
import { assess, type Problem, type Reasoned } from './facts.ts';
import { standsOn } from './graph.ts';
import type { Incident } from './incident.ts';
import { blindsBy, type LocationTrouble } from './location.ts';
import { type Judged, merged, opened, type Progress, resolved, updated } from './progress.ts';
import { type Quiet, quietOf } from './quiet.ts';
import type { Burn } from './slo/burn.ts';

export type { Change, Judged } from './progress.ts';

/** What a scope remembers from one judgement to the next. */
export interface ScopeMemory {
  /** By the maintenance or silence: the checks that it keeps back, so that each is decided once. */
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
interface Draft extends Group {
  /** Components in trouble that belong to it and are not to be told: they still say why. */
  mute: CheckView[];
  blind: CheckView[];
  burns: Burn[];
}

/** Rollups are some seconds late. */
const BURN_SLACK_MS = 60_000;

interface Budgets {
  memory: Pick<ScopeMemory, 'explained' | 'burning'>;
  /** When to look at one again. */
  again: number[];
}

/** Of a problem in which no check is known to fail. */
const NOBODY = { bad: [], mute: [], blind: [] };

/** Judges a scope. */
export function judgeScope(input: ScopeInput): ScopeJudgement {
  const held = keepBack(input);
  const open = input.open.toSorted((a, b) => a.id - b.id);
  const mute = new Set(held.mute);
  const drafts = correlate({ ...input, bad: [...held.loud, ...held.mute], open }).flatMap((group): Draft[] => {
    const bad = group.bad.filter((view) => !mute.has(view));
    const why = group.bad.filter((view) => mute.has(view) && view.check.component !== undefined);
    return bad.length === 0 && !group.incident ? [] : [{ ...group, bad, mute: why, blind: [], burns: [] }];
  });
  const budgets = placeBurns(input, drafts, open, held);
  placeBlind(input, drafts, open);
  const elsewhere = (draft: Draft) => new Set(drafts.flatMap((one) => (one === draft ? [] : one.bad.map((view) => view.check.id))));
  const outcomes = drafts.flatMap((draft) => outcomesOf(input, draft, elsewhere(draft), held));
  const going = new Set(drafts.flatMap((draft) => [draft.incident, ...draft.absorbs]));
  for (const incident of open) {
    if (going.has(incident)) continue;
    const repair = input.repairs.get(incident.id);
    const isKnown = (check: string) => input.config.checks[check] !== undefined;
    outcomes.push({ incident, ...resolved({ nowMs: input.nowMs, isKnown, ...(repair ? { repair } : {}) }, incident) });
  }
  const again = [...budgets.again, ...outcomes.flatMap((outcome) => outcome.againAtMs ?? [])];
  return {
    outcomes,
    decisions: held.decisions,
    memory: { quieted: held.quieted, ...budgets.memory },
    ...(again.length > 0 ? { againAtMs: Math.min(...again) } : {}),
  };
}

/** The reason why what is up again opens nothing. */
const COMING_BACK = { kind: 'recovery', id: 'recovery', title: 'up again, for fewer rounds than it takes' };

/** What maintenance and silences keep back, and the decisions that say so. */
interface Held {
  loud: CheckView[];
  mute: CheckView[];
  quieted: Record<string, string[]>;
  decisions: Reasoned[];
}

/** Parts what may be told from what maintenance and silences keep back. What an open incident has already is told on. */
function keepBack(input: ScopeInput): Held {
  const bad = input.views.filter(isBad);
  const held: Held = { loud: bad, mute: [], quieted: {}, decisions: [] };
  if (input.quiets.length === 0) return held;
  const members = new Set(input.open.flatMap((incident) => incident.facts.members));
  const kept = Map.groupBy(bad, (view) => (members.has(view.check.id) ? undefined : quietOf(view.check, input.quiets, input.config)));
  for (const [quiet, views] of kept) {
    if (!quiet) continue;
    const checks = views.map((view) => view.check.id);
    held.mute.push(...views);
    quieten(held, input.memory, quiet, checks, (fresh) => ({ checks: fresh }));
  }
  held.loud = kept.get(undefined) ?? [];
  return held;
}

/** Keeps these back, and decides on those that were not kept back before. */
function quieten(
  held: Held,
  memory: ScopeMemory,
  quiet: Pick<Quiet, 'id' | 'title'> & { kind: string },
  keys: readonly string[],
  inputs: (fresh: string[]) => Record<string, unknown>,
): void {
  held.quieted[quiet.id] = [...(held.quieted[quiet.id] ?? []), ...keys];
  const known = new Set(memory.quieted[quiet.id]);
  const fresh = keys.filter((key) => !known.has(key));
  if (fresh.length === 0) return;
  const about = { quiet: quiet.id, title: quiet.title, ...inputs(fresh) };
  held.decisions.push({ subject: 'quiet', reason: `suppressed-by-${quiet.kind}`, inputs: about });
}

/**
 * Adds budgets that burn to the problem that hits their service, or a component that it stands on; one that burns by itself is a problem of
 * its own. A budget burns on for as long as its short window looks back when an outage is over: what an incident has told of opens no other
 * until then, and holds none open.
 */
function placeBurns(input: ScopeInput, drafts: Draft[], open: readonly Incident[], held: Held): Budgets {
  const explained: Record<string, number> = {};
  const again: number[] = [];
  const burning = new Set<string>();
  for (const burn of input.burns) {
    const key = [burn.service, burn.slo, burn.tenant ?? ''].join('/');
    const isFirst = input.memory.burning.includes(key);
    const own = isFirst ? open.find((incident) => incident.facts.burns.some((one) => one.service === burn.service)) : undefined;
    const hit = hitBy(input, burn, drafts);
    const endsMs = (input.memory.explained[key] ?? Number.NEGATIVE_INFINITY) + burn.shortMs + BURN_SLACK_MS;
    if (isFirst) burning.add(key);
    if (hit) {
      hit.burns.push(burn);
      if (!isFirst) explained[key] = input.nowMs;
      if (own) join(hit, own);
    } else if (endsMs > input.nowMs) {
      explained[key] = input.memory.explained[key] ?? 0;
      again.push(endsMs);
    } else if (burnsAlone(input, burn, own, drafts, held)) burning.add(key);
  }
  return { memory: { explained, burning: [...burning] }, again };
}

/** The problem that fails the service, or a component in trouble below it. */
function hitBy({ config }: ScopeInput, { service }: Burn, drafts: readonly Draft[]): Draft | undefined {
  const below = standsOn(config, { service });
  const direct = drafts.find((draft) => draft.bad.some((view) => view.check.service === service));
  return (
    direct ?? drafts.find(({ root, bad }) => bad.length > 0 && root.startsWith('component:') && below.has(root.slice('component:'.length)))
  );
}

function join(draft: Draft, incident: Incident): void {
  if (!draft.incident) draft.incident = incident;
  else if (incident.id < draft.incident.id) {
    draft.absorbs.push(draft.incident);
    draft.incident = incident;
  } else if (incident !== draft.incident) draft.absorbs.push(incident);
}

/** Returns whether it is told. */
function burnsAlone(input: ScopeInput, burn: Burn, own: Incident | undefined, drafts: Draft[], held: Held): boolean {
  const known = drafts.find((draft) => draft.bad.length === 0 && draft.burns.some((one) => one.service === burn.service));
  const quiet = own ? undefined : input.quiets.find((one) => quietsBurn(one, burn));
  if (quiet) quieten(held, input.memory, quiet, [`burn/${burn.service}/${burn.slo}`], () => ({ slo: burn.slo, service: burn.service }));
  else if (known) known.burns.push(burn);
  else drafts.push({ ...NOBODY, root: `service:${burn.service}`, burns: [burn], absorbs: [], ...(own ? { incident: own } : {}) });
  return !quiet;
}

function quietsBurn(quiet: Quiet, burn: Burn): boolean {
  if (quiet.components.length > 0 || quiet.checks.length > 0) return false;
  const ofService = quiet.services.length === 0 || quiet.services.includes(burn.service);
  return ofService && (quiet.tenants.length === 0 || (burn.tenant !== undefined && quiet.tenants.includes(burn.tenant)));
}

/** Adds checks that nobody sees to a problem of their service; of others they are a problem of their own, unless a location is why. */
function placeBlind(input: ScopeInput, drafts: Draft[], open: readonly Incident[]): void {
  const blind = input.views.filter(
    ({ check, state }) => state.moment === 'blind' && blindsBy(input.locations, check, input.nowMs).length === 0,
  );
  const alone: CheckView[] = [];
  for (const view of blind) {
    const { service, component } = view.check;
    const hit = drafts.find(
      (draft) =>
        draft.bad.includes(view) ||
        draft.bad.some(({ check }) => (service === undefined ? check.component === component : check.service === service)),
    );
    if (hit) hit.blind.push(view);
    else if (!quietOf(view.check, input.quiets, input.config)) alone.push(view);
  }
  if (alone.length === 0) return;
  const incident = open.find((one) => one.root === BLIND_ROOT);
  drafts.push({ ...NOBODY, root: BLIND_ROOT, blind: alone, burns: [], absorbs: [], ...(incident ? { incident } : {}) });
}

/** Of the problem that checks are not seen. */
export const BLIND_ROOT = 'blind:checks';

function outcomesOf(input: ScopeInput, draft: Draft, elsewhere: ReadonlySet<string>, held: Held): Outcome[] {
  const { incident } = draft;
  const progress: Progress = { ...input, bad: draft.bad, elsewhere };
  const assessed = assess({ ...input, ...draft });
  const absorbed = incident ? draft.absorbs.map((one) => ({ incident: one, ...merged(input, one, incident, draft.root) })) : [];
  if (!incident && isComingBack(draft)) {
    quieten(held, input.memory, COMING_BACK, assessed.facts.members, (fresh) => ({ checks: fresh }));
    return [];
  }
  if (!incident) return [opened(progress, assessed)];
  const judged = updated(progress, incident, assessed);
  // What merely keeps the post current calls nobody.
  const calls = judged.change.kind === 'update' && judged.change.timeline.length > 0;
  const quiet = calls ? silencing(input, draft, incident) : undefined;
  if (!quiet) return [{ incident, ...judged }, ...absorbed];
  quieten(held, input.memory, quiet, [`incident/${incident.id}`], () => ({ incident: incident.id }));
  return absorbed;
}

/** Everything of it is up again, only not yet for enough rounds: nobody is called for what is over. */
function isComingBack({ bad, burns, blind }: Draft): boolean {
  if (bad.length === 0 || burns.length > 0 || blind.length > 0) return false;
  return bad.every(({ state }) => state.moment === 'up' && !state.lone && !state.split);
}

/** A silence of all of it that began after it was told keeps back its raises and lines. Its end is always told. */
function silencing(input: ScopeInput, draft: Draft, incident: Incident): Quiet | undefined {
  if (draft.bad.length === 0) return undefined;
  const covering = draft.bad.map((view) =>
    quietOf(
      view.check,
      input.quiets.filter((quiet) => quiet.fromMs >= incident.openedAtMs),
      input.config,
    ),
  );
  return covering.every((quiet) => quiet !== undefined) ? covering[0] : undefined;
}

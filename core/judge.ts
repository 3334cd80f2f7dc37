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

import { placeBurns } from './budgets.ts';
import type { CheckView } from './classify.ts';
import { correlate } from './correlate.ts';
import { assess } from './facts.ts';
import type { Facts, Incident } from './incident.ts';
import { COMING_BACK, type Held, keepBack, quieten, UNSEEN } from './keep-back.ts';
import { blindsBy } from './location.ts';
import type { Progress } from './patience.ts';
import { type Change, merged, opened, resolved, updated } from './progress.ts';
import { type Quiet, quietOf } from './quiet.ts';
import { type Draft, NOBODY, type Outcome, type ScopeInput, type ScopeJudgement } from './scope.ts';

export type { Change, Judged } from './progress.ts';
export { NO_MEMORY, type Outcome, type ScopeInput, type ScopeJudgement, type ScopeMemory } from './scope.ts';

/** Judges a scope. */
export function judgeScope(input: ScopeInput): ScopeJudgement {
  const held = keepBack(input);
  const open = input.open.toSorted((a, b) => a.id - b.id);
  const mute = new Set(held.mute);
  const drafts = correlate({ ...input, bad: [...held.loud, ...held.mute], open, mute }).flatMap((group): Draft[] => {
    const bad = group.bad.filter((view) => !mute.has(view));
    const why = group.bad.filter((view) => mute.has(view) && view.check.component !== undefined);
    return bad.length === 0 && !group.incident ? [] : [{ ...group, bad, mute: why, blind: [], burns: [] }];
  });
  const budgets = placeBurns(input, drafts, open, held);
  placeBlind(input, drafts, open, held);
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

/** Adds checks that nobody sees to a problem of their service; of others they are a problem of their own, unless a location is why. */
function placeBlind(input: ScopeInput, drafts: Draft[], open: readonly Incident[], held: Held): void {
  const alone: CheckView[] = [];
  for (const view of input.views) {
    if (view.state.moment !== 'blind') continue;
    const { id, service, component } = view.check;
    const [unseen] = blindsBy(input.locations, view.check, input.nowMs);
    if (unseen) {
      quieten(held, input.memory, UNSEEN, [id], (fresh) => ({ checks: fresh, location: unseen.id }));
      continue;
    }
    const hit = drafts.find(
      (draft) =>
        draft.bad.includes(view) ||
        draft.bad.some(({ check }) => (service === undefined ? check.component === component : check.service === service)),
    );
    const quiet = quietOf(view.check, input.quiets, input.config);
    if (hit) hit.blind.push(view);
    else if (quiet) quieten(held, input.memory, quiet, [id], (fresh) => ({ checks: fresh }));
    else alone.push(view);
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
  return [{ incident, change: untold(incident, assessed.facts), decisions: [] }, ...absorbed];
}

/** Who belongs to it is known also while nobody is told; all else stays as it was told. */
function untold({ class: klass, peak, facts }: Incident, { root, members }: Facts): Change {
  return {
    kind: 'update',
    class: klass,
    peak,
    facts: { ...facts, root, members },
    material: false,
    told: false,
    reason: 'noted',
    timeline: [],
  };
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

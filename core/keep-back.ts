/** What is kept back, and the decisions that say so. Each is decided once for as long as it lasts. */
import { type CheckView, isBad } from './classify.ts';
import type { Reasoned } from './facts.ts';
import { type Quiet, quietOf } from './quiet.ts';
import type { ScopeInput, ScopeMemory } from './scope.ts';

/** The reason why what is up again opens nothing. */
export const COMING_BACK = { kind: 'recovery', id: 'recovery', title: 'up again, for fewer rounds than it takes' };

/** The reason why a budget that burns on after an incident opens no other. */
export const LOOKING_BACK = { kind: 'incident', id: 'incident', title: 'its windows look back on what was told' };

/** The reason why checks that are not seen are told with their location. */
export const UNSEEN = { kind: 'location', id: 'location', title: 'a location that is not seen from is told by itself' };

/** What maintenance and silences keep back, and the decisions that say so. */
export interface Held {
  loud: CheckView[];
  mute: CheckView[];
  quieted: Record<string, string[]>;
  decisions: Reasoned[];
}

/** Parts what may be told from what maintenance and silences keep back. What an open incident has already is told on. */
export function keepBack(input: ScopeInput): Held {
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
export function quieten(
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

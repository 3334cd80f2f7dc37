/** Error budgets that burn, beside what is known to fail. */
import { standsOn } from './graph.ts';
import type { Incident } from './incident.ts';
import { type Held, LOOKING_BACK, quieten } from './keep-back.ts';
import type { Quiet } from './quiet.ts';
import { type Draft, NOBODY, type ScopeInput, type ScopeMemory } from './scope.ts';
import type { Burn } from './slo/burn.ts';

/** Rollups are some seconds late. */
const BURN_SLACK_MS = 60_000;

interface Budgets {
  memory: Pick<ScopeMemory, 'explained' | 'burning'>;
  /** When to look at one again. */
  again: number[];
}

/**
 * Adds budgets that burn to the problem that hits their service, or a component that it stands on; one that burns by itself is a problem of
 * its own. A budget burns on for as long as its short window looks back when an outage is over: what an incident has told of opens no other
 * until then, and holds none open.
 */
export function placeBurns(input: ScopeInput, drafts: Draft[], open: readonly Incident[], held: Held): Budgets {
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
      if (own) join(hit, own, drafts);
    } else if (endsMs > input.nowMs) {
      explained[key] = input.memory.explained[key] ?? 0;
      again.push(endsMs);
      quieten(held, input.memory, LOOKING_BACK, [`burn/${key}`], () => ({ slo: burn.slo, service: burn.service }));
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

/** It goes on as that problem, or is merged into it. */
function holds(draft: Draft, incident: Incident): boolean {
  return draft.incident === incident || draft.absorbs.includes(incident);
}

/** The incident goes on as that problem, unless it goes on as another. */
function join(draft: Draft, incident: Incident, drafts: readonly Draft[]): void {
  if (drafts.some((one) => holds(one, incident))) return;
  if (!draft.incident) draft.incident = incident;
  else if (incident.id < draft.incident.id) {
    draft.absorbs.push(draft.incident);
    draft.incident = incident;
  } else draft.absorbs.push(incident);
}

/** Returns whether it is told. */
function burnsAlone(input: ScopeInput, burn: Burn, own: Incident | undefined, drafts: Draft[], held: Held): boolean {
  const known =
    drafts.find((draft) => own !== undefined && holds(draft, own)) ??
    drafts.find((draft) => draft.bad.length === 0 && draft.burns.some((one) => one.service === burn.service));
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

/** Folds the loads in results that were stored: who puts how much on what all share, and what of it is unusual. */
import { freshForMs } from '../core/check.ts';
import { foldLoads, type LoadState, noisyIn, type TenantRate } from '../core/load/fold.ts';
import { ownersOn } from '../core/load/owners.ts';
import type { Loads, Result } from '../core/result.ts';
import type { Db } from '../store/db.ts';
import { addTenantHours, type FoldedSource, forgetLoads, type LoadSource, lockLoads, type TenantHour, writeLoads } from '../store/load.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

const HOUR_MS = 3_600_000;

/** A stored result, as far as its loads are concerned. */
export interface NotedResult {
  result: Pick<Result, 'loads'>;
  row: { check: string; plannedAtMs: number };
}

interface Sampled extends LoadSource {
  loads: Loads;
  plannedAtMs: number;
  freshUntilMs: number;
}

/**
 * Notes the loads in results of a location that are new in the ledger, in the transaction that stores them. Results without loads, of
 * checks that are gone, of no component or of one tenant's own server are passed over.
 */
export async function noteLoads(deps: Pick<JobsDeps, 'config'>, db: Db, location: string, results: readonly NotedResult[]): Promise<void> {
  const bySource = Map.groupBy(
    results.flatMap((one) => sampledIn(deps, location, one)),
    ({ check }) => check,
  );
  const sources = [...bySource.values()].flatMap((samples) => samples[0] ?? []);
  if (sources.length === 0) return;
  const known = await lockLoads(db, sources);
  const hours = new Map<string, TenantHour>();
  const folded = sources.flatMap((source) => {
    const before = known.get(source);
    return before ? foldSource(deps, { samples: bySource.get(source.check) ?? [], before, hours }) : [];
  });
  if (folded.length === 0) return;
  await writeLoads(db, folded);
  await addTenantHours(db, [...hours.values()]);
  const isNewHour = folded.some((one) => hourOf(one.state.plannedAtMs) !== hourOf(known.get(one.source)?.plannedAtMs ?? 0));
  if (isNewHour) await forgetLoads(db, Math.max(...folded.map(({ state }) => state.plannedAtMs)));
}

interface SourceWork {
  samples: readonly Sampled[];
  before: LoadState;
  /** What was done is added to these. */
  hours: Map<string, TenantHour>;
}

/** Folds the samples of one check at one location, in the order of planning; nothing when all of them are late. */
function foldSource({ config }: Pick<JobsDeps, 'config'>, { samples, before, hours }: SourceWork): (FoldedSource & { source: Sampled })[] {
  const [source] = samples;
  if (!source) return [];
  const owners = ownersOn(config.tenants, source.component);
  let [state, last] = [before, source];
  for (const sample of samples.toSorted((a, b) => a.plannedAtMs - b.plannedAtMs)) {
    const next = foldLoads(state, sample, owners);
    if (next.state === state) continue;
    for (const rate of next.rates) addTo(hours, sample, rate);
    [state, last] = [next.state, sample];
    metrics.loadSamples.inc({ component: sample.component });
  }
  if (state === before) return [];
  const { check, location, component } = source;
  const noisy = noisyIn(state, component, (tenant) => config.tenants[tenant]?.title ?? tenant);
  return [{ check, location, component, state, freshUntilMs: last.freshUntilMs, noisy, source }];
}

function sampledIn({ config }: Pick<JobsDeps, 'config'>, location: string, { result, row }: NotedResult): Sampled[] {
  const check = config.checks[row.check];
  if (!result.loads || check?.component === undefined || check.tenant !== undefined) return [];
  const { plannedAtMs } = row;
  const freshUntilMs = plannedAtMs + freshForMs(check);
  return [{ check: check.id, location, component: check.component, loads: result.loads, plannedAtMs, freshUntilMs }];
}

function hourOf(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

function addTo(hours: Map<string, TenantHour>, { component, plannedAtMs }: Sampled, rate: TenantRate): void {
  const { tenant, measure, value, total, isNoisy, seconds } = rate;
  const hourMs = hourOf(plannedAtMs);
  const key = JSON.stringify([component, tenant, measure, hourMs]);
  const hour = hours.get(key) ?? { component, tenant, measure, hourMs, seconds: 0, amount: 0, ofAll: 0, peak: 0, noisySeconds: 0 };
  hours.set(key, {
    ...hour,
    seconds: hour.seconds + seconds,
    amount: hour.amount + value * seconds,
    ofAll: hour.ofAll + total * seconds,
    peak: Math.max(hour.peak, value),
    noisySeconds: hour.noisySeconds + (isNoisy ? seconds : 0),
  });
}

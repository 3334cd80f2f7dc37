/**
 * Looks at every error budget whenever something was counted, and once a minute: windows move on by themselves. Read are only budgets that had
 * a bad slot in the last three days, or that burn. When another set of them burns than before, their scope is to be judged.
 */
import type { Config } from '../core/config/model.ts';
import { keptFrom, minuteOf } from '../core/rollup.ts';
import { type BudgetRef, budgetKey, budgetsIn } from '../core/slo/budgets.ts';
import type { Burn } from '../core/slo/burn.ts';
import { type BurnDecision, type BurnState, evaluateBurn, type PairDecision, type Tally } from '../core/slo/evaluate.ts';
import { pairsFor, SPANS_MS } from '../core/slo/pairs.ts';
import { lengthMs } from '../core/slo/window.ts';
import { whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { readProgress } from '../store/rollup-progress.ts';
import { badSeries, keptAt, seriesOf, tallies } from '../store/rollup-read.ts';
import { markDirty } from '../store/scope.ts';
import {
  type BudgetStanding,
  type CountedBudget,
  lockBudgets,
  readSloStates,
  recordBurns,
  type SloStateRow,
  seriesFor,
  standingsOf,
  stateKey,
  templatesOf,
  writeSloStates,
} from '../store/slo.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';

/** A look at all of them at least so often, since windows move. */
const EVERY_MS = 60_000;
/** When more series than that are to be read, a look is worth one a minute only: PostgreSQL read 10,000 of them in 0.8 s. */
const MANY_SERIES = 1_000;
const MOST_LOGGED = 20;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;

/** What a worker remembers from turn to turn; nothing is lost with it. */
export interface SloMemory {
  last?: { turn: number; atMs: number; config: Config; series: number };
}

/** One turn. Returns whether something is to be judged. */
export async function watchBudgets(deps: JobsDeps, memory: SloMemory): Promise<boolean> {
  const { pool, config, clock } = deps;
  const nowMs = clock.now();
  const { turn } = await readProgress(pool);
  const { last } = memory;
  const waited = last ? Math.abs(nowMs - last.atMs) : EVERY_MS;
  const due = waited >= EVERY_MS || (last?.turn !== turn && (last?.series ?? 0) <= MANY_SERIES);
  if (last?.config === config && !due) return false;
  const looked = await whileInForce(pool, deps.configSeq, async (db) => ((await lockBudgets(db)) ? lookAt(deps, db, nowMs) : undefined));
  if (looked) memory.last = { turn, atMs: nowMs, config, series: looked.series };
  return looked?.changed ?? false;
}

async function lookAt(deps: JobsDeps, db: Db, nowMs: number): Promise<{ series: number; changed: boolean }> {
  const { config } = deps;
  const refs = budgetsIn(config);
  const rows = await readSloStates(db);
  if (refs.length === 0 && rows.length === 0) return { series: 0, changed: false };
  const known = new Map(rows.map((row) => [stateKey(row), row]));
  const all = seriesFor(refs, await seriesOf(db, templatesOf(refs)));
  const suspects = await suspectsOf(db, all, known, nowMs);
  const decided = await decide(db, config, suspects, known, nowMs);
  showRates(all, decided);
  const next = await rowsOf(db, config, decided, nowMs);
  const refKeys = new Set(refs.map(budgetKey));
  const gone = rows.filter((row) => !refKeys.has(stateKey(row))).map((row) => ({ ...row, state: {}, burn: null }));
  await writeSloStates(db, [...next, ...gone]);
  const scopes = changedScopes(config, known, [...next, ...gone]);
  await markDirty(db, scopes);
  await tell(deps, db, decided, nowMs);
  return { series: suspects.reduce((sum, one) => sum + one.series.length, 0), changed: scopes.length > 0 };
}

/** Those that had a bad slot in the time of the longest pair, and those that burn. */
async function suspectsOf(
  db: Db,
  all: readonly CountedBudget[],
  known: ReadonlyMap<string, SloStateRow>,
  nowMs: number,
): Promise<CountedBudget[]> {
  const now = minuteOf(nowMs);
  const bad = await badSeries(db, { minute: now - DAY_MINUTES, hour: now - (SPANS_MS.at(-1) ?? 0) / MINUTE_MS - 60 });
  return all.filter((one) => known.has(budgetKey(one.ref)) || one.series.some((series) => bad.has(series)));
}

interface Decided {
  budget: CountedBudget;
  before: BurnState;
  decision: BurnDecision;
}

async function decide(
  db: Db,
  config: Config,
  suspects: readonly CountedBudget[],
  known: ReadonlyMap<string, SloStateRow>,
  nowMs: number,
): Promise<Decided[]> {
  const kept = keptAt(keptFrom(config, nowMs), await readProgress(db));
  const until = minuteOf(nowMs) + 1;
  const sums = await tallies(db, suspects, { begins: SPANS_MS.map((spanMs) => until - spanMs / MINUTE_MS), until, kept });
  return suspects.map((budget) => {
    const before = known.get(budgetKey(budget.ref))?.state ?? {};
    const { slo, slotsPerMinute } = budget.ref;
    const own = sums.get(budget) ?? [];
    const decision = evaluateBurn(before, {
      objective: slo.objective,
      pairs: pairsFor(lengthMs(slo.window, nowMs)),
      over: (spanMs): Tally => own[SPANS_MS.indexOf(spanMs)] ?? { good: 0, bad: 0, badMinutes: 0 },
      slotsPerMinute,
      nowMs,
    });
    return { budget, before, decision };
  });
}

/** What is to be remembered: of those that burn, with what is left of the budget. */
async function rowsOf(db: Db, config: Config, decided: readonly Decided[], nowMs: number): Promise<SloStateRow[]> {
  const burning = decided.filter(({ decision }) => decision.burning).map(({ budget }) => budget);
  const standings = new Map((await standingsOf(db, config, burning, nowMs)).map((one) => [one.ref, one]));
  return decided.map(({ budget: { ref }, decision }) => ({
    service: ref.slo.service,
    slo: ref.slo.id,
    tenant: ref.tenant ?? '',
    state: decision.state,
    burn: burnOf(ref, decision, standings.get(ref)),
  }));
}

function burnOf({ slo, tenant }: BudgetRef, { burning }: BurnDecision, standing: BudgetStanding | undefined): Burn | null {
  if (!burning || !standing) return null;
  const { longMs, shortMs, severity } = burning.pair;
  return {
    ...{ slo: slo.id, service: slo.service, title: slo.title, objective: slo.objective },
    ...(tenant === undefined ? {} : { tenant }),
    ...{ rate: burning.rate, longMs, shortMs, severity, sinceMs: burning.sinceMs },
    ...{ budgetLeft: standing.budget.left, window: standing.window },
  };
}

/** Scopes of services of which others burn than before, or by another pair. */
function changedScopes(config: Config, known: ReadonlyMap<string, SloStateRow>, next: readonly SloStateRow[]): string[] {
  const changed = next.filter((row) => known.get(stateKey(row))?.burn?.longMs !== row.burn?.longMs);
  return [...new Set(changed.flatMap((row) => config.services[row.service]?.scope ?? []))];
}

/** Every beginning and end of a burn is kept with its reason. */
async function tell({ config, log }: JobsDeps, db: Db, decided: readonly Decided[], nowMs: number): Promise<void> {
  const edges = decided.flatMap(({ budget: { ref }, decision }) =>
    decision.decisions
      .filter(({ reason }) => reason === 'burn-raised' || reason === 'burn-ended')
      .map((edge) => ({
        scope: config.services[ref.slo.service]?.scope ?? '',
        subject: `slo:${ref.slo.service}/${ref.slo.id}${ref.tenant === undefined ? '' : `/${ref.tenant}`}`,
        reason: edge.reason,
        inputs: inputsOf(edge, ref.slo.objective),
      })),
  );
  if (edges.length === 0) return;
  await recordBurns(db, { atMs: nowMs, configRevision: config.revision }, edges);
  for (const { subject, reason, inputs } of edges.slice(0, MOST_LOGGED)) log.info({ budget: subject, ...inputs }, reason.replace('-', ' '));
  if (edges.length > MOST_LOGGED) log.info({ more: edges.length - MOST_LOGGED }, 'more budgets began or ended to burn');
}

function inputsOf({ pair, longRate, shortRate }: PairDecision, objective: number): Record<string, unknown> {
  const { rate, longMs, shortMs } = pair;
  return { objective, rate, longMs, shortMs, longRate, shortRate };
}

const OVER = new Map([
  [60, '1h'],
  [360, '6h'],
  [1440, '1d'],
  [4320, '3d'],
]);

/** Of services alone: tenants are too many for labels. What had no bad slot burns not at all. */
function showRates(all: readonly CountedBudget[], decided: readonly Decided[]): void {
  const byRef = new Map(decided.map((one) => [one.budget.ref, one.decision.decisions]));
  metrics.burnRate.reset();
  for (const { ref } of all) {
    if (ref.tenant !== undefined) continue;
    const { service, id } = ref.slo;
    for (const [minutes, over] of OVER) {
      const rate = byRef.get(ref)?.find(({ pair }) => pair.longMs === minutes * MINUTE_MS)?.longRate ?? 0;
      metrics.burnRate.set({ service, slo: id, over }, rate);
    }
  }
}

/** Sets the gauges of what is left of the services' budgets, and how far counting has come. */
export async function readBudgets({ pool, config, clock }: Pick<JobsDeps, 'pool' | 'config' | 'clock'>): Promise<void> {
  const refs = budgetsIn(config).filter((ref) => ref.tenant === undefined);
  const budgets = seriesFor(refs, await seriesOf(pool, templatesOf(refs)));
  metrics.budgetLeft.reset();
  for (const { ref, budget } of await standingsOf(pool, config, budgets, clock.now())) {
    metrics.budgetLeft.set({ service: ref.slo.service, slo: ref.slo.id }, budget.left);
  }
  metrics.rolledUpUntil.set((await readProgress(pool)).receivedUntilMs / 1000);
}

/** Error budgets: how much of each is left, which burn, and what is remembered of each from one look to the next. */
import type { Config } from '../core/config/model.ts';
import { keptFrom, minuteOf } from '../core/rollup.ts';
import { type Budget, budgetOf, burnRate } from '../core/slo/budget.ts';
import { type BudgetRef, budgetKey, budgetsIn, countsFor } from '../core/slo/budgets.ts';
import type { Burn } from '../core/slo/burn.ts';
import type { BurnState } from '../core/slo/evaluate.ts';
import { windowAt } from '../core/slo/window.ts';
import { jsonArray, textArray } from './arrays.ts';
import { at, type Db } from './db.ts';
import { readProgress } from './rollup-progress.ts';
import { firstCounted, type KnownSeries, keptAt, seriesOf, tallies } from './rollup-read.ts';

/** The budgets of these services that burn now, the fastest first. */
export async function activeBurns(db: Db, services: readonly string[]): Promise<Burn[]> {
  if (services.length === 0) return [];
  const { rows } = await db.query<{ burn: Burn }>(
    'select burn from slo_state where burn is not null and service = any($1::text[]) order by slo, tenant',
    [textArray(services)],
  );
  return rows.map((row) => row.burn).sort((a, b) => b.rate - a.rate);
}

/** A budget as it stands now. */
export interface BudgetStanding {
  ref: BudgetRef;
  budget: Budget;
  /** "28 days", "November". */
  window: string;
  windowMs: number;
  /** How many times faster than allowed it burned in the last hour. */
  rate: number;
  /** It burns too fast. */
  burn?: Burn;
}

/** How the budgets of these services stand, or of all; those of tenants too. In the order of the configuration. */
export async function budgetsOf(db: Db, config: Config, services: readonly string[] | undefined, nowMs: number): Promise<BudgetStanding[]> {
  const refs = budgetsIn(config, services);
  if (refs.length === 0) return [];
  const burns = new Map((await readSloStates(db, services)).map((row) => [stateKey(row), row.burn]));
  const standing = await standingsOf(db, config, seriesFor(refs, await seriesOf(db, templatesOf(refs))), nowMs);
  return standing.map((one) => {
    const burn = burns.get(budgetKey(one.ref));
    return burn ? { ...one, burn } : one;
  });
}

/** A budget with the series that are counted for it. */
export interface CountedBudget {
  ref: BudgetRef;
  series: number[];
  known: KnownSeries[];
}

export function templatesOf(refs: readonly BudgetRef[]): string[] {
  return [...new Set(refs.map((ref) => ref.slo.sli.check))];
}

/** The budgets with what is counted for each. */
export function seriesFor(refs: readonly BudgetRef[], all: readonly KnownSeries[]): CountedBudget[] {
  const byTemplate = Map.groupBy(all, (one) => one.check.split('/', 1)[0] ?? '');
  const byCheck = Map.groupBy(all, (one) => one.check);
  return refs.map((ref) => {
    // Of one tenant the check is known; looking through those of all would take time with the square of their number.
    const near = ref.tenant === undefined ? byTemplate.get(ref.slo.sli.check) : ref.checks.flatMap((check) => byCheck.get(check.id) ?? []);
    const known = (near ?? []).filter((series) => countsFor(ref, series));
    return { ref, known, series: known.map((one) => one.id) };
  });
}

const HOUR_MINUTES = 60;

/** How these budgets stand, without what burns. */
export async function standingsOf(db: Db, config: Config, budgets: readonly CountedBudget[], nowMs: number): Promise<BudgetStanding[]> {
  const kept = keptAt(keptFrom(config, nowMs), await readProgress(db));
  const until = minuteOf(nowMs) + 1;
  const first = await firstCounted(
    db,
    budgets.flatMap((one) => one.series),
  );
  const found = new Map<CountedBudget, BudgetStanding>();
  for (const [fromMs, own] of Map.groupBy(budgets, (one) => windowAt(one.ref.slo.window, nowMs).fromMs)) {
    const from = minuteOf(fromMs);
    const sums = await tallies(db, own, { begins: [from, until - HOUR_MINUTES], until, kept });
    for (const budget of own) {
      const [whole = NOTHING, hour = NOTHING] = sums.get(budget) ?? [];
      const window = windowAt(budget.ref.slo.window, nowMs);
      const toCome = slotsToCome(budget, first, { from, until, end: Math.max(until, minuteOf(window.untilMs)) });
      found.set(budget, {
        ref: budget.ref,
        budget: budgetOf(budget.ref.slo.objective, whole, toCome),
        window: window.title,
        windowMs: window.untilMs - window.fromMs,
        rate: burnRate(budget.ref.slo.objective, hour),
      });
    }
  }
  return budgets.flatMap((one) => found.get(one) ?? []);
}

const NOTHING = { good: 0, bad: 0, badMinutes: 0 };

/** Slots of the window that are not there yet: before the first one that was counted, and until a period of the calendar ends. */
function slotsToCome(
  { ref, known }: CountedBudget,
  first: ReadonlyMap<number, number>,
  { from, until, end }: { from: number; until: number; end: number },
): number {
  const begin = new Map(known.map((series) => [series.check, first.get(series.id)]));
  return ref.checks.reduce((sum, check) => {
    const counted = begin.get(check.id) ?? until;
    return sum + ((Math.max(0, counted - from) + (end - until)) * 60_000) / check.everyMs;
  }, 0);
}

/** What is remembered of a budget. */
export interface SloStateRow {
  service: string;
  slo: string;
  /** Empty: of the whole service. */
  tenant: string;
  state: BurnState;
  burn: Burn | null;
}

/** The budget's key, see `budgetKey`. */
export function stateKey({ service, slo, tenant }: Pick<SloStateRow, 'service' | 'slo' | 'tenant'>): string {
  return budgetKey({ slo: { service, id: slo }, tenant });
}

/** What is remembered of the budgets of these services, or of all. */
export async function readSloStates(db: Db, services?: readonly string[]): Promise<SloStateRow[]> {
  const { rows } = await db.query<SloStateRow>(
    'select service, slo, tenant, state, burn from slo_state where $1::text[] is null or service = any($1)',
    [services ? textArray(services) : null],
  );
  return rows;
}

/** Remembers these; what burns not and has nothing to remember is forgotten. */
export async function writeSloStates(db: Db, rows: readonly SloStateRow[]): Promise<void> {
  const [kept, gone] = [rows.filter(matters), rows.filter((row) => !matters(row))];
  const ids = (list: readonly SloStateRow[]) => [
    textArray(list.map((row) => row.service)),
    textArray(list.map((row) => row.slo)),
    textArray(list.map((row) => row.tenant)),
  ];
  if (gone.length > 0) {
    await db.query(
      `delete from slo_state using unnest($1::text[], $2::text[], $3::text[]) as one (service, slo, tenant)
       where slo_state.service = one.service and slo_state.slo = one.slo and slo_state.tenant = one.tenant`,
      ids(gone),
    );
  }
  if (kept.length === 0) return;
  await db.query(
    `insert into slo_state (service, slo, tenant, state, burn)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[])
     on conflict (service, slo, tenant) do update set state = excluded.state, burn = excluded.burn, changed_at = now()`,
    [...ids(kept), jsonArray(kept.map((row) => row.state)), jsonArray(kept.map((row) => row.burn ?? undefined))],
  );
}

function matters({ state, burn }: SloStateRow): boolean {
  return burn !== null || Object.keys(state).length > 0;
}

export interface BurnEdge {
  scope: string;
  subject: string;
  reason: string;
  inputs: Record<string, unknown>;
}

/** Stores beginnings and ends of burns among the decisions, however many, in one statement. */
export async function recordBurns(
  db: Db,
  { atMs, configRevision }: { atMs: number; configRevision: string },
  edges: readonly BurnEdge[],
): Promise<void> {
  await db.query(
    `insert into decision (at, scope, subject, reason, inputs, config_revision)
     select $1, scope, subject, reason, inputs, $2 from unnest($3::text[], $4::text[], $5::text[], $6::jsonb[]) as one (scope, subject, reason, inputs)`,
    [
      at(atMs),
      configRevision,
      textArray(edges.map((edge) => edge.scope)),
      textArray(edges.map((edge) => edge.subject)),
      textArray(edges.map((edge) => edge.reason)),
      jsonArray(edges.map((edge) => edge.inputs)),
    ],
  );
}

/** One evaluates at a time. Whether this transaction may. */
export async function lockBudgets(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ mine: boolean }>('select pg_try_advisory_xact_lock($1) as mine', [LOCK]);
  return rows[0]?.mine ?? false;
}

/** Any number that nothing else in this database locks. */
const LOCK = 7_268_660;

/**
 * The planner walks the wall clock in slots. Every due run is entered in the ledger first, then queued: light checks due in
 * one second at a location as one round, journeys one by one. One plans at a time, under the lock of the planner's row, and goes on where the
 * last one stopped. What a planner entered and did not live to queue is queued by the sweeper.
 */
import { type Check, isJourney } from '../core/check.ts';
import { type Order, type Run, runName, slotsBetween } from '../core/run.ts';
import { whileInForce } from '../store/config.ts';
import { partitionsFor } from '../store/partitions.ts';
import { beat, plannedUntil } from '../store/planner.ts';
import { closeBatches, type EnteredRun, enterRuns, type LedgerRow, ledgerKeys } from '../store/run.ts';
import { QUEUES } from './contract.ts';
import { type JobsDeps, PLANNING_GAP_MS } from './deps.ts';
import * as metrics from './metrics.ts';
import type { QueueJob } from './queue.ts';

/** Slots are queued this far ahead: a worker that dies is back, or another has taken over, before agents run dry. */
const HORIZON_MS = 5_000;
/** What the contract allows. Each job and each report costs PostgreSQL some milliseconds, however much is in it. */
const ORDERS_PER_ROUND = 500;

/** Enters and queues every slot up to the horizon. Returns how many runs it queued. */
export async function planSlots(deps: JobsDeps): Promise<number> {
  const nowMs = deps.clock.now();
  // Whole seconds, so that none is in two rounds.
  const untilMs = Math.floor((nowMs + HORIZON_MS) / 1000) * 1000;
  const checks = Object.values(deps.config.checks);
  const keys = await ledgerKeys(deps.pool, {
    checks: checks.map(({ id }) => id),
    locations: Object.keys(deps.config.locations),
    revisions: [deps.config.revision],
  });
  await partitionsFor(deps.pool, nowMs - PLANNING_GAP_MS, untilMs);
  const { mine, plannedUntilMs } = await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const { plannedUntilMs } = await beat(db, nowMs, PLANNING_GAP_MS);
    const due = checks.flatMap((check) => dueRuns(check, plannedUntilMs, untilMs, deps.config.revision));
    const mine = await enterRuns(db, keys, due);
    // With the runs: were it told later, a planner with another configuration could plan the same time once more.
    await plannedUntil(db, untilMs);
    return { mine, plannedUntilMs };
  });
  // What another planner has planned meanwhile is planned too.
  metrics.plannedUntil.set(Math.max(untilMs, plannedUntilMs) / 1000);
  countDue(mine);
  await queueRuns(deps, mine);
  return mine.length;
}

/** Counts runs that were entered in the ledger. */
export function countDue(entered: readonly LedgerRow[]): void {
  for (const { location, purpose } of entered) metrics.runsDue.inc({ location, purpose });
}

function dueRuns(check: Check, fromMs: number, untilMs: number, revision: string): LedgerRow[] {
  return slotsBetween(check, fromMs, untilMs).flatMap((slotMs) =>
    check.locations.map((location) =>
      ledgerRow(
        { check: check.id, location, slotMs, purpose: 'scheduled', ask: 0 },
        slotMs,
        slotMs + check.everyMs,
        revision,
        tookMs(check),
      ),
    ),
  );
}

/** What a run of the check may take, with all attempts. */
export function tookMs(check: Pick<Check, 'timeoutMs' | 'retries'>): number {
  return check.timeoutMs * (1 + check.retries);
}

/** A run as the ledger has it. */
export function ledgerRow(run: Run, plannedAtMs: number, notAfterMs: number, revision: string, took: number): LedgerRow {
  return { ...run, name: runName(run), revision, plannedAtMs, notAfterMs, tookMs: took };
}

/** Queues runs that are in the ledger, and closes their batches. A run whose check is gone is left to end as missed. */
export async function queueRuns(deps: JobsDeps, rows: readonly EnteredRun[]): Promise<void> {
  const nowMs = deps.clock.now();
  const byLocation = [...Map.groupBy(rows, (row) => row.location)];
  // A location whose queue is away holds up no other.
  const queued = await Promise.allSettled(byLocation.map(([location, group]) => queueAt(deps, location, group, nowMs)));
  const done = byLocation.flatMap(([, group], index) => (queued[index]?.status === 'fulfilled' ? group : []));
  await closeBatches(deps.pool, [...new Set(done.map(({ batch }) => batch))]);
  const failed = queued.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

interface Due {
  row: LedgerRow;
  check: Check;
}

async function queueAt({ queues, config, clock }: JobsDeps, location: string, rows: readonly LedgerRow[], nowMs: number): Promise<void> {
  const known = rows.flatMap((row) => {
    const check = config.checks[row.check];
    return check ? [{ row, check }] : [];
  });
  const journeys = known.filter(({ check }) => isJourney(check));
  const light = known.filter(({ check }) => !isJourney(check));
  const serverAheadMs = Math.round((await queues.serverNow()) - clock.now());
  const jobs = journeys.map(({ row, check }) => job(row.name, [orderOf(row, check)], { delayMs: row.plannedAtMs - nowMs, serverAheadMs }));
  await Promise.all([
    queues.add(QUEUES.journey(location), jobs, 'once'),
    queues.add(QUEUES.round(location), [...rounds(light, nowMs, serverAheadMs)], 'once'),
  ]);
}

/** Joins what is due in one second. A round is named by its first run, since two planners may each hold a part of a second. */
function* rounds(group: readonly Due[], nowMs: number, serverAheadMs: number): Generator<QueueJob> {
  const inOrder = group.toSorted((a, b) => a.row.plannedAtMs - b.row.plannedAtMs);
  for (const due of Map.groupBy(inOrder, ({ row }) => Math.floor(row.plannedAtMs / 1000)).values()) {
    for (let start = 0; start < due.length; start += ORDERS_PER_ROUND) {
      const part = due.slice(start, start + ORDERS_PER_ROUND);
      const first = part[0];
      if (!first) continue;
      yield job(
        `round@${first.row.name}`,
        part.map(({ row, check }) => orderOf(row, check)),
        { delayMs: first.row.plannedAtMs - nowMs, serverAheadMs },
      );
    }
  }
}

function job(id: string, orders: Order[], { delayMs, serverAheadMs }: { delayMs: number; serverAheadMs: number }): QueueJob {
  return { id, data: { v: 1, serverAheadMs, orders }, delayMs: Math.max(0, delayMs) };
}

function orderOf(row: LedgerRow, check: Check): Order {
  return {
    run: row.name,
    check: check.id,
    title: check.title,
    type: check.type,
    params: check.params,
    timeoutMs: check.timeoutMs,
    retries: check.retries,
    notBeforeMs: row.plannedAtMs,
    notAfterMs: row.notAfterMs,
    revision: row.revision,
    ...(check.tenant ? { tenant: check.tenant } : {}),
    ...(check.degradedAboveMs === undefined ? {} : { degradedAboveMs: check.degradedAboveMs }),
  };
}

/**
 * Asks become runs, and their results become what was asked for: a confirmation is folded like any other result, a
 * verification is told in the incident's thread, a manual run is answered to whoever asked.
 */
import { freshForMs, quorumOf } from '../core/check.ts';
import { spanInWords } from '../core/duration.ts';
import type { TimelineEntry } from '../core/incident.ts';
import { listInWords } from '../core/words.ts';
import { type Ask, anyAsk, claimAsks, claimEndedAsks, markDone, markPlanned } from '../store/ask.ts';
import { whileInForce } from '../store/config.ts';
import { type Db, inTransaction } from '../store/db.ts';
import { incidentById } from '../store/incident.ts';
import { enqueue, PRIORITY } from '../store/outbox.ts';
import { partitionsFor } from '../store/partitions.ts';
import { type ResultOfAsk, resultsOfAsk } from '../store/result.ts';
import { type EnteredRun, enterRuns, type LedgerRow, ledgerKeys } from '../store/run.ts';
import { tellStory } from '../store/story.ts';
import { type JobsDeps, PLANNING_GAP_MS } from './deps.ts';
import { countDue, ledgerRow, queueRuns, tookMs } from './plan.ts';

/** An ask that no agent has taken up after this is stale: its answer would come too late for anybody. */
const NOT_AFTER_MS = 30_000;

/** Plans every wanted ask: its runs enter the ledger with it, in one transaction, and are queued after the commit. */
export async function planAsks(deps: JobsDeps): Promise<number> {
  if (!(await anyAsk(deps.pool))) return 0;
  const { config, pool } = deps;
  const names = { checks: Object.keys(config.checks), locations: Object.keys(config.locations), revisions: [config.revision] };
  const keys = await ledgerKeys(pool, names);
  await partitionsFor(pool, deps.clock.now() - PLANNING_GAP_MS, deps.clock.now());
  const rows = await whileInForce(pool, deps.configSeq, async (db) => {
    const nowMs = deps.clock.now();
    const planned: EnteredRun[] = [];
    for (const ask of await claimAsks(db)) {
      const own = runsOf(deps, ask, nowMs);
      planned.push(...(await enterRuns(db, keys, own)));
      const longestMs = Math.max(0, ...ask.targets.map(({ check }) => boundMs(deps, check)));
      await markPlanned(db, ask.id, nowMs + NOT_AFTER_MS + longestMs);
    }
    return planned;
  });
  countDue(rows);
  await queueRuns(deps, rows);
  return rows.length;
}

function boundMs(deps: JobsDeps, check: string): number {
  const known = deps.config.checks[check];
  return known ? freshForMs(known) : 0;
}

function runsOf(deps: JobsDeps, ask: Ask, nowMs: number): LedgerRow[] {
  return ask.targets.flatMap(({ check: id, locations }) => {
    // What was asked of a check or a location that was removed meanwhile is asked of nobody.
    const check = deps.config.checks[id];
    if (!check) return [];
    return locations
      .filter((location) => check.locations.includes(location))
      .map((location) => {
        const run = { check: id, location, slotMs: ask.slotMs ?? nowMs, purpose: ask.purpose, ask: ask.id };
        return ledgerRow(run, nowMs, nowMs + NOT_AFTER_MS, deps.config.revision, tookMs(check));
      });
  });
}

/** Tells what came of the asks whose runs have all ended. Returns how many were told to somebody. */
export async function finishAsks(deps: JobsDeps): Promise<number> {
  return inTransaction(deps.pool, async (db) => {
    const ended = await claimEndedAsks(db);
    for (const ask of ended) {
      if (ask.purpose === 'verify') await tellVerification(deps, db, ask);
      if (ask.purpose === 'manual') await answer(db, ask);
      await markDone(db, ask.id);
    }
    return ended.filter((ask) => ask.purpose !== 'confirm').length;
  });
}

async function answer(db: Db, ask: Ask): Promise<void> {
  await enqueue(db, [
    { kind: 'answer', lane: `ask/${ask.id}`, payload: { ...ask.answerTo, askId: ask.id }, priority: PRIORITY.answer, reason: 'manual-run' },
  ]);
}

async function tellVerification(deps: JobsDeps, db: Db, ask: Ask): Promise<void> {
  const incident = ask.incidentId === undefined ? undefined : await incidentById(db, ask.incidentId);
  if (!incident) return;
  const entry = verification(deps, ask, await resultsOfAsk(db, ask.id));
  await tellStory(db, incident, deps.clock.now(), entry);
}

/** The verdict of a verification, in words: passed only when every check was up from a quorum of the locations that it has. */
function verification(deps: JobsDeps, ask: Ask, results: readonly ResultOfAsk[]): TimelineEntry {
  const spoken = ask.targets.map(({ check, locations }) => {
    const own = results.filter((result) => result.check === check && result.verdict !== 'fault');
    const quorum = quorumOf({ locations });
    const up = own.filter((result) => result.verdict === 'up').length;
    return { check, own, up: up >= quorum, unclear: own.length < quorum };
  });
  const failed = spoken.filter((one) => !one.up && !one.unclear);
  const unclear = spoken.filter((one) => one.unclear);
  if (failed.length > 0) return { kind: 'verified', outcome: 'failed', text: failedText(deps, failed) };
  if (unclear.length > 0) {
    return { kind: 'verified', outcome: 'unclear', text: `No answer from enough locations about ${titles(deps, unclear)}.` };
  }
  const locations = new Set(results.map((result) => result.location)).size;
  const watch = Math.max(0, ...ask.targets.map(({ check }) => (deps.config.checks[check]?.resolveAfter ?? 1) - 1));
  const rounds = watch === 0 ? '' : ` Watching for ${watch} more ${watch === 1 ? 'round' : 'rounds'}.`;
  return {
    kind: 'verified',
    outcome: 'passed',
    text: `Checked again from ${locations} locations: ${paceText(deps, ask, results)}.${rounds}`,
  };
}

function titles(deps: JobsDeps, list: readonly { check: string }[]): string {
  return listInWords([...new Set(list.map(({ check }) => `"${deps.config.checks[check]?.title ?? check}"`))]);
}

function failedText(deps: JobsDeps, failed: readonly { check: string; own: readonly ResultOfAsk[] }[]): string {
  const results = failed.flatMap((one) => one.own);
  if (results.every((result) => result.verdict !== 'down')) return `Checked again: ${titles(deps, failed)} works, but slowly.`;
  const failure = results.flatMap((result) => (result.verdict === 'down' ? (result.failure ?? []) : []))[0];
  const step = failure?.step ? ` at "${failure.step}"` : '';
  return `Checked again: ${titles(deps, failed)} still fails${step}${failure ? `: ${failure.message}` : '.'}`;
}

/** How long each verified check takes now: the median over its tenants and locations. */
function paceText(deps: JobsDeps, ask: Ask, results: readonly ResultOfAsk[]): string {
  const templates = Map.groupBy(ask.targets, ({ check }) => deps.config.checks[check]?.template ?? check);
  const parts = [...templates].map(([template, targets]) => {
    const own = results.filter((result) => targets.some(({ check }) => check === result.check)).map((result) => result.durationMs);
    const median = own.sort((a, b) => a - b)[Math.floor(own.length / 2)] ?? 0;
    const title = deps.config.checks[targets[0]?.check ?? '']?.title ?? template;
    return `"${title}" takes ${spanInWords(median)}`;
  });
  return listInWords(parts);
}

/**
 * The edges of maintenance windows and silences: when one begins or ends, what it covers is judged anew, and at the end it is told once
 * what was kept back and what is still wrong.
 *
 *   a window is on, and nobody has seen it      noted, its scopes are to be judged
 *   its end has come, or the configuration
 *   has it no more; a silence is over           taken in hand, its scopes are to be judged, its summary is told
 *
 * Level-triggered: what is noted stands in the database, so a worker that comes back after an hour finds what ended meanwhile. All of a
 * turn is one transaction: another worker waits for its rows and then finds nothing left to do; one that dies leaves nothing of it behind.
 * What was kept back is read after the scopes are marked, since marking waits for whoever judges one of them at that moment.
 */
import type { CheckView } from '../core/classify.ts';
import { EMPTY_STATE } from '../core/evaluate.ts';
import { windowsBetween } from '../core/maintenance.ts';
import { channelsOfCheck, channelsOfService } from '../core/owner.ts';
import { covers, type Quiet, scopesCovered } from '../core/quiet.ts';
import { type EndedQuiet, endInWords, type KeptBack } from '../core/quiet-end.ts';
import { readStates } from '../store/check.ts';
import { whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { incidentById } from '../store/incident.ts';
import { tellNotice } from '../store/notice.ts';
import { forgetWindows, keptBack, noteWindows, type SeenWindow, seenWindows, settleWindows } from '../store/quiet.ts';
import { markDirty } from '../store/scope.ts';
import { quietOfSilence, type Silence, settleSilences, silencesToSettle } from '../store/silence.ts';
import type { JobsDeps } from './deps.ts';

/** Longer nobody asks about a window that is over. */
const REMEMBERED_MS = 30 * 86_400_000;

type Deps = Pick<JobsDeps, 'pool' | 'config' | 'configSeq' | 'clock' | 'log'>;

export interface QuietTurn {
  /** There is something to judge. */
  dirty: boolean;
  /** There is something to post. */
  told: boolean;
}

/** What a turn found to do. */
interface Edges {
  begun: Quiet[];
  overWindows: SeenWindow[];
  /** When those end that the configuration still has, by their ids. */
  untilMs: ReadonlyMap<string, number>;
  overSilences: Silence[];
}

/** Acts upon every edge since the last look, of whatever worker. Throws `NotInForce` when another configuration is. */
export async function settleQuiet(deps: Deps): Promise<QuietTurn> {
  const nowMs = deps.clock.now();
  const found = await edgesAt(deps, nowMs);
  if (found.begun.length + found.overWindows.length + found.overSilences.length === 0) return { dirty: false, told: false };
  return whileInForce(deps.pool, deps.configSeq, (db) => act(deps, db, found, nowMs));
}

async function edgesAt({ pool, config }: Deps, nowMs: number): Promise<Edges> {
  const seen = new Map((await seenWindows(pool)).map((window) => [window.id, window]));
  const begun = windowsBetween(config, nowMs, nowMs).filter((window) => !isSame(window, seen.get(window.id)));
  // Not whether it is on by our clock: another worker's, which noted it, may be ahead.
  const untilMs = new Map(
    [...seen.values()].flatMap(({ id, fromMs }): [string, number][] => {
      const now = windowsBetween(config, fromMs, fromMs).find((one) => one.id === id);
      return now ? [[id, now.untilMs]] : [];
    }),
  );
  const overWindows = [...seen.values()].filter(({ id }) => (untilMs.get(id) ?? nowMs) <= nowMs);
  return { begun, overWindows, untilMs, overSilences: await silencesToSettle(pool, nowMs) };
}

/** Whether it stands noted as it is: the configuration may have made it longer, or another's. */
function isSame(window: Quiet, seen: Quiet | undefined): boolean {
  if (!seen || seen.untilMs !== window.untilMs || seen.title !== window.title) return false;
  return (['services', 'components', 'tenants', 'checks'] as const).every((kind) => String(seen[kind]) === String(window[kind]));
}

async function act(deps: Deps, db: Db, found: Edges, nowMs: number): Promise<QuietTurn> {
  const { config } = deps;
  const noted = new Set(await noteWindows(db, found.begun, nowMs));
  const windows = await settleWindows(
    db,
    found.overWindows.map((window) => window.id),
    nowMs,
  );
  const silences = await settleSilences(
    db,
    found.overSilences.map((silence) => silence.id),
    nowMs,
  );
  const ended = [...windows.map((window) => endOfWindow(window, found.untilMs.get(window.id), nowMs)), ...silences.map(endOfSilence)];
  const touched = [...found.begun.filter((window) => noted.has(window.id)), ...ended.map((one) => one.quiet)];
  const scopes = scopesCovered(touched, config);
  await markDirty(db, scopes);
  const told = await tellEnds(deps, db, ended);
  if (windows.length > 0) await forgetWindows(db, nowMs - REMEMBERED_MS);
  return { dirty: scopes.length > 0, told };
}

/** Since when it counts is part of its name: a window that was taken out and put back may end twice. */
type Ended = EndedQuiet & { sinceMs: number };

/** One that is in the configuration no more ended when that was applied, unless its time was over before. */
function endOfWindow(window: SeenWindow, configuredUntilMs: number | undefined, nowMs: number): Ended {
  const { sinceMs, ...quiet } = window;
  const untilMs = configuredUntilMs ?? quiet.untilMs;
  if (untilMs <= nowMs) return { quiet: { ...quiet, untilMs }, endedAtMs: untilMs, sinceMs };
  return { quiet, endedAtMs: nowMs, early: 'configuration', sinceMs };
}

function endOfSilence(silence: Silence): Ended {
  const { endedAtMs, endedBy, endsAtMs } = silence;
  const early = endedAtMs === undefined || endedBy === undefined ? {} : { early: { by: endedBy } };
  return { quiet: quietOfSilence(silence), endedAtMs: endedAtMs ?? endsAtMs, ...early, sinceMs: 0 };
}

async function tellEnds(deps: Deps, db: Db, ended: readonly Ended[]): Promise<boolean> {
  const kept = await keptBack(
    db,
    ended.map(({ quiet, sinceMs }) => ({ id: quiet.id, sinceMs })),
  );
  let told = false;
  for (const one of ended) {
    const own = kept.get(one.quiet.id);
    if (own) told = (await tellEnd(deps, db, one, own)) || told;
  }
  return told;
}

/** Tells each owner of what was kept back, once, of what is theirs. */
async function tellEnd({ config, log }: Deps, db: Db, ended: Ended, kept: KeptBack): Promise<boolean> {
  const { quiet } = ended;
  const byChannel = await shared(db, config, kept);
  const views = await coveredViews(db, config, quiet);
  for (const [channel, own] of byChannel) {
    const theirs = views.filter((view) => channelsOfCheck(config, view.check).includes(channel));
    const kind = `${quiet.kind}-ended`;
    const payload = { ...endInWords(ended, own, theirs, config), ...(own.incidents.length > 0 ? { incidents: own.incidents } : {}) };
    await tellNotice(db, { channel, kind, payload, reason: kind, key: `${kind}/${quiet.id}/${ended.sinceMs}/${channel}` });
  }
  if (byChannel.size === 0) log.warn({ quiet: quiet.id }, 'something was kept back, and there is no team whose channel could be told');
  return byChannel.size > 0;
}

/** What was kept back, by the channel of its owner. */
async function shared(db: Db, config: Deps['config'], kept: KeptBack): Promise<Map<string, KeptBack>> {
  const parts = new Map<string, KeptBack>();
  const part = (channel: string) => {
    const known = parts.get(channel) ?? { checks: [], incidents: [], budgets: [] };
    parts.set(channel, known);
    return known;
  };
  for (const id of kept.checks) {
    const check = config.checks[id];
    if (check) for (const channel of channelsOfCheck(config, check)) part(channel).checks.push(id);
  }
  for (const id of kept.budgets) for (const channel of channelsOfService(config, id)) part(channel).budgets.push(id);
  for (const id of kept.incidents) {
    const incident = await incidentById(db, id);
    if (incident) part(incident.channel).incidents.push(id);
  }
  return parts;
}

/** How everything that it covers stands. */
async function coveredViews(db: Db, config: Deps['config'], quiet: Quiet): Promise<CheckView[]> {
  const checks = Object.values(config.checks).filter((check) => covers(quiet, check, config));
  const states = await readStates(
    db,
    checks.map((check) => check.id),
  );
  return checks.map((check) => ({ check, state: states.get(check.id) ?? EMPTY_STATE }));
}

/**
 * The second way out. What people must know and Slack has not taken for longer than a bound is told by mail and webhook, whatever keeps
 * it from Slack: Slack away, a token that was revoked, no bot running. Each once for an incident, a class and a way, at least: see
 * store/elsewhere.ts. When Slack is back, the post comes as ever, and a line of its thread says what was told elsewhere, and when.
 */
import { type About, isNoNews, tellingOf, type Way } from '../core/elsewhere.ts';
import type { Incident } from '../core/incident.ts';
import { whileInForce } from '../store/config.ts';
import { inTransaction } from '../store/db.ts';
import {
  type ClaimedTelling,
  claimTellings,
  dropIt,
  slackHasIt,
  tellLater,
  toldIt,
  type Untold,
  untoldFor,
  wantElsewhere,
} from '../store/elsewhere.ts';
import { incidentById, recordDecisions } from '../store/incident.ts';
import { tellStory } from '../store/story.ts';
import type { JobsDeps } from './deps.ts';
import * as metrics from './metrics.ts';
import { missingWay, NotTold, type Ways } from './ways.ts';

/** Longer than any way takes. */
const LEASE_MS = 30_000;
const MOST_AT_ONCE = 20;
const RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 5 * 60_000;

export type FallbackDeps = Pick<JobsDeps, 'pool' | 'config' | 'configSeq' | 'clock' | 'log'>;

/** Tells elsewhere what is due. Returns how much was told. Throws `NotInForce` when another configuration is. */
export async function tellElsewhere(deps: FallbackDeps, ways: Ways): Promise<number> {
  const { fallback } = deps.config;
  if (!fallback) return 0;
  const missing = missingWay(fallback, ways);
  if (missing) deps.log.error({}, missing);
  const asked: Way[] = [...(fallback.email.length > 0 ? ['email' as const] : []), ...(fallback.webhook ? ['webhook' as const] : [])];
  for (const untold of await untoldFor(deps.pool, fallback.afterMs)) await want(deps, untold, asked);
  const usable = asked.filter((way) => ways[way]);
  const claimed = await claimTellings(deps.pool, { ways: usable, most: MOST_AT_ONCE, leaseMs: LEASE_MS });
  const told = await Promise.all(claimed.map((one) => tell(deps, one, ways)));
  return told.filter(Boolean).length;
}

/** Writes down what is to be told; the incident's end goes the ways that the beginning went. */
async function want(deps: FallbackDeps, { incidentId, waitedMs, told }: Untold, asked: readonly Way[]): Promise<void> {
  const { fallback } = deps.config;
  await whileInForce(deps.pool, deps.configSeq, async (db) => {
    const incident = await incidentById(db, incidentId);
    if (!incident || !fallback) return;
    const about: About = incident.state === 'resolved' ? 'resolved' : incident.class;
    if (about !== 'resolved' && !fallback.classes.includes(about)) return;
    const ways = asked.filter((way) => isNews(about, way, told));
    const wanted: Way[] = [];
    for (const way of ways) if (await wantElsewhere(db, incidentId, about, way)) wanted.push(way);
    if (wanted.length === 0) return;
    const context = { atMs: deps.clock.now(), scope: incident.scope, incidentId, configRevision: deps.config.revision };
    await recordDecisions(db, context, [
      { subject: 'fallback', reason: 'slack-away', inputs: { about, ways: wanted, waitedMs, afterMs: fallback.afterMs } },
    ]);
    deps.log.warn({ incident: incidentId, about, ways: wanted, waitedMs }, 'Slack has not taken it for too long: it is told elsewhere');
  });
}

function isNews(about: About, way: Way, told: Untold['told']): boolean {
  const byThisWay = told.filter((one) => one.way === way).map((one) => one.about);
  return about === 'resolved' ? byThisWay.length > 0 && !byThisWay.includes('resolved') : !isNoNews(about, byThisWay);
}

/** Returns whether the other side has taken it. */
async function tell(deps: FallbackDeps, claim: ClaimedTelling, ways: Ways): Promise<boolean> {
  const { pool, config, clock, log } = deps;
  const fields = { incident: claim.incidentId, about: claim.about, way: claim.way };
  const incident = await incidentById(pool, claim.incidentId);
  const needless = await needlessness(deps, claim, incident);
  if (!incident || needless) {
    await dropIt(pool, claim, needless ?? 'its incident is gone');
    metrics.fallback.inc({ way: claim.way, outcome: 'dropped' });
    return false;
  }
  try {
    const { id, earlierId } = claim;
    const { email = [], from } = config.fallback ?? {};
    const telling = tellingOf(config, incident, claim.about, clock.now());
    await ways[claim.way]?.({ id, ...(earlierId ? { earlierId } : {}), ...telling, to: email, ...(from ? { from } : {}) });
  } catch (error) {
    const unclear = !(error instanceof NotTold) || error.unclear;
    const delayMs = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.min(10, claim.tries - 1));
    log.error({ ...fields, unclear, error: (error as Error).message }, 'It could not be told elsewhere either; it is tried again');
    metrics.fallback.inc({ way: claim.way, outcome: unclear ? 'unclear' : 'failed' });
    await tellLater(pool, claim, { delayMs, error: (error as Error).message, unclear });
    return false;
  }
  await record(deps, claim, incident);
  log.warn({ ...fields, possibleDuplicate: claim.possibleDuplicate }, 'told elsewhere, since Slack is away');
  metrics.fallback.inc({ way: claim.way, outcome: 'sent' });
  return true;
}

/** Why nobody needs to be told any more. */
async function needlessness({ pool }: FallbackDeps, claim: ClaimedTelling, incident: Incident | undefined): Promise<string | undefined> {
  if (!incident) return 'its incident is gone';
  if (claim.about !== 'resolved' && incident.state === 'resolved') return 'it was over before it was told';
  if (claim.about !== 'resolved' && claim.about !== incident.class) return 'its class is another by now';
  return (await slackHasIt(pool, claim)) ? 'Slack has it' : undefined;
}

/** In one transaction with the line of the thread, which waits for Slack like all others. */
async function record({ pool, clock }: FallbackDeps, claim: ClaimedTelling, { id }: Incident): Promise<void> {
  await inTransaction(pool, async (db) => {
    const incident = await incidentById(db, id, 'for update');
    if (!incident || !(await toldIt(db, claim))) return;
    await tellStory(db, incident, clock.now(), { kind: 'told-elsewhere', way: claim.way, about: claim.about });
  });
}

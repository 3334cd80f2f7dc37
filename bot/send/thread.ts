/** Says one entry of the story in the incident's thread. */
import { inTransaction } from '../../store/db.ts';
import { incidentById } from '../../store/incident.ts';
import { markRefused, markSent, PRIORITY, putBack } from '../../store/outbox.ts';
import { postOf } from '../../store/post.ts';
import { timelineEntry } from '../../store/query.ts';
import { showIncident } from '../../store/story.ts';
import { SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import { mentionIn, nameIn } from '../names.ts';
import { renderThread } from '../render/thread.ts';
import { Overtaken, type SendContext } from './context.ts';
import { notePostGone } from './incident.ts';
import { lookUp } from './look-up.ts';

/** Tries to have a post to say it under, each after a second. */
const POST_TRIES = 30;

/** Sends one `thread` row. Throws `SlackTrouble`. */
export async function sendThread(context: SendContext): Promise<void> {
  const { pool, claim, config, slack } = context;
  const incident = claim.incidentId === undefined ? undefined : await incidentById(pool, claim.incidentId);
  const line = claim.timelineId === undefined ? undefined : await timelineEntry(pool, claim.timelineId);
  if (!incident || !line) return void (await markRefused(pool, claim, 'it names no line of a story'));
  const post = await postOf(pool, incident.id);
  if (!post?.ts) return waitForPost(context, incident);
  const place = { channel: post.channel, threadTs: post.ts };
  const before = await lookUp(context, place);
  if (before.found) return finish(context, before.found.ts, false);
  const message = renderThread(line.entry, line.atMs, config.timezone, nameIn(config), mentionIn(config));
  await context.sending();
  try {
    const placed = await slack.post({ ...place, message, outboxId: claim.id });
    await finish(context, placed.ts, before.possibleDuplicate);
  } catch (error) {
    if (!(error instanceof SlackTrouble) || (error.kind !== 'gone' && error.code !== 'channel_not_found')) throw error;
    const did = await notePostGone(context, incident, { channel: post.channel, ts: post.ts });
    if (did) await showIncident(pool, incident, { priority: PRIORITY.outage, reason: 'post-gone' });
    await putBack(pool, claim, 0, error.message);
  }
}

async function finish(context: SendContext, ts: string, possibleDuplicate: boolean): Promise<void> {
  await inTransaction(context.pool, async (db) => {
    if (!(await markSent(db, context.claim, { ts, possibleDuplicate }))) throw new Overtaken();
  });
  metrics.posts.inc({ kind: 'thread', outcome: 'sent' });
}

/** A story without a post: the post is wanted first. After a while the line is given up; `/rounds why` still tells it. */
async function waitForPost(context: SendContext, incident: { id: number; channel: string }): Promise<void> {
  const { pool, claim } = context;
  if (claim.tries > POST_TRIES) return void (await markRefused(pool, claim, 'its incident has no post in Slack'));
  if (claim.tries === 1) await showIncident(pool, incident, { priority: PRIORITY.outage, reason: 'post-gone' });
  await putBack(pool, claim, 1_000, 'its incident has no post yet');
}

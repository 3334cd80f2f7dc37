/** Whether Slack still has what we posted: a post that is gone is posted anew, so that an open incident is never out of sight. */
import { incidentById } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { openPosts } from '../store/post.ts';
import { showIncident } from '../store/story.ts';
import { type BotParts, type SlackApi, SlackTrouble } from './contract.ts';
import { notePostGone } from './send/incident.ts';

/** Looks at the post of every open incident once. Returns how many were gone. Throws when Slack or the database cannot be asked. */
export async function reconcilePosts(parts: BotParts & { slack: SlackApi }): Promise<number> {
  let gone = 0;
  for (const post of await openPosts(parts.pool)) {
    if (post.ts === undefined || (await exists(parts.slack, { channel: post.channel, ts: post.ts }))) continue;
    const incident = await incidentById(parts.pool, post.incidentId);
    if (!incident || !(await notePostGone(parts, incident, { channel: post.channel, ts: post.ts }))) continue;
    await showIncident(parts.pool, incident, { priority: PRIORITY.outage, reason: 'post-gone' });
    gone++;
  }
  return gone;
}

/** A channel that is not there has no post either. */
async function exists(slack: SlackApi, place: { channel: string; ts: string }): Promise<boolean> {
  try {
    return await slack.exists(place);
  } catch (error) {
    if (error instanceof SlackTrouble && error.code === 'channel_not_found') return false;
    throw error;
  }
}

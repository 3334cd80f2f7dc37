/** Posts an incident, or brings its post up to date with what is true now. */
import type { Incident } from '../../core/incident.ts';
import { mintButton } from '../../store/button.ts';
import { inTransaction } from '../../store/db.ts';
import { executionCounts } from '../../store/execution.ts';
import { incidentById, recordDecisions } from '../../store/incident.ts';
import { type enqueue, markRefused, markSent, PRIORITY, putBack } from '../../store/outbox.ts';
import { pictureById } from '../../store/picture.ts';
import { forgetPost, type Post, postOf, recordPicture, recordPost } from '../../store/post.ts';
import { showIncident, tellStory } from '../../store/story.ts';
import { type Placed, SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import { nameIn } from '../names.ts';
import { type ButtonElement, button, type Message } from '../render/blocks.ts';
import { renderIncident } from '../render/incident.ts';
import { Overtaken, type SendContext } from './context.ts';
import { lookUp } from './look-up.ts';

/** A picture that Slack will not show after this many tries is left out. */
const PICTURE_TRIES = 4;

/** Sends one `incident` row. Throws `SlackTrouble`. */
export async function sendIncident(context: SendContext): Promise<void> {
  const { pool, claim } = context;
  const incident = claim.incidentId === undefined ? undefined : await incidentById(pool, claim.incidentId);
  if (!incident) {
    await markRefused(pool, claim, 'it names no incident');
    return;
  }
  const post = await postOf(pool, incident.id);
  if (post?.ts) return bringUpToDate(context, incident, { ...post, ts: post.ts });
  const before = await lookUp(context, { channel: incident.channel });
  const placed = before.found ?? (await postFirst(context, incident, before.possibleDuplicate));
  // A post that was lost and is made anew is no news.
  if (!post) noteDelay(incident, placed);
  if (before.found) await adopt(context, incident, before.found);
}

/** By Slack's own time of the post, which is also known of one that was found. */
function noteDelay({ beganAtMs, openedAtMs }: Incident, { ts }: Placed): void {
  const postedMs = Number(ts) * 1000;
  if (!Number.isFinite(postedMs)) return;
  metrics.firstFailureToPost.observe(Math.max(0, postedMs - beganAtMs) / 1000);
  metrics.verdictToPost.observe(Math.max(0, postedMs - openedAtMs) / 1000);
}

async function postFirst(context: SendContext, incident: Incident, possibleDuplicate: boolean): Promise<Placed> {
  const { pool, claim, slack } = context;
  const message = await render(context, incident, undefined);
  await context.sending();
  const placed = await slack.post({ channel: incident.channel, message, outboxId: claim.id });
  await inTransaction(pool, async (db) => {
    if (!(await markSent(db, claim, { ts: placed.ts, possibleDuplicate }))) throw new Overtaken();
    await recordPost(db, { incidentId: incident.id, ...placed, shownRevision: incident.revision });
    await wantPicture(db, incident, undefined);
  });
  metrics.posts.inc({ kind: 'incident', outcome: 'sent' });
  return placed;
}

/** The post of an earlier, unclear request: it is there, but may show what was true then. */
async function adopt(context: SendContext, incident: Incident, placed: Placed): Promise<void> {
  await recordPost(context.pool, { incidentId: incident.id, ...placed, shownRevision: 0 });
  await bringUpToDate(context, incident, { incidentId: incident.id, ...placed, shownRevision: 0 });
}

async function bringUpToDate(context: SendContext, incident: Incident, post: Post & Placed): Promise<void> {
  const { pool, claim } = context;
  const fileId = claim.reason === 'picture' ? await uploadPicture(context, incident, post) : post.fileId;
  try {
    await change(context, incident, post, fileId);
  } catch (error) {
    if (!(error instanceof SlackTrouble)) throw error;
    if (error.kind === 'gone' || error.code === 'channel_not_found') return postAnew(context, incident, post);
    if (error.kind === 'unclear') return void (await putBack(pool, claim, context.timing.graceMs, error.message));
    // Slack may need a moment to make a file of an upload; the words must not wait for it.
    if (error.kind === 'refused' && fileId) return withoutPicture(context, incident, post);
    throw error;
  }
  await inTransaction(pool, async (db) => {
    if (!(await markSent(db, claim, { ts: post.ts }))) throw new Overtaken();
    await recordPost(db, { incidentId: incident.id, channel: post.channel, ts: post.ts, shownRevision: incident.revision });
    if (claim.reason !== 'picture') await wantPicture(db, incident, post);
  });
  metrics.posts.inc({ kind: 'incident', outcome: 'sent' });
}

async function change(context: SendContext, incident: Incident, post: Placed, fileId: string | undefined): Promise<void> {
  await context.pace();
  const message = await render(context, incident, fileId);
  await context.sending();
  await context.slack.update({ channel: post.channel, ts: post.ts, message });
}

/** Says the words now and tries the picture again later, a few times. */
async function withoutPicture(context: SendContext, incident: Incident, post: Placed): Promise<void> {
  const { pool, claim, timing } = context;
  await change(context, incident, post, undefined);
  const tries = Number(claim.payload.pictureTries ?? 0) + 1;
  await inTransaction(pool, async (db) => {
    if (!(await markSent(db, claim, { ts: post.ts }))) throw new Overtaken();
    if (tries < PICTURE_TRIES) await pictureRow(db, incident, tries, timing.pictureRetryMs);
  });
}

/** The post is gone: the story goes on under a new one, and the old one's absence is part of it. */
async function postAnew(context: SendContext, incident: Incident, post: Placed): Promise<void> {
  await notePostGone(context, incident, post);
  await putBack(context.pool, context.claim, 0, 'the post is gone from Slack');
}

/** Writes down that an incident's post is gone, once. Returns whether this call did it. */
export async function notePostGone(
  parts: Pick<SendContext, 'pool' | 'log' | 'clock' | 'config'>,
  incident: Incident,
  post: Placed,
): Promise<boolean> {
  const atMs = parts.clock.now();
  return inTransaction(parts.pool, async (db) => {
    if (!(await forgetPost(db, incident.id, post.ts))) return false;
    parts.log.warn({ incident: incident.id }, 'The post of an incident is gone from Slack; it is posted anew');
    await tellStory(db, incident, atMs, { kind: 'posted-anew', reason: 'post-gone' }, { reason: 'post-gone' });
    const about = { atMs, scope: incident.scope, incidentId: incident.id, configRevision: parts.config.revision };
    await recordDecisions(db, about, [{ subject: 'post', reason: 'post-gone', inputs: { channel: post.channel, ts: post.ts } }]);
    return true;
  });
}

type Db = Parameters<typeof enqueue>[0];

async function wantPicture(db: Db, incident: Incident, post: Post | undefined): Promise<void> {
  if (incident.pictureId === undefined || incident.pictureId === post?.pictureId) return;
  await pictureRow(db, incident, 0, 0);
}

async function pictureRow(db: Db, incident: Incident, pictureTries: number, delayMs: number): Promise<void> {
  await showIncident(db, incident, { priority: PRIORITY.degradation, reason: 'picture', delayMs, payload: { pictureTries } });
}

/** The id of the incident's picture in Slack, uploaded once; the earlier one, or none, when that fails. */
async function uploadPicture(context: SendContext, incident: Incident, post: Post): Promise<string | undefined> {
  const { pool, slack, log } = context;
  const { pictureId } = incident;
  if (pictureId === undefined || pictureId === post.pictureId) return post.fileId;
  const picture = await pictureById(pool, pictureId);
  if (!picture) return post.fileId;
  const extension = picture.mime === 'image/png' ? 'png' : 'jpg';
  try {
    const name = `incident-${incident.id}-${pictureId}.${extension}`;
    const { id: fileId } = await slack.upload({ name, title: `INC-${incident.id}`, bytes: picture.bytes });
    await recordPicture(pool, incident.id, fileId, pictureId);
    return fileId;
  } catch (error) {
    log.warn({ incident: incident.id, error: error instanceof Error ? error.message : String(error) }, 'A picture could not be uploaded');
    const tries = Number(context.claim.payload.pictureTries ?? 0) + 1;
    if (tries < PICTURE_TRIES) await pictureRow(pool, incident, tries, context.timing.pictureRetryMs * 2 ** tries);
    return post.fileId;
  }
}

async function render(context: SendContext, incident: Incident, fileId: string | undefined): Promise<Message> {
  const { clock, config } = context;
  const buttons = incident.state === 'open' ? await mintButtons(context, incident) : [];
  return renderIncident({
    incident,
    nowMs: clock.now(),
    timeZone: config.timezone,
    nameOf: nameIn(config),
    buttons,
    ...(fileId ? { fileId } : {}),
  });
}

/** The order in which buttons stand; verbs that are not named come after. */
const ORDER = ['acknowledge', 'runbook', 'details', 'snooze', 'escalate'];

async function mintButtons(context: SendContext, incident: Incident): Promise<ButtonElement[]> {
  const { pool, buttons, config } = context;
  const executions = await executionCounts(pool, incident.id);
  const place = (verb: string) => (ORDER.includes(verb) ? ORDER.indexOf(verb) : ORDER.length);
  const elements: ButtonElement[] = [];
  for (const verb of [...buttons.values()].sort((a, b) => place(a.verb) - place(b.verb))) {
    for (const offered of verb.offered(incident, executions, config)) {
      const value = await mintButton(pool, {
        incidentId: incident.id,
        incidentRevision: incident.revision,
        verb: verb.verb,
        params: offered.params,
        expiresInMs: verb.expiresInMs,
      });
      const { opens, ...shown } = offered;
      // Says that a form will be wanted, which has 3 s to open: see bot/slack.ts.
      const actionId = `${opens ? 'open-' : ''}${verb.verb}:${elements.length}`;
      elements.push(button({ ...shown, actionId, value }));
    }
  }
  return elements;
}

/** Posts a notice, once: after an unclear outcome it is looked for by its outbox id before it is sent again. */
import { incidentById } from '../../store/incident.ts';
import type { NoticePayload } from '../../store/notice.ts';
import { markRefused, markSent } from '../../store/outbox.ts';
import { postOf } from '../../store/post.ts';
import { SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import { mentionIn } from '../names.ts';
import { renderNotice, type ShownIncident } from '../render/notice.ts';
import { Overtaken, type SendContext } from './context.ts';
import { lookUp } from './look-up.ts';

/** A notice that nobody could be shown for so long is old news. */
const EXPIRES_MS = 12 * 3_600_000;
/** Posts that are linked; each costs a request, once a notice. */
const MOST_LINKS = 10;

/** Sends one `notice` row: payload of store/notice.ts. Throws `SlackTrouble`. */
export async function sendNotice(context: SendContext): Promise<void> {
  const { pool, claim, clock, slack } = context;
  const payload = payloadOf(claim.payload);
  const { channel } = claim;
  if (!payload || channel === undefined) return void (await markRefused(pool, claim, 'it says nothing, or nowhere'));
  const before = await lookUp(context, { channel });
  if (before.found) return finish(context, before.found.ts, false);
  const incidents = await incidentsOf(context, payload);
  const allOver = payload.whileOpen === true && incidents.every(({ incident }) => incident.state === 'resolved');
  const isOver = allOver || (payload.untilMs !== undefined && clock.now() >= payload.untilMs);
  if (isOver || claim.madeAgoMs > EXPIRES_MS) {
    metrics.posts.inc({ kind: 'notice', outcome: 'refused' });
    return void (await markRefused(pool, claim, isOver ? 'it was true no more' : 'it could not be posted for 12 h'));
  }
  const message = renderNotice({ payload, incidents, mentionOf: mentionIn(context.config) });
  await context.sending();
  const placed = await slack.post({ channel, message, outboxId: claim.id });
  await finish(context, placed.ts, before.possibleDuplicate);
  metrics.posts.inc({ kind: 'notice', outcome: 'sent' });
}

async function finish(context: SendContext, ts: string, possibleDuplicate: boolean): Promise<void> {
  if (!(await markSent(context.pool, context.claim, { ts, possibleDuplicate }))) throw new Overtaken();
}

/** What stands in the row, as far as it has the shape of a notice. */
function payloadOf(row: Record<string, unknown>): NoticePayload | undefined {
  const { mark, title, lines } = row;
  if (typeof title !== 'string' || title === '' || !Array.isArray(lines)) return undefined;
  return { ...(row as unknown as NoticePayload), mark: typeof mark === 'string' ? mark : '' };
}

async function incidentsOf(context: SendContext, payload: NoticePayload): Promise<ShownIncident[]> {
  const shown: ShownIncident[] = [];
  for (const id of payload.incidents ?? []) {
    const incident = await incidentById(context.pool, id);
    if (!incident) continue;
    const link = shown.length < MOST_LINKS ? await linkOf(context, id) : undefined;
    shown.push({ incident, ...(link ? { link } : {}) });
  }
  return shown;
}

/** The address of the incident's post; without one the notice is told all the same. */
async function linkOf({ pool, slack }: SendContext, incidentId: number): Promise<string | undefined> {
  const post = await postOf(pool, incidentId);
  if (!post?.ts) return undefined;
  try {
    return await slack.permalink({ channel: post.channel, ts: post.ts });
  } catch (error) {
    if (error instanceof SlackTrouble) return undefined;
    throw error;
  }
}

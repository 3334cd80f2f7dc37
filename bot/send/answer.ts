/** Answers one person with the result of a run that they asked for. Told once: an unclear answer is not repeated. */
import { markRefused, markSent } from '../../store/outbox.ts';
import { gapsOfAsk, resultViewsOfAsk } from '../../store/query.ts';
import { SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import { type Message, sentence } from '../render/blocks.ts';
import { renderRun } from '../render/run.ts';
import type { SendContext } from './context.ts';

/** Half an hour of tries, as long as Slack lets us answer: docs.slack.dev/interactivity/handling-user-interaction */
const MOST_TRIES = 60;

/**
 * Sends one `answer` row: payload `{askId}` or `{text}`, with `{responseUrl}`, and `{everybody}` when all may see it there; without an
 * address `{user}`, who is told directly. Throws `SlackTrouble` for what may be tried again.
 */
export async function sendAnswer(context: SendContext): Promise<void> {
  const { pool, claim } = context;
  const say = wayTo(context);
  if (!say) return void (await markRefused(pool, claim, 'it names nobody to answer'));
  if (claim.sentAgoMs !== undefined) return giveUp(context);
  if (claim.tries > MOST_TRIES) return void (await markRefused(pool, claim, 'whoever asked cannot be reached'));
  const message = await render(context);
  await context.sending();
  try {
    await say(message);
  } catch (error) {
    if (error instanceof SlackTrouble && error.kind === 'unclear') return giveUp(context);
    throw error;
  }
  await markSent(pool, claim, {});
  metrics.posts.inc({ kind: 'answer', outcome: 'sent' });
}

/** How whoever asked is told; `undefined` when the row does not say who that is. */
function wayTo({ claim, slack }: SendContext): ((message: Message) => Promise<unknown>) | undefined {
  const { responseUrl, user, everybody } = claim.payload;
  if (typeof responseUrl === 'string' && /^https?:\/\//.test(responseUrl)) {
    return (message) => slack.respond(responseUrl, message, everybody === true ? 'everybody' : 'one');
  }
  if (typeof user !== 'string' || responseUrl !== undefined) return undefined;
  return (message) => slack.post({ channel: user, message, outboxId: claim.id });
}

async function giveUp(context: SendContext): Promise<void> {
  metrics.posts.inc({ kind: 'answer', outcome: 'unclear' });
  await markRefused(context.pool, context.claim, 'nobody knows whether it arrived, and answers are not repeated');
}

async function render(context: SendContext): Promise<Message> {
  const { payload } = context.claim;
  if (typeof payload.askId !== 'number') return sentence(String(payload.text ?? 'Done.'));
  const [results, gaps] = await Promise.all([resultViewsOfAsk(context.pool, payload.askId), gapsOfAsk(context.pool, payload.askId)]);
  return renderRun({ config: context.config, results, gaps });
}

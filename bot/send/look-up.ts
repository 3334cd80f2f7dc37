/** Whether a message of an unclear request is in Slack. */
import { type Placed, SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import type { SendContext } from './context.ts';

/** Slack's clock and ours may differ by as much, and a history is searched from before the request. */
const CLOCKS_DIFFER_MS = 300_000;

export interface LookUp {
  found?: Placed;
  /** It is sent again though nobody could look. */
  possibleDuplicate: boolean;
}

/** Looks for the row's message when a request of it went out before. What Slack will not let us see may be there twice in the end. */
export async function lookUp(context: SendContext, place: { channel: string; threadTs?: string }): Promise<LookUp> {
  const { claim, slack, clock, log } = context;
  if (claim.sentAgoMs === undefined) return { possibleDuplicate: false };
  const oldestMs = clock.now() - claim.sentAgoMs - CLOCKS_DIFFER_MS;
  try {
    const found = await slack.findByOutboxId({ ...place, outboxId: claim.id, oldestMs });
    log.info({ reason: claim.reason, found: Boolean(found) }, 'Looked for a post of which nothing was known');
    return { ...(found ? { found } : {}), possibleDuplicate: false };
  } catch (error) {
    if (!(error instanceof SlackTrouble)) throw error;
    if (error.kind === 'gone') return { possibleDuplicate: false };
    // Looking again later helps; only what will never be allowed makes it impossible.
    if (error.kind !== 'refused' && error.code !== 'missing_scope') {
      throw new SlackTrouble('unclear', error.code, error.message, error.retryAfterMs);
    }
    log.error({ slack: error.code, reason: claim.reason }, 'The history cannot be searched: a post may be there twice');
    metrics.possibleDuplicates.inc();
    return { possibleDuplicate: true };
  }
}

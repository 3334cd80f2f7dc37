/** How long the bot waits for what. */

export interface Timing {
  /** How often the outbox is looked at when nobody wakes us. */
  pollMs: number;
  /** How long a claim holds without news: longer than a request and its grace. */
  leaseMs: number;
  /** Of one request to Slack. */
  requestTimeoutMs: number;
  /** After its time-out a request may still arrive for as long. */
  graceMs: number;
  /** Between two requests for one channel. Slack: 1 post a second and channel. */
  channelGapMs: number;
  /** Between two changes of messages. Slack: about 50 `chat.update` a minute for the whole workspace. */
  updateGapMs: number;
  /** Rows in hand at once: as many connections as the pool can spare beside presses. */
  atOnce: number;
  /** How long stopping waits for what is in hand. */
  drainMs: number;
  /** The first wait after something failed; each further one is twice as long, at most 30 times. */
  retryMs: number;
  /** After a picture could not be shown. */
  pictureRetryMs: number;
}

export const TIMING: Timing = {
  pollMs: 1_000,
  leaseMs: 20_000,
  requestTimeoutMs: 10_000,
  graceMs: 5_000,
  channelGapMs: 1_000,
  updateGapMs: 1_200,
  atOnce: 4,
  drainMs: 8_000,
  retryMs: 1_000,
  pictureRetryMs: 5_000,
};

/** How long to wait after that many tries: once, twice, four times `retryMs` …, at most 30 times. */
export function delayAfter(tries: number, retryMs: number): number {
  return retryMs * Math.min(30, 2 ** Math.min(10, Math.max(0, tries - 1)));
}

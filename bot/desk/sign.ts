/** Signs what is sent to the bot as Slack signs it, and sends it. */

import { createHmac } from 'node:crypto';

/** Slack gives an app 3 s to acknowledge: docs.slack.dev/interactivity/handling-user-interaction. */
export const ACKNOWLEDGE_WITHIN_MS = 3_000;

/** Where the bot listens, and the secret that both know. */
export interface BotAddress {
  url: string;
  signingSecret: string;
}

/** What is sent: a form for interactions and commands, JSON for events. */
export interface SignedRequest {
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

/** What came of a request: the bot's body, or the sentence for the person who acted, and Slack's word for an event's next attempt. */
export type HttpDelivery = { ok: true; body: string } | { ok: false; reason: string; retryReason: string };

/** The value of `X-Slack-Signature` for a body sent at `timestampSeconds`. */
export function signatureOf(signingSecret: string, timestampSeconds: number, body: string): string {
  return `v0=${createHmac('sha256', signingSecret).update(`v0:${timestampSeconds}:${body}`).digest('hex')}`;
}

/** Sends a signed request to the bot and waits for its acknowledgement, 3 s at most. Never throws. */
export async function deliver(bot: BotAddress, request: SignedRequest): Promise<HttpDelivery> {
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  try {
    const response = await fetch(bot.url, {
      method: 'POST',
      headers: {
        'content-type': request.contentType,
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': String(timestampSeconds),
        'x-slack-signature': signatureOf(bot.signingSecret, timestampSeconds, request.body),
        ...request.headers,
      },
      body: request.body,
      signal: AbortSignal.timeout(ACKNOWLEDGE_WITHIN_MS),
    });
    const body = await response.text();
    if (response.ok) return { ok: true, body };
    return { ok: false, reason: `Rounds refused this with HTTP ${response.status}`, retryReason: 'http_error' };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    return isLate ? late() : { ok: false, reason: 'Rounds cannot be reached', retryReason: 'connection_failed' };
  }
}

/** What is said of an acknowledgement that did not come in time. */
export function late(): { ok: false; reason: string; retryReason: string } {
  return { ok: false, reason: `Rounds did not answer in ${ACKNOWLEDGE_WITHIN_MS / 1_000} s`, retryReason: 'http_timeout' };
}

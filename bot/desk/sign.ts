/** Sends to the bot what Slack would send, signed as Slack signs. */

import { createHmac } from 'node:crypto';

/** Slack gives an app 3 s to acknowledge: docs.slack.dev/interactivity/handling-user-interaction. */
export const ACKNOWLEDGE_WITHIN_MS = 3_000;

/** Where the bot listens, and the secret that both know. */
export interface BotAddress {
  url: string;
  signingSecret: string;
}

/** What came of a delivery. A refusal carries the sentence for the person who pressed. */
export type Delivery = { ok: true; body: string } | { ok: false; reason: string };

/** The value of `X-Slack-Signature` for a body sent at `timestampSeconds`. */
export function signatureOf(signingSecret: string, timestampSeconds: number, body: string): string {
  return `v0=${createHmac('sha256', signingSecret).update(`v0:${timestampSeconds}:${body}`).digest('hex')}`;
}

/** Sends a form to the bot and waits for its acknowledgement, 3 s at most. Never throws. */
export async function deliver(bot: BotAddress, form: Record<string, string>): Promise<Delivery> {
  const body = new URLSearchParams(form).toString();
  const timestampSeconds = Math.floor(Date.now() / 1_000);
  try {
    const response = await fetch(bot.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
        'x-slack-request-timestamp': String(timestampSeconds),
        'x-slack-signature': signatureOf(bot.signingSecret, timestampSeconds, body),
      },
      body,
      signal: AbortSignal.timeout(ACKNOWLEDGE_WITHIN_MS),
    });
    const answer = await response.text();
    return response.ok ? { ok: true, body: answer } : { ok: false, reason: `Rounds refused this with HTTP ${response.status}` };
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return { ok: false, reason: late ? `Rounds did not answer in ${ACKNOWLEDGE_WITHIN_MS / 1_000} s` : 'Rounds cannot be reached' };
  }
}

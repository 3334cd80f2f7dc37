/** Events as Slack sends them: an acknowledgement is expected within 3 s, and what fails comes again. */

import { randomBytes } from 'node:crypto';
import { APP, TEAM } from './identity.ts';
import type { Delivery, Line } from './line.ts';
import { VERIFICATION_TOKEN } from './payloads.ts';
import type { Json } from './shapes.ts';

/** "The first retry will be sent nearly immediately", then after 1 and after 5 minutes: docs.slack.dev/apis/events-api#retries. */
const RETRY_AFTER_MS = [0, 60_000, 300_000];

/** Sends events to the bot. */
export class Events {
  readonly #line: Line;
  readonly #waiting = new Set<NodeJS.Timeout>();
  #isClosed = false;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Sends an event. Returns what came of the first attempt; further ones follow by themselves. */
  async send(event: Json): Promise<Delivery> {
    const payload = envelopeOf(event);
    const delivery = await this.#line.send({ type: 'events_api', payload, takesAnswer: false });
    if (!delivery.ok) this.#again(payload, 1, delivery.retryReason);
    return delivery;
  }

  /** Gives up what is still to be sent again. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#waiting) clearTimeout(timer);
    this.#waiting.clear();
  }

  #again(payload: Json, attempt: number, reason: string): void {
    const afterMs = RETRY_AFTER_MS[attempt - 1];
    if (afterMs === undefined || this.#isClosed) return;
    const timer = setTimeout(async () => {
      this.#waiting.delete(timer);
      const delivery = await this.#line.send({ type: 'events_api', payload, takesAnswer: false, retry: { attempt, reason } });
      if (!delivery.ok) this.#again(payload, attempt + 1, delivery.retryReason);
    }, afterMs).unref();
    this.#waiting.add(timer);
  }
}

function envelopeOf(event: Json): Json {
  const now = Date.now() / 1_000;
  return {
    token: VERIFICATION_TOKEN,
    team_id: TEAM.id,
    api_app_id: APP.id,
    event: { ...event, event_ts: now.toFixed(6) },
    type: 'event_callback',
    event_id: `Ev${randomBytes(5).toString('hex').toUpperCase()}`,
    event_time: Math.floor(now),
    authorizations: [{ enterprise_id: null, team_id: TEAM.id, user_id: APP.botUserId, is_bot: true, is_enterprise_install: false }],
    is_ext_shared_channel: false,
  };
}

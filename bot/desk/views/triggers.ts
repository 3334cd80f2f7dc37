/**
 * Trigger ids: what somebody did at the desk lets the bot open or push one modal for them, once and within 3 s
 * (docs.slack.dev/interactivity/handling-user-interaction#modal_responses).
 */

import { randomBytes, randomInt } from 'node:crypto';

const VALID_FOR_MS = 3_000;
/** After that long, an expired id is no longer told from one that never was. */
const REMEMBERED_FOR_MS = 10 * 60 * 1_000;

/** Who acted, in which page, and in which view if it was in one. */
export interface TriggerOrigin {
  userId: string;
  /** The page in which the person acted; empty when it was no page. */
  client: string;
  viewId?: string;
}

interface Trigger extends TriggerOrigin {
  issuedAtMs: number;
  used: boolean;
}

/** The trigger ids that were given out. */
export class Triggers {
  readonly #now: () => number;
  readonly #triggers = new Map<string, Trigger>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A new id, good for 3 s and once. */
  issue(origin: TriggerOrigin): string {
    const now = this.#now();
    for (const [id, trigger] of this.#triggers) if (now - trigger.issuedAtMs > REMEMBERED_FOR_MS) this.#triggers.delete(id);
    const id = `${randomInt(1e9, 1e10)}.${randomInt(1e9, 1e10)}.${randomBytes(16).toString('hex')}`;
    this.#triggers.set(id, { ...origin, issuedAtMs: now, used: false });
    return id;
  }

  /** Takes an id for its one use. Returns Slack's error when it was used, is older than 3 s, or was never given out. */
  take(id: string): TriggerOrigin | { error: string } {
    const trigger = this.#triggers.get(id);
    if (!trigger) return { error: 'invalid_trigger_id' };
    if (trigger.used) return { error: 'exchanged_trigger_id' };
    if (this.#now() - trigger.issuedAtMs > VALID_FOR_MS) return { error: 'expired_trigger_id' };
    trigger.used = true;
    return trigger;
  }
}

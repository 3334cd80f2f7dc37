/** A notice: a post of its own in a channel, that is no incident, such as who is on call from now on. Sent as the rest of the outbox is. */
import type { Db } from './db.ts';
import { enqueue, PRIORITY } from './outbox.ts';

/** What a notice says. Rendered when it is sent: see bot/render/notice.ts. */
export interface NoticePayload {
  /** One mark before the title, such as `🟢`; empty for none. */
  mark: string;
  /** One line, without a full stop unless it is a sentence. */
  title: string;
  /** Plain text, each a short line. */
  lines: readonly string[];
  /** Incidents that are shown as they are when it is sent, each with a link to its post. */
  incidents?: readonly number[];
  /** Ids of people who are called by name, so that their phones ring. */
  call?: readonly string[];
  /** Milliseconds since 1970 after which it is true no more, and not told. */
  untilMs?: number;
  /** It is not told when all of its incidents are over before Slack takes it. */
  whileOpen?: boolean;
}

export interface NewNotice {
  /** A name with `#`, or an id. */
  channel: string;
  /** What it is, by name: `on-call`, `escalated`, `maintenance-over`. */
  kind: string;
  payload: NoticePayload;
  /** Of {@link PRIORITY}; that of a notice unless said. */
  priority?: number;
  /** Why it is told, by name. */
  reason: string;
  /** Wanted twice under one key, it is told once, however long ago that was. */
  key: string;
}

/**
 * Wants a notice posted; it becomes visible to the bot with the transaction. Returns `false` when it was wanted before. Notices
 * go out one by one for each key, so none waits for another that Slack does not take.
 */
export async function tellNotice(db: Db, notice: NewNotice): Promise<boolean> {
  const { channel, kind, payload, priority = PRIORITY.notice, reason, key } = notice;
  const row = { kind: 'notice' as const, lane: `notice/${key}`, channel, payload: { ...payload, kind }, priority, reason, key };
  return (await enqueue(db, [row])) === 1;
}

/**
 * What Slack is to be told: one row for each thing, written in the transaction that decided it, sent by whoever claims it.
 *
 * A row is `wanted`, then `claimed` under a lease and a fencing token, then `sent`, `superseded` (a newer row of the same
 * incident tells all that it would) or `refused` (Slack will never take it). A claim that ran out may have reached Slack: its
 * `sending_since` is set, and whoever takes it over looks for it in the channel's history before sending again.
 */
import type { Db } from './db.ts';

/** Lower goes first. A full interruption never waits behind a report. */
export const PRIORITY = { interruption: 10, outage: 20, resolve: 30, degradation: 40, answer: 15, thread: 50 } as const;

export interface NewOutboxRow {
  kind: 'incident' | 'thread' | 'answer';
  /** Rows of one lane are sent in order. */
  lane: string;
  channel?: string;
  incidentId?: number;
  timelineId?: number;
  payload?: Record<string, unknown>;
  priority: number;
  /** Why it is told, by name: `first-notification`, `class-raised`, `post-gone` … */
  reason: string;
}

/** Adds rows; they become visible to the bot with the transaction. */
export async function enqueue(db: Db, rows: readonly NewOutboxRow[]): Promise<void> {
  for (const row of rows) {
    await db.query(
      `insert into outbox (kind, lane, channel, incident_id, timeline_id, payload, priority, reason)
       values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [
        row.kind,
        row.lane,
        row.channel ?? null,
        row.incidentId ?? null,
        row.timelineId ?? null,
        row.payload ?? {},
        row.priority,
        row.reason,
      ],
    );
  }
}

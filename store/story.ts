/** What an incident has to say: its post brought up to date, and a line in its thread. Both are outbox rows of its lane. */
import type { TimelineEntry } from '../core/incident.ts';
import type { Db } from './db.ts';
import { addTimeline } from './incident.ts';
import { enqueue, type NewOutboxRow, PRIORITY } from './outbox.ts';

/** The part of an incident that says where it speaks. */
export interface Speaker {
  id: number;
  channel: string;
}

const laneOf = (incident: Speaker) => ({ lane: `incident/${incident.id}`, channel: incident.channel, incidentId: incident.id });

/** Wants the incident's post to show what is true when it is sent. */
export async function showIncident(
  db: Db,
  incident: Speaker,
  row: Pick<NewOutboxRow, 'priority' | 'reason' | 'delayMs' | 'payload'>,
): Promise<void> {
  await enqueue(db, [{ kind: 'incident', ...laneOf(incident), ...row }]);
}

/** Adds a line to the story, to be told in the thread. */
export async function tellStory(
  db: Db,
  incident: Speaker,
  atMs: number,
  entry: TimelineEntry,
  { reason = entry.kind, priority = PRIORITY.thread }: { reason?: string; priority?: number } = {},
): Promise<void> {
  const timelineId = await addTimeline(db, incident.id, atMs, entry);
  await enqueue(db, [{ kind: 'thread', ...laneOf(incident), timelineId, priority, reason }]);
}

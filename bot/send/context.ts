/** What a sender of one kind of row works with. */
import type { Db } from '../../store/db.ts';
import { type Claim, enqueue } from '../../store/outbox.ts';
import type { BotParts, ButtonVerb, SlackApi } from '../contract.ts';
import type { Timing } from '../timing.ts';

export interface NotifierParts extends BotParts {
  slack: SlackApi;
  buttons: ReadonlyMap<string, ButtonVerb>;
  timing: Timing;
}

export interface SendContext extends NotifierParts {
  claim: Claim;
  /** Commits that a request goes out now. Throws `Overtaken` when the claim is another's by now. */
  sending(): Promise<void>;
  /** Waits for a turn among the changes of messages. */
  pace(): Promise<void>;
}

/** The claim ran out and somebody else has it: whatever is in hand is dropped. */
export class Overtaken extends Error {}

/** Adds a row that brings an incident's post up to date. */
export async function enqueueIncident(
  db: Db,
  incident: { id: number; channel: string },
  row: { priority: number; reason: string; delayMs?: number; payload?: Record<string, unknown> },
): Promise<void> {
  await enqueue(db, [{ kind: 'incident', lane: `incident/${incident.id}`, channel: incident.channel, incidentId: incident.id, ...row }]);
}

/** What a sender of one kind of row works with. */
import type { Claim } from '../../store/outbox.ts';
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

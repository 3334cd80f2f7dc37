/**
 * Tells Slack what the outbox says. Several bots may do so at once; any may be killed at any point.
 *
 * A row is claimed under a lease, `sending_since` is committed, the request goes out, and what Slack said is recorded with the row in
 * one transaction, which the claim's token guards. Killed before `sending_since`: the lease runs out and the row is sent. Killed after
 * it, or no clear answer: once the request can no longer arrive (its time-out and a grace), the history is searched for the row's id,
 * and only a message that is not there is sent again.
 */
import { type Claim, claimNext, holdChannel, markRefused, markSending, markUnclear, outboxBacklog, putBack } from '../store/outbox.ts';
import { SlackTrouble } from './contract.ts';
import * as metrics from './metrics.ts';
import { sendAnswer } from './send/answer.ts';
import { type NotifierParts, Overtaken, type SendContext } from './send/context.ts';
import { sendIncident } from './send/incident.ts';
import { sendNotice } from './send/notice.ts';
import { sendReport } from './send/report.ts';
import { sendThread } from './send/thread.ts';
import { delayAfter } from './timing.ts';
import { messageOf, NO_WAY_IN } from './trouble.ts';

const SENDERS: Record<Claim['kind'], (context: SendContext) => Promise<void>> = {
  incident: sendIncident,
  thread: sendThread,
  answer: sendAnswer,
  report: sendReport,
  notice: sendNotice,
};

/** What waits until somebody has let the bot into its channel. */
const WAITS_TO_BE_LET_IN: ReadonlySet<Claim['kind']> = new Set(['incident', 'report', 'notice']);

const INVITATION_TURN_MS = 30_000;

export class Notifier {
  readonly #parts: NotifierParts;
  readonly #inHand = new Map<string, { channel: string | undefined; changesPost: boolean; done: Promise<void> }>();
  readonly #heldUntilMs = new Map<string, number>();
  #nextUpdateMs = 0;
  #trouble: string | undefined = undefined;
  #stopped = false;
  #wake: () => void = () => {};
  #woken = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Begins to claim and send. */
  start(): void {
    this.#running = this.#run();
  }

  /** Looks at the outbox now instead of at the next poll. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** One sentence while Slack does not take our posts, else `undefined`. */
  trouble(): string | undefined {
    return this.#trouble;
  }

  /** Claims nothing more and waits for what is in hand; what takes longer is found again by its lease. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
    const all = Promise.allSettled([...this.#inHand.values()].map((one) => one.done));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, this.#parts.timing.drainMs).unref())]);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      try {
        await this.#fill();
        metrics.lastTurn.setToCurrentTime({ loop: 'notify' });
      } catch (error) {
        metrics.failedTurns.inc({ loop: 'notify' });
        this.#parts.log.warn({ error: messageOf(error) }, 'The outbox could not be read; trying again');
      }
      if (!this.#woken) await this.#pause();
    }
  }

  async #fill(): Promise<void> {
    const { pool, timing } = this.#parts;
    while (!this.#stopped && this.#inHand.size < timing.atOnce) {
      const claim = await claimNext(pool, {
        leaseMs: timing.leaseMs,
        channelGapMs: timing.channelGapMs,
        channelsHeld: this.#channelsHeld(),
        changesHeld: this.#changesHeld(),
      });
      if (!claim) break;
      this.#take(claim);
    }
    const backlog = await outboxBacklog(pool);
    metrics.outboxWaiting.set(backlog.waiting);
    metrics.outboxOldest.set(backlog.oldestMs / 1000);
  }

  /** One request at a time for a channel, and none while Slack asked to wait. */
  #channelsHeld(): string[] {
    const nowMs = this.#parts.clock.monotonic();
    for (const [channel, untilMs] of this.#heldUntilMs) if (untilMs <= nowMs) this.#heldUntilMs.delete(channel);
    return [...this.#heldUntilMs.keys(), ...[...this.#inHand.values()].flatMap((one) => one.channel ?? [])];
  }

  /** One change at a time, and none before its turn: those that wait for it in hand would keep first posts from being sent. */
  #changesHeld(): boolean {
    return this.#untilChangeMs() > 0 || [...this.#inHand.values()].some((one) => one.changesPost);
  }

  #untilChangeMs(): number {
    return Math.max(0, this.#nextUpdateMs - this.#parts.clock.monotonic());
  }

  #take(claim: Claim): void {
    const done = this.#handle(claim).finally(() => {
      this.#inHand.delete(claim.id);
      this.wake();
    });
    this.#inHand.set(claim.id, { channel: claim.channel, changesPost: claim.changesPost, done });
  }

  async #handle(claim: Claim): Promise<void> {
    const context: SendContext = {
      ...this.#parts,
      claim,
      sending: async () => {
        if (!(await markSending(this.#parts.pool, claim, this.#parts.timing.leaseMs))) throw new Overtaken();
      },
      pace: () => this.#pace(),
    };
    try {
      await SENDERS[claim.kind](context);
      this.#trouble = undefined;
    } catch (error) {
      await this.#settle(claim, error).catch((late: Error) => this.#parts.log.warn({ error: late.message }, 'A row waits for its lease'));
    }
  }

  async #settle(claim: Claim, error: unknown): Promise<void> {
    if (error instanceof Overtaken) return;
    if (!(error instanceof SlackTrouble)) {
      this.#parts.log.error({ kind: claim.kind, reason: claim.reason, error: messageOf(error) }, 'Telling Slack failed inside Rounds');
      // It may have gone out before: the row keeps what it knows of that.
      await this.#lookLater(claim, messageOf(error));
      return;
    }
    metrics.posts.inc({ kind: claim.kind, outcome: error.kind });
    await this.#settleTrouble(claim, error);
  }

  async #settleTrouble(claim: Claim, trouble: SlackTrouble): Promise<void> {
    const { pool, log, timing } = this.#parts;
    const fields = { kind: claim.kind, reason: claim.reason, incident: claim.incidentId, channel: claim.channel, slack: trouble.code };
    switch (trouble.kind) {
      case 'limited':
        return this.#hold(claim, trouble);
      case 'unclear':
        log.warn(fields, 'Nobody knows whether Slack took it: it is looked for before it is sent again');
        return this.#lookLater(claim, trouble.message, trouble.retryAfterMs);
      case 'auth':
        this.#trouble = `Slack refuses the bot's token (${trouble.code}): check SLACK_BOT_TOKEN and the app's scopes.`;
        log.error(fields, this.#trouble);
        await putBack(pool, claim, delayAfter(claim.tries, timing.retryMs), trouble.message);
        return;
      case 'not-sent':
        this.#trouble = trouble.message;
        log.warn(fields, trouble.message);
        await putBack(pool, claim, delayAfter(claim.tries, timing.retryMs), trouble.message);
        return;
      default:
        if (WAITS_TO_BE_LET_IN.has(claim.kind) && NO_WAY_IN.has(trouble.code)) return this.#waitForInvitation(claim, trouble);
        log.error(fields, `Slack will not take it: ${trouble.message}`);
        await markRefused(pool, claim, trouble.message);
    }
  }

  /** An alert, a report and a notice wait until somebody has let the bot into its channel; until then the bot is not ready. */
  async #waitForInvitation(claim: Claim, trouble: SlackTrouble): Promise<void> {
    this.#trouble = `Rounds cannot post in ${claim.channel ?? 'a channel'} (${trouble.code}): invite it there, or correct the channel in rounds.yaml.`;
    this.#parts.log.error({ incident: claim.incidentId, channel: claim.channel, slack: trouble.code }, this.#trouble);
    await putBack(this.#parts.pool, claim, INVITATION_TURN_MS, trouble.message);
  }

  async #lookLater(claim: Claim, why: string, atLeastMs = 0): Promise<void> {
    const { pool, timing } = this.#parts;
    const delayMs = Math.max(atLeastMs, delayAfter(claim.tries, timing.retryMs));
    await markUnclear(pool, claim, { afterRequestMs: timing.requestTimeoutMs + timing.graceMs, delayMs }, why);
  }

  async #hold(claim: Claim, trouble: SlackTrouble): Promise<void> {
    const { pool, log, clock } = this.#parts;
    const holdMs = trouble.retryAfterMs ?? 1_000;
    log.warn({ channel: claim.channel, holdMs }, 'Slack asked to wait with this channel');
    if (claim.channel) {
      this.#heldUntilMs.set(claim.channel, clock.monotonic() + holdMs);
      await holdChannel(pool, claim.channel, holdMs);
    }
    await putBack(pool, claim, holdMs, trouble.message);
  }

  /** Waits for a turn among the changes of messages, of which the whole workspace takes about 50 a minute. */
  async #pace(): Promise<void> {
    const nowMs = this.#parts.clock.monotonic();
    const turnMs = Math.max(nowMs, this.#nextUpdateMs);
    this.#nextUpdateMs = turnMs + this.#parts.timing.updateGapMs;
    if (turnMs > nowMs) await new Promise((resolve) => setTimeout(resolve, turnMs - nowMs));
  }

  /** Until the next poll, the turn of the next change, or until somebody wakes us. */
  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const { pollMs } = this.#parts.timing;
      const timer = setTimeout(resolve, Math.min(pollMs, this.#untilChangeMs() || pollMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

/** Who is who in the desk's workspace. Fixed, so that logs and tests can be read. */

export const TEAM = { id: 'T000000001', name: 'Clinic operations', domain: 'clinic-operations' };
export const APP = { id: 'A0ROUNDS', name: 'Rounds', botId: 'B0ROUNDS', botUserId: 'U0ROUNDS', botName: 'rounds' };

/** The user and the channels that the emulator makes by itself; they are nobody's here. */
export const EMULATOR_ADMIN = 'U000000001';
export const EMULATOR_CHANNELS = new Set(['C000000001', 'C000000002']);

/** Tokens for one caller. The emulator refuses a token after 5,000 requests an hour; these take turns. */
export class TokenPool {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  /** All tokens of the pool, to be made known to the emulator. */
  all(): readonly string[] {
    return this.#tokens;
  }

  /** The token whose turn it is. */
  take(): string {
    const token = this.#tokens[this.#next % this.#tokens.length];
    this.#next += 1;
    return token ?? '';
  }
}

/**
 * Ids of channels that outlive the desk. The emulator draws them anew at each start, so the bot would hold ids of channels that are gone;
 * the desk gives each an id that follows from its name, and translates on the way in and on the way out.
 */

import { createHash } from 'node:crypto';

/** What the emulator's own ids look like, and so do ours. */
const CHANNEL_ID = /\b[CD][0-9A-F]{9}\b/g;

/** Ids of the emulator and ids of the desk. */
export class ChannelIds {
  readonly #toDesk = new Map<string, string>();
  readonly #toEmulator = new Map<string, string>();

  /** Makes a channel or a direct conversation known. `name` is that of the channel, or the id of the person. */
  learn(emulatorId: string, name: string): void {
    const deskId = `${emulatorId.slice(0, 1)}${createHash('sha256').update(name).digest('hex').slice(0, 9).toUpperCase()}`;
    this.#toDesk.set(emulatorId, deskId);
    this.#toEmulator.set(deskId, emulatorId);
  }

  /** The text with the desk's ids. */
  toDesk(text: string): string {
    return text.replace(CHANNEL_ID, (id) => this.#toDesk.get(id) ?? id);
  }

  /** The text with the emulator's ids. */
  toEmulator(text: string): string {
    return text.replace(CHANNEL_ID, (id) => this.#toEmulator.get(id) ?? id);
  }
}

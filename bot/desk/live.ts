/** Tells the open pages that something changed, so that they never poll. */

/** What a page is told. It then fetches what it shows. */
export type LiveEvent = { type: 'channel'; channel: string } | { type: 'channels' } | { type: 'modal' } | { type: 'home' };

type Listener = {
  userId: string;
  /** Which of the user's pages it is. */
  client: string;
  send: (event: LiveEvent) => void;
  end: () => void;
};

/** The open pages. */
export class LiveHub {
  readonly #listeners = new Set<Listener>();

  /** Adds a page of a user. Returns what removes it again. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells every page, or only those of one user, or only one of these. */
  publish(event: LiveEvent, userId?: string, client = ''): void {
    for (const listener of this.#listeners) {
      const isMeant = (userId === undefined || listener.userId === userId) && (client === '' || listener.client === client);
      if (isMeant) listener.send(event);
    }
  }

  /** Ends every page's stream. */
  close(): void {
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }
}

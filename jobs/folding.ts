/**
 * Reports on their way into the database. While one lot is folded, those that come meanwhile wait and make the next: a worker that is
 * behind folds many at once, for which a check is locked, read and written once instead of once for each location.
 */
import type { Report } from './contract.ts';
import type { Arrived } from './fold.ts';

/** More results in one transaction make each no cheaper, and hold its locks for longer. */
const MOST_RESULTS = 3_000;

interface Waiting extends Arrived {
  resolve(dirty: boolean): void;
  reject(error: unknown): void;
}

export class Folding {
  readonly #fold: (lot: readonly Arrived[]) => Promise<boolean>;
  #waiting: Waiting[] = [];
  #running = false;

  constructor(fold: (lot: readonly Arrived[]) => Promise<boolean>) {
    this.#fold = fold;
  }

  /** Resolves when the report is stored, to whether there is something to judge; rejects when nothing of it was. */
  take(location: string, report: Report): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ location, report, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#foldLot(this.#nextLot());
    this.#running = false;
  }

  #nextLot(): Waiting[] {
    let results = 0;
    const size = this.#waiting.findIndex(({ report }) => {
      results += report.results.length;
      return results > MOST_RESULTS;
    });
    return this.#waiting.splice(0, size === -1 ? this.#waiting.length : Math.max(1, size));
  }

  /** One report that cannot be stored is not to spoil the others: then each is folded by itself. */
  async #foldLot(lot: readonly Waiting[]): Promise<void> {
    try {
      const dirty = await this.#fold(lot);
      for (const one of lot) one.resolve(dirty);
    } catch (error) {
      const [only, ...others] = lot;
      if (only && others.length === 0) only.reject(error);
      else for (const one of lot) await this.#foldLot([one]);
    }
  }
}

/** Samples of a server's load as a probe would take them, and days of them. */
import type { Tenant } from '../../../core/config/model.ts';
import { foldLoads, type LoadState, NO_LOAD, noisyIn } from '../../../core/load/fold.ts';
import { type Owners, ownersOn } from '../../../core/load/owners.ts';
import type { Load, LoadCounters, LoadLevels, Loads } from '../../../core/result.ts';

export const START_MS = Date.UTC(2026, 0, 5);
export const EVERY_MS = 30_000;

export function aTenant(id: string, fields: Record<string, string>, components?: string[]): Tenant {
  const title = `${id.charAt(0).toUpperCase()}${id.slice(1)}`;
  return { id, title, fields: { id, title, ...fields }, ...(components ? { components } : {}) };
}

export const TENANTS = Object.fromEntries(
  ['hillcrest', 'lakeside', 'riverside'].map((id) => [id, aTenant(id, { database: 'clinic', role: `${id}_app` })]),
);
export const OWNERS: Owners = ownersOn(TENANTS, 'postgres');

export function aLoad(name: string, counters: LoadCounters = {}, levels: LoadLevels = {}, change: Partial<Load> = {}): Load {
  return { by: 'role', name, countingSinceMs: 7, counters, levels, ...change };
}

export function aSample(atMs: number, loads: Load[], unreadable: string[] = []): Loads {
  return { atMs, loads, unreadable };
}

/** What each role does in one interval: seconds of statements a second, and anything else of a sample. */
export type Doing = Record<string, { busy?: number; counters?: LoadCounters; levels?: LoadLevels }>;

/** A server that counts what is done to it, and whoever folds its samples. */
export class Watched {
  state: LoadState = NO_LOAD;
  atMs = START_MS;
  countingSinceMs = 7;
  readonly #statementMs = new Map<string, number>();

  /** One interval in which the roles do this. Returns who is noisy afterwards. */
  slot(doing: Doing): string[] {
    this.atMs += EVERY_MS;
    const loads = Object.entries(doing).map(([role, { busy = 0, counters = {}, levels = {} }]) => {
      const statementMs = (this.#statementMs.get(role) ?? 0) + busy * EVERY_MS;
      this.#statementMs.set(role, statementMs);
      return aLoad(`${role}_app`, { statementMs, ...counters }, levels, { countingSinceMs: this.countingSinceMs });
    });
    this.take(aSample(this.atMs, loads));
    return this.noisy();
  }

  take(loads: Loads, plannedAtMs = loads.atMs): void {
    this.state = foldLoads(this.state, { loads, plannedAtMs }, OWNERS).state;
  }

  slots(count: number, doing: Doing): string[] {
    let noisy: string[] = [];
    for (let slot = 0; slot < count; slot++) noisy = this.slot(doing);
    return noisy;
  }

  noisy(): string[] {
    return noisyIn(this.state, 'postgres', (tenant) => TENANTS[tenant]?.title ?? tenant).map(({ text }) => text);
  }

  /** The server begins to count anew. */
  reset(): void {
    this.countingSinceMs++;
    this.#statementMs.clear();
  }
}

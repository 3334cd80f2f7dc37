/**
 * Which agents are there, from the reports that they send. Hearing one costs nothing: what was heard is kept in memory and written in
 * one statement, a new agent at once, each other at most every 10 s.
 */
import { type Heard, noteAgents } from '../store/agent.ts';
import type { Db } from '../store/db.ts';
import type { Report } from './contract.ts';

/** Least time between two writings of one agent. */
const WRITE_MS = 10_000;
/** Nobody checks what agents call themselves: more of one location than these are not heard between two writings. */
const MOST_AT_A_LOCATION = 100;

type Told = Pick<Report, 'agent' | 'sentAtMs' | 'spooled' | 'version'>;

interface Entry extends Omit<Heard, 'agoMs'> {
  heardMs: number;
  /** Not heard since it was written last. */
  written: boolean;
  writtenMs: number;
}

export class AgentBook {
  readonly #clock: { now(): number; monotonic(): number };
  #entries = new Map<string, Entry>();

  constructor(clock: { now(): number; monotonic(): number }) {
    this.#clock = clock;
  }

  /** Notes that a report came. Returns whether it is from an agent that is new to this process. */
  heard(location: string, report: Told): boolean {
    const name = plain(report.agent);
    const key = `${location} ${name}`;
    const known = this.#entries.get(key);
    if (!known && this.#heardAt(location) >= MOST_AT_A_LOCATION) return false;
    const skewMs = this.#clock.now() - report.sentAtMs;
    this.#entries.set(key, {
      location,
      name,
      // The way of a report adds to it, so that of several the least is the nearest.
      skewMs: known && !known.written ? Math.min(known.skewMs, skewMs) : skewMs,
      ...(report.spooled === undefined ? {} : { spooled: report.spooled }),
      ...(report.version === undefined ? {} : { version: plain(report.version) }),
      heardMs: this.#clock.monotonic(),
      written: false,
      writtenMs: known?.writtenMs ?? Number.NEGATIVE_INFINITY,
    });
    return known === undefined;
  }

  /** Writes those whose turn it is. What cannot be written is written with the next turn. */
  async write(db: Db): Promise<void> {
    const nowMs = this.#clock.monotonic();
    const due = [...this.#entries].filter(([, entry]) => !entry.written && nowMs - entry.writtenMs >= WRITE_MS);
    await noteAgents(
      db,
      due.map(([, { heardMs, written: _written, writtenMs: _writtenMs, ...heard }]) => ({ ...heard, agoMs: nowMs - heardMs })),
    );
    for (const [key, entry] of due) {
      const now = this.#entries.get(key);
      // Heard again meanwhile: that is still to be written.
      if (now) this.#entries.set(key, { ...now, written: now.heardMs === entry.heardMs, writtenMs: nowMs });
    }
    this.#forget(nowMs);
  }

  #heardAt(location: string): number {
    return [...this.#entries.values()].filter((entry) => entry.location === location).length;
  }

  #forget(nowMs: number): void {
    for (const [key, entry] of this.#entries) if (entry.written && nowMs - entry.heardMs > 2 * WRITE_MS) this.#entries.delete(key);
  }
}

/** Without what PostgreSQL refuses and nobody can read. */
function plain(text: string): string {
  return text.toWellFormed().replaceAll(/\p{C}/gu, '');
}

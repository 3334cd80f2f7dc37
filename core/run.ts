/**
 * A run is named by (check, location, slot, purpose, ask). The name is the key of the ledger, of the queue's job and of
 * the result, so a redelivery is judged once and a confirmation never collides with the slot's own run.
 */
import * as z from 'zod';
import { PURPOSES, type Purpose } from './check.ts';

export interface Run {
  check: string;
  location: string;
  /** The slot's start, milliseconds since 1970 by the planner's clock. */
  slotMs: number;
  purpose: Purpose;
  /** The row that wanted it; 0 for a scheduled run. */
  ask: number;
}

/** The run's name, such as `post-invoice/riverside@north@1790000000000@scheduled@0`. */
export function runName(run: Run): string {
  return [run.check, run.location, run.slotMs, run.purpose, run.ask].join('@');
}

/** Takes a name apart. Throws when it is not one: names come back from agents, which are not trusted. */
export function parseRunName(name: string): Run {
  const [check, location, slot, purpose, ask, ...rest] = name.split('@');
  const known = PURPOSES.find((one) => one === purpose);
  const slotMs = Number(slot);
  const askId = Number(ask);
  if (!check || !location || !known || !Number.isSafeInteger(slotMs) || !Number.isSafeInteger(askId) || rest.length > 0) {
    throw new Error(`not a run's name: "${name.slice(0, 200)}"`);
  }
  return { check, location, slotMs, purpose: known, ask: askId };
}

/** What an agent is told of one run. It carries all that is needed, so that an agent holds no configuration. */
export const orderSchema = z.object({
  run: z.string().max(400),
  check: z.string().max(200),
  title: z.string().max(200),
  type: z.string().max(40),
  params: z.record(z.string(), z.unknown()),
  tenant: z.string().max(80).optional(),
  timeoutMs: z.number().int().positive(),
  retries: z.number().int().min(0).max(5),
  degradedAboveMs: z.number().positive().optional(),
  /** Not to be begun before, and refused after, by the planner's clock. */
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
  /** The configuration it was ordered under. */
  revision: z.string().max(80),
});
export type Order = z.infer<typeof orderSchema>;

/** FNV-1a, 32 bits: stable across processes and versions, which `Math.random` and object identity are not. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

/**
 * Slots begin on this grid. Finer than a second, so that what is due in one second does not begin all at once and wait for each other;
 * coarser than a millisecond, so that some do: runs that begin together cost less.
 */
const SLOT_GRID_MS = 50;

/**
 * The slots of a check in `(fromMs, toMs]`. Checks are offset by a stable hash of their id, so that the checks of one interval spread
 * over it. Every location has the same slots.
 */
export function slotsBetween(check: { id: string; everyMs: number }, fromMs: number, toMs: number): number[] {
  const offsetMs = Math.floor(((stableHash(check.id) / 0x1_0000_0000) * check.everyMs) / SLOT_GRID_MS) * SLOT_GRID_MS;
  const slots: number[] = [];
  let slot = Math.floor((fromMs - offsetMs) / check.everyMs) * check.everyMs + offsetMs;
  while (slot <= fromMs) slot += check.everyMs;
  for (; slot <= toMs; slot += check.everyMs) slots.push(slot);
  return slots;
}

/** Limits on the time of single phases. */
import type { Failure } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import { limitInWords } from '../words.ts';
import type { Phases } from './exchange.ts';

/** In milliseconds. */
export interface Within {
  dns?: number | undefined;
  connect?: number | undefined;
  tls?: number | undefined;
  firstByte?: number | undefined;
  download?: number | undefined;
  total?: number | undefined;
}

const PHASES: readonly [limit: Exclude<keyof Within, 'total'>, phase: keyof Phases, words: string, missing: string][] = [
  ['dns', 'dns_ms', 'looking up the name', 'no name was looked up'],
  ['connect', 'connect_ms', 'connecting', 'there was no connection'],
  ['tls', 'tls_ms', 'the TLS handshake', 'there was no TLS handshake'],
  ['firstByte', 'first_byte_ms', 'the first byte', 'there was no first byte'],
  ['download', 'download_ms', 'the download', 'there was no download'],
];

/**
 * The first phase that took longer than its limit, else the whole, as `slow-phase`; `undefined` when all were in time. Throws
 * {@link TargetTrouble} `unreadable` for a limit on a phase that did not take place.
 */
export function slowPhase(within: Within, phases: Phases, totalMs: number): Failure | undefined {
  let slow: Failure | undefined;
  for (const [limit, phase, words, missing] of PHASES) {
    const limitMs = within[limit];
    if (limitMs === undefined) continue;
    const tookMs = phases[phase];
    if (tookMs === undefined) throw new TargetTrouble('unreadable', `within.${limit} cannot be judged: ${missing}`);
    if (tookMs > limitMs) slow ??= failureOf(words, tookMs, limitMs);
  }
  if (slow || within.total === undefined || totalMs <= within.total) return slow;
  return failureOf('the request', totalMs, within.total);
}

/** Rounded up, since 300.4 ms are more than 300 ms. */
function failureOf(words: string, tookMs: number, limitMs: number): Failure {
  const upMs = Math.ceil(tookMs);
  const took = upMs < 950 ? `${upMs} ms` : `${Number((upMs / 1000).toFixed(3))} s`;
  return { kind: 'slow-phase', message: `${words} took ${took}, expected at most ${limitInWords(limitMs)}` };
}

/** One request of a check: sent, followed, and held against what is expected. */
import type { X509Certificate } from 'node:crypto';
import type { Failure } from '../../core/result.ts';
import type { Hide } from '../quote.ts';
import { unpack } from './body.ts';
import type { Answer, Phases } from './exchange.ts';
import { assertContent, assertStatus, type Expectation } from './expect.ts';
import { slowPhase, type Within } from './limits.ts';
import { type VisitContext, visit, type Wish } from './visit.ts';

/** What was measured of a request, with the phases of all its redirects added up. */
export type Measured = Phases & { body_bytes?: number };

export interface PerformContext extends VisitContext {
  hide: Hide;
  /** Takes the server's certificate of each answer, to be looked at when the clock has stopped. */
  certificates: X509Certificate[];
}

export interface Performed {
  answer: Answer;
  /** It fits, but a phase took longer than it may. */
  slow?: Failure | undefined;
}

/**
 * The answer, when it is as expected. Throws `TargetTrouble` when it is not, and fills in `measured` as far as it came in both cases.
 */
export async function perform(
  wish: Wish,
  expected: Expectation & { within?: Within | undefined },
  context: PerformContext,
  measured: Measured,
): Promise<Performed> {
  const startedMs = context.monotonic();
  const answer = await visit(wish, context, measured);
  const totalMs = context.monotonic() - startedMs;
  measured.body_bytes = answer.body.length;
  if (answer.certificate) context.certificates.push(answer.certificate);
  assertStatus(answer, expected.status);
  if (answer.headers['content-encoding'] !== undefined) {
    await unpack(answer, context.bodyLimitBytes);
    measured.body_bytes = answer.body.length;
  }
  assertContent(answer, expected, context.hide);
  return { answer, slow: expected.within && slowPhase(expected.within, measured, totalMs) };
}

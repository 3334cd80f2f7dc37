/**
 * Requests that follow each other in one run, on one time budget: cookies and what is saved are kept from one to the next, in memory.
 * The first that fails ends the run; one that is merely slow does not.
 */
import type { Failure, StepResult } from '../../core/result.ts';
import { TargetTrouble } from '../deadline.ts';
import type { TlsOptions } from '../tls/options.ts';
import type { Step } from './options.ts';
import { type Measured, type PerformContext, perform } from './perform.ts';
import { filledBody, filledHeader, filledUrl, valuesOf } from './saved.ts';
import { addressOf, type Wish } from './visit.ts';

export interface ChainContext extends PerformContext {
  tls: TlsOptions;
  /** What the steps save; empty at first. */
  saved: Map<string, string>;
}

export interface Chain {
  steps: StepResult[];
  /** What ended it, named with its step. */
  failed?: Failure;
  /** The first step with a phase that took longer than it may. */
  slow?: Failure;
}

/** Runs the steps in order. In `measured` their phases are added up. Throws what is not the target's trouble. */
export async function runChain(steps: readonly Step[], context: ChainContext, measured: Measured): Promise<Chain> {
  const chain: Chain = { steps: [] };
  const origins = new Set(steps.flatMap(({ url }) => URL.parse(filledUrl(url, NOTHING))?.origin ?? []));
  let from: URL | undefined;
  for (const step of steps) {
    if (chain.failed) {
      chain.steps.push({ name: step.name, durationMs: 0, outcome: 'skipped' });
      continue;
    }
    const startedMs = context.monotonic();
    const ofStep: Measured = {};
    try {
      const wish = wishOf(step, { ...context, origins, from });
      const { answer, slow } = await perform(wish, step.expect, context, ofStep);
      for (const [name, value] of valuesOf(answer, step.save, context.hide)) context.saved.set(name, value);
      from = answer.url;
      if (slow) chain.slow ??= { ...slow, step: step.name };
    } catch (error) {
      if (!(error instanceof TargetTrouble)) throw error;
      chain.failed = { kind: error.kind, message: error.message, step: step.name };
    } finally {
      add(measured, ofStep);
    }
    chain.steps.push({ name: step.name, durationMs: context.monotonic() - startedMs, outcome: chain.failed ? 'failed' : 'passed' });
  }
  return chain;
}

/** Fills every reference with nothing, to see where an address leads by itself. */
const NOTHING = { get: () => '' };

interface WishContext extends ChainContext {
  origins: ReadonlySet<string>;
  from: URL | undefined;
}

function wishOf(step: Step, context: WishContext): Wish {
  const { saved, tls } = context;
  const headers = Object.fromEntries(Object.entries(step.headers).map(([name, value]) => [name, filledHeader(value, saved)]));
  const type = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type');
  const body = step.body === undefined ? undefined : filledBody(step.body, type && headers[type], saved);
  return { url: urlOf(step, context), method: step.method, headers, body, redirects: step.redirects, tls };
}

/**
 * What an answer says may choose the path, never the host: the next request may carry a secret. A saved address that is relative
 * starts from the answer before.
 */
function urlOf({ url }: Step, { saved, origins, from }: WishContext): URL {
  const address = filledUrl(url, saved);
  if (address === url) return addressOf(url);
  const found = URL.parse(address, from);
  if (found && origins.has(found.origin)) return found;
  throw new TargetTrouble('save', 'the saved address leads to another host than the steps name');
}

/** Times add up; of bodies the last counts. */
function add(total: Measured, { body_bytes, ...phases }: Measured): void {
  for (const [phase, tookMs] of Object.entries(phases)) total[phase as keyof Measured] = (total[phase as keyof Measured] ?? 0) + tookMs;
  if (body_bytes !== undefined) total.body_bytes = body_bytes;
}

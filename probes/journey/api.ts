/**
 * What a journey's file imports, as `rounds/journey`:
 *
 *     import { expect, journey } from 'rounds/journey';
 *
 *     export default journey('Post an invoice', async ({ page, step, account, baseUrl }) => {
 *       await step('log in', async () => { … });
 *       await step('confirm the invoice', async () => { … }, { limit: '5s' });
 *     });
 */
import type { BrowserContext, Page } from 'playwright';

export { expect } from 'playwright/test';

export interface StepOptions {
  /** Longer than this, and the step fails: `5s`. Without it only the check's own time-out holds. */
  limit?: string;
}

/** Runs one named step of the journey. Names are unique, at most 120 characters, and read by people: "confirm the invoice". */
export type Step = <T>(name: string, body: () => Promise<T> | T, options?: StepOptions) => Promise<T>;

export interface JourneyContext {
  page: Page;
  /** For what concerns more than one page: cookies, permissions, pop-ups. */
  context: BrowserContext;
  step: Step;
  /** Of the check's `account`. Throws when the check has none, as a journey cannot log in as nobody. */
  readonly account: { user: string; password: string };
  /** A value of the check's `with`, for instance one that is filled from a secret. Throws when it is not there. */
  secret(name: string): string;
  /** All values of the check's `with`. */
  with: Readonly<Record<string, string>>;
  /** The tenant's id, for a check with `forEach: tenants`. */
  tenant: string | undefined;
  /** Of the check, without a slash at its end. */
  baseUrl: string;
}

export type JourneyBody = (context: JourneyContext) => Promise<void>;

/** Marks what `journey()` returns, also when a file brought its own copy of this module. */
export const JOURNEY = Symbol.for('rounds.journey');

export interface Journey {
  [JOURNEY]: true;
  title: string;
  run: JourneyBody;
}

/** Declares a journey; a file exports it as its default. */
export function journey(title: string, run: JourneyBody): Journey {
  return { [JOURNEY]: true, title, run };
}

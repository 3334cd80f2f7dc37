import type { Context } from 'hono';
import type pg from 'pg';
import type { Log } from '../../../core/process.ts';
import type { Tenant } from '../tenants.ts';
import type { Session } from './session.ts';

/** What the pages of one clinic are handed. */
export interface Clinic {
  tenant: Tenant;
  db: pg.Pool;
  /** Signs the token of the sign-in form, which has no session yet. */
  formKey: string;
  log: Log;
}

/** What a request carries on its way through the pages. */
export interface PageEnv {
  Variables: {
    /** Set on every page behind the sign-in. */
    session: Session;
    /** The fields of a form whose token was right. */
    form: Record<string, string>;
    /** The headline if this page fails: "The invoice was not confirmed". */
    ifItFails: string;
  };
}

export type PageContext = Context<PageEnv>;

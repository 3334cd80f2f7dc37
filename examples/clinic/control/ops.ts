import { everythingDown } from '../faults/everything-down.ts';
import type { Fault } from '../faults/fault.ts';
import { loginRefused } from '../faults/login-refused.ts';
import { reportFailing } from '../faults/report-failing.ts';
import { slowQuery } from '../faults/slow-query.ts';
import { tenantDown } from '../faults/tenant-down.ts';

/** What an operator, or a runbook, may ask of the clinic. Each puts one thing right and may be asked again. */
export interface Operation {
  repairs: Fault;
  /** Said when it is done, before the names of the clinics: "Sign-in reopened for Riverside Clinic." */
  done: string;
}

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'reopen-sign-in': { repairs: loginRefused, done: 'Sign-in reopened' },
  'restore-tenant': { repairs: tenantDown, done: 'Connection to the database restored' },
  'clear-report': { repairs: reportFailing, done: 'Unreadable settlements removed' },
  'restore-balances': { repairs: slowQuery, done: 'Fast balance query restored' },
  start: { repairs: everythingDown, done: 'Web server started' },
};

/**
 * What is to be probed: a check as it stands after the configuration was read, defaults filled in and tenants
 * expanded. `post-invoice` with `forEach: tenants` becomes `post-invoice/riverside`, `post-invoice/hillcrest`, …
 */

/** Class of a service's trouble, worst first. `risk`: nobody is hurt yet. `blind`: the monitoring itself cannot see. */
export const CLASSES = ['full interruption', 'partial outage', 'degradation', 'risk', 'blind'] as const;
export type IncidentClass = (typeof CLASSES)[number];

/** What a probe may say of one run. `fault` is the agent's own trouble: never up, never down. */
export const VERDICTS = ['up', 'degraded', 'down', 'fault'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Why a run was made: by its slot, to confirm a failure, to verify a repair, or because somebody asked. */
export const PURPOSES = ['scheduled', 'confirm', 'verify', 'manual'] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface Check {
  /** `template/tenant`, or the template alone. Stable, never an index. */
  id: string;
  /** Id of the entry under `checks:` that this came from. */
  template: string;
  /** As the configuration names it: "Post an invoice". */
  title: string;
  /** The words after "cannot": "post invoices". */
  does: string;
  service?: string;
  component?: string;
  tenant?: string;
  /** Care or money stops when it is down. */
  critical: boolean;
  everyMs: number;
  timeoutMs: number;
  locations: string[];
  /** The probe that runs it: `http`, `postgres`, `journey`. */
  type: string;
  /** The probe's own options, validated by its schema. Secrets stay references: `${secret:NAME}`. */
  params: Record<string, unknown>;
  /** Slower than this, and the verdict is `degraded`. */
  degradedAboveMs?: number;
  /** How often an agent runs a failing check again at once, before it reports. */
  retries: number;
  /** Good rounds in a row, by quorum, before a check that failed counts as well again. */
  resolveAfter: number;
  /** Judged together under one lock: services joined by what they depend on. */
  scope: string;
}

/** Journeys need a browser and travel one by one; everything else travels in rounds. */
export function isJourney(check: Pick<Check, 'type'>): boolean {
  return check.type === 'journey';
}

/** How many of the check's locations must agree: more than half. */
export function quorumOf(check: Pick<Check, 'locations'>): number {
  return Math.floor(check.locations.length / 2) + 1;
}

/** How long a result speaks for its location: 1.5 intervals, and the time a run may take. */
export function freshForMs(check: Pick<Check, 'everyMs' | 'timeoutMs' | 'retries'>): number {
  return 1.5 * check.everyMs + check.timeoutMs * (1 + check.retries);
}

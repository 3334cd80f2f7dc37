/** Small configurations and histories for tests of the domain. */
import type { Check } from '../../core/check.ts';
import type { CheckView } from '../../core/classify.ts';
import type { Config } from '../../core/config/model.ts';
import { type CheckState, decide, EMPTY_STATE, type FoldInput, foldResult, type Moment } from '../../core/evaluate.ts';
import { runName } from '../../core/run.ts';

export const SLOT_MS = 60_000;
/** Noon, so that times in words are easy to read. */
export const NOON_MS = Date.UTC(2026, 0, 15, 12, 0, 0);

/** A moment at which a verdict is drawn, planning as long as can be and every agent trusted. */
export function at(nowMs: number, change: Partial<Moment> = {}): Moment {
  return { nowMs, planningSinceMs: 0, distrusted: new Set(), ...change };
}

/** A check with sensible values; say what matters. */
export function aCheck(values: Partial<Check> = {}): Check {
  const template = values.template ?? 'post-invoice';
  return {
    id: values.tenant ? `${template}/${values.tenant}` : template,
    template,
    title: 'Post an invoice',
    does: 'post invoices',
    service: 'billing',
    critical: true,
    everyMs: SLOT_MS,
    timeoutMs: 10_000,
    locations: ['north', 'south', 'cloud'],
    type: 'http',
    params: {},
    retries: 1,
    resolveAfter: 3,
    scope: 'billing',
    ...values,
  };
}

/** Two services on one database, two clinics, three locations. */
export function aConfig(checks: Check[], change: Partial<Config> = {}): Config {
  const byId = <T extends { id: string }>(list: T[]) => Object.fromEntries(list.map((one) => [one.id, one]));
  return {
    revision: 'test',
    timezone: 'UTC',
    locations: byId(['north', 'south', 'cloud'].map((id) => ({ id, title: `Data centre ${id}` }))),
    people: byId([
      { id: 'ana', name: 'Ana', slack: 'U0ANA', roles: ['responder'] },
      { id: 'ben', name: 'Ben', slack: 'U0BEN', roles: [] },
    ]),
    teams: byId([{ id: 'ops', channel: '#incidents', members: ['ana', 'ben'] }]),
    tenants: byId([
      { id: 'riverside', title: 'Riverside Clinic', fields: {} },
      { id: 'hillcrest', title: 'Hillcrest Dental', fields: {} },
    ]),
    components: byId([{ id: 'postgres', title: 'PostgreSQL (shared cluster)', dependsOn: [] }]),
    services: byId([
      { id: 'billing', title: 'Patient billing', tier: 1 as const, owner: 'ops', dependsOn: ['postgres'], scope: 'billing' },
      { id: 'scheduling', title: 'Clinic scheduling', tier: 1 as const, owner: 'ops', dependsOn: ['postgres'], scope: 'billing' },
    ]),
    checks: byId(checks),
    runbooks: {},
    reports: {},
    maintenance: {},
    scopes: {
      billing: { id: 'billing', services: ['billing', 'scheduling'], components: ['postgres'], checks: checks.map((check) => check.id) },
    },
    ...change,
  };
}

/** What one location says in one slot. */
export function said(
  check: Check,
  location: string,
  slot: number,
  verdict: FoldInput['verdict'],
  change: Partial<FoldInput> = {},
): FoldInput {
  const slotMs = NOON_MS + slot * SLOT_MS;
  return {
    run: runName({ check: check.id, location, slotMs, purpose: 'scheduled', ask: 0 }),
    location,
    plannedAtMs: slotMs,
    verdict,
    durationMs: 900,
    findings: [],
    ...(verdict === 'down' ? { failure: { kind: 'timeout', message: 'no answer within 15 s', step: 'confirm the invoice' } } : {}),
    ...change,
  };
}

/** Folds a history, deciding after each result at the time it was planned. */
export function fold(check: Check, inputs: readonly FoldInput[], state: CheckState = EMPTY_STATE): CheckState {
  return inputs.reduce((before, input) => decide(check, foldResult(check, before, input), at(input.plannedAtMs + 1_000)).state, state);
}

/** A slot in which every location says what it is told to: `everywhere(check, 0, 'up')`, `everywhere(check, 1, 'down', 'down', 'up')`. */
export function everywhere(check: Check, slot: number, ...verdicts: FoldInput['verdict'][]): FoldInput[] {
  return check.locations.map((location, index) => said(check, location, slot, verdicts[index] ?? verdicts[0] ?? 'up'));
}

/** The check with what its history made of it. */
export function view(check: Check, ...slots: FoldInput[][]): CheckView {
  return { check, state: fold(check, slots.flat()) };
}

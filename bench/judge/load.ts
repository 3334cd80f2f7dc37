/** What is folded: the checks, and the reports that agents of three locations would send of them. */
import type { Result } from '../../core/result.ts';
import { runName, slotsBetween } from '../../core/run.ts';
import type { Report } from '../../jobs/contract.ts';

export const LOCATIONS = ['north', 'south', 'cloud'] as const;
const CHECKS_PER_SERVICE = 100;
/** Of a hundred attempts, half a one fails for no reason; the agent makes it again at once. */
const BLIP_SHARE = 0.005;
const TENANTS = 50;

/** The text of `rounds.yaml`: light checks every 60 s from three locations, some for each tenant. JSON is YAML, too. */
export function configText(checks: number, targetUrl = 'http://127.0.0.1:9'): string {
  const templates = Array.from({ length: Math.ceil(checks / TENANTS) }, (_, index) => index);
  const services = Math.ceil(checks / CHECKS_PER_SERVICE);
  const one = { every: '60s', locations: [...LOCATIONS], forEach: 'tenants', critical: true };
  return JSON.stringify({
    version: 1,
    timezone: 'UTC',
    locations: Object.fromEntries(LOCATIONS.map((id) => [id, {}])),
    people: { ana: { name: 'Ana', slack: 'U0ANA' } },
    teams: { operations: { channel: '#operations', members: ['ana'] } },
    tenants: Object.fromEntries(Array.from({ length: Math.min(TENANTS, checks) }, (_, index) => [`clinic-${index}`, {}])),
    services: Object.fromEntries(Array.from({ length: services }, (_, index) => [`service-${index}`, { owner: 'operations' }])),
    checks: Object.fromEntries(
      templates.map((index) => [
        `check-${index}`,
        { ...one, service: `service-${index % services}`, http: { url: `${targetUrl}/status/\${tenant.id}`, expect: { status: 200 } } },
      ]),
    ),
  });
}

export interface LoadCheck {
  id: string;
  everyMs: number;
}

/** The slots of one second, and the checks that have them. */
export function dueIn(checks: readonly LoadCheck[], secondMs: number): { check: string; slotMs: number }[] {
  return checks.flatMap((check) => slotsBetween(check, secondMs - 1, secondMs + 999).map((slotMs) => ({ check: check.id, slotMs })));
}

/** The report of a location's agent of what was due in one second, as the text that travels. */
export function reportText(due: readonly { check: string; slotMs: number }[], location: string, random: () => number): string {
  const report: Report = {
    v: 1,
    agent: `${location}@bench/1`,
    sentAtMs: (due[0]?.slotMs ?? 0) + 900,
    version: '0.1.0',
    results: due.map(({ check, slotMs }) => resultOf(runName({ check, location, slotMs, purpose: 'scheduled', ask: 0 }), random)),
    refusals: [],
    actions: [],
  };
  return JSON.stringify(report);
}

function resultOf(run: string, random: () => number): Result {
  const failure = { kind: 'connection', message: '127.0.0.1:443 did not accept the connection; expected it to' };
  const attempts: Result['attempts'] = [];
  do {
    const failed = random() < BLIP_SHARE;
    const durationMs = Math.round((20 + random() * 200) * 1000) / 1000;
    attempts.push({ verdict: failed ? 'down' : 'up', durationMs, ...(failed ? { failure } : {}) });
  } while (attempts.at(-1)?.verdict === 'down' && attempts.length < 2);
  const last = attempts.at(-1);
  const part = (most: number) => Math.round(random() * most * 1_000) / 1_000;
  return {
    run,
    revision: 'bench',
    verdict: last?.verdict ?? 'up',
    durationMs: last?.durationMs ?? 0,
    startLatenessMs: Math.round(random() * 20_000) / 1000,
    steps: [],
    measurements: {
      dns_ms: part(2),
      connect_ms: part(20),
      tls_ms: part(40),
      first_byte_ms: part(150),
      download_ms: part(5),
      body_bytes: 3,
    },
    attempts,
    findings: [],
    ...(last?.failure ? { failure: last.failure } : {}),
  };
}

/** Numbers from 0 to 1 that are the same in each run: mulberry32. */
export function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { ProbePart } from '../../../core/config/checks.ts';
import type { ConfigParts } from '../../../core/config/load.ts';
import { durationMs, percentRatio, text, urlOrSecret } from '../../../core/config/units.ts';
import { isCron } from '../../../jobs/cron.ts';

const limits = <T extends z.ZodType<number>>(value: T) => z.object({ degraded: value.optional(), down: value.optional() }).optional();

const http = z.strictObject({
  url: urlOrSecret(),
  method: z.enum(['GET', 'HEAD', 'POST']).default('GET'),
  bearer: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  status: z.union([z.int(), z.array(z.int()), z.object({ from: z.int(), to: z.int() })]).default(200),
});

/** Not strict, and nested: keys not known must be reported all the same. */
const journey = z.object({
  file: text(),
  baseUrl: urlOrSecret().optional(),
  account: z.object({ user: text(), password: text() }).optional(),
});

const postgres = z.strictObject({
  url: urlOrSecret(['postgres', 'postgresql']),
  connections: limits(percentRatio()),
  lockWait: limits(durationMs()),
  port: z.int().optional(),
  load: z.boolean().optional(),
});

const probe = (type: string, schema: z.ZodObject, ...kinds: string[]) => ({ type, schema, failures: kinds.map((kind) => ({ kind })) });

/** Probes and actions as small as the tests of the configuration need them; the real ones have tests of their own. */
export const parts: ConfigParts = {
  probes: new Map<string, ProbePart>([
    ['http', probe('http', http, 'timeout', 'status')],
    ['journey', probe('journey', journey, 'timeout', 'step')],
    ['postgres', { ...probe('postgres', postgres, 'timeout', 'lock-wait'), loads: ['database', 'role'] }],
  ]),
  actions: new Map([
    ['postgres.cancel', { type: 'postgres.cancel', schema: z.object({ url: urlOrSecret(['postgres']) }) }],
    ['http.request', { type: 'http.request', schema: z.object({ url: urlOrSecret() }) }],
  ]),
  isCron,
  hash: (content) => createHash('sha256').update(content).digest('hex'),
};

const BASE: Readonly<Record<string, string>> = {
  version: 'version: 1',
  timezone: 'timezone: Europe/Berlin',
  locations: 'locations: { north: { title: North }, south: { title: South } }',
  people: 'people: { ana: { slack: U0ANA, roles: [responder] } }',
  teams: "teams: { billing-ops: { channel: '#billing', members: [ana] } }",
  services: 'services: { billing: { title: Patient billing, owner: billing-ops } }',
  checks: 'checks: { front-door: { service: billing, every: 30s, http: { url: https://clinic.example } } }',
};

/** The text, and after it every section it does not have itself from a small sound configuration. */
export function completed(text: string): string {
  const missing = Object.entries(BASE).filter(([section]) => !new RegExp(`^${section}:`, 'm').test(text));
  return `${text.trimEnd()}\n${missing.map(([, section]) => `${section}\n`).join('')}`;
}

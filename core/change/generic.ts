/** The form of our own, for whoever can send JSON, and what `rounds change add` makes of its options. */
import * as z from 'zod';
import { CHANGE_KINDS, CHANGE_OUTCOMES, type Touched } from '../change.ts';
import type { Config } from '../config/model.ts';
import type { Problems } from '../config/problems.ts';
import { idOf, type Section } from '../config/schema.ts';
import { readBody, type Telling } from './telling.ts';
import { oneLine, parseTimeMs, webAddress } from './text.ts';

const EXPECTED_TIME = 'expected a time with its offset such as 2026-01-31T10:41:00Z or 2026-01-31T11:41:00+01:00';
/** Clocks differ; what lies further ahead is a plan and no change. */
const MOST_AHEAD_MS = 5 * 60_000;

type Known = Pick<Config, 'services' | 'components' | 'tenants'>;

/** What may be sent. `known`: the ids that exist. */
export function genericSchema(known: Known, nowMs: number) {
  const some = (section: Extract<Section, keyof Known>) =>
    z
      .array(idOf(section, Object.keys(known[section])))
      .max(100)
      .optional();
  return z.object({
    title: said().describe('What was changed, in a line: billing 4.12.0 to production'),
    kind: z.enum(CHANGE_KINDS).default('deployment').describe('deployment unless said'),
    outcome: z.enum(CHANGE_OUTCOMES).default('done').describe('done unless said; begun needs an id, by which its end is known'),
    at: time(nowMs).optional().describe('When it took effect, with the offset; now unless said'),
    id: said().optional().describe('Whatever is sent with the same id is the same change'),
    by: said().optional().describe('Who'),
    url: z
      .string()
      .refine((text) => webAddress(text) !== undefined, { error: 'expected an address such as https://ci.example.org/runs/12' })
      .optional()
      .describe('Where more is to be read'),
    version: said().optional().describe('Such as 4.12.0'),
    services: some('services').describe('What it touches, by id'),
    components: some('components').describe('What it touches, by id'),
    tenants: some('tenants').describe('What it touches, by id'),
    repository: said().optional().describe('Such as acme/billing: held against changedBy when nothing is named by id'),
    environment: said().optional().describe('Such as production: the same'),
  });
}

function said() {
  const error = 'expected a text';
  return z.string({ error }).refine((text) => oneLine(text) !== '', { error });
}

function time(nowMs: number) {
  return z
    .string({ error: EXPECTED_TIME })
    .refine((text) => parseTimeMs(text) !== undefined, { error: EXPECTED_TIME })
    .refine((text) => (parseTimeMs(text) ?? 0) <= nowMs + MOST_AHEAD_MS, { error: 'expected a time that has come' });
}

/** A telling that may name what it touches itself. */
export type GenericTelling = Telling & { touched?: Touched };

/**
 * What the body tells; `undefined` when it is not of the form, which is then reported. Without an id, the same words for the same time
 * (within the same minute, when no time is said) are the same change.
 */
export function readGeneric(
  body: unknown,
  problems: Problems,
  from: { source: 'api' | 'cli'; known: Known; nowMs: number },
): GenericTelling | undefined {
  const told = readBody(genericSchema(from.known, from.nowMs), body, problems);
  if (!told) return undefined;
  if (told.outcome === 'begun' && told.id === undefined) {
    problems.atKey(['id'], 'expected an id with the outcome begun, so that its end is known for the same change; it is missing');
    return undefined;
  }
  const { services = [], components = [], tenants = [], repository, environment, at, id, by, url, version } = told;
  const touched = { services, components, tenants };
  const names = repository === undefined ? [] : [repository];
  const minute = at === undefined ? Math.floor(from.nowMs / 60_000) : parseTimeMs(at);
  const words = [told.title, told.kind, told.outcome, by, version, repository, environment, services, components, tenants, minute];
  return {
    source: from.source,
    kind: told.kind,
    title: told.title,
    outcome: told.outcome,
    at,
    ...(told.outcome === 'begun' ? {} : { ended: at }),
    by,
    url,
    version,
    named: { names, ...(environment === undefined ? {} : { environment }) },
    key: id === undefined ? `words/${JSON.stringify(words)}` : `id/${id}`,
    ...(services.length + components.length + tenants.length > 0 ? { touched } : {}),
  };
}

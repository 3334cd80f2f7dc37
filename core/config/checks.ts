/** Reads the entries under `checks:` and makes of each the checks that run: one, or one for every tenant. */
import type * as z from 'zod';
import type { Check } from '../check.ts';
import { parseDurationMs, spanInWords } from '../duration.ts';
import type { OwnerKey } from '../load/owners.ts';
import type { Config } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { type At, isPlain, type Plain, read, reportUnknownKey } from './reader.ts';
import { expandTenant, referencesIn } from './references.ts';
import type { EntrySchemas } from './schema.ts';
import { eachScalar, isWrittenSecret, SECRET_IN_FILE } from './secrets.ts';
import { oneOf, shown } from './words.ts';

/** What the configuration needs to know of a probe. */
export interface ProbePart {
  type: string;
  /** One sentence, for editors. */
  summary?: string;
  schema: z.ZodObject;
  browser?: boolean;
  /** By which names it tells the load of tenants; where its schema has an option `load`, only when that is set. */
  loads?: readonly OwnerKey[];
  /** Where all probes declare theirs, runbooks may name only these. */
  failures?: readonly { kind: string }[];
  /** By their names; where they are declared, objectives may name only these. */
  measurements?: Readonly<Record<string, string>>;
}

export type Scalar = string | number | boolean;

export interface CheckContext {
  schema: EntrySchemas['checks'];
  probes: ReadonlyMap<string, ProbePart>;
  problems: Problems;
  /** Every tenant with its fields as they were written. */
  tenants: ReadonlyMap<string, ReadonlyMap<string, Scalar>>;
  config: Pick<Config, 'locations' | 'services' | 'components'>;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** The checks of one entry; fewer or none when something in it does not fit, which is then reported. `scope` is filled in later. */
export function readCheck(template: string, raw: unknown, context: CheckContext): Check[] {
  const path = ['checks', template];
  const { problems } = context;
  if (!isPlain(raw)) {
    problems.atValue(path, `expected a map such as { service: …, every: 60s, … }, got ${shown(raw)}`);
    return [];
  }
  const { common, types } = splitKeys(raw, path, context);
  const fields = read(context.schema, common, { path, problems });
  reportSubject(raw, path, problems);
  reportTimes(raw, path, problems);
  const type = onlyProbe(types, raw, path, context);
  if (type === undefined) return [];
  const variants = expanded(raw, type, path, context);
  if (!fields) return [];
  return variants.map(({ tenant, params }) => ({ ...checkOf(template, fields, context.config), ...named(template, tenant), type, params }));
}

type Fields = z.output<EntrySchemas['checks']>;

function checkOf(template: string, fields: Fields, config: CheckContext['config']): Omit<Check, 'id' | 'type' | 'params'> {
  const subject = fields.component === undefined ? undefined : config.components[fields.component]?.title;
  const title = fields.title ?? subject ?? wordsOf(template);
  return {
    template,
    title,
    // A component's name stays as it is: "PostgreSQL" is no verb.
    does: fields.does ?? (fields.title === undefined && subject !== undefined ? title : lowerFirst(title)),
    ...(fields.service === undefined ? {} : { service: fields.service }),
    ...(fields.component === undefined ? {} : { component: fields.component }),
    critical: fields.critical ?? false,
    everyMs: fields.every,
    timeoutMs: fields.timeout ?? defaultTimeoutMs(fields.every, fields.retries),
    locations: fields.locations ?? Object.keys(config.locations),
    ...(fields.degraded === undefined ? {} : { degradedAboveMs: fields.degraded.above }),
    retries: fields.retries,
    resolveAfter: fields.resolveAfter,
    scope: '',
  };
}

function named(template: string, tenant: string | undefined): { id: string; tenant?: string } {
  return tenant === undefined ? { id: template } : { id: `${template}/${tenant}`, tenant };
}

/** 10 s, or less where all attempts of a run would not fit into the interval. */
function defaultTimeoutMs(everyMs: number, retries: number): number {
  return Math.min(DEFAULT_TIMEOUT_MS, Math.floor(everyMs / (1 + retries)));
}

/** `post-invoice` as a title: "Post invoice". */
export function wordsOf(id: string): string {
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "Post an invoice" becomes "post an invoice"; "PDF export" stays. */
function lowerFirst(title: string): string {
  return /^\p{Lu}\p{Lu}/u.test(title) ? title : title.charAt(0).toLowerCase() + title.slice(1);
}

function splitKeys(raw: Plain, path: Path, context: CheckContext): { common: Plain; types: string[] } {
  const types = Object.keys(raw).filter((key) => context.probes.has(key));
  const known = [...Object.keys(context.schema.shape), ...context.probes.keys()];
  const common: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (Object.hasOwn(context.schema.shape, key)) common[key] = value;
    else if (!context.probes.has(key)) reportUnknownKey([...path, key], value, known, context);
  }
  return { common, types };
}

function reportSubject(raw: Plain, path: Path, problems: Problems): void {
  const service = Object.hasOwn(raw, 'service');
  const component = Object.hasOwn(raw, 'component');
  if (service && component) problems.atKey([...path, 'component'], 'expected either service or component, got both; remove one');
  if (!service && !component) problems.atKey(path, 'expected service or component, to know what the check is for; add one of them');
  if (component && raw.critical === true) {
    problems.atValue([...path, 'critical'], 'expected critical only on checks of a service; remove it, or name the service');
  }
}

/** Times that fit one by one but not together. Those that do not fit by themselves were reported before and are left out. */
function reportTimes(raw: Plain, path: Path, problems: Problems): void {
  const everyMs = duration(raw.every);
  if (everyMs === undefined) return;
  const retries = typeof raw.retries === 'number' ? raw.retries : 1;
  const given = duration(raw.timeout);
  const timeoutMs = given ?? defaultTimeoutMs(everyMs, retries);
  if (given !== undefined && given > everyMs) {
    problems.atValue(
      [...path, 'timeout'],
      `expected at most every (${spanInWords(everyMs)}), got ${spanInWords(given)}; a run must end before the next is due`,
    );
  } else if (timeoutMs * (1 + retries) > 2 * everyMs) {
    // While it fails, such a check would always be behind, and its results stale before they are judged.
    const totalMs = timeoutMs * (1 + retries);
    const why = `${1 + retries} attempts of ${spanInWords(timeoutMs)} take ${spanInWords(totalMs)}, more than twice every (${spanInWords(everyMs)})`;
    problems.atValue([...path, 'timeout'], `${why}; lower timeout or retries`);
  }
  const aboveMs = isPlain(raw.degraded) ? duration(raw.degraded.above) : undefined;
  if (aboveMs !== undefined && aboveMs >= timeoutMs) {
    problems.atValue(
      [...path, 'degraded', 'above'],
      `expected less than timeout (${spanInWords(timeoutMs)}), got ${spanInWords(aboveMs)}; a slower run has failed`,
    );
  }
}

function duration(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDurationMs(value) : undefined;
}

function onlyProbe(types: string[], raw: Plain, path: Path, context: CheckContext): string | undefined {
  const [type, second] = types;
  if (type !== undefined && second === undefined) return type;
  const choice = oneOf([...context.probes.keys()].toSorted());
  if (second !== undefined) {
    context.problems.atKey([...path, second], `expected one probe in a check, got ${types.join(' and ')}; make a check of each`);
    return undefined;
  }
  // A mistyped probe was reported as an unknown key.
  const mistyped = Object.entries(raw).some(([key, value]) => isPlain(value) && !Object.hasOwn(context.schema.shape, key));
  if (!mistyped) context.problems.atKey(path, `expected a probe, ${choice}; add one of these keys with its options`);
  return undefined;
}

/** The probe's options, validated once for each tenant, or once. */
function expanded(raw: Plain, type: string, path: Path, context: CheckContext): { tenant?: string; params: Plain }[] {
  const schema = context.probes.get(type)?.schema;
  if (!schema) return [];
  const at: At = { path: [...path, type], problems: context.problems };
  if (raw.forEach !== 'tenants') {
    const params = read(schema, raw[type], at);
    return params ? [{ params }] : [];
  }
  if (context.tenants.size === 0) context.problems.atValue([...path, 'forEach'], 'expected at least one tenant; add it under tenants');
  return [...context.tenants].flatMap(([tenant, fields]) => {
    const value = expandTenant(raw[type], fields);
    const note = (inner: Path) => (comesFromTenant(raw[type], inner) ? ` (for tenant ${tenant})` : '');
    reportSecrets(value, { ...at, note });
    const params = read(schema, value, { ...at, note });
    return params ? [{ tenant, params }] : [];
  });
}

function reportSecrets(value: unknown, at: At): void {
  eachScalar(value, [], (inner, key, scalar) => {
    if (isWrittenSecret(key, scalar)) at.problems.atValue([...at.path, ...inner], `${SECRET_IN_FILE}${at.note?.(inner) ?? ''}`);
  });
}

function comesFromTenant(raw: unknown, inner: Path): boolean {
  let value = raw;
  for (const segment of inner) value = (value as Record<string | number, unknown> | undefined)?.[segment];
  return typeof value === 'string' && referencesIn(value).some((reference) => reference.kind === 'tenant');
}

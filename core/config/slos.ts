/** Reads the entries under `slos:` of a service. */
import * as z from 'zod';
import { parseDurationMs } from '../duration.ts';
import { durationText } from '../slo/openslo.ts';
import { BUDGETS, type LimitOp, type Sli, type Slo } from '../slo/slo.ts';
import { PERIODS, type SloWindow } from '../slo/window.ts';
import { listInWords } from '../words.ts';
import { type ProbePart, wordsOf } from './checks.ts';
import type { Config } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { timezoneSchema } from './timezone.ts';
import { durationMs, percentRatio, sizeBytes } from './units.ts';
import { didYouMean, oneOf } from './words.ts';

/** How each key of a limit is held against it. */
const LIMITS = { below: 'lt', atMost: 'lte', above: 'gt', atLeast: 'gte' } as const satisfies Record<string, LimitOp>;
const LIMIT_KEYS = Object.keys(LIMITS) as (keyof typeof LIMITS)[];

const MEASUREMENT = 'expected the name of a measurement such as connect_ms';

/** What the schema refers to. */
export interface SloReferences {
  title: z.ZodType<string | undefined>;
  id: z.ZodType<string, string>;
  check: z.ZodType<string>;
}

/** The objectives of a service, by their ids. */
export function slosSchema({ title, id, check }: SloReferences) {
  const limit = z.union([z.number({ error: 'expected a number' }), z.string()]).optional();
  const sli = z
    .object({
      check: check.describe('The check whose slots are counted: of this service or of a component, all tenants together'),
      faster: durationMs().optional().describe('Good is only what takes at most that; what is down is bad'),
      measurement: z
        .string({ error: MEASUREMENT })
        .regex(/^[a-z][a-z0-9_]{0,59}$/, { error: MEASUREMENT })
        .optional()
        .describe('Good is what keeps this measurement of the check to a limit, instead of what is not down'),
      below: limit.describe('Good is less than that: a number, or with its unit, such as 100ms, 80% or 2GB'),
      atMost: limit.describe('Good is that or less'),
      above: limit.describe('Good is more than that'),
      atLeast: limit.describe('Good is that or more'),
    })
    .superRefine(reportSli)
    .describe('What is counted: that the check is not down, unless `faster` or `measurement` says else');
  const slo = z.object({
    title,
    sli,
    objective: percentRatio()
      .refine((ratio) => ratio > 0 && ratio < 1, { error: 'expected a percentage above 0% and below 100%, such as 99.9%' })
      .describe('The share of slots that must be good'),
    window: windowSchema().describe('A time that ends now, such as 28d; or week, month or quarter of the calendar'),
    timezone: timezoneSchema().optional().describe('In which a week, month or quarter begins; that of the file unless said'),
    budgets: z
      .array(z.enum(BUDGETS))
      .min(1, { error: 'expected at least one of service and tenant' })
      .default(['service'])
      .describe('Whose error budget is counted: that of the service, of each tenant, or both'),
  });
  return z.record(id, slo);
}

const WINDOW = `expected a time from 1d to 92d such as 28d, or ${listInWords(PERIODS, 3, 'or')}`;
const SHORTEST_MS = 86_400_000;
const LONGEST_MS = 92 * SHORTEST_MS;

function windowSchema() {
  return z
    .string({ error: WINDOW })
    .transform((written, context) => {
      const period = PERIODS.find((one) => one === written);
      const foundMs = parseDurationMs(written) ?? 0;
      if (period !== undefined || (foundMs >= SHORTEST_MS && foundMs <= LONGEST_MS)) return period ?? foundMs;
      context.addIssue({ code: 'custom', message: WINDOW, input: written });
      return z.NEVER;
    })
    .meta({
      pattern: String.raw`^(\d+(\.\d+)?(ms|s|m|h|d)|${PERIODS.join('|')})$`,
      samples: ['28d', 'month'],
      written: WINDOW.slice('expected '.length),
    });
}

export type SloFields = z.output<ReturnType<typeof slosSchema>>;

type SliFields = { check: string; faster?: number | undefined; measurement?: string | undefined } & {
  [limit in keyof typeof LIMITS]?: number | string | undefined;
};

function reportSli(sli: SliFields, context: z.RefinementCtx): void {
  const report = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message, input: sli });
  const limits = LIMIT_KEYS.filter((key) => sli[key] !== undefined);
  const [first, second] = limits;
  if (sli.measurement === undefined) {
    if (first !== undefined) report(first, `${first} is the limit of a measurement; name it under measurement`);
    return;
  }
  if (sli.faster !== undefined) report('faster', 'faster is about the duration of the check; remove it, or the measurement');
  if (first === undefined) report('measurement', `a measurement needs a limit; add one of ${LIMIT_KEYS.join(', ')}`);
  else if (second !== undefined) report(second, `a measurement has one limit; remove ${first} or ${second}`);
  else if (typeof limitOf(sli.measurement, sli[first]) === 'string') report(first, String(limitOf(sli.measurement, sli[first])));
}

/** The limit in the unit of the measurement, which ends its name; else what was expected. */
function limitOf(measurement: string, written: number | string | undefined): number | string {
  if (typeof written === 'number') return written;
  const text = written ?? '';
  if (measurement.endsWith('_ms')) return parseDurationMs(text) ?? 'expected a number of milliseconds or a duration such as 100ms';
  if (measurement.endsWith('_s')) return inSeconds(text) ?? 'expected a number of seconds or a duration such as 30s';
  if (measurement.endsWith('_ratio')) return read(percentRatio(), text) ?? 'expected a ratio or a percentage such as 80%';
  if (measurement.endsWith('_bytes')) return read(sizeBytes(), text) ?? 'expected a number of bytes or a size such as 200MB';
  return 'expected a number';
}

function inSeconds(text: string): number | undefined {
  const foundMs = parseDurationMs(text);
  return foundMs === undefined ? undefined : foundMs / 1000;
}

function read(schema: z.ZodType<number>, text: string): number | undefined {
  return schema.safeParse(text).data;
}

/** The objectives of a service as the rest of Rounds sees them; nothing when there are none. */
export function slosOf(service: string, fields: SloFields | undefined, timezone: string): { slos?: Slo[] } {
  const slos = Object.entries(fields ?? {}).map(([id, one]): Slo => {
    const { title, sli, objective, window, budgets } = one;
    const calendar = typeof window === 'number' ? undefined : ({ kind: 'calendar', period: window } as const);
    const spoken: SloWindow = calendar
      ? { ...calendar, timezone: one.timezone ?? timezone }
      : { kind: 'rolling', durationMs: Number(window) };
    // Their order means nothing.
    const counted = BUDGETS.filter((kind) => budgets.includes(kind));
    return { id, service, title: title ?? wordsOf(id), sli: sliOf(sli), objective, window: spoken, budgets: counted };
  });
  return slos.length === 0 ? {} : { slos };
}

function sliOf(sli: SliFields): Sli {
  const { check, faster, measurement } = sli;
  if (measurement === undefined)
    return faster === undefined ? { kind: 'availability', check } : { kind: 'latency', check, fasterMs: faster };
  const key = LIMIT_KEYS.find((one) => sli[one] !== undefined) ?? 'below';
  return { kind: 'measurement', check, measurement, op: LIMITS[key], limit: Number(limitOf(measurement, sli[key])) };
}

/** The objective as it stands under `slos` of its service. `timezone`: that of the file. */
export function writtenSlo({ title, sli, objective, window, budgets }: Slo, timezone: string): Record<string, unknown> {
  const calendar = window.kind === 'calendar';
  return {
    title,
    sli: writtenSli(sli),
    objective: `${Number((objective * 100).toFixed(10))}%`,
    window: calendar ? window.period : durationText(window.durationMs),
    ...(calendar && window.timezone !== timezone ? { timezone: window.timezone } : {}),
    ...(budgets.length === 1 && budgets[0] === 'service' ? {} : { budgets }),
  };
}

function writtenSli(sli: Sli): Record<string, unknown> {
  if (sli.kind === 'availability') return { check: sli.check };
  if (sli.kind === 'latency') return { check: sli.check, faster: durationText(sli.fasterMs) };
  const key = LIMIT_KEYS.find((one) => LIMITS[one] === sli.op) ?? 'below';
  return { check: sli.check, measurement: sli.measurement, [key]: sli.limit };
}

type Checked = Pick<Config, 'services' | 'checks'>;

/** Reports what does not fit the checks that it speaks of. Called when they have been read. */
export function reportSlos(config: Checked, probes: ReadonlyMap<string, ProbePart>, problems: Problems): void {
  for (const service of Object.values(config.services)) {
    for (const slo of service.slos ?? []) reportSlo(slo, config, probes, problems, inline(['services', service.id, 'slos', slo.id]));
  }
}

/** Where the parts of an objective stand. */
export type SloPlaces = Record<'check' | 'budgets' | 'faster' | 'measurement', Path>;

function inline(path: Path): SloPlaces {
  const sli = [...path, 'sli'];
  return { check: [...sli, 'check'], budgets: [...path, 'budgets'], faster: [...sli, 'faster'], measurement: [...sli, 'measurement'] };
}

/** The same for one objective. */
export function reportSlo(slo: Slo, config: Checked, probes: ReadonlyMap<string, ProbePart>, problems: Problems, places: SloPlaces): void {
  const { sli, service, budgets } = slo;
  const [check] = Object.values(config.checks).filter((one) => one.template === sli.check);
  // It is reported where it stands.
  if (!check) return;
  if (check.service !== undefined && check.service !== service) {
    problems.atValue(places.check, `${sli.check} is a check of ${check.service}; name one of ${service} or of a component`);
  }
  if (budgets.includes('tenant') && check.tenant === undefined) {
    problems.atValue(places.budgets, `${sli.check} is not made for each tenant; remove tenant, or add forEach: tenants to the check`);
  }
  if (sli.kind === 'latency' && sli.fasterMs > check.timeoutMs) {
    problems.atValue(places.faster, `expected at most the timeout of ${sli.check}, ${check.timeoutMs / 1000} s; what is slower is down`);
  }
  if (sli.kind === 'measurement') {
    const { measurements } = probes.get(check.type) ?? {};
    if (measurements && !Object.hasOwn(measurements, sli.measurement)) {
      const message = `a ${check.type} check measures no "${sli.measurement}"${hintOf(sli.measurement, Object.keys(measurements))}`;
      problems.atValue(places.measurement, message);
    }
  }
}

function hintOf(name: string, known: readonly string[]): string {
  if (known.length === 0) return '; how long it takes is counted with faster';
  return didYouMean(name, known) || `; expected ${oneOf(known)}`;
}

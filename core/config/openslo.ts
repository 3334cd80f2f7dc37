/** Reads OpenSLO v1 documents: the objectives among them are evaluated like those of a service, all else is kept as it is. */
import type * as z from 'zod';
import { API_VERSION, BUDGETS_ANNOTATION, type OpenSloDocument, PERIOD_DURATIONS, SOURCE_TYPE } from '../slo/openslo.ts';
import { BUDGETS, type LimitOp, type Sli, type Slo } from '../slo/slo.ts';
import { PERIODS, type SloWindow } from '../slo/window.ts';
import { wordsOf } from './checks.ts';
import { begins, KINDS, rollingMs, roundsSource, SAME_AS, type SloFields, sliSpec, sloSchema, type source } from './openslo-shape.ts';
import type { Path, Problems } from './problems.ts';
import { isPlain, read } from './reader.ts';
import { idOf, idSchema, type KnownIds } from './schema.ts';
import type { SloPlaces } from './slos.ts';
import { isTimezone } from './timezone.ts';
import { oneOf, shown } from './words.ts';

/** Documents that belong together, each with its place. */
export interface PlacedDocument {
  document: unknown;
  path: Path;
}

export interface OpenSloContext {
  documents: readonly PlacedDocument[];
  known: Pick<KnownIds, 'services' | 'checks'>;
  problems: Problems;
}

/** The objectives among the documents. Reports everything that is wrong with one of them, and every objective that cannot be evaluated. */
export function readOpenSlo(context: OpenSloContext): { slo: Slo; path: Path }[] {
  return context.documents.flatMap((placed) => {
    const { document, path } = placed;
    if (!isOpenSlo(document, path, context.problems) || document.kind !== 'SLO') return [];
    const fields = read(sloSchema, document, { path, problems: context.problems });
    const slo = fields && new SloReader(fields, path, context).read();
    return slo ? [{ slo, path }] : [];
  });
}

/** Where the parts of such an objective stand, for what does not fit the checks that it speaks of. */
export function placesOf(path: Path): SloPlaces {
  const spec = [...path, 'spec'];
  return { check: spec, faster: spec, measurement: spec, budgets: [...path, 'metadata', 'annotations', BUDGETS_ANNOTATION] };
}

function isOpenSlo(document: unknown, path: Path, problems: Problems): document is OpenSloDocument {
  if (!isPlain(document))
    problems.atValue(path, `expected an OpenSLO document with apiVersion, kind, metadata and spec, got ${shown(document)}`);
  else if (document.apiVersion !== API_VERSION) {
    problems.atValue([...path, 'apiVersion'], `expected ${API_VERSION}, the version that Rounds reads, got ${shown(document.apiVersion)}`);
  } else if (!KINDS.some((kind) => kind === document.kind)) {
    problems.atValue([...path, 'kind'], `expected ${oneOf(KINDS)}, got ${shown(document.kind)}`);
  } else return true;
  return false;
}

/** Where a metric comes from, as far as it is ours. */
type RoundsSource = {
  check: string;
  slots?: 'good' | 'bad' | 'seen' | undefined;
  faster?: number | undefined;
  measurement?: string | undefined;
};

/** One objective, read part by part; each part that does not fit is reported at its place. */
class SloReader {
  readonly #fields: SloFields;
  readonly #path: Path;
  readonly #context: OpenSloContext;

  constructor(fields: SloFields, path: Path, context: OpenSloContext) {
    this.#fields = fields;
    this.#path = path;
    this.#context = context;
  }

  read(): Slo | undefined {
    const { metadata: about, spec } = this.#fields;
    const id = this.#held(idSchema, about.name, ['metadata', 'name']);
    const service = this.#held(idOf('services', this.#context.known.services), spec.service, ['spec', 'service']);
    if (spec.budgetingMethod !== 'Occurrences') {
      this.#report(
        ['spec', 'budgetingMethod'],
        `expected Occurrences, since slots are counted one by one, got ${shown(spec.budgetingMethod)}`,
      );
    }
    const window = this.#window();
    const sli = this.#sli();
    const target = this.#target();
    const budgets = this.#budgets();
    if (id === undefined || service === undefined || !window || !sli || target === undefined || !budgets) return undefined;
    return { id, service, title: about.displayName ?? wordsOf(id), sli, objective: target, window, budgets };
  }

  #report(path: Path, message: string): undefined {
    this.#context.problems.atValue([...this.#path, ...path], message);
  }

  #held<T>(schema: z.ZodType<T>, value: unknown, path: Path): T | undefined {
    return read(schema, value, { path: [...this.#path, ...path], problems: this.#context.problems });
  }

  #target(): number | undefined {
    const [only, second] = this.#fields.spec.objectives;
    const path = ['spec', 'objectives', 0];
    if (second) return this.#report(['spec', 'objectives', 1], 'expected one objective; write a document for each');
    if ('indicator' in (only ?? {}) || 'indicatorRef' in (only ?? {})) {
      return this.#report(path, 'an objective put together of several is not evaluated; write a document for each');
    }
    const target = only?.target ?? (only?.targetPercent === undefined ? undefined : Number((only.targetPercent / 100).toFixed(12)));
    if (target !== undefined && target > 0 && target < 1) return target;
    return this.#report(path, 'expected a target above 0 and below 1, or a targetPercent above 0 and below 100');
  }

  #budgets(): Slo['budgets'] | undefined {
    const written = this.#fields.metadata.annotations?.[BUDGETS_ANNOTATION];
    if (written === undefined) return ['service'];
    const named = written.split(',').map((one) => one.trim());
    const budgets = BUDGETS.filter((kind) => named.includes(kind));
    if (budgets.length > 0 && budgets.length === named.length) return budgets;
    return this.#report(
      ['metadata', 'annotations', BUDGETS_ANNOTATION],
      `expected service, tenant, or both with a comma, got ${shown(written)}`,
    );
  }

  #window(): SloWindow | undefined {
    const [window] = this.#fields.spec.timeWindow;
    const path = ['spec', 'timeWindow', 0];
    if (!window) return undefined;
    const { duration, calendar } = window;
    if (!calendar) {
      const foundMs = rollingMs(duration);
      if (foundMs !== undefined) return { kind: 'rolling', durationMs: foundMs };
      return this.#report(
        [...path, 'duration'],
        `expected from 1d to 92d for a window that rolls, such as 28d or 4w, got ${shown(duration)}`,
      );
    }
    const period = PERIODS.find((one) => PERIOD_DURATIONS[one] === duration || SAME_AS[one] === duration);
    if (!period) return this.#report([...path, 'duration'], `expected 1w, 1M or 1Q for a window of the calendar, got ${shown(duration)}`);
    if (!isTimezone(calendar.timeZone)) {
      return this.#report([...path, 'calendar', 'timeZone'], `expected a time zone such as Europe/Berlin, got ${shown(calendar.timeZone)}`);
    }
    if (!begins(period, calendar.startTime)) {
      const expected = `expected a time at which a ${period} begins, such as 2024-01-01 00:00:00`;
      return this.#report([...path, 'calendar', 'startTime'], `${expected}, got ${shown(calendar.startTime)}`);
    }
    return { kind: 'calendar', period, timezone: calendar.timeZone };
  }

  #sli(): Sli | undefined {
    const { indicator, indicatorRef } = this.#fields.spec;
    if (indicator) return this.#sliOf(indicator.spec, [...this.#path, 'spec', 'indicator', 'spec']);
    if (indicatorRef === undefined) return this.#report(['spec'], 'expected an indicator or an indicatorRef; one of them is missing');
    const referred = this.#named('SLI', indicatorRef);
    if (!referred) return this.#report(['spec', 'indicatorRef'], `there is no SLI ${shown(indicatorRef)} among the documents; add it`);
    const path = [...referred.path, 'spec'];
    const spec = read(sliSpec, isPlain(referred.document) ? referred.document.spec : undefined, { path, problems: this.#context.problems });
    return spec && this.#sliOf(spec, path);
  }

  #named(kind: string, wanted: string): PlacedDocument | undefined {
    return this.#context.documents.find(({ document }) => {
      if (!isPlain(document) || document.kind !== kind || !isPlain(document.metadata)) return false;
      return document.metadata.name === wanted;
    });
  }

  #sliOf(spec: z.output<typeof sliSpec>, path: Path): Sli | undefined {
    const { problems } = this.#context;
    const { thresholdMetric, ratioMetric } = spec;
    if (thresholdMetric) return this.#measurement(this.#source(thresholdMetric, [...path, 'thresholdMetric']), path);
    if (!ratioMetric) {
      problems.atValue(path, 'expected a ratioMetric or a thresholdMetric; one of them is missing');
      return undefined;
    }
    const { good, bad, total, raw } = ratioMetric;
    const [part, key] = good ? [good, 'good'] : [bad, 'bad'];
    const at = [...path, 'ratioMetric'];
    if (raw || !part || !total) {
      problems.atValue(at, 'expected good and total, or bad and total, of the slots of a check');
      return undefined;
    }
    return this.#ratio(this.#source(part, [...at, key]), this.#source(total, [...at, 'total']), key as 'good' | 'bad', at);
  }

  #measurement(found: RoundsSource | undefined, path: Path): Sli | undefined {
    if (!found) return undefined;
    const [only] = this.#fields.spec.objectives;
    const at = [...path, 'thresholdMetric', 'metricSource', 'spec'];
    if (found.measurement === undefined) {
      this.#context.problems.atValue(at, 'expected check and measurement; the slots of a check are counted by a ratioMetric');
      return undefined;
    }
    const { op, value } = only ?? {};
    if (op === undefined || value === undefined) {
      return this.#report(['spec', 'objectives', 0], 'expected op and value, the limit of the measurement');
    }
    return { kind: 'measurement', check: found.check, measurement: found.measurement, op: op satisfies LimitOp, limit: value };
  }

  #ratio(part: RoundsSource | undefined, total: RoundsSource | undefined, key: 'good' | 'bad', path: Path): Sli | undefined {
    if (!part || !total) return undefined;
    const { problems } = this.#context;
    const spec = (of: string) => [...path, of, 'metricSource', 'spec'];
    if (part.slots !== key) problems.atValue(spec(key), `expected slots: ${key}`);
    else if (total.slots !== 'seen' || total.faster !== undefined)
      problems.atValue(spec('total'), 'expected slots: seen, and no more than the check');
    else if (part.check !== total.check)
      problems.atValue([...spec('total'), 'check'], `expected the same check as above, ${shown(part.check)}`);
    else if (part.faster === undefined) return { kind: 'availability', check: part.check };
    else return { kind: 'latency', check: part.check, fasterMs: part.faster };
    return undefined;
  }

  #source(metric: z.output<typeof source>, path: Path): RoundsSource | undefined {
    const { type, metricSourceRef, spec } = metric.metricSource;
    const { problems } = this.#context;
    const at = [...path, 'metricSource'];
    const referred = metricSourceRef === undefined ? undefined : this.#named('DataSource', metricSourceRef)?.document;
    const found = type ?? (isPlain(referred) && isPlain(referred.spec) ? referred.spec.type : undefined);
    if (found !== SOURCE_TYPE) {
      const got = found === undefined ? '' : `, got ${shown(found)}`;
      problems.atValue(
        type === undefined ? at : [...at, 'type'],
        `expected the type rounds: only what Rounds checks can be evaluated${got}; write a check that sees the same, or leave this objective where its data is`,
      );
      return undefined;
    }
    return read(roundsSource(this.#context.known.checks), spec ?? {}, { path: [...at, 'spec'], problems });
  }
}

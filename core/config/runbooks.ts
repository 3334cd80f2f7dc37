/** Reads the entries under `runbooks:`. */
import type * as z from 'zod';
import { wordsOf } from './checks.ts';
import type { Parameter, Runbook, RunbookWhen } from './model.ts';
import { parametersOf, readTemplate, takesParameters } from './parameters.ts';
import type { Path, Problems } from './problems.ts';
import { isPlain, read, reportUnknownKey } from './reader.ts';
import { type EntrySchemas, idOf, type KnownIds } from './schema.ts';
import { didYouMean, list, oneOf, shown } from './words.ts';

/** What the configuration needs to know of an action. */
export interface ActionPart {
  type: string;
  /** One sentence, for editors. */
  summary?: string;
  schema: z.ZodObject;
}

export interface RunbookContext {
  schema: EntrySchemas['runbooks'];
  actions: ReadonlyMap<string, ActionPart>;
  problems: Problems;
  known: KnownIds;
  /** Roles that somebody has. */
  roles: ReadonlySet<string>;
  /** Kinds of failure that the probes declare; `undefined` when they do not say. */
  failures: ReadonlySet<string> | undefined;
}

/** The runbook; `undefined` when something in it does not fit, which is then reported. */
export function readRunbook(id: string, raw: unknown, context: RunbookContext): Runbook | undefined {
  const path = ['runbooks', id];
  const fields = read(context.schema, raw, { path, problems: context.problems });
  if (!isPlain(raw)) return undefined;
  const parameters = fields && parametersOf(fields.parameters ?? {}, [...path, 'parameters'], context.problems);
  const action = isPlain(raw.action) ? readAction(raw.action, parameters, [...path, 'action'], context) : undefined;
  reportWhen(raw.when, [...path, 'when'], context);
  reportRoles(raw.mayRun, [...path, 'mayRun'], context);
  if (!fields || !parameters || !action) return undefined;
  return {
    id,
    title: fields.title ?? wordsOf(id),
    ...(fields.explains === undefined ? {} : { explains: fields.explains }),
    when: whenOf(fields.when),
    action,
    ...(parameters.length > 0 ? { parameters } : {}),
    mayRun: fields.mayRun,
    verify: fields.verify,
  };
}

function whenOf(when: z.output<EntrySchemas['runbooks']>['when']): RunbookWhen {
  return {
    ...(when.service && { services: when.service }),
    ...(when.component && { components: when.component }),
    ...(when.check && { checks: when.check }),
    ...(when.failure && { failures: when.failure }),
    ...(when.step && { steps: when.step }),
  };
}

function readAction(
  raw: Readonly<Record<string, unknown>>,
  parameters: readonly Parameter[] | undefined,
  path: Path,
  context: RunbookContext,
): Runbook['action'] | undefined {
  const [type, second] = Object.keys(raw);
  const known = [...context.actions.keys()];
  if (type === undefined || second !== undefined) {
    const said = `expected one action of ${list(known)}, got ${second === undefined ? 'an empty map' : Object.keys(raw).join(' and ')}`;
    context.problems.atKey(path, second === undefined ? said : `${said}; make a runbook of each`);
    return undefined;
  }
  const schema = context.actions.get(type)?.schema;
  if (!schema) {
    reportUnknownKey([...path, type], raw[type], known, context);
    return undefined;
  }
  return readOptions({ type, schema, parameters }, raw[type], [...path, type], context);
}

interface Wanted {
  type: string;
  schema: z.ZodObject;
  /** `undefined` when they do not fit themselves, which was reported. */
  parameters: readonly Parameter[] | undefined;
}

/** The location says which agent runs the action; the action itself knows nothing of it. */
function readOptions(wanted: Wanted, raw: unknown, path: Path, context: RunbookContext): Runbook['action'] | undefined {
  const { problems, known } = context;
  const { type, schema } = wanted;
  if (!isPlain(raw)) {
    problems.atValue(path, `expected a map such as { location: ${known.locations[0] ?? '…'} }, got ${shown(raw)}`);
    return undefined;
  }
  const { location: given, ...options } = raw;
  const template = takesParameters(options) ? options : undefined;
  const at = { path, problems };
  const params = template ? wanted.parameters && readTemplate(schema, template, wanted.parameters, at) : read(schema, options, at);
  if (!Object.hasOwn(raw, 'location')) {
    problems.missing([...path, 'location'], `expected the location whose agent runs it, ${oneOf(known.locations)}; it is missing`);
    return undefined;
  }
  const location = read(idOf('locations', known.locations), given, { path: [...path, 'location'], problems });
  return params && location !== undefined ? { type, params, ...(template ? { template } : {}), location } : undefined;
}

function reportWhen(raw: unknown, path: Path, context: RunbookContext): void {
  if (!isPlain(raw)) return;
  if (Object.keys(raw).length === 0) {
    context.problems.atValue(
      path,
      'expected at least one of service, component, check, failure, step; without one it would be offered always',
    );
  }
  const { failures } = context;
  if (!failures) return;
  eachText(raw.failure, [...path, 'failure'], (kind, place) => {
    if (!failures.has(kind))
      context.problems.atValue(
        place,
        `no probe fails with ${shown(kind)}${didYouMean(kind, failures) || `; known are ${[...failures].toSorted().join(', ')}`}`,
      );
  });
}

function reportRoles(raw: unknown, path: Path, context: RunbookContext): void {
  eachText(Array.isArray(raw) ? raw : undefined, path, (role, place) => {
    if (context.roles.has(role)) return;
    const meant = didYouMean(role, context.roles) || '; give it to somebody under people';
    context.problems.atValue(place, `nobody has the role ${shown(role)}${meant}`);
  });
}

function eachText(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === 'string') visit(value, path);
  if (!Array.isArray(value)) return;
  value.forEach((entry, index) => {
    if (typeof entry === 'string') visit(entry, [...path, index]);
  });
}

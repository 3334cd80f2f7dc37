/** A delivery, whoever sent it, becomes the changes it tells of; or nothing, with a reason; or problems, each with its place. */
import type { NewChange, ToldChange, Touched } from '../change.ts';
import type { Config } from '../config/model.ts';
import type { Problem } from '../config/problems.ts';
import { isPlain } from '../config/reader.ts';
import { isWrittenSecret } from '../config/secrets.ts';
import { shown } from '../config/words.ts';
import { isArgo, readArgo } from './argo.ts';
import { isFlux, readFlux } from './flux.ts';
import { readGeneric } from './generic.ts';
import { readGitHub } from './github.ts';
import { readGitLab } from './gitlab.ts';
import { bodyProblems, type Telling, type Told } from './telling.ts';
import { oneLine, parseTimeMs, webAddress } from './text.ts';
import { touchedBy } from './touches.ts';

export interface Delivery {
  /** A header by its name in small letters. */
  header(name: string): string | undefined;
  /** What was parsed from JSON. */
  body: unknown;
}

export interface ReadContext {
  config: Pick<Config, 'services' | 'components' | 'tenants'>;
  nowMs: number;
  /** A digest in hexadecimal. */
  hash(text: string): string;
}

export type Reading =
  | { told: ToldChange[] }
  /** It was understood. */
  | { nothing: string }
  | { problems: Pick<Problem, 'path' | 'message'>[] };

/** Reads a delivery by what its headers say, else by its shape. */
export function readDelivery({ header, body }: Delivery, context: ReadContext): Reading {
  const problems = bodyProblems();
  if (!isPlain(body)) return { problems: [{ path: '', message: `expected a JSON object, got ${shown(body)}` }] };
  const told = byItsSource();
  if (told === undefined || problems.any) return { problems: problems.sorted().map(({ path, message }) => ({ path, message })) };
  return finished(told, context);

  function byItsSource(): Told {
    const event = header('x-github-event');
    if (event !== undefined) return readGitHub(event, body, problems);
    if (header('x-gitlab-event') !== undefined) return readGitLab(body, problems);
    if (isArgo(body)) return readArgo(body, problems);
    if (isFlux(body)) return readFlux(body, problems);
    return readGeneric(body, problems, { source: 'api', known: context.config, nowMs: context.nowMs });
  }
}

/** Reads what was typed at a terminal, in the form of our own. */
export function readTyped(body: Record<string, unknown>, context: ReadContext): Reading {
  const problems = bodyProblems();
  const told = readGeneric(body, problems, { source: 'cli', known: context.config, nowMs: context.nowMs });
  if (!told) return { problems: problems.sorted().map(({ path, message }) => ({ path, message })) };
  return finished(told, context);
}

function finished(told: NonNullable<Told>, context: ReadContext): Reading {
  if ('nothing' in told) return told;
  const tellings = Array.isArray(told) ? (told as readonly Telling[]) : [told as Telling];
  const changes = tellings.flatMap((telling) => changeOf(telling, context) ?? []);
  return changes.length > 0 ? { told: changes } : { nothing: 'It is of another environment than those that changedBy names.' };
}

/** `undefined` for one that is of another environment than those that are named. */
function changeOf(telling: Telling & { touched?: Touched }, context: ReadContext): ToldChange | undefined {
  const touched = telling.touched ?? touchedBy(context.config, telling.named);
  if (touched === 'elsewhere') return undefined;
  const began = timeOf(telling.at, context.nowMs);
  const ended = timeOf(telling.ended, context.nowMs) ?? began ?? context.nowMs;
  const change: NewChange = {
    atMs: began ?? ended,
    ...(telling.outcome === 'begun' ? {} : { endedAtMs: ended }),
    kind: telling.kind === 'deployment' && isOfIngress(touched, context) ? 'ingress' : telling.kind,
    title: safe(oneLine(telling.title)) || telling.source,
    outcome: telling.outcome,
    ...textOf('by', telling.by),
    source: telling.source,
    ...urlOf(telling.url),
    ...textOf('version', telling.version),
    services: touched.services,
    components: touched.components,
    tenants: touched.tenants,
  };
  return {
    change,
    key: keyOf(telling, context),
    ...(telling.repeats ? { repeats: true } : {}),
    ...(telling.onlyEnds ? { onlyEnds: true } : {}),
  };
}

/** Keys are compared, never shown; a long one is as good by its digest. */
function keyOf({ source, key }: Telling, { hash }: ReadContext): string {
  const whole = `${source}/${key}`;
  return whole.length <= 200 && oneLine(whole) === whole ? whole : `${source}/${hash(whole)}`;
}

/** Nothing is known from the future: a clock that is ahead there is not ours. */
function timeOf(text: string | null | undefined, nowMs: number): number | undefined {
  const atMs = text ? parseTimeMs(text) : undefined;
  // Go writes 0001-01-01T00:00:00Z where there is no time.
  return atMs === undefined || atMs <= 0 ? undefined : Math.min(atMs, nowMs);
}

function isOfIngress({ services, components, tenants }: Touched, { config }: ReadContext): boolean {
  if (components.length === 0 || services.length + tenants.length > 0) return false;
  return components.every((id) => config.components[id]?.layer === 'ingress');
}

/** People write passwords into messages of commits. */
function safe(text: string): string {
  return isWrittenSecret('', text) ? '(left out: there is a secret in it)' : text;
}

function textOf<K extends 'by' | 'version'>(key: K, text: string | null | undefined): { [P in K]?: string } {
  const plain = safe(oneLine(text ?? ''));
  return (plain === '' ? {} : { [key]: plain }) as { [P in K]?: string };
}

function urlOf(text: string | null | undefined): { url?: string } {
  const url = text ? webAddress(text) : undefined;
  return url === undefined || isWrittenSecret('', url) ? {} : { url };
}

/**
 * `POST /changes`: what CI, CD and people's scripts tell of changes. docs/changes.md says what is understood.
 *
 * Whoever has no token is told nothing but that, and whatever they send is not read further than its signature needs. Of what is sent
 * nothing is logged but number, source and kind.
 */
import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { ReadContext, Reading } from '../core/change/read.ts';
import { readDelivery } from '../core/change/read.ts';
import type { NewChange, ToldChange } from '../core/change.ts';
import type { Clock } from '../core/clock.ts';
import type { Config } from '../core/config/model.ts';
import type { Log } from '../core/process.ts';
import type { Inserted } from '../store/change.ts';
import { bucket } from './changes-limit.ts';
import { hasSignature, hasToken, isSigned } from './changes-proof.ts';

/** A token that can be guessed is none. */
export const LEAST_TOKEN_CHARACTERS = 20;
/** GitHub cuts its payloads at 25 MB; those of deployments have 10 to 20 KB. */
export const MOST_BYTES = 256 * 1024;
/** For the whole body. GitHub itself gives up after 10 s. */
const READ_LIMIT_MS = 10_000;
/** Bodies that are read at once: 8 MB at most. */
const MOST_AT_ONCE = 32;
/** A roll-out of everything is some hundred deliveries in a moment; more than 10 a second for long is a sender gone wrong. */
const RATE = { perSecond: 10, burst: 300 };
/** Refusals that are logged: the first few, then one a minute. */
const LOGGED = { perSecond: 1 / 60, burst: 5 };

export interface ChangesOptions {
  /** Without one nothing is taken. */
  token: string | undefined;
  config(): Config;
  clock: Clock;
  log: Log;
  /** Stores what was told, in one transaction. */
  report(told: readonly ToldChange[]): Promise<Inserted[]>;
  /** A change that was not known before. */
  counted(change: NewChange): void;
}

/** The token as it may be used. Throws one sentence when it is too short. */
export function changesToken(token: string | undefined): string | undefined {
  if (!token) return undefined;
  if (token.length >= LEAST_TOKEN_CHARACTERS) return token;
  throw new Error(
    `ROUNDS_CHANGES_TOKEN: expected at least ${LEAST_TOKEN_CHARACTERS} characters, such as the output of "openssl rand -hex 32"; got ${token.length}.`,
  );
}

interface Refusal {
  status: 400 | 401 | 404 | 405 | 408 | 413 | 415 | 429 | 503;
  error: string;
}

const NO_TOKEN: Refusal = {
  status: 404,
  error: 'Changes are not taken here: set ROUNDS_CHANGES_TOKEN (at least 20 characters) for the worker and start it again.',
};
const NO_PROOF: Refusal = { status: 401, error: 'Expected the token, or a signature made with it.' };
const TOO_LARGE: Refusal = { status: 413, error: `Expected a body of at most ${MOST_BYTES / 1024} KB.` };
const TOO_SLOW: Refusal = { status: 408, error: `Expected the whole body within ${READ_LIMIT_MS / 1000} s.` };
const TOO_MANY: Refusal = { status: 429, error: 'Too many changes at once; send this one again in a few seconds.' };
const NO_JSON_TYPE: Refusal = { status: 415, error: 'Expected the content type application/json.' };
const NO_JSON: Refusal = { status: 400, error: 'Expected JSON in UTF-8.' };
const TOO_DEEP: Refusal = { status: 400, error: 'Expected fewer values within values.' };

/** The route by itself; whatever is not `/changes` is not found. */
export function changesApp(options: ChangesOptions): Hono {
  const { log, clock } = options;
  const monotonic = () => clock.monotonic();
  const intake = { options, mayTake: bucket({ ...RATE, monotonic }), reading: 0 };
  const report = oneAtATime(options.report);
  const mayLog = bucket({ ...LOGGED, monotonic });
  const app = new Hono();
  app.all('/changes', async (context) => {
    if (context.req.method !== 'POST') return refused({ status: 405, error: 'Expected POST.' }, { allow: 'POST' });
    const refusal = (answer: Refusal): Response => {
      if (mayLog()) log.warn({ status: answer.status }, 'a report of a change was refused');
      return refused(answer, answer.status === 429 || answer.status === 503 ? { 'retry-after': '5' } : {});
    };
    try {
      const taken = await take(intake, context.req.raw);
      return 'error' in taken ? refusal(taken) : await answer({ ...options, report }, taken.request, taken.body);
    } catch (error) {
      log.error({ error: (error as Error).message }, 'a change could not be stored');
      return refusal({ status: 503, error: 'The change could not be stored; send it again.' });
    }
  });
  return app;
}

/** The worker's few connections are for judging: however many changes come, they take one. */
function oneAtATime(report: ChangesOptions['report']): ChangesOptions['report'] {
  let last: Promise<unknown> = Promise.resolve();
  return (told) => {
    const done = last.then(() => report(told));
    last = done.catch(() => {});
    return done;
  };
}

function refused({ status, error }: Refusal, headers: Record<string, string>): Response {
  return Response.json({ error }, { status, headers });
}

interface Intake {
  options: ChangesOptions;
  mayTake(): boolean;
  /** Bodies that are being read. */
  reading: number;
}

/** The body as it was sent by somebody who has the token, parsed. */
async function take(intake: Intake, request: Request): Promise<{ request: Request; body: unknown } | Refusal> {
  const { token, clock } = intake.options;
  const header = headersOf(request);
  if (token === undefined) return NO_TOKEN;
  const proven = hasToken(header, token);
  if (!proven && !isSigned(header)) return NO_PROOF;
  if (Number(header('content-length') ?? 0) > MOST_BYTES) return proven ? TOO_LARGE : NO_PROOF;
  if (intake.reading >= MOST_AT_ONCE) return TOO_MANY;
  intake.reading++;
  const bytes = await readBytes(request).finally(() => intake.reading--);
  if ('error' in bytes) return proven ? bytes : NO_PROOF;
  if (!proven && !hasSignature(header, bytes, token, clock.now())) return NO_PROOF;
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(header('content-type') ?? '')) return NO_JSON_TYPE;
  if (!intake.mayTake()) return TOO_MANY;
  return parse(bytes, request);
}

function headersOf(request: Request): (name: string) => string | undefined {
  return (name) => request.headers.get(name) ?? undefined;
}

function parse(bytes: Uint8Array, request: Request): { request: Request; body: unknown } | Refusal {
  try {
    return { request, body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return NO_JSON;
  }
}

/** The whole body, or why not. Stops reading where it becomes too large or too slow. */
async function readBytes(request: Request): Promise<Uint8Array | Refusal> {
  const reader = request.body?.getReader();
  if (!reader) return new Uint8Array();
  let tooSlow = false;
  const timer = setTimeout(() => {
    tooSlow = true;
    reader.cancel().catch(() => {});
  }, READ_LIMIT_MS);
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > MOST_BYTES) {
        await reader.cancel();
        return TOO_LARGE;
      }
      chunks.push(next.value);
    }
    return tooSlow ? TOO_SLOW : Buffer.concat(chunks);
  } catch {
    return tooSlow ? TOO_SLOW : { status: 400, error: 'Expected the whole body; the connection broke.' };
  } finally {
    clearTimeout(timer);
  }
}

async function answer(options: ChangesOptions, request: Request, body: unknown): Promise<Response> {
  const reading = read(options, request, body);
  if ('error' in reading) return refused(reading, {});
  if ('problems' in reading)
    return Response.json({ error: 'This is no change that Rounds understands.', problems: reading.problems }, { status: 400 });
  if ('nothing' in reading) return Response.json({ nothing: reading.nothing }, { status: 202 });
  const inserted = await options.report(reading.told);
  note(options, reading.told, inserted);
  const changes = inserted.filter(({ is }) => is !== 'nothing');
  if (changes.length === 0) return Response.json({ nothing: 'It tells the end of a change that nobody has told of.' }, { status: 202 });
  return Response.json({ changes }, { status: changes.some(({ is }) => is === 'new') ? 201 : 200 });
}

function read({ config, clock }: ChangesOptions, request: Request, body: unknown): Reading | Refusal {
  const context: ReadContext = {
    config: config(),
    nowMs: clock.now(),
    hash: (text) => createHash('sha256').update(text).digest('hex'),
  };
  try {
    return readDelivery({ header: headersOf(request), body }, context);
  } catch (error) {
    // Lists within lists, some thousands deep, are more than the stack bears.
    if (error instanceof RangeError) return TOO_DEEP;
    throw error;
  }
}

function note({ log, counted }: ChangesOptions, told: readonly ToldChange[], inserted: readonly Inserted[]): void {
  inserted.forEach(({ id, is }, index) => {
    const change = told[index]?.change;
    if (!change || (is !== 'new' && is !== 'moved')) return;
    log.info({ change: id, source: change.source, kind: change.kind, is }, 'a change was reported');
    if (is === 'new') counted(change);
  });
}

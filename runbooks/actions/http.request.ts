import * as z from 'zod';
import { durationMs, text, urlOrSecret } from '../../core/config/units.ts';
import { type ActionContext, type ActionOutcome, defineAction } from '../action.ts';

/** An answer is read this far: a summary is one sentence. */
const MAX_ANSWER_BYTES = 64_000;
const MAX_SUMMARY_CHARACTERS = 300;

const schema = z.strictObject({
  url: urlOrSecret().describe('The address'),
  method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE', 'GET']).default('POST').describe('The method'),
  bearer: text(4000).optional().describe('A token, sent as `Authorization: Bearer …`'),
  json: z.json().optional().describe('The body, sent as JSON'),
  timeout: durationMs({ max: '5m' }).default(20_000).describe('How long the answer may take; 20s unless said'),
});
type Params = z.infer<typeof schema>;

export default defineAction({
  type: 'http.request',
  summary:
    'Sends one HTTP request with the execution as its Idempotency-Key. An answer of 2xx is done; its JSON field `summary` is told in the thread.',
  schema,
  preview: (params) => `Sends ${params.method} to ${hostInWords(params.url)}.`,
  examples: [
    `http.request:
  url: https://ops.riverside.example/api/restart-billing
  bearer: \${secret:OPS_TOKEN}
  json: { reason: incident }
  timeout: 30s
  location: north`,
  ],
  run,
});

/** The host alone: a path or a query may hold a token. */
function hostInWords(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'the address in the configuration';
}

async function run(params: Params, context: ActionContext): Promise<ActionOutcome> {
  if (!URL.canParse(params.url))
    return { outcome: 'failed', summary: 'The url is no address once its secret is filled in. Nothing was sent.' };
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(params.timeout)]);
  try {
    const answer = await fetch(params.url, { ...requestOf(params, context.execution), signal, redirect: 'manual' });
    const words = await summaryOf(answer);
    if (answer.ok) return { outcome: 'done', summary: words ?? `Done: answered ${answer.status}.` };
    const status = `${new URL(params.url).host} answered ${answer.status}.`;
    return { outcome: 'failed', summary: words === undefined ? status : `${status} ${words}` };
  } catch (error) {
    return { outcome: 'failed', summary: failureInWords(error, params, signal) };
  }
}

function requestOf(params: Params, execution: string): RequestInit {
  const headers: Record<string, string> = {
    'idempotency-key': execution,
    accept: 'application/json',
    'user-agent': 'rounds',
    connection: 'close',
  };
  if (params.bearer !== undefined) headers.authorization = `Bearer ${params.bearer}`;
  if (params.json === undefined) return { method: params.method, headers };
  return { method: params.method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(params.json) };
}

/** The `summary` of a JSON answer, on one line; `undefined` when there is none or it is too long to be read whole. */
async function summaryOf(answer: Response): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let body = '';
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    body += decoder.decode(chunk, { stream: true });
  }
  try {
    const { summary } = JSON.parse(body) as { summary?: unknown };
    if (typeof summary !== 'string' || summary.trim() === '') return undefined;
    return summary
      .replaceAll(/[\p{Cc}\p{Cf}\s<>]+/gu, ' ')
      .trim()
      .slice(0, MAX_SUMMARY_CHARACTERS);
  } catch {
    return undefined;
  }
}

function failureInWords(error: unknown, params: Params, signal: AbortSignal): string {
  const host = new URL(params.url).host;
  if (signal.aborted)
    return `No complete answer of ${host} within ${Math.round(params.timeout / 1000)} s. It may have been done all the same.`;
  const code = ((error as Error).cause as { code?: string } | undefined)?.code;
  if (code === 'ECONNREFUSED') return `${host} refused the connection. Nothing was done.`;
  return `${host} could not be asked${code ? ` (${code})` : ''}. It may have been done all the same.`;
}

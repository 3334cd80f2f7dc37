import * as z from 'zod';
import { sizeBytes, text, urlOrSecret } from '../../core/config/units.ts';
import { deadlineSignal, TargetTrouble } from '../deadline.ts';
import { AgentFault, defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { type Exchange, type ExchangeOptions, exchange } from '../web/exchange.ts';
import { assertExpected } from '../web/expect.ts';

/** As browsers are far more patient, five redirects are enough for a login page and too many for a health check. */
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

const status = z.int({ error: 'expected a status such as 200' }).min(100).max(599);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], { error: 'expected a text, a number, true, false or null' });

const schema = z.strictObject({
  url: urlOrSecret().describe('The address'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET').describe('The method'),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header'), text(4000))
    .default({})
    .describe('Headers to send'),
  body: text(100_000).optional().describe('The body to send'),
  redirects: z.enum(['follow', 'stay']).default('follow').describe('Whether redirects are followed, at most five'),
  ca: text(20_000).optional().describe('A certificate authority that is trusted besides the usual ones, PEM'),
  bodyLimit: sizeBytes().default(1_000_000).describe('The largest answer that is read; 1MB unless said'),
  expect: z
    .strictObject({
      status: z
        .union([status.transform((one) => [one]), z.array(status).min(1).max(50)], { error: 'expected a status or a list of them' })
        .optional()
        .describe('The status, or a list of them; 200 to 399 unless said'),
      text: text(2000).optional().describe('What the answer must contain'),
      json: z.record(text(200), scalar).optional().describe('Values in the JSON answer, by path such as `checks.database`'),
    })
    .default({})
    .describe('What the answer must be'),
});
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'http',
  summary: 'Sends one HTTP request on a fresh connection and looks at the answer.',
  schema,
  failures: [
    { kind: 'timeout', means: 'no connection, no answer, or no complete answer in time' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the connection was closed before the answer was complete' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved' },
    { kind: 'tls', means: 'the handshake failed, or the certificate is not valid' },
    { kind: 'protocol', means: 'the answer is not HTTP' },
    { kind: 'status', means: 'another status than expected' },
    { kind: 'assertion', means: 'the answer lacks the text or the value expected' },
    { kind: 'too-large', means: 'the answer exceeds `bodyLimit`' },
    { kind: 'redirect', means: 'too many redirects, or one that leads nowhere' },
  ],
  measurements: {
    dns_ms: 'looking up the name; absent for a bare address',
    connect_ms: 'opening the connection',
    tls_ms: 'the TLS handshake',
    first_byte_ms: 'from the request to the head of the answer',
    download_ms: 'reading the body',
    body_bytes: 'size of the body',
  },
  examples: [
    `ingress:
  title: The ingress answers
  component: ingress
  every: 30s
  locations: [north, south, cloud]
  http:
    url: https://status.riverside.example/healthz
    expect: { status: 200, text: ok }`,
    `booking-api:
  title: The booking interface accepts a token
  service: clinic-scheduling
  every: 60s
  timeout: 5s
  locations: [north]
  http:
    url: https://api.riverside.example/v1/slots
    headers: { Authorization: 'Bearer \${secret:BOOKING_TOKEN}' }
    bodyLimit: 200KB
    expect:
      status: [200, 204]
      json: { status: ready }
  degraded: { above: 800ms }`,
  ],
  run,
});

async function run(params: Params, context: ProbeContext): Promise<Outcome> {
  const startedMs = context.monotonic();
  const measurements: Record<string, number> = {};
  const durationMs = () => context.monotonic() - startedMs;
  try {
    const answer = await answerTo(params, context, measurements);
    assertExpected(answer, params.expect);
    return { verdict: 'up', durationMs: durationMs(), measurements };
  } catch (error) {
    if (!(error instanceof TargetTrouble)) throw error;
    return { verdict: 'down', durationMs: durationMs(), measurements, failure: { kind: error.kind, message: error.message } };
  }
}

/** The last answer of a chain of redirects; the phases of all of them are added up. */
async function answerTo(params: Params, context: ProbeContext, measurements: Record<string, number>): Promise<Exchange> {
  let request = firstRequest(params, context);
  for (let hops = 0; ; hops++) {
    const answer = await exchange(request);
    for (const [phase, tookMs] of Object.entries(answer.phases)) measurements[phase] = (measurements[phase] ?? 0) + tookMs;
    measurements.body_bytes = answer.bodyBytes;
    const location = answer.headers.location;
    if (params.redirects === 'stay' || !REDIRECTS.has(answer.status) || location === undefined) return answer;
    if (hops === MAX_REDIRECTS) throw new TargetTrouble('redirect', `more than ${MAX_REDIRECTS} redirects`);
    request = redirected(request, answer.status, location, context.traceparent);
  }
}

function firstRequest(params: Params, context: ProbeContext): ExchangeOptions {
  if (!URL.canParse(params.url) || !/^https?:$/.test(new URL(params.url).protocol)) {
    throw new AgentFault('parameters', 'The url is no http or https address once its secret is filled in.');
  }
  return {
    url: new URL(params.url),
    method: params.method,
    headers: { 'user-agent': 'rounds', accept: '*/*', traceparent: context.traceparent, ...params.headers },
    ...(params.body === undefined ? {} : { body: params.body }),
    ...(params.ca === undefined ? {} : { ca: params.ca }),
    bodyLimitBytes: params.bodyLimit,
    signal: deadlineSignal(context),
    timeoutMs: context.timeoutMs,
    monotonic: context.monotonic,
  };
}

/** Another origin gets neither the headers nor the body that were meant for the first one: they may hold secrets. */
function redirected(from: ExchangeOptions, answerStatus: number, location: string, traceparent: string): ExchangeOptions {
  const url = URL.canParse(location, from.url) ? new URL(location, from.url) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new TargetTrouble('redirect', 'the redirect leads to no http or https address');
  const keepsMethod = answerStatus === 307 || answerStatus === 308 || from.method === 'HEAD';
  const { body, ...rest } = from;
  const foreign = url.origin !== from.url.origin;
  return {
    ...rest,
    url,
    method: keepsMethod ? from.method : 'GET',
    headers: foreign ? { 'user-agent': 'rounds', accept: '*/*', traceparent } : from.headers,
    ...(keepsMethod && !foreign && body !== undefined ? { body } : {}),
  };
}

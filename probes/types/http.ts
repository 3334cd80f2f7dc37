import type { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { sizeBytes, urlOrSecret } from '../../core/config/units.ts';
import type { Failure } from '../../core/result.ts';
import { judged, judgedTrouble } from '../attempt.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { hiding } from '../quote.ts';
import type { Judged } from '../signs.ts';
import { chainOf, daysLeft, sentWith } from '../tls/chain.ts';
import { ca, tls } from '../tls/options.ts';
import { anchorsWith } from '../tls/trust.ts';
import { type ChainContext, runChain } from '../web/chain.ts';
import { CookieJar } from '../web/cookies.ts';
import { requestShape, step } from '../web/options.ts';
import { type Measured, perform } from '../web/perform.ts';
import { reportTogether } from '../web/together.ts';
import { addressOf } from '../web/visit.ts';
import { limitInWords } from '../words.ts';

const schema = z
  .strictObject({
    url: urlOrSecret().optional().describe('The address; or `steps` instead'),
    ...requestShape,
    steps: z
      .array(step, { error: 'expected a list of steps such as [{ name: log in, url: … }]' })
      .min(1)
      .max(20)
      .optional()
      .describe(
        `Requests that follow each other in one run, within one time-out, cookies kept: each with \`name\`, the options of a request above, and \`save\`: \`{ NAME: { json: PATH } }\`, \`{ header: NAME }\`, or \`{ body: /…(…)…/ }\`. Later steps use what is saved, which is secret, as \`\${saved.NAME}\` in \`url\`, \`headers\` and \`body\``,
      ),
    bodyLimit: sizeBytes().default(1_000_000).describe('The largest answer that is read, packed or unpacked; 1MB unless said'),
    ca: ca(),
    tls: tls(),
  })
  .superRefine((options, context) => {
    reportTogether(options, (path, message) => context.addIssue({ code: 'custom', path, message, input: options }));
  });
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'http',
  summary: 'Sends an HTTP request, or several that follow each other, each on a fresh connection, and looks at the answers.',
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
    { kind: 'assertion', means: 'text, headers, JSON or size are not as expected, or missing' },
    { kind: 'too-large', means: 'the answer exceeds `bodyLimit`' },
    { kind: 'encoding', means: 'the answer is packed in a way that cannot be unpacked' },
    { kind: 'redirect', means: 'too many redirects, or one that leads nowhere' },
    { kind: 'save', means: 'a value that a step saves is missing or of no use' },
    { kind: 'slow-phase', means: 'a phase took longer than `within` allows: degraded' },
    { kind: 'unreadable', means: 'a limit is set on a phase that did not take place: a fault of the monitoring' },
  ],
  measurements: {
    dns_ms: 'looking up the name; absent for a bare address',
    connect_ms: 'opening the connection',
    tls_ms: 'the TLS handshake',
    first_byte_ms: 'from the request to the head of the answer',
    download_ms: 'reading the body',
    body_bytes: 'size of the last body, unpacked',
    cert_left_days: 'https: days until the first certificate of the chain expires; negative once it has',
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
      headers: { content-type: /^application\\/json/ }
      json: { status: ready, 'slots.length': { above: 0 } }
      within: { firstByte: 300ms }
  degraded: { above: 800ms }`,
    `book-a-slot:
  title: Book a slot and cancel it
  service: clinic-scheduling
  every: 5m
  timeout: 20s
  locations: [north]
  http:
    steps:
      - name: log in
        url: https://api.riverside.example/v1/sessions
        method: POST
        headers: { Content-Type: application/json }
        body: '{"user": "rounds-monitor", "password": "\${secret:MONITOR_PASSWORD}"}'
        save: { session: { json: access_token } }
      - name: book a slot
        url: https://api.riverside.example/v1/bookings
        method: POST
        headers: { Authorization: 'Bearer \${saved.session}', Content-Type: application/json }
        body: '{"slot": "synthetic", "patient": "rounds-monitor"}'
        expect: { status: 201, within: { total: 2s } }
        save: { booking: { json: id } }
      - name: cancel the booking
        url: https://api.riverside.example/v1/bookings/\${saved.booking}
        method: DELETE
        headers: { Authorization: 'Bearer \${saved.session}' }
        expect: { status: 204 }`,
  ],
  run,
});

async function run(params: Params, context: ProbeContext): Promise<Outcome> {
  const startedMs = context.monotonic();
  const measured: Measured = {};
  const chain = chainContextOf(params, context);
  const { steps, ...verdict } = await judge(params, chain, measured);
  const durationMs = context.monotonic() - startedMs;
  const measurements = { ...measured, ...certificatesMeasured(chain.certificates, params.ca) };
  return { ...verdict, durationMs, measurements, ...(steps ? { steps } : {}) };
}

/** A certificate ends by the calendar, so this is the one place where the agent's wall clock counts. */
function certificatesMeasured(shown: readonly X509Certificate[], ca: string | undefined): { cert_left_days?: number } {
  if (shown.length === 0) return {};
  const trusted = anchorsWith(ca);
  const chains = shown.flatMap((leaf) => chainOf(leaf, sentWith(leaf), trusted));
  return daysLeft(chains, Date.now());
}

function chainContextOf(params: Params, context: ProbeContext): ChainContext {
  const jar = new CookieJar();
  const saved = new Map<string, string>();
  const left = params.steps === undefined ? '' : 'what was left of ';
  return {
    signal: context.signal,
    monotonic: context.monotonic,
    traceparent: context.traceparent,
    bodyLimitBytes: params.bodyLimit,
    limitWords: () => `within ${left}${limitInWords(context.timeoutMs)}`,
    hide: hiding(() => [...context.secrets, ...saved.values(), ...jar.secrets()]),
    tls: { ...params.tls, ca: params.ca },
    jar,
    saved,
    certificates: [],
  };
}

async function judge(params: Params, context: ChainContext, measured: Measured): Promise<Judged & Pick<Outcome, 'steps'>> {
  if (params.steps) {
    const { steps, failed, slow } = await runChain(params.steps, context, measured);
    return { ...(failed ? judged(failed) : slowing(slow)), steps };
  }
  const { method, headers, body, redirects, expect } = params;
  try {
    const wish = { url: addressOf(params.url ?? ''), method, headers, body, redirects, tls: context.tls };
    return slowing((await perform(wish, expect, context, measured)).slow);
  } catch (error) {
    return judgedTrouble(error);
  }
}

function slowing(failure: Failure | undefined): Judged {
  return failure ? { verdict: 'degraded', failure } : { verdict: 'up' };
}

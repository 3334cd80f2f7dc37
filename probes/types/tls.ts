import type { SecureContext } from 'node:tls';
import * as z from 'zod';
import { withoutReferences } from '../../core/config/references.ts';
import { durationMs } from '../../core/config/units.ts';
import { attempt } from '../attempt.ts';
import { withLink } from '../net/connect.ts';
import { family, fitsFamily, host, OTHER_FAMILY, port } from '../net/options.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { limits } from '../signs.ts';
import { chainOf, daysLeft } from '../tls/chain.ts';
import { type Shown, shakeHands } from '../tls/handshake.ts';
import { judge, VERSIONS } from '../tls/judge.ts';
import { ca } from '../tls/options.ts';
import { PROTOCOLS, startTls } from '../tls/starttls.ts';
import { anchorsWith, lenientContext } from '../tls/trust.ts';

const DAY_MS = 86_400_000;
/** Let's Encrypt renews 30 days ahead: three weeks mean that a renewal has failed, one that somebody must act. */
const EXPIRES = { degraded: 21 * DAY_MS, down: 7 * DAY_MS };
const PORTS = { tls: 443, smtp: 587, imap: 143, postgres: 5432 } as const;

const FINGERPRINT = 'expected a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons';

const schema = z
  .strictObject({
    host: host().describe('The host, by name or address'),
    port: port().optional().describe('The port; 443 unless said, with `starttls` 587 (smtp), 143 (imap) or 5432 (postgres)'),
    family: family(),
    starttls: z.enum(PROTOCOLS).optional().describe('The protocol that is spoken before TLS begins; none unless said'),
    serverName: host().optional().describe('The name that the server is asked for; `host` unless said'),
    certificateName: host().optional().describe('The name that the certificate must be for; `serverName` unless said'),
    ca: ca(),
    minVersion: z.enum(VERSIONS).default('TLSv1.2').describe('The oldest version of the protocol that is good enough'),
    fingerprint: z
      .string({ error: FINGERPRINT })
      .refine((value) => withoutReferences(value, '') !== value || /^([0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(value), { error: FINGERPRINT })
      .optional()
      .describe("SHA-256 of the server's own certificate, which must then be this one and valid"),
    expires: limits(durationMs(), 'less')
      .default(EXPIRES)
      .describe('How much time must be left until the first certificate of the chain expires; degraded at 21d and down at 7d unless said'),
  })
  .refine((params) => fitsFamily(params.host, params.family), { path: ['host'], error: OTHER_FAMILY });
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'tls',
  summary: 'Shakes hands with a TLS server and looks at its certificates: whom they are for, who signed them, how long they last.',
  schema,
  failures: [
    { kind: 'timeout', means: 'no connection or no handshake in time' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the server closed the connection before the handshake was done' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved, or has no address of the `family`' },
    { kind: 'starttls', means: 'the server speaks another protocol than `starttls` says, or offers no TLS in it' },
    { kind: 'tls', means: 'the handshake failed: the server does not speak TLS, or breaks it off' },
    { kind: 'unreadable-dates', means: 'the dates of a certificate cannot be read' },
    { kind: 'expired', means: 'a certificate of the chain has expired' },
    { kind: 'not-yet-valid', means: 'a certificate of the chain becomes valid only later' },
    { kind: 'self-signed', means: "the server's certificate is signed by itself and not trusted" },
    { kind: 'untrusted', means: 'the chain does not end at an authority that is trusted' },
    { kind: 'wrong-name', means: 'the certificate is for other names' },
    { kind: 'fingerprint', means: 'another certificate than `fingerprint` says' },
    { kind: 'protocol-version', means: 'the server speaks only versions older than `minVersion`' },
    { kind: 'weak', means: "a key or a signature is weaker than today's clients accept" },
    { kind: 'expires-soon', means: 'a certificate of the chain expires within `expires`' },
  ],
  measurements: {
    dns_ms: 'looking up the name; absent for a bare address',
    connect_ms: 'opening the connection',
    starttls_ms: 'the words before TLS begins; absent without `starttls`',
    tls_ms: 'the TLS handshake',
    cert_left_days: 'until the first certificate of the chain expires; also of one that is not trusted, and negative once it has expired',
    chain_count: 'certificates from the server up to the one that is trusted',
  },
  examples: [
    `portal-certificate:
  title: The portal's certificate is good
  component: ingress
  every: 5m
  locations: [north, cloud]
  tls: { host: portal.riverside.example }`,
    `mail-certificate:
  title: The mail relay's certificate is good
  component: mail-relay
  every: 15m
  locations: [north]
  tls:
    host: mail.riverside.example
    port: 25
    starttls: smtp
    expires: { degraded: 30d, down: 10d }`,
    `database-certificate:
  title: The database's certificate is good
  component: postgres-main
  every: 15m
  locations: [north]
  tls:
    host: 10.20.0.5
    starttls: postgres
    serverName: db.riverside.example
    ca: \${secret:CLINIC_CA}
    minVersion: TLSv1.3`,
  ],
  run,
});

async function run(params: Params, context: ProbeContext): Promise<Outcome> {
  // Read before the clock starts, because it is our time and not the server's.
  const trust = { anchors: anchorsWith(params.ca), context: lenientContext(params.ca) };
  const startedMs = context.monotonic();
  return await attempt(context, async (measurements) => {
    const seen = await look(params, trust.context, context, measurements);
    const durationMs = context.monotonic() - startedMs;
    const chain = chainOf(seen.leaf, seen.sent, trust.anchors);
    // A certificate ends by the calendar, so this is the one place where the agent's wall clock counts.
    const nowMs = Date.now();
    Object.assign(measurements, daysLeft(chain, nowMs), { chain_count: chain.length });
    const name = params.certificateName ?? params.serverName ?? params.host;
    return { ...judge({ ...seen, chain }, { ...params, name }, nowMs), durationMs };
  });
}

async function look(params: Params, secure: SecureContext, context: ProbeContext, measurements: Record<string, number>): Promise<Shown> {
  const { starttls, serverName = params.host } = params;
  const target = { host: params.host, port: params.port ?? PORTS[starttls ?? 'tls'], family: params.family };
  return await withLink(target, context, measurements, async (link) => {
    const connectedMs = context.monotonic();
    if (starttls !== undefined) {
      await startTls(starttls, link, context);
      measurements.starttls_ms = context.monotonic() - connectedMs;
    }
    const begunMs = context.monotonic();
    const shown = await shakeHands(link, { serverName: serverName.replace(/\.$/, ''), context: secure });
    measurements.tls_ms = context.monotonic() - begunMs;
    return shown;
  });
}

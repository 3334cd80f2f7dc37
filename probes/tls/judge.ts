/** From what a server showed to a verdict: the first of its faults, the gravest first. */
import type { X509Certificate } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import { spanInWords } from '../../core/duration.ts';
import type { Failure } from '../../core/result.ts';
import type { Judged, Limits } from '../signs.ts';
import { plain } from '../words.ts';
import { isSelfSigned, leftMs, validity } from './chain.ts';
import type { Shown } from './handshake.ts';

export const VERSIONS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof VERSIONS)[number];

/** What OpenSSL asks of keys at its usual security level, and with it most of today's clients. */
const MIN_RSA_BITS = 2048;

export interface Rules {
  /** Whom the certificate must be for. */
  name: string;
  minVersion: Version;
  /** SHA-256 of the server's certificate, in hexadecimal. */
  fingerprint?: string | undefined;
  /** How much time must be left, in milliseconds; exactly that much is too little. */
  expires: Limits;
}

export interface Seen extends Shown {
  /** The server's certificate first; see {@link chainOf}. */
  chain: readonly X509Certificate[];
}

/** The verdict at `nowMs` of the wall clock. */
export function judge(seen: Seen, rules: Rules, nowMs: number): Judged {
  const grave =
    datesFailure(seen.chain, nowMs) ??
    trustFailure(seen) ??
    nameFailure(seen.leaf, rules.name) ??
    pinFailure(seen.leaf, rules.fingerprint) ??
    versionFailure(seen.protocol, rules.minVersion) ??
    weakness(seen);
  return grave ? { verdict: 'down', failure: grave } : judgeExpiry(seen.chain, rules.expires, nowMs);
}

function datesFailure(chain: readonly X509Certificate[], nowMs: number): Failure | undefined {
  for (const one of chain) {
    const { fromMs, toMs } = validity(one);
    const which = inWords(one, chain);
    if (!Number.isFinite(fromMs) || !Number.isFinite(toMs))
      return { kind: 'unreadable-dates', message: `the dates of ${which} cannot be read` };
    if (nowMs < fromMs) return { kind: 'not-yet-valid', message: `${which} becomes valid only in ${spanInWords(fromMs - nowMs)}` };
    // As OpenSSL does: the last moment is no longer valid.
    if (nowMs >= toMs) return { kind: 'expired', message: `${which} expired ${spanInWords(nowMs - toMs)} ago` };
  }
  return undefined;
}

function trustFailure({ refusal, leaf, sent, chain }: Seen): Failure | undefined {
  if (refusal === undefined) return undefined;
  if (isSelfSigned(leaf)) {
    return { kind: 'self-signed', message: 'the certificate is signed by itself and is not among those that are trusted' };
  }
  if (!UNKNOWN_ISSUER.test(refusal)) {
    const words = plain(refusal.toLowerCase().replaceAll('_', ' '), 60);
    return { kind: 'untrusted', message: `the chain of the certificate is not accepted (${words})` };
  }
  const last = chain.at(-1) ?? leaf;
  const missing = sent.length === 0 ? '; the server sends no certificate of its issuer' : '';
  const signer = isSelfSigned(last) ? last.subject : last.issuer;
  return { kind: 'untrusted', message: `the certificate is signed by ${nameIn(signer)}, who is not trusted${missing}` };
}

/** OpenSSL's codes for a chain that ends at nobody who is trusted. */
const UNKNOWN_ISSUER = /^(UNABLE_TO_|SELF_SIGNED_CERT_IN_CHAIN|CERT_UNTRUSTED)/;

function nameFailure(leaf: X509Certificate, name: string): Failure | undefined {
  if (checkServerIdentity(name, leaf.toLegacyObject()) === undefined) return undefined;
  const message = `the certificate is for ${namesOf(leaf)}, expected ${plain(name, 100)}`;
  return { kind: 'wrong-name', message };
}

function pinFailure(leaf: X509Certificate, expected: string | undefined): Failure | undefined {
  const bare = (fingerprint: string) => fingerprint.replaceAll(':', '').toUpperCase();
  if (expected === undefined || bare(expected) === bare(leaf.fingerprint256)) return undefined;
  const start = (fingerprint: string) => (bare(fingerprint).slice(0, 16).match(/../g) ?? []).join(':');
  return {
    kind: 'fingerprint',
    message: `the certificate's fingerprint begins with ${start(leaf.fingerprint256)}, expected ${start(expected)}`,
  };
}

function versionFailure(spoken: string, wanted: Version): Failure | undefined {
  const order: readonly string[] = VERSIONS;
  if (order.indexOf(spoken) >= order.indexOf(wanted)) return undefined;
  const words = (version: string) => plain(version.replace(/^TLSv1$/, 'TLSv1.0').replace('TLSv', 'TLS '), 20);
  return { kind: 'protocol-version', message: `the server speaks ${words(spoken)}, expected at least ${words(wanted)}` };
}

function weakness({ chain, refusal }: Seen): Failure | undefined {
  for (const [index, one] of chain.entries()) {
    const which = inWords(one, chain);
    const bits = one.publicKey.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < MIN_RSA_BITS) {
      return { kind: 'weak', message: `the key of ${which} has ${bits} bits, expected at least ${MIN_RSA_BITS}` };
    }
    // Nobody looks at the signature of what is trusted by itself.
    const anchor = refusal === undefined && index === chain.length - 1;
    if (!anchor && /(sha1|md[245])(?!\d)/i.test(one.signatureAlgorithm ?? '')) {
      return { kind: 'weak', message: `${which} is signed with ${one.signatureAlgorithm}, expected SHA-256 or better` };
    }
  }
  return undefined;
}

function judgeExpiry(chain: readonly X509Certificate[], { degraded, down }: Rules['expires'], nowMs: number): Judged {
  const left = leftMs(chain, nowMs) ?? 0;
  const soon = (limit: number): Failure => {
    const first = chain.find((one) => validity(one).toMs - nowMs === left);
    const which = first ? inWords(first, chain) : 'the certificate';
    return { kind: 'expires-soon', message: `${which} expires in ${spanInWords(left)}, limit ${spanInWords(limit)}` };
  };
  if (down !== undefined && left <= down) return { verdict: 'down', failure: soon(down) };
  if (degraded !== undefined && left <= degraded) return { verdict: 'degraded', failure: soon(degraded) };
  return { verdict: 'up' };
}

function inWords(certificate: X509Certificate, chain: readonly X509Certificate[]): string {
  return certificate === chain[0] ? 'the certificate' : `the certificate of the issuer ${nameIn(certificate.subject)}`;
}

/** The common name of a subject or an issuer, or whatever else it calls itself. */
function nameIn(subject: string | undefined): string {
  const named = /^CN=(.+)$/m.exec(subject ?? '') ?? /^O=(.+)$/m.exec(subject ?? '');
  return named?.[1] === undefined ? 'somebody without a name' : `"${plain(named[1], 60)}"`;
}

function namesOf(leaf: X509Certificate): string {
  const names = [...(leaf.subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map((match) => plain(match[1] ?? '', 60));
  if (names.length === 0) return `nobody by name (subject ${nameIn(leaf.subject)})`;
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(' and ');
}

/**
 * The chain that a client would follow: from the server's certificate up, by an authority that is trusted as soon as there is one.
 * Servers send more than that; an old root that nobody follows any more may expire unnoticed, and must not raise an alarm.
 */
import type { X509Certificate } from 'node:crypto';
import type { Anchors } from './trust.ts';

/** Longer chains are not made by anybody. */
const MAX_LENGTH = 10;
const DAY_MS = 86_400_000;

/** The chain, the server's certificate first. It ends at a trusted certificate, or where no issuer was sent. */
export function chainOf(leaf: X509Certificate, sent: readonly X509Certificate[], trusted: Anchors): X509Certificate[] {
  const chain = [leaf];
  for (let last = leaf; chain.length < MAX_LENGTH && !trusted.includes(last); ) {
    const issuer = issuerAmong(trusted.named(last.issuer), last) ?? issuerAmong(sent, last);
    if (!issuer || chain.some((one) => isSame(one, issuer))) return chain;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

/** What a server sent besides its own certificate, in its order. */
export function sentWith(leaf: X509Certificate): X509Certificate[] {
  const sent: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) sent.push(next);
  return sent;
}

/** An authority renews its certificate under the same name and key: the one that lasts longest counts. */
function issuerAmong(candidates: readonly X509Certificate[], certificate: X509Certificate): X509Certificate | undefined {
  const issuers = candidates.filter((one) => issued(one, certificate));
  return issuers.sort((a, b) => validity(b).toMs - validity(a).toMs)[0];
}

/**
 * From when to when the certificate is valid, in milliseconds of the wall clock; NaN where OpenSSL says "Bad time value". Read from
 * the text, because `validToDate` is then whatever was in memory, now and then a day in the far future (Node 24.21).
 */
export function validity(certificate: X509Certificate): { fromMs: number; toMs: number } {
  return { fromMs: Date.parse(certificate.validFrom), toMs: Date.parse(certificate.validTo) };
}

/** How long the chain holds, in milliseconds; negative when it has ended. `undefined` when a date cannot be read. */
export function leftMs(chain: readonly X509Certificate[], nowMs: number): number | undefined {
  const left = Math.min(...chain.map((one) => validity(one).toMs)) - nowMs;
  return Number.isFinite(left) ? left : undefined;
}

/** The same in days, down to hundredths, as the measurement `cert_left_days`; none when a date cannot be read. */
export function daysLeft(chain: readonly X509Certificate[], nowMs: number): { cert_left_days?: number } {
  const left = leftMs(chain, nowMs);
  return left === undefined ? {} : { cert_left_days: Math.floor((left / DAY_MS) * 100) / 100 };
}

function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.fingerprint256 === other.fingerprint256;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  // Names first: to check a signature takes a tenth of a millisecond and more.
  return issuer.subject === certificate.issuer && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Whether the certificate is signed with its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return issued(certificate, certificate);
}

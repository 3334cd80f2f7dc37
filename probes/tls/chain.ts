/**
 * The chain that a client would follow: from the server's certificate up, by an authority that is trusted as soon as there is one.
 * Servers send more than that; an old root that nobody follows any more may expire unnoticed, and must not raise an alarm.
 */
import type { X509Certificate } from 'node:crypto';

/** Longer chains are not made by anybody. */
const MAX_LENGTH = 10;

/** The chain, the server's certificate first. It ends at a trusted certificate, or where no issuer was sent. */
export function chainOf(leaf: X509Certificate, sent: readonly X509Certificate[], trusted: readonly X509Certificate[]): X509Certificate[] {
  const chain = [leaf];
  for (let last = leaf; chain.length < MAX_LENGTH && !trusted.some((anchor) => isSame(anchor, last)); ) {
    const issuer = issuerAmong(trusted, last) ?? issuerAmong(sent, last);
    if (!issuer || chain.some((one) => isSame(one, issuer))) return chain;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
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

function isSame(one: X509Certificate, other: X509Certificate): boolean {
  return one.fingerprint256 === other.fingerprint256;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  // Names first: to check a signature against every root would take tens of milliseconds.
  return issuer.subject === certificate.issuer && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Whether the certificate is signed with its own key. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return issued(certificate, certificate);
}

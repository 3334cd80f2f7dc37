/** TLS as a check asks for it, and what the server shows. */
import type { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext, type TLSSocket } from 'node:tls';

export interface TlsOptions {
  /** A certificate authority that is trusted besides the usual ones, PEM. */
  ca?: string | undefined;
  /** A certificate of our own and its key, PEM, for servers that ask for one. */
  certificate?: string | undefined;
  privateKey?: string | undefined;
  /** The name to ask for and to find in the certificate, instead of the host's. */
  serverName?: string | undefined;
  /** Takes any certificate. */
  insecure?: boolean | undefined;
}

const DAY_MS = 86_400_000;
/** Longer chains than this are a loop. */
const MAX_CHAIN = 10;

/** Reading some 150 authorities takes milliseconds, so it is done once for those that were used last. */
const contexts = new Map<string, SecureContext>();
const MAX_CONTEXTS = 50;

/** The context for these options. Throws OpenSSL's error for what is no PEM; its message quotes none of it. */
export function secureContext({ ca, certificate, privateKey }: TlsOptions): SecureContext {
  const key = JSON.stringify([ca, certificate, privateKey]);
  let context = contexts.get(key);
  contexts.delete(key);
  context ??= createSecureContext({
    // Node replaces the usual authorities by `ca`, so they are named again.
    ca: ca === undefined ? undefined : [...getCACertificates('default'), ca],
    cert: certificate,
    key: privateKey,
  });
  contexts.set(key, context);
  const oldest = contexts.size > MAX_CONTEXTS ? contexts.keys().next() : undefined;
  if (oldest?.value !== undefined) contexts.delete(oldest.value);
  return context;
}

/** Days until the first certificate of the server's chain expires, negative when one has; `undefined` when none was shown. */
export function daysLeft(socket: TLSSocket, nowMs: number): number | undefined {
  let earliestMs = Number.POSITIVE_INFINITY;
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  for (let depth = 0; certificate && depth < MAX_CHAIN; depth++) {
    earliestMs = Math.min(earliestMs, certificate.validToDate.getTime());
    certificate = certificate.issuerCertificate;
  }
  return Number.isFinite(earliestMs) ? Math.floor(((earliestMs - nowMs) / DAY_MS) * 100) / 100 : undefined;
}

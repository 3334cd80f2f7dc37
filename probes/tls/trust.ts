/** Whom a check trusts, and what it shows of itself. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { AgentFault } from '../probe.ts';

/** Certificates that are trusted by themselves. */
export interface Anchors {
  includes(certificate: X509Certificate): boolean;
  /** Those whose subject is this name. */
  named(subject: string): readonly X509Certificate[];
}

/** Of a check, PEM. */
export interface Credentials {
  /** Trusted besides the usual authorities. */
  ca?: string | undefined;
  /** A certificate of our own and its key, for servers that ask for one. */
  certificate?: string | undefined;
  privateKey?: string | undefined;
}

/** Reading 150 authorities takes 10 to 25 ms, so what was made of those that were used last is kept. */
class Kept<T> {
  /** More than an agent's checks ever have. */
  static readonly #MAX = 50;
  readonly #made = new Map<string, T>();

  /** What was made under this key; else `make` makes it. */
  get(key: string, make: () => T): T {
    const made = this.#made.get(key) ?? make();
    this.#made.delete(key);
    this.#made.set(key, made);
    const [oldest] = this.#made.keys();
    if (this.#made.size > Kept.#MAX && oldest !== undefined) this.#made.delete(oldest);
    return made;
  }
}

const anchors = new Kept<Anchors>();
const strict = new Kept<SecureContext>();
const lenient = new Kept<SecureContext>();

/**
 * What the machine trusts, as Node sees it (its own list, and what NODE_EXTRA_CA_CERTS or --use-system-ca add), and the certificates of
 * `ca`. Throws `AgentFault` when these cannot be read.
 */
export function anchorsWith(ca: string | undefined): Anchors {
  return anchors.get(ca ?? '', () => {
    const own = ca === undefined ? [] : readable(() => certificatesIn(ca));
    return indexed([...own, ...getCACertificates('default').map((pem) => new X509Certificate(pem))]);
  });
}

/** The certificates by name: to look through all for each link of a chain would take as long as the handshake. */
export function indexed(certificates: readonly X509Certificate[]): Anchors {
  const bySubject = Map.groupBy(certificates, ({ subject }) => subject);
  const named = (subject: string) => bySubject.get(subject) ?? [];
  return {
    named,
    includes: ({ subject, fingerprint256 }) => named(subject).some((one) => one.fingerprint256 === fingerprint256),
  };
}

/** For connections that are only made when all is well. Throws `AgentFault` for what is no PEM, and for a key of another certificate. */
export function strictContext({ ca, certificate, privateKey }: Credentials): SecureContext {
  return strict.get(JSON.stringify([ca, certificate, privateKey]), () =>
    readable(() => createSecureContext({ ca: besidesUsual(ca), cert: certificate, key: privateKey })),
  );
}

/** For a look at what a server shows: old protocols and weak keys, which OpenSSL refuses unless asked for, could else not be named. */
export function lenientContext(ca: string | undefined): SecureContext {
  return lenient.get(ca ?? '', () =>
    readable(() => createSecureContext({ ca: besidesUsual(ca), minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' })),
  );
}

/** Node replaces the usual authorities by `ca`, so they are named again. */
function besidesUsual(ca: string | undefined): string[] | undefined {
  return ca === undefined ? undefined : [...getCACertificates('default'), ca];
}

/** OpenSSL's own words say little, and nothing of the check. */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch {
    const expected = 'expected PEM, and a key that belongs to the certificate';
    throw new AgentFault('parameters', `The ca, certificate or privateKey cannot be read once its secret is filled in: ${expected}.`);
  }
}

/** Every certificate of a PEM text, at least one. Throws when there is none, or one that cannot be read. */
export function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) throw new Error('no certificate in PEM');
  return found.map((one) => new X509Certificate(one));
}

/** Whom a check trusts. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

export interface Trust {
  context: SecureContext;
  /** Every certificate that is trusted by itself, those of the check first. */
  anchors: readonly X509Certificate[];
}

/** As many different `ca` texts as an agent's checks ever have. */
const MAX_KEPT = 50;
const kept = new Map<string, Trust>();

/**
 * What the machine trusts, as Node sees it (its own list, and what NODE_EXTRA_CA_CERTS or --use-system-ca add), and the
 * certificates of `ca`, PEM. Throws when one of these cannot be read. Reading 150 authorities takes 10 to 15 ms, so those that
 * were used last are kept.
 */
export function trustIn(ca: string | undefined): Trust {
  const key = ca ?? '';
  const trust = kept.get(key) ?? readTrust(ca);
  kept.delete(key);
  kept.set(key, trust);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return trust;
}

function readTrust(ca: string | undefined): Trust {
  const usual = getCACertificates('default');
  const own = ca === undefined ? [] : certificatesIn(ca);
  const context = createSecureContext({
    // Node replaces the usual authorities by `ca`, so they are named again.
    ca: ca === undefined ? undefined : [...usual, ca],
    // Old protocols and weak keys are refused by OpenSSL unless asked for; refused, they could not be named.
    minVersion: 'TLSv1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  return { context, anchors: [...own, ...usual.map((pem) => new X509Certificate(pem))] };
}

/** Every certificate of a PEM text, at least one. Throws when there is none, or one that cannot be read. */
export function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!found) throw new Error('no certificate in PEM');
  return found.map((one) => new X509Certificate(one));
}

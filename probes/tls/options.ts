/** Options of every probe that speaks TLS. */
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import * as z from 'zod';
import { withoutReferences } from '../../core/config/references.ts';
import { text } from '../../core/config/units.ts';
import { host } from '../net/options.ts';
import { type Credentials, certificatesIn, strictContext } from './trust.ts';

const PEM = 'expected a certificate in PEM, from -----BEGIN CERTIFICATE----- on';
/** A bundle of a hospital's authorities is some 20 kB. */
const MAX_PEM_CHARACTERS = 100_000;

function certificates() {
  return text(MAX_PEM_CHARACTERS).refine(isPem, { error: PEM }).optional();
}

/** What a reference stands for is known to the agent alone. */
function isPem(value: string): boolean {
  if (withoutReferences(value, '') !== value) return true;
  try {
    return certificatesIn(value).length > 0;
  } catch {
    return false;
  }
}

/** Certificate authorities of the check's own. */
export function ca() {
  return certificates().describe('Certificate authorities that are trusted besides the usual ones, PEM');
}

/** How TLS is spoken where it is a means and not what is looked at. */
export function tls() {
  return z
    .strictObject({
      serverName: host().optional().describe('The name to ask for and to find in the certificate, instead of the host’s'),
      insecure: z.boolean().default(false).describe('Takes any certificate: for test systems only'),
      certificate: certificates().describe('A certificate of our own for servers that ask for one, PEM'),
      privateKey: text(20_000).optional().describe('Its key, PEM, as a secret'),
    })
    .refine((one) => (one.certificate === undefined) === (one.privateKey === undefined), {
      error: 'expected certificate and privateKey together',
      when: ({ issues }) => issues.length === 0,
    })
    .optional()
    .describe('How TLS is spoken');
}

/** Both together. */
export interface TlsOptions extends Credentials {
  serverName?: string | undefined;
  insecure?: boolean | undefined;
}

/** What Node's `tls.connect` is told besides the address. Throws `AgentFault` for credentials that cannot be read. */
export function speaking(host: string, options: TlsOptions): ConnectionOptions {
  const name = options.serverName ?? host;
  return {
    secureContext: strictContext(options),
    rejectUnauthorized: options.insecure !== true,
    // TLS has no place for a bare address there, but a certificate has.
    ...(isIP(name) === 0 ? { servername: name } : {}),
  };
}

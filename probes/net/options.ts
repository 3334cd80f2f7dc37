/** Options that several probes have: where to connect. */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import * as z from 'zod';
import { withoutReferences } from '../../core/config/references.ts';

const HOST = 'expected a host name or an address, such as db.example.org or 192.0.2.10';
/** Letters, digits, - and _ between dots, as RFC 1123 and what is found in the wild; at most 253 characters, as DNS carries. */
const NAME = /^(?=.{1,253}$)[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?(\.[\p{L}\p{N}_]([\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?)*\.?$/u;

/** Whether the text is a name that DNS can carry: no scheme, no port, no path. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A host name or an IP address, without scheme and port. What a reference stands for is known to the agent alone. */
export function host() {
  return z.string({ error: HOST }).refine(isHost, { error: HOST });
}

/** Whether the text is a host name or an IP address once its references are filled in. */
export function isHost(value: string): boolean {
  const filled = withoutReferences(value, '1');
  if (isIP(filled) !== 0) return true;
  // 10.0.0.256 is no address and no name either.
  return isName(filled) && !/^\d+(\.\d+)+$/.test(filled);
}

/** A TCP or UDP port. */
export function port() {
  const expected = 'expected a port from 1 to 65535';
  return z.int({ error: expected }).min(1, { error: expected }).max(65_535, { error: expected });
}

/** Which addresses of a name are tried. */
export function family() {
  return z.enum(['any', 'ipv4', 'ipv6']).default('any').describe('Which addresses of the name are tried');
}
export type Family = 'any' | 'ipv4' | 'ipv6';

/** Whether the host can have an address of that family; a name always can. */
export function fitsFamily(value: string, wanted: Family): boolean {
  return !((wanted === 'ipv4' && isIPv6(value)) || (wanted === 'ipv6' && isIPv4(value)));
}

/** Said where {@link fitsFamily} fails. */
export const OTHER_FAMILY = 'expected a name, or an address of the family that is asked for';

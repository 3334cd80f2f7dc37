/** How a run ends early: at the end of its time, with the agent that stops, or by what the target did wrong. */
import { AgentFault } from './probe.ts';
import { withoutPort } from './words.ts';

/** Whether the signal was aborted because the time was up, and not because the agent stops. */
export function timeIsUp(signal: AbortSignal): boolean {
  return signal.aborted && (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
}

/** What the target did wrong, in one of the probe's failure kinds. Never leaves the probe. */
export class TargetTrouble extends Error {
  readonly kind: string;
  constructor(kind: string, message: string) {
    super(message);
    this.name = 'TargetTrouble';
    this.kind = kind;
  }
}

/**
 * What is to be thrown when it was not the target that ended the work: `timeout`, said by `late`, when the time is up; the signal's reason
 * when the agent stops; `AgentFault` when this machine is at its limits. `undefined` when it was the target.
 */
export function outsideTrouble(error: unknown, signal: AbortSignal, late: () => string): unknown {
  if (timeIsUp(signal)) return new TargetTrouble('timeout', late());
  if (signal.aborted) return signal.reason;
  return isOwnLimit(error) ? new AgentFault('agent-limits', 'This agent has run out of sockets or memory.') : undefined;
}

/** Errors of the socket that are the agent's own: it has run out of something. */
const OWN_LIMITS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EACCES', 'EPERM']);

/** The error code of a socket or of OpenSSL, also when several addresses were tried; empty when there is none. */
export function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
}

/** Whether the error says that this machine has run out of sockets, memory or rights. */
function isOwnLimit(error: unknown): boolean {
  return OWN_LIMITS.has(codeOf(error));
}

const SOCKET_KINDS: Readonly<Record<string, [kind: string, words: string]>> = {
  ECONNREFUSED: ['connection-refused', 'refused the connection'],
  ECONNRESET: ['connection-reset', 'closed the connection'],
  EPIPE: ['connection-reset', 'closed the connection'],
  EHOSTUNREACH: ['unreachable', 'cannot be reached'],
  ENETUNREACH: ['unreachable', 'cannot be reached'],
  ETIMEDOUT: ['timeout', 'gave no connection'],
  ENOTFOUND: ['dns', 'is not known to DNS'],
  EAI_AGAIN: ['dns', 'could not be looked up in DNS'],
  EAI_FAIL: ['dns', 'could not be looked up in DNS'],
};

/** A socket's error as trouble of the target named `host`; `undefined` when the code is none of a socket's. */
export function socketTrouble(error: unknown, host: string): TargetTrouble | undefined {
  const code = codeOf(error);
  const known = SOCKET_KINDS[code];
  if (known) return new TargetTrouble(known[0], `${known[0] === 'dns' ? withoutPort(host) : host} ${known[1]}`);
  if (TLS_CODES.test(code)) return new TargetTrouble('tls', `${host}: ${tlsWords(code)}`);
  return undefined;
}

/** Of the handshake, and of OpenSSL's verification (`UNSPECIFIED` is said of keys and signatures that are too weak). */
const TLS_CODES =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_|ERROR_IN_|UNSPECIFIED|EPROTO)/;

function tlsWords(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'the certificate has expired';
  if (code === 'CERT_NOT_YET_VALID') return 'the certificate is not valid yet';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another name';
  if (/SELF_SIGNED|UNABLE_TO/.test(code)) return 'the certificate is signed by nobody that is trusted';
  if (code === 'UNSPECIFIED') return 'the certificate is not accepted, its key or signature may be too weak';
  return `the TLS handshake failed (${code.toLowerCase().replaceAll('_', ' ')})`;
}

/** One question to one DNS server. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { withoutReferences } from '../../core/config/references.ts';
import { codeOf, outsideTrouble, TargetTrouble } from '../deadline.ts';
import type { Bounds } from '../net/connect.ts';
import { isHost } from '../net/options.ts';
import { AgentFault } from '../probe.ts';
import { limitInWords, plain } from '../words.ts';
import { type Answer, ask, type RecordType } from './records.ts';

const DNS_PORT = 53;
/** Where no server is named. */
export const OWN_RESOLVER = "the agent's own resolver";
/**
 * A lost datagram is sent again after about an eighth, a quarter and a half of the time, as c-ares doubles its waiting; the
 * fourth would end after the time, so that it is always the deadline that says "timeout".
 */
const RETRANSMISSION = { share: 1 / 8, tries: 4 } as const;

export interface Question {
  name: string;
  type: RecordType;
}

export interface ServerAnswer extends Answer {
  tookMs: number;
}

/** Host and port of `192.0.2.53`, `ns1.example.org:5353` or `[2001:db8::53]:53`; `undefined` when the text is none of these. */
export function parseServer(text: string): { host: string; port: number } | undefined {
  if (isIPv6(text)) return { host: text, port: DNS_PORT };
  const [, bracketed, bare, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? bare ?? '';
  const port = digits === undefined ? DNS_PORT : Number(digits);
  const fits = bracketed === undefined ? isHost(host) : isIPv6(host);
  return fits && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** Whether the text can name a server once its references are filled in. */
export function isServer(text: string): boolean {
  return parseServer(withoutReferences(text, '1')) !== undefined;
}

/**
 * Asks `server`, or the machine's own resolvers. Throws {@link TargetTrouble} when there is no answer, or one without records;
 * `AgentFault` when the question cannot be asked; the signal's reason when the agent stops.
 */
export async function query(server: string | undefined, question: Question, bounds: Bounds): Promise<ServerAnswer> {
  const { signal, timeoutMs, monotonic } = bounds;
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(timeoutMs * RETRANSMISSION.share)), tries: RETRANSMISSION.tries });
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => {
    aborted.reject(signal.reason);
    resolver.cancel();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    if (server !== undefined) resolver.setServers([await Promise.race([addressOf(server), aborted.promise])]);
    const startedMs = monotonic();
    const answer = await Promise.race([ask(resolver, question.type, question.name), aborted.promise]);
    // A name that is only an alias, or records of another type, come back as an empty list and no error.
    if (answer.records.length === 0) throw new TargetTrouble('nodata', noRecords(server ?? OWN_RESOLVER, question));
    return { ...answer, tookMs: monotonic() - startedMs };
  } catch (error) {
    throw troubleOf(error, server ?? OWN_RESOLVER, question, bounds);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** As c-ares wants it: an address and a port. */
async function addressOf(server: string): Promise<string> {
  const parsed = parseServer(server);
  if (!parsed) throw new AgentFault('parameters', 'A server of the check is no host once its secret is filled in.');
  const { host, port } = parsed;
  const address = isIP(host) !== 0 ? host : await lookup(host).then((found) => found.address, serverUnknown(host));
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

function serverUnknown(host: string) {
  return (): never => {
    throw new TargetTrouble('dns', `the name of the server ${plain(host, 100)} cannot be resolved`);
  };
}

function noRecords(server: string, { name, type }: Question): string {
  return `${server} has no ${type} record of ${plain(name, 100)}`;
}

function troubleOf(error: unknown, server: string, question: Question, { signal, timeoutMs }: Bounds): unknown {
  const late = () => `no answer from ${server} within ${limitInWords(timeoutMs)}`;
  const outside = outsideTrouble(error, signal, late);
  if (outside !== undefined) return outside;
  if (error instanceof TargetTrouble || error instanceof AgentFault) return error;
  const name = plain(question.name, 100);
  switch (codeOf(error)) {
    case 'ENOTFOUND':
      return new TargetTrouble('nxdomain', `${server} says that ${name} does not exist`);
    case 'ENODATA':
      return new TargetTrouble('nodata', noRecords(server, question));
    case 'ESERVFAIL':
      return new TargetTrouble('servfail', `${server} failed to look up ${name} (SERVFAIL)`);
    case 'EREFUSED':
      return new TargetTrouble('refused', `${server} refuses to answer for ${name} (REFUSED)`);
    case 'ETIMEOUT':
      return new TargetTrouble('timeout', late());
    case 'ECONNREFUSED':
      return new TargetTrouble('connection-refused', `no DNS server listens at ${server}, or it cannot be reached`);
    case 'EFORMERR':
    case 'ENOTIMP':
    case 'EBADRESP':
      return new TargetTrouble('protocol', `${server} answered what cannot be read, or cannot read the question`);
    case 'EBADNAME':
    case 'EBADQUERY':
      return new AgentFault('parameters', 'The name is none that DNS can look up once its secret is filled in.');
    default:
      return error;
  }
}

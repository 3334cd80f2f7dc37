/** One TCP connection that can be cut at any moment, with the time of each phase. */
import { connect, type Socket } from 'node:net';
import { codeOf, outsideTrouble, socketTrouble, TargetTrouble } from '../deadline.ts';
import type { ProbeContext } from '../probe.ts';
import { limitInWords } from '../words.ts';
import type { Family } from './options.ts';

export interface Target {
  host: string;
  port: number;
  family: Family;
}

/** What bounds a probe's work: `signal` ends it, `timeoutMs` is only said. */
export type Bounds = Pick<ProbeContext, 'signal' | 'timeoutMs' | 'monotonic'>;

export interface Link {
  socket: Socket;
  /** The target in words: `127.0.0.1:5432`. */
  name: string;
  /**
   * The outcome of `work`, or what broke it first. Throws {@link TargetTrouble} when the time is up (`phase` says what did not
   * come: "no answer") or the connection breaks, `AgentFault` at this machine's limits, and the signal's reason when the agent stops.
   */
  during<T>(phase: string, work: Promise<T>): Promise<T>;
}

/** Connects, lends the connection to `use` and closes it. Adds `dns_ms` (of a name) and `connect_ms` to `measurements`. */
export async function withLink<T>(
  target: Target,
  bounds: Bounds,
  measurements: Record<string, number>,
  use: (link: Link) => Promise<T>,
): Promise<T> {
  if (bounds.signal.aborted) throw troubleOf(bounds.signal.reason, 'no connection', target, bounds);
  const broken = Promise.withResolvers<never>();
  const startedMs = bounds.monotonic();
  const socket = connect({ host: target.host, port: target.port, family: FAMILIES[target.family] });
  const onAbort = () => broken.reject(bounds.signal.reason);
  bounds.signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', broken.reject);
  const link: Link = {
    socket,
    name: nameOf(target),
    async during(phase, work) {
      work.catch(() => {});
      try {
        return await Promise.race([work, broken.promise]);
      } catch (error) {
        throw troubleOf(error, phase, target, bounds);
      }
    },
  };
  try {
    await connected(link, startedMs, bounds, measurements);
    return await use(link);
  } finally {
    bounds.signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

const FAMILIES = { any: 0, ipv4: 4, ipv6: 6 } as const;
const FAMILY_WORDS = { any: '', ipv4: 'IPv4 ', ipv6: 'IPv6 ' } as const;

async function connected(link: Link, startedMs: number, { monotonic }: Bounds, measurements: Record<string, number>): Promise<void> {
  let lookedUpMs: number | undefined;
  link.socket.on('lookup', () => {
    lookedUpMs ??= monotonic();
  });
  const open = new Promise((resolve) => link.socket.once('connect', resolve));
  await link.during('no connection', open);
  if (lookedUpMs !== undefined) measurements.dns_ms = lookedUpMs - startedMs;
  measurements.connect_ms = monotonic() - (lookedUpMs ?? startedMs);
}

function nameOf({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function troubleOf(error: unknown, phase: string, target: Target, { signal, timeoutMs }: Bounds): unknown {
  const outside = outsideTrouble(error, signal, () => `${phase} within ${limitInWords(timeoutMs)}`);
  if (outside !== undefined) return outside;
  // A name without an address of the one family may well have one of the other.
  if (target.family !== 'any' && codeOf(error) === 'ENOTFOUND') {
    return new TargetTrouble('dns', `${target.host} has no ${FAMILY_WORDS[target.family]}address in DNS`);
  }
  return socketTrouble(error, nameOf(target)) ?? error;
}

import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { ProbeContext } from '../../probes/probe.ts';
import { quietLog } from './log.ts';

/** A context for one attempt of a probe, with what the test wants different. Its signal ends with its time, as an agent's does. */
export function probeContext(changes: Partial<ProbeContext> = {}): ProbeContext {
  const timeoutMs = changes.timeoutMs ?? 10_000;
  const over = AbortSignal.timeout(Math.ceil(timeoutMs));
  return {
    monotonic: () => performance.now(),
    log: quietLog,
    secrets: [],
    traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
    ...changes,
    timeoutMs,
    signal: changes.signal ? AbortSignal.any([changes.signal, over]) : over,
  };
}

export interface TestServer {
  port: number;
  /** Connections that are open now. */
  open(): number;
  /** Resolves when every connection was closed by its client. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** Follows a server's connections and listens on a free port of the loopback. */
export async function listening(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] = [];
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      if (sockets.size > 0) return;
      for (const tell of waiting) tell();
      waiting = [];
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    drained: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Keeps servers for the file that calls it, and closes them after each of its tests. */
export function keptServers(): (server: Promise<TestServer>) => Promise<TestServer> {
  const servers: TestServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (starting) => {
    const server = await starting;
    servers.push(server);
    return server;
  };
}

/** Accepts connections, reads what comes, and never answers. */
export function blackHole(): Promise<TestServer> {
  return listening(createServer((socket) => socket.resume()));
}

/** Ports on the loopback interface: which are free, and the one to take instead. */
import { createServer } from 'node:net';

/** Opens and closes a listener. Resolves to the port that it had, or to `undefined` when the port is taken or not allowed. */
function tryListen(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}

/** Whether nothing listens on this port now. */
export async function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await tryListen(port, host)) !== undefined;
}

/**
 * Returns the preferred port when it is free, else one of the next nineteen, else any that the system gives.
 * Ports already promised to another process of the same start are named in `taken`.
 */
export async function freePort(preferred: number, taken: ReadonlySet<number> = new Set(), host = '127.0.0.1'): Promise<number> {
  for (let port = preferred; preferred > 0 && port < preferred + 20 && port <= 65_535; port++) {
    if (!taken.has(port) && (await isFree(port, host))) return port;
  }
  const any = await tryListen(0, host);
  if (any === undefined) throw new Error(`No port can be opened on ${host}: is the loopback interface up?`);
  return any;
}

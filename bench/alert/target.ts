/** What is probed: an HTTP server of which any address can be broken, in one of the ways in which real ones break. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** It says that it cannot; it hangs up; it says nothing, until the check's time is over. */
export const BREAKS = ['error', 'reset', 'silence'] as const;
export type Break = (typeof BREAKS)[number];

export interface Target {
  url: string;
  break(path: string, how: Break): void;
  mend(path: string): void;
  close(): void;
}

/** Starts it in this process, which has nothing else to do. */
export async function startTarget(): Promise<Target> {
  const broken = new Map<string, Break>();
  const server = createServer((request, response) => {
    const how = broken.get(request.url ?? '');
    if (how === undefined) response.end('ok');
    else fail(response, how);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    break: (path, how) => void broken.set(path, how),
    mend: (path) => void broken.delete(path),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function fail(response: ServerResponse, how: Break): void {
  if (how === 'error') response.writeHead(503).end();
  if (how === 'reset') response.destroy();
}

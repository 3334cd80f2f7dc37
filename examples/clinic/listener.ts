import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';

/** A listener on loopback that can really be closed and opened again. */
export interface Listener {
  /** The port it has or had; known once it was opened. */
  port(): number;
  isOpen(): boolean;
  /** Opens it if it is closed. Throws one sentence when the port is taken. */
  open(): Promise<void>;
  /** Closes it and every connection to it. */
  close(): Promise<void>;
}

/** Returns a closed listener for the app. Port 0 takes a free one, and keeps to it when it opens again. */
export function createListener(app: Hono, wishedPort: number, purpose: string): Listener {
  let server: Server | undefined;
  let port = wishedPort;
  return {
    port: () => port,
    isOpen: () => server?.listening ?? false,
    open: async () => {
      if (server !== undefined) return;
      const opened = createAdaptorServer({ fetch: app.fetch }) as Server;
      server = opened;
      try {
        port = await listen(opened, port, purpose);
      } catch (error) {
        server = undefined;
        throw error;
      }
    },
    close: async () => {
      const closing = server;
      server = undefined;
      if (closing === undefined) return;
      const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
      closing.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number, purpose: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const remedy = `Port ${port} is taken by another program: choose another one for ${purpose}`;
      reject(new Error(taken ? `${remedy}.` : `The sample clinic cannot listen on port ${port} for ${purpose}: ${error.message}`));
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

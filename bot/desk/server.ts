/** The desk's HTTP server: Slack's Web API for the bot, the page for people. Listens on the loopback only. */

import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { onlyLocalHost } from './guard.ts';
import type { Responses } from './responses.ts';
import type { DeskParts } from './routes.ts';
import { deskRoutes } from './routes.ts';
import { webApiRoutes } from './webapi.ts';

const PAGE_POLICY =
  "default-src 'self'; img-src 'self' https: http:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** All routes of the desk. */
export function deskApp(parts: DeskParts & { responses: Responses }): Hono {
  const app = new Hono();
  app.use('*', onlyLocalHost);
  app.route('/', webApiRoutes(parts));
  app.route('/', parts.responses.routes());
  app.route('/', deskRoutes(parts));
  app.use('*', async (context, next) => {
    await next();
    context.header('content-security-policy', PAGE_POLICY);
    context.header('cache-control', 'no-cache');
  });
  app.get('*', serveStatic({ root: `${import.meta.dirname}/page` }));
  return app;
}

/** A server that listens, and how to close it with its open streams. */
export interface Listening {
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1.
 * @throws with the port and the remedy when it is taken.
 */
export function listen(app: Hono, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => resolve({ close: () => closeServer(server as Server) }));
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} is taken. Set ROUNDS_DESK_PORT to a free one.`;
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

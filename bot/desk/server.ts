/** The desk's HTTP server: Slack's Web API for the bot, the page for people. Listens on the loopback only. */

import type { Server } from 'node:http';
import { serve, upgradeWebSocket } from '@hono/node-server';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { WebSocket, WebSocketServer } from 'ws';
import { onlyLocalHost } from './guard.ts';
import type { Responses } from './responses.ts';
import type { DeskParts } from './routes.ts';
import { deskRoutes } from './routes.ts';
import type { SocketMode } from './socket.ts';
import { webApiRoutes } from './webapi.ts';

/** Slack's own messages are at most a view of 250 kB; an acknowledgement may carry one. */
const MAX_SOCKET_BYTES = 1_000_000;

const PAGE_POLICY =
  "default-src 'self'; img-src 'self' https: http:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/** All routes of the desk. */
export function deskApp(parts: DeskParts & { responses: Responses }): Hono {
  const app = new Hono();
  app.use('*', onlyLocalHost);
  app.route('/', webApiRoutes({ ...parts, appToken: parts.settings.appToken }));
  app.route('/', socketRoutes(parts.sockets));
  app.route('/', parts.responses.routes());
  app.route('/', deskRoutes(parts));
  app.route('/', permalinkRoutes());
  app.use('*', async (context, next) => {
    await next();
    context.header('content-security-policy', PAGE_POLICY);
    context.header('cache-control', 'no-cache');
  });
  app.get('*', serveStatic({ root: `${import.meta.dirname}/page` }));
  return app;
}

/** Where the bot connects in Socket Mode, with the ticket it was given. */
function socketRoutes(sockets: SocketMode): Hono {
  const app = new Hono();
  app.get(
    '/link/',
    async (context, next) => {
      if (!sockets.admits(context.req.query('ticket') ?? '')) return context.text('This address was used, or is too old', 401);
      return next();
    },
    upgradeWebSocket(() => ({ onOpen: (_event, { raw }) => raw instanceof WebSocket && sockets.join(raw) })),
  );
  return app;
}

/** A permalink leads into the page: /archives/C0123/p1700000000123456?thread_ts=1700000000.000100 */
function permalinkRoutes(): Hono {
  const app = new Hono();
  app.get('/archives/:channel/:message', (context) => {
    const { channel, message } = context.req.param();
    const thread = context.req.query('thread_ts');
    const ts = message.replace(/^p(\d+)(\d{6})$/, '$1.$2');
    return context.redirect(`/#${[channel, ts, ...(thread ? [thread] : [])].map(encodeURIComponent).join('/')}`);
  });
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
    const websocket = { server: new WebSocketServer({ noServer: true, maxPayload: MAX_SOCKET_BYTES }) };
    const options = { fetch: app.fetch, port, hostname: '127.0.0.1', websocket };
    const server = serve(options, () => resolve({ close: () => closeServer(server as Server) }));
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

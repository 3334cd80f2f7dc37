/** What every process tells those who look after it: `/healthz`, `/readyz` and `/metrics`. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { Registry } from 'prom-client';
import { processMetrics } from './process-metrics.ts';

/** 2 s: what `Started.ready` may take; an answer that comes later is none. */
const READY_LIMIT_MS = 2_000;

export interface HealthOptions {
  /** The process, for the metrics' label. */
  process: string;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** `undefined` when the process can do its work, else one sentence saying why not. */
  ready(): Promise<string | undefined>;
  /** Metrics of the process's own, shown beside the default ones. */
  registries?: readonly Registry[];
  /** Whatever else the process answers on this port. */
  others?(request: Request): Promise<Response> | undefined;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** Starts the server. Throws with one sentence when the port cannot be had. */
export async function serveHealth(options: HealthOptions): Promise<HealthServer> {
  const server = createAdaptorServer({ fetch: healthApp(options).fetch }) as Server;
  server.listen(options.port, options.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'it is taken' : (error as Error).message;
    throw new Error(`The health port ${options.host}:${options.port} cannot be opened: ${reason}. Give another in ROUNDS_HTTP_PORT.`);
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

/** The routes by themselves. */
export function healthApp(options: HealthOptions): Hono {
  const registry = metricsOf(options);
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok'));
  app.get('/readyz', async (context) => {
    const reason = await readiness(options);
    return reason === undefined ? context.text('ready') : context.text(reason, 503);
  });
  app.get('/metrics', async (context) => {
    const all = registry();
    return context.body(await all.metrics(), 200, { 'content-type': all.contentType });
  });
  app.notFound(async (context) => (await options.others?.(context.req.raw)) ?? context.text('404 Not Found', 404));
  return app;
}

/** Merged at each look, since a process may make metrics as it goes. */
function metricsOf({ process, registries = [] }: HealthOptions): () => Registry {
  const own = processMetrics();
  return () => {
    const merged = Registry.merge([own, ...registries]);
    merged.setDefaultLabels({ process });
    return merged;
  };
}

/** Asks whether the process is ready; a refusal to answer is an answer too. */
export async function readiness({ ready }: Pick<HealthOptions, 'ready'>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, READY_LIMIT_MS, `Did not say within ${READY_LIMIT_MS / 1000} s whether it is ready.`);
  });
  try {
    return await Promise.race([ready(), late]);
  } catch (error) {
    return `Cannot say whether it is ready: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

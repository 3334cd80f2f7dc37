/** Keeps other web pages out: neither a foreign name for this address, nor a foreign page's request, gets in. */

import type { MiddlewareHandler } from 'hono';

const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Refuses requests that came by a name other than this machine's own (DNS rebinding). */
export const onlyLocalHost: MiddlewareHandler = async (context, next) => {
  const host = hostOf(`http://${context.req.header('host') ?? ''}`);
  if (!host || !LOCAL_HOSTS.has(host.hostname)) return context.json({ error: 'The desk answers on 127.0.0.1 and localhost only' }, 403);
  return next();
};

/** Refuses what changes something unless the desk's own page sent it. */
export const onlyOwnPage: MiddlewareHandler = async (context, next) => {
  if (context.req.method === 'GET') return next();
  const origin = hostOf(context.req.header('origin') ?? '');
  const isOwn = origin !== undefined && origin.host === context.req.header('host');
  const isJson = (context.req.header('content-type') ?? '').startsWith('application/json');
  if (!isOwn || !isJson) return context.json({ error: 'Only the page of the desk may do this' }, 403);
  return next();
};

function hostOf(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}

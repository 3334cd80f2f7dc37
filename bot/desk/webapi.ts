/** The Web API as the bot sees it: the emulator's, set right by `truth.ts`, with every change told to the pages. */

import type { Context } from 'hono';
import { Hono } from 'hono';
import type { Emulator } from './emulator.ts';
import { joinChannel } from './emulator.ts';
import { APP } from './identity.ts';
import type { Person } from './settings.ts';
import type { Block, Json } from './shapes.ts';
import { asArray, asObject, asText } from './shapes.ts';
import type { SocketMode } from './socket.ts';
import { completeRequest, pageOf, wideRequest, withoutEmulatorUsers } from './truth.ts';
import type { ViewsApiParts } from './views/api.ts';
import { VIEW_METHODS } from './views/api.ts';
import type { Workspace } from './workspace.ts';

interface WebApiParts {
  emulator: Emulator;
  workspace: Workspace;
  people: readonly Person[];
  viewsApi: ViewsApiParts;
}

/** Calls a Web API method as a user, as Slack would answer it, and tells the pages. */
export type Caller = (userId: string, method: string, body: Json) => Promise<Json>;

const READING =
  /\.(list|info|history|replies|members|test|get|getPresence|getPermalink|lookupByEmail|getUploadURLExternal|generateTriggerId)$/;

/** A caller that knows Slack's ways better than the emulator does. */
export function makeCaller(parts: WebApiParts): Caller {
  return async (userId, method, body) => {
    const viewMethod = VIEW_METHODS[method];
    if (viewMethod) return userId === APP.botUserId ? viewMethod(parts.viewsApi, body) : { ok: false, error: 'not_allowed_token_type' };
    if (method.startsWith('views.')) return { ok: false, error: 'unknown_method' };
    if (method === 'conversations.history' || method === 'conversations.replies') {
      const whole = await parts.emulator.call(userId, method, wideRequest(body));
      return whole.ok === true ? pageOf(method, whole, body) : whole;
    }
    const request = completeRequest(method, userId, body);
    if ('error' in request) return { ok: false, error: request.error, response_metadata: { messages: request.messages ?? [] } };
    const answer = await parts.emulator.call(userId, method, request.body);
    if (answer.ok !== true) return answer;
    await tell(parts, userId, method, request.body, answer);
    return method.startsWith('users.') ? withoutEmulatorUsers(answer) : answer;
  };
}

async function tell(parts: WebApiParts, userId: string, method: string, body: Json, answer: Json): Promise<void> {
  if (method === 'chat.postEphemeral') return showEphemeral(parts, userId, body, answer);
  if (READING.test(method)) return;
  if (method === 'conversations.create') await joinChannel(parts.emulator, parts.people, asText(asObject(answer.channel)?.id));
  const channel = asText(answer.channel) || asText(body.channel) || asText(body.channel_id);
  parts.workspace.changed(method.startsWith('conversations.') ? '' : channel);
}

/** The emulator keeps ephemeral messages to itself, so the desk keeps its own copy of what it let through. */
async function showEphemeral(parts: WebApiParts, author: string, body: Json, answer: Json): Promise<void> {
  const userId = asText(body.user);
  const channels = await parts.workspace.channels(userId);
  const asked = asText(body.channel);
  const channel = channels.find((one) => one.id === asked || one.name === asked)?.id ?? asked;
  const blocks = asArray(body.blocks) as Block[] | undefined;
  const thread = asText(body.thread_ts);
  parts.workspace.showEphemeral({
    channel,
    userId,
    message: {
      ts: asText(answer.message_ts),
      user: author,
      text: asText(body.text),
      ...(blocks ? { blocks } : {}),
      ...(thread ? { thread_ts: thread } : {}),
    },
  });
}

interface RouteParts {
  emulator: Emulator;
  call: Caller;
  sockets: SocketMode;
  /** The app-level token that may open sockets. */
  appToken: string | undefined;
}

/** The routes that Slack has at `/api/`, and those for uploads and downloads. */
export function webApiRoutes(parts: RouteParts): Hono {
  const app = new Hono();
  app.all('/api/:method', async (context) => {
    const body = await bodyOf(context);
    const token = bearerOf(context) || asText(body.token);
    const answer = await answerTo(parts, token, context.req.param('method'), body);
    return answer.error === 'ratelimited' ? context.json(answer, 429, { 'retry-after': '30' }) : context.json(answer);
  });
  app.post('/upload/v1/:file', (context) => passUpload(context, parts.emulator));
  // The address that `permalink` of a file says, as people follow it from a message.
  app.get('/files/:file', (context) => context.redirect(`/desk/files/${encodeURIComponent(context.req.param('file'))}`));
  app.get('/files-pri/:file/:name', async (context) => {
    const userId = parts.emulator.userOfToken(bearerOf(context));
    if (userId === undefined) return context.text('not_authed', 401);
    return download(parts.emulator, userId, new URL(context.req.url).pathname);
  });
  return app;
}

function bearerOf(context: Context): string {
  return (context.req.header('authorization') ?? '').replace(/^Bearer\s+/i, '');
}

/** An app-level token opens sockets and does nothing else; every other token does anything but that. */
async function answerTo(parts: RouteParts, token: string, method: string, body: Json): Promise<Json> {
  if (token === '') return { ok: false, error: 'not_authed' };
  const isAppToken = parts.appToken !== undefined && token === parts.appToken;
  const userId = parts.emulator.userOfToken(token);
  if (!isAppToken && userId === undefined) return { ok: false, error: 'invalid_auth' };
  if (isAppToken !== (method === 'apps.connections.open')) return { ok: false, error: 'not_allowed_token_type' };
  return userId === undefined ? parts.sockets.open() : parts.call(userId, method, body);
}

async function bodyOf(context: Context): Promise<Json> {
  const query = context.req.query();
  if (context.req.method !== 'POST') return query;
  const type = context.req.header('content-type') ?? '';
  if (type.includes('application/json')) return { ...query, ...asObject(await context.req.json().catch(() => ({}))) };
  return { ...query, ...(await context.req.parseBody()) };
}

/** An upload carries its permission in its address, as at Slack; it is counted on a token of the desk's. */
async function passUpload(context: Context, emulator: Emulator): Promise<Response> {
  const answer = await emulator.pass(new URL(context.req.url).pathname, {
    method: 'POST',
    headers: {
      'content-type': context.req.header('content-type') ?? 'application/octet-stream',
      authorization: `Bearer ${emulator.tokenFor(APP.botUserId)}`,
    },
    body: await context.req.arrayBuffer(),
  });
  return context.text(await answer.text(), answer.status === 200 ? 200 : 404);
}

/** A stored file, as the user may see it. Only pictures are shown; anything else is a download that no browser runs. */
export async function download(emulator: Emulator, userId: string, path: string): Promise<Response> {
  const answer = await emulator.pass(path, { headers: { authorization: `Bearer ${emulator.tokenFor(userId)}` } });
  const type = answer.headers.get('content-type') ?? 'application/octet-stream';
  const isPicture = /^image\/(png|jpeg|gif|webp)$/.test(type);
  return new Response(answer.ok ? await answer.arrayBuffer() : 'file_not_found', {
    status: answer.ok ? 200 : 404,
    headers: {
      'content-type': answer.ok ? type : 'text/plain',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      ...(isPicture ? { 'cache-control': 'private, max-age=3600' } : { 'content-disposition': attachment(path) }),
    },
  });
}

/** The last part of a file's address is its name. */
function attachment(path: string): string {
  return `attachment; filename*=UTF-8''${path.split('/').at(-1) ?? 'file'}`;
}

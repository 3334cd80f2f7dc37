/** What the desk's own page calls, below `/desk/`. */

import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { readClinic, switchFault } from './clinic.ts';
import type { Drawing } from './drawing.ts';
import type { Emulator } from './emulator.ts';
import type { Events } from './events.ts';
import { onlyOwnPage } from './guard.ts';
import { APP, TEAM } from './identity.ts';
import type { InteractParts } from './interact.ts';
import { command, press } from './interact.ts';
import type { LiveEvent, LiveHub } from './live.ts';
import { renderMessage } from './messages.ts';
import type { DeskSettings, Person } from './settings.ts';
import type { Message } from './shapes.ts';
import { asObject, asText } from './shapes.ts';
import type { SocketMode } from './socket.ts';
import type { ViewInteractParts } from './views/interact.ts';
import { outcome, rawValueSchema, rawValuesSchema, viewRoutes } from './views/routes.ts';
import type { Views } from './views/store.ts';
import type { Caller } from './webapi.ts';
import { download } from './webapi.ts';
import type { Workspace } from './workspace.ts';

/** A comment on the stream keeps it open through whatever closes idle connections. */
const KEEP_ALIVE_MS = 20_000;

export interface DeskParts {
  settings: DeskSettings;
  emulator: Emulator;
  workspace: Workspace;
  live: LiveHub;
  call: Caller;
  interact: InteractParts & ViewInteractParts;
  views: Views;
  events: Events;
  sockets: SocketMode;
}

/** Which of a person's pages acts; empty when it is no page. */
const client = z.string().max(64).default('');

const pressSchema = z.object({
  user: z.string(),
  client,
  channel: z.string(),
  ts: z.string(),
  thread: z.string().optional(),
  block: z.string(),
  action: z.string(),
  value: rawValueSchema.optional(),
  values: rawValuesSchema.optional(),
});
const typedSchema = z.object({
  user: z.string(),
  client,
  channel: z.string(),
  thread: z.string().optional(),
  text: z.string().min(1).max(12_000),
});
const disconnectSchema = z.object({
  reason: z.enum(['warning', 'refresh_requested', 'link_disabled']).default('refresh_requested'),
  which: z.enum(['all', 'oldest']).default('all'),
});
const dismissSchema = z.object({ user: z.string(), ts: z.string() });
const switchSchema = z.object({ fault: z.string(), tenant: z.string().optional(), on: z.boolean() });

/** All routes of the page. */
export function deskRoutes(parts: DeskParts): Hono {
  const app = new Hono();
  app.use('/desk/*', onlyOwnPage);
  readingRoutes(app, parts);
  doingRoutes(app, parts);
  app.route(
    '/',
    viewRoutes({ ...parts, personOf: (userId) => personOf(parts, userId), drawingFor: (person) => drawingFor(parts, person) }),
  );
  socketControl(app, parts.sockets);
  if (parts.settings.clinic) clinicRoutes(app, parts.settings.clinic);
  app.onError((error, context) =>
    context.json({ error: error instanceof z.ZodError ? 'This request is not understood' : error.message }, 400),
  );
  return app;
}

function readingRoutes(app: Hono, parts: DeskParts): void {
  const { settings, workspace } = parts;
  app.get('/desk/setup', (context) =>
    context.json({ team: TEAM.name, people: settings.people, commands: settings.commands, clinic: settings.clinic !== undefined }),
  );
  app.get('/desk/live', (context) =>
    stream(context, parts.live, { userId: context.req.query('user') ?? '', client: context.req.query('client') ?? '' }),
  );
  app.get('/desk/channels', async (context) => context.json(await workspace.channels(personOf(parts, context.req.query('user')).id)));
  app.get('/desk/channels/:channel/messages', async (context) => {
    const person = personOf(parts, context.req.query('user'));
    const { channel } = context.req.param();
    const thread = context.req.query('thread');
    const messages = thread ? await workspace.thread(person.id, channel, thread) : await workspace.messages(person.id, channel);
    return context.json(await rendered(parts, person, messages, thread !== undefined));
  });
  app.get('/desk/files/:file', async (context) => {
    const answer = await parts.emulator.call(APP.botUserId, 'files.info', { file: context.req.param('file') });
    const address = asText(asObject(answer.file)?.url_private);
    return address ? download(parts.emulator, APP.botUserId, new URL(address).pathname) : context.text('file_not_found', 404);
  });
}

function stream(context: Parameters<typeof streamSSE>[0], live: LiveHub, page: { userId: string; client: string }): Response {
  return streamSSE(context, async (sse) => {
    const ended = Promise.withResolvers<void>();
    const send = (event: LiveEvent): void => void sse.writeSSE({ data: JSON.stringify(event) }).catch(() => ended.resolve());
    const remove = live.add({ ...page, send, end: ended.resolve });
    const keepAlive = setInterval(() => void sse.write(': still here\n\n').catch(() => ended.resolve()), KEEP_ALIVE_MS);
    sse.onAbort(() => ended.resolve());
    await sse.writeSSE({ data: JSON.stringify({ type: 'channels' }) });
    await ended.promise;
    clearInterval(keepAlive);
    remove();
  });
}

async function rendered(parts: DeskParts, person: Person, messages: readonly Message[], inThread: boolean): Promise<object[]> {
  const drawing = await drawingFor(parts, person);
  const isEphemeral = (ts: string): boolean => parts.workspace.ephemeral(person.id, ts) !== undefined;
  return messages.map((message) => renderMessage(message, { drawing, isEphemeral, inThread }));
}

async function drawingFor(parts: DeskParts, person: Person): Promise<Drawing> {
  const channels = await parts.workspace.channels(person.id);
  return {
    scope: '',
    people: parts.settings.people,
    channels,
    user: (id) => (id === APP.botUserId ? APP.name : parts.workspace.person(id)?.name),
    channel: (id) => channels.find((channel) => channel.id === id)?.name,
  };
}

function doingRoutes(app: Hono, parts: DeskParts): void {
  app.post('/desk/press', async (context) => {
    const body = pressSchema.parse(await context.req.json());
    return context.json(outcome(await press(parts.interact, personOf(parts, body.user), body)));
  });
  app.post('/desk/type', async (context) => {
    const body = typedSchema.parse(await context.req.json());
    return context.json(await type(parts, body));
  });
  app.post('/desk/dismiss', async (context) => {
    const body = dismissSchema.parse(await context.req.json());
    parts.workspace.dismissEphemeral(personOf(parts, body.user).id, body.ts);
    return context.json({ ok: true });
  });
}

async function type(parts: DeskParts, typed: z.infer<typeof typedSchema>): Promise<object> {
  const person = personOf(parts, typed.user);
  const isCommand = /^\/\w/.test(typed.text);
  if (isCommand && typed.thread) return { ok: false, reason: 'Slash commands work in a channel, not in a thread' };
  if (isCommand) return outcome(await command(parts.interact, person, typed));
  const thread = typed.thread ? { thread_ts: typed.thread } : {};
  const answer = await parts.call(person.id, 'chat.postMessage', { channel: typed.channel, text: escapeTyped(typed.text), ...thread });
  return answer.ok === true ? { ok: true } : { ok: false, reason: `This could not be posted: ${asText(answer.error)}` };
}

/** What a person types is text: Slack stores its `<`, `>` and `&` escaped. */
function escapeTyped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Socket Mode is looked at and disturbed here, so that a refresh can be tried when one is wanted. */
function socketControl(app: Hono, sockets: SocketMode): void {
  app.get('/desk/sockets', (context) => context.json({ connections: sockets.count() }));
  app.post('/desk/sockets/disconnect', async (context) => {
    const { reason, which } = disconnectSchema.parse(await context.req.json());
    return context.json({ told: sockets.disconnect(reason, which) });
  });
}

function clinicRoutes(app: Hono, clinic: NonNullable<DeskSettings['clinic']>): void {
  app.get('/desk/clinic', async (context) => context.json(await readClinic(clinic)));
  app.post('/desk/clinic', async (context) => {
    const body = switchSchema.parse(await context.req.json());
    await switchFault(clinic, body.fault, body.tenant, body.on);
    return context.json(await readClinic(clinic));
  });
}

function personOf(parts: DeskParts, userId: string | undefined): Person {
  const person = parts.workspace.person(userId ?? '');
  if (!person) throw new Error(`Nobody at the desk has the id "${userId ?? ''}"`);
  return person;
}

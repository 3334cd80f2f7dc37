/** What the page calls for modals, the Home tab, and menus whose options come from the bot. */

import { Hono } from 'hono';
import { z } from 'zod';
import type { Drawing } from '../drawing.ts';
import type { Events } from '../events.ts';
import type { InteractParts } from '../interact.ts';
import { suggestInMessage } from '../interact.ts';
import type { Delivery } from '../line.ts';
import { plainText } from '../mrkdwn.ts';
import type { Person } from '../settings.ts';
import type { Json, OptionGroup } from '../shapes.ts';
import { asArray, asObject } from '../shapes.ts';
import type { Workspace } from '../workspace.ts';
import type { ViewInteractParts } from './interact.ts';
import { closeView, pressInView, submitView, suggestInView } from './interact.ts';
import { renderHome, renderModal } from './render.ts';
import type { Views } from './store.ts';

export interface ViewRoutesParts {
  views: Views;
  events: Events;
  workspace: Workspace;
  interact: InteractParts & ViewInteractParts;
  /** The person with this id. Throws when there is none. */
  personOf(userId: string | undefined): Person;
  /** How blocks are drawn for a person. */
  drawingFor(person: Person): Promise<Drawing>;
}

const optionSchema = z.object({ text: z.object({ type: z.string(), text: z.string() }).loose(), value: z.string() }).loose();
/** What one field of the page holds. */
export const rawValueSchema = z.union([z.string(), z.array(z.string()), optionSchema, z.null()]);
/** What all its fields hold, by block and by action. */
export const rawValuesSchema = z.record(z.string(), z.record(z.string(), rawValueSchema));

const actSchema = z.object({
  user: z.string(),
  client: z.string().max(64).default(''),
  view: z.string(),
  values: rawValuesSchema.default({}),
});
const pressSchema = actSchema.extend({ block: z.string(), action: z.string(), value: rawValueSchema.optional() });
const closeSchema = actSchema.extend({ all: z.boolean() });
const openedSchema = z.object({ user: z.string(), tab: z.enum(['home', 'messages']) });
const suggestSchema = z.object({
  user: z.string(),
  client: z.string().max(64).default(''),
  block: z.string(),
  action: z.string(),
  typed: z.string().max(1_000),
  view: z.string().optional(),
  channel: z.string().default(''),
  ts: z.string().default(''),
  thread: z.string().optional(),
  values: rawValuesSchema.default({}),
});

/** The routes of this file. */
export function viewRoutes(parts: ViewRoutesParts): Hono {
  const app = new Hono();
  const { interact, personOf } = parts;
  app.get('/desk/modal', async (context) => {
    const person = personOf(context.req.query('user'));
    const top = parts.views.top({ userId: person.id, client: context.req.query('client') ?? '' });
    return context.json(top ? renderModal(top.view, top.below, await parts.drawingFor(person)) : null);
  });
  app.get('/desk/home', async (context) => {
    const person = personOf(context.req.query('user'));
    return context.json(renderHome(parts.views.home(person.id), await parts.drawingFor(person)));
  });
  app.post('/desk/opened', async (context) => {
    const { user, tab } = openedSchema.parse(await context.req.json());
    return context.json(outcome(await opened(parts, personOf(user), tab)));
  });
  app.post('/desk/views/press', async (context) => {
    const act = pressSchema.parse(await context.req.json());
    return context.json(await pressInView(interact, personOf(act.user), act));
  });
  app.post('/desk/views/submit', async (context) => {
    const act = actSchema.parse(await context.req.json());
    return context.json(await submitView(interact, personOf(act.user), act));
  });
  app.post('/desk/views/close', async (context) => {
    const act = closeSchema.parse(await context.req.json());
    return context.json(closeView(interact, personOf(act.user), act));
  });
  app.post('/desk/suggest', async (context) => {
    const { view, ...asked } = suggestSchema.parse(await context.req.json());
    const person = personOf(asked.user);
    const delivery = await (view === undefined
      ? suggestInMessage(interact, person, asked, asked.typed)
      : suggestInView(interact, person, { ...asked, view }));
    return context.json(suggestions(delivery));
  });
  return app;
}

/** Tells the bot that somebody opened its Home tab, or its direct conversation: docs.slack.dev/reference/events/app_home_opened. */
async function opened(parts: ViewRoutesParts, person: Person, tab: 'home' | 'messages'): Promise<Delivery> {
  const channels = await parts.workspace.channels(person.id);
  const channel = channels.find((one) => one.kind === 'direct')?.id ?? '';
  const view = tab === 'home' ? parts.views.home(person.id) : undefined;
  return parts.events.send({ type: 'app_home_opened', user: person.id, channel, tab, ...(view ? { view } : {}) });
}

/** The options that the bot offers, each with its label as HTML. */
function suggestions(delivery: Delivery): Json {
  if (!delivery.ok) return { ok: false, reason: delivery.reason };
  const groups = (asArray(delivery.answer.option_groups) ?? []) as OptionGroup[];
  const options = [...(asArray(delivery.answer.options) ?? []), ...groups.flatMap((group) => group.options ?? [])];
  const shown = options.flatMap((option) => {
    const parsed = optionSchema.safeParse(asObject(option));
    return parsed.success ? [{ option: parsed.data, label: plainText(parsed.data.text.text) }] : [];
  });
  return { ok: true, options: shown };
}

/** What the page is told of a delivery. */
export function outcome(delivery: Delivery): Json {
  return delivery.ok ? { ok: true } : { ok: false, reason: delivery.reason };
}

/** What people do in forms and in the Home tab of the local Slack, as its page does it, and what the bot has shown them there. */
import { refusalOf } from '../../bot/desk/views/faults.ts';
import { CHANNEL, type TestSlack, until } from './slack.ts';

/** A view as the bot sent it. */
export interface SentView {
  type: 'modal' | 'home';
  callback_id?: string;
  title?: { text: string };
  submit?: { text: string };
  private_metadata?: string;
  blocks: {
    type: string;
    block_id?: string;
    text?: { text: string };
    elements?: { action_id?: string; text?: { text: string } | string }[];
    element?: Record<string, unknown>;
    label?: { text: string };
    hint?: { text: string };
  }[];
}

export type Values = Record<string, string | string[]>;
export type Outcome = { ok: boolean; errors?: Record<string, string>; reason?: string };

export interface AtDesk {
  type(user: string, text: string): Promise<Outcome>;
  /** Presses the button with this label on the post of an incident. */
  press(user: string, incident: number, label: string): Promise<Outcome>;
  /** The form that stands before somebody, as the page shows it. */
  form(user: string): Promise<{ id: string; title: string; html: string; submit?: string } | null>;
  /** Fills in fields by block and sends the form. */
  submit(user: string, values?: Values): Promise<Outcome>;
  /** Types into a field of the form and presses Enter. */
  enter(user: string, block: string, text: string): Promise<Outcome>;
  close(user: string): Promise<Outcome>;
  openHome(user: string): Promise<Outcome>;
  /** The Home tab as the page shows it; empty when nothing was published. */
  home(user: string): Promise<string>;
  pressHome(user: string, action: string): Promise<Outcome>;
  /** Everything that somebody sees in the channel, answers to them alone included; with `direct`, in their conversation with Rounds. */
  sees(user: string, where?: 'channel' | 'direct'): Promise<string>;
}

/** Stands for the pages of the desk. */
export function atDesk(slack: TestSlack): AtDesk {
  const address = (path: string) => new URL(path, slack.deskUrl).href;
  const act = async (path: string, body: object): Promise<Outcome> => {
    const headers = { 'content-type': 'application/json', origin: new URL(slack.deskUrl).origin };
    return (await fetch(address(path), { method: 'POST', headers, body: JSON.stringify(body) })).json() as Promise<Outcome>;
  };
  const get = async <T>(path: string): Promise<T> => (await fetch(address(path))).json() as Promise<T>;
  const channels = (user: string) => get<{ id: string; name: string; kind: string }[]>(`/desk/channels?user=${user}`);
  const channelOf = async (user: string) => (await channels(user)).find((one) => `#${one.name}` === CHANNEL)?.id ?? '';
  const form = (user: string) => get<Awaited<ReturnType<AtDesk['form']>>>(`/desk/modal?user=${user}`);
  const open = (user: string) => until('an open form', () => form(user).then((one) => one ?? undefined));
  return {
    type: async (user, text) => act('/desk/type', { user, channel: await channelOf(user), text }),
    press: async (user, incident, label) => {
      const [post] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
      const message = (await slack.history()).find((one) => one.ts === post?.ts) as unknown as { blocks: SentView['blocks'] } | undefined;
      const block = message?.blocks.find((one) => one.type === 'actions');
      const element = block?.elements?.find((one) => (one.text as { text: string }).text === label);
      const where = { block: block?.block_id, action: element?.action_id };
      return act('/desk/press', { user, channel: await channelOf(user), ts: post?.ts, ...where });
    },
    form,
    submit: async (user, values = {}) => act('/desk/views/submit', { user, view: (await open(user)).id, values: byBlock(values) }),
    enter: async (user, block, text) => {
      const values = byBlock({ [block]: text });
      return act('/desk/views/press', { user, view: (await open(user)).id, block, action: block, value: text, values });
    },
    close: async (user) => act('/desk/views/close', { user, view: (await open(user)).id, all: false }),
    openHome: (user) => act('/desk/opened', { user, tab: 'home' }),
    home: async (user) => (await get<{ html?: string }>(`/desk/home?user=${user}`)).html ?? '',
    pressHome: async (user, action) => {
      const view = await get<{ id: string; html: string }>(`/desk/home?user=${user}`);
      const block = new RegExp(`data-block="([^"]*)"[^>]*data-action="${action}"`).exec(view.html)?.[1];
      return act('/desk/views/press', { user, view: view.id, block, action });
    },
    sees: async (user, where = 'channel') => {
      const all = await channels(user);
      const id = where === 'direct' ? all.find((one) => one.kind === 'direct')?.id : await channelOf(user);
      return id ? (await fetch(address(`/desk/channels/${id}/messages?user=${user}`))).text() : '';
    },
  };
}

/** The elements of our forms are called as their blocks are, but for parameters, whose blocks say that they are one. */
function byBlock(values: Values): Record<string, Record<string, string | string[]>> {
  return Object.fromEntries(Object.entries(values).map(([block, value]) => [block, { [block.replace(/^param:/, '')]: value }]));
}

/** The views that the bot sent by that method, oldest first. */
export function viewsSent(slack: TestSlack, method: 'views.open' | 'views.update' | 'views.publish', user?: string): SentView[] {
  return slack.proxy.requests
    .filter((request) => request.method === method && (user === undefined || request.body.get('user_id') === user))
    .map((request) => JSON.parse(request.body.get('view') ?? '{}') as SentView);
}

/** What Slack would say against a view; empty when it would take it. */
export function faultsOfView(view: object): string[] {
  const typed = view as { type: 'modal' | 'home' };
  return refusalOf(view as Record<string, unknown>, typed.type)?.messages ?? [];
}

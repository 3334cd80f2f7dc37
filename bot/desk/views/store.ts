/**
 * The modals and Home tabs that are open. The desk keeps them itself: the emulator counts trigger ids in whole seconds, never closes a
 * modal, so that its stacks only grow, and takes any block.
 */

import { randomBytes } from 'node:crypto';
import { APP, TEAM } from '../identity.ts';
import type { LiveHub } from '../live.ts';
import type { Json, View, ViewPayload } from '../shapes.ts';
import { asText, isTrue } from '../shapes.ts';
import { withIds } from '../truth.ts';

/** Slack's limit of modals above each other. */
export const MAX_STACK = 3;
/** Pages that were left with a modal open are forgotten beyond this many. */
const MAX_STACKS = 200;

/** Where a modal is shown: in one page of one person. */
export interface Place {
  userId: string;
  client: string;
}

interface Stack extends Place {
  views: View[];
}

export class Views {
  readonly #live: LiveHub;
  readonly #homes = new Map<string, View>();
  #stacks: Stack[] = [];

  constructor(live: LiveHub) {
    this.#live = live;
  }

  /** The Home tab that was published for a person, or undefined. */
  home(userId: string): View | undefined {
    return this.#homes.get(userId);
  }

  /** The modal that a person sees in a page, and how many lie below it. */
  top(place: Place): { view: View; below: number } | undefined {
    const views = this.#stackAt(place)?.views ?? [];
    const view = views.at(-1);
    return view && { view, below: views.length - 1 };
  }

  /** Any open view. */
  find(matches: (view: View) => boolean): View | undefined {
    return [...this.#homes.values(), ...this.#stacks.flatMap((stack) => stack.views)].find(matches);
  }

  /** How many modals are above each other where this one is; 0 when it is closed. */
  depthAt(viewId: string): number {
    return this.#stackOf(viewId)?.views.length ?? 0;
  }

  /** Opens a modal in place of what is open there. */
  open(place: Place, payload: ViewPayload): View {
    const view = viewOf(payload);
    const others = this.#stacks.filter((stack) => !isAt(stack, place));
    this.#stacks = [...others, { userId: place.userId, client: place.client, views: [view] }].slice(-MAX_STACKS);
    this.#tell(place);
    return view;
  }

  /** Lays a modal above an open one. Returns undefined when that one is closed. */
  push(ontoId: string, payload: ViewPayload): View | undefined {
    const stack = this.#stackOf(ontoId);
    const below = stack?.views.at(-1);
    if (!stack || !below) return undefined;
    const view = { ...viewOf(payload), previous_view_id: below.id, root_view_id: below.root_view_id };
    stack.views.push(view);
    this.#tell(stack);
    return view;
  }

  /** Gives an open view new content and a new hash. Returns undefined when it is closed. */
  update(viewId: string, payload: ViewPayload): View | undefined {
    const old = this.find((view) => view.id === viewId);
    if (!old) return undefined;
    const { id, root_view_id, previous_view_id, state } = old;
    Object.assign(old, contentOf(payload), { id, root_view_id, previous_view_id, state, hash: newHash() });
    const stack = this.#stackOf(viewId);
    if (stack) this.#tell(stack);
    else this.#tellHome(old);
    return old;
  }

  /** Publishes a person's Home tab. */
  publish(userId: string, payload: ViewPayload): View {
    const old = this.#homes.get(userId);
    if (old) return this.update(old.id, payload) as View;
    const view = viewOf(payload);
    this.#homes.set(userId, view);
    this.#tellHome(view);
    return view;
  }

  /** Closes a modal, or with `all` every one in its stack. Returns those that were closed, the topmost first. */
  close(viewId: string, all: boolean): View[] {
    const stack = this.#stackOf(viewId);
    if (!stack) return [];
    const kept = all ? [] : stack.views.filter((view) => view.id !== viewId);
    const closed = stack.views.filter((view) => !kept.includes(view)).reverse();
    stack.views = kept;
    if (kept.length === 0) this.#stacks = this.#stacks.filter((one) => one !== stack);
    this.#tell(stack);
    return closed;
  }

  #stackAt(place: Place): Stack | undefined {
    return this.#stacks.find((stack) => isAt(stack, place));
  }

  #stackOf(viewId: string): Stack | undefined {
    return this.#stacks.find((stack) => stack.views.some((view) => view.id === viewId));
  }

  #tell(place: Place): void {
    this.#live.publish({ type: 'modal' }, place.userId, place.client);
  }

  #tellHome(view: View): void {
    for (const [userId, home] of this.#homes) if (home === view) this.#live.publish({ type: 'home' }, userId);
  }
}

/** A modal opened for no page in particular is seen in all pages of its person. */
function isAt(stack: Stack, place: Place): boolean {
  return stack.userId === place.userId && (stack.client === place.client || stack.client === '');
}

function viewOf(payload: ViewPayload): View {
  const id = `V${randomBytes(6).toString('hex').toUpperCase().slice(0, 10)}`;
  return { ...contentOf(payload), id, hash: newHash(), root_view_id: id, previous_view_id: null, state: { values: {} } };
}

/** The view as Slack tells it: every field is there, blocks and elements have their ids. */
function contentOf(payload: ViewPayload): Omit<View, 'id' | 'hash' | 'root_view_id' | 'previous_view_id' | 'state'> {
  return {
    team_id: TEAM.id,
    type: payload.type,
    blocks: withEmoji(withIds(payload.blocks)),
    private_metadata: asText(payload.private_metadata),
    callback_id: asText(payload.callback_id),
    external_id: asText(payload.external_id),
    title: withEmoji(payload.title ?? null),
    submit: withEmoji(payload.submit ?? null),
    close: withEmoji(payload.close ?? null),
    clear_on_close: isTrue(payload.clear_on_close),
    notify_on_close: isTrue(payload.notify_on_close),
    app_id: APP.id,
    app_installed_team_id: TEAM.id,
    bot_id: APP.botId,
  };
}

/** Slack says of every plain text that its emoji names are shown as emoji, unless the app said otherwise. */
function withEmoji<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withEmoji) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Json).map(([key, one]) => [key, withEmoji(one)] as const);
  const isPlain = (value as Json).type === 'plain_text' && (value as Json).emoji === undefined;
  return { ...Object.fromEntries(entries), ...(isPlain ? { emoji: true } : {}) } as Value;
}

function newHash(): string {
  return `${Math.floor(Date.now() / 1_000)}.${randomBytes(6).toString('base64url')}`;
}

/** What a person does in a modal or in the Home tab, sent to the bot as Slack sends it, and what its answer does to the modal. */

import type { Delivery, Line } from '../line.ts';
import { interactionOf } from '../payloads.ts';
import type { Responses } from '../responses.ts';
import type { Person } from '../settings.ts';
import type { Block, Element, Json, View } from '../shapes.ts';
import { asObject, asText, elementsOf } from '../shapes.ts';
import { payloadOf } from './api.ts';
import { complaintsOf } from './complaints.ts';
import type { Views } from './store.ts';
import { MAX_STACK } from './store.ts';
import type { Triggers } from './triggers.ts';
import type { RawValue, RawValues } from './values.ts';
import { actionOf, stateOf } from './values.ts';

/** What Slack's client says in a modal when the app does not acknowledge in time, or answers what Slack cannot use. */
export const TROUBLE = 'We had some trouble connecting. Try again?';

export interface ViewInteractParts {
  line: Line;
  triggers: Triggers;
  views: Views;
  responses: Responses;
}

/** Which view a person acted in, in which page, and what its fields hold. */
export interface ViewAct {
  client: string;
  view: string;
  values: RawValues;
}

/** What came of it: sentences for fields by block id, or one for the whole view. */
export type ViewOutcome = { ok: true } | { ok: false; errors?: Record<string, string>; reason?: string };

const GONE: ViewOutcome = { ok: false, reason: 'This view is no longer open' };

/** Sends a press of a button, or a choice, in a view. */
export async function pressInView(
  parts: ViewInteractParts,
  person: Person,
  act: ViewAct & { block: string; action: string; value?: RawValue | undefined },
): Promise<ViewOutcome> {
  const view = openView(parts, person, act);
  const element = view && elementIn(view.blocks, act.block, act.action);
  if (!view || !element) return GONE;
  view.state = { values: stateOf(view.blocks, act.values) };
  const payload = {
    ...interactionOf('block_actions', person),
    container: { type: 'view', view_id: view.id },
    trigger_id: parts.triggers.issue({ userId: person.id, client: act.client, viewId: view.id }),
    view,
    actions: [actionOf(element, act.block, act.value)],
  };
  const delivery = await parts.line.send({ type: 'interactive', payload, takesAnswer: false });
  return delivery.ok ? { ok: true } : { ok: false, reason: view.type === 'modal' ? TROUBLE : delivery.reason };
}

/** Asks the bot for the options of a menu in a view. */
export async function suggestInView(
  parts: ViewInteractParts,
  person: Person,
  act: ViewAct & { block: string; action: string; typed: string },
): Promise<Delivery> {
  const view = openView(parts, person, act);
  if (!view) return { ok: false, reason: 'This view is no longer open', retryReason: '' };
  const asked = { action_id: act.action, block_id: act.block, value: act.typed, container: { type: 'view', view_id: view.id } };
  const payload = { ...interactionOf('block_suggestion', person), ...asked, view };
  return parts.line.send({ type: 'interactive', payload, takesAnswer: true });
}

/** Submits a modal: complains as Slack's client would, sends it, and does with it what the bot answers. */
export async function submitView(parts: ViewInteractParts, person: Person, act: ViewAct): Promise<ViewOutcome> {
  const view = openView(parts, person, act);
  if (view?.type !== 'modal') return GONE;
  const errors = complaintsOf(view.blocks, act.values);
  if (Object.keys(errors).length > 0) return { ok: false, errors };
  view.state = { values: stateOf(view.blocks, act.values) };
  const payload = {
    ...interactionOf('view_submission', person),
    trigger_id: parts.triggers.issue({ userId: person.id, client: act.client, viewId: view.id }),
    view,
    response_urls: responseUrls(parts.responses, person, view),
  };
  const delivery = await parts.line.send({ type: 'interactive', payload: payload, takesAnswer: true });
  return delivery.ok ? respond(parts.views, view, delivery.answer) : { ok: false, reason: TROUBLE };
}

/** Does what the bot answered to a submission: docs.slack.dev/surfaces/modals#response_actions. */
function respond(views: Views, view: View, answer: Json): ViewOutcome {
  const action = answer.response_action;
  if (action === undefined && Object.keys(answer).length === 0) {
    views.close(view.id, false);
    return { ok: true };
  }
  if (action === 'clear') {
    views.close(view.id, true);
    return { ok: true };
  }
  if (action === 'errors') return fieldErrors(view, asObject(answer.errors) ?? {});
  if (action !== 'update' && action !== 'push') return { ok: false, reason: TROUBLE };
  const payload = payloadOf(answer, 'modal');
  if ('error' in payload) return { ok: false, reason: TROUBLE };
  if (action === 'push' && views.depthAt(view.id) >= MAX_STACK) return { ok: false, reason: TROUBLE };
  const shown = action === 'push' ? views.push(view.id, payload) : views.update(view.id, payload);
  return shown ? { ok: true } : { ok: false, reason: TROUBLE };
}

/** An error for what is no input block is nothing that Slack can show. */
function fieldErrors(view: View, errors: Json): ViewOutcome {
  const inputs = new Set(view.blocks.filter((block) => block.type === 'input').map((block) => block.block_id));
  const entries = Object.entries(errors);
  const isShowable = entries.length > 0 && entries.every(([block, text]) => inputs.has(block) && typeof text === 'string');
  return isShowable ? { ok: false, errors: errors as Record<string, string> } : { ok: false, reason: TROUBLE };
}

/** Where the bot may answer, for each menu of conversations that asks for it. */
function responseUrls(responses: Responses, person: Person, view: View): Json[] {
  return view.blocks.flatMap((block) => {
    const element = block.type === 'input' ? block.element : undefined;
    if (element?.response_url_enabled !== true) return [];
    const state = asObject(asObject(view.state.values[block.block_id ?? ''])?.[element.action_id ?? '']);
    const channel = asText(state?.selected_conversation) || asText(state?.selected_channel);
    if (channel === '') return [];
    const response_url = responses.issue({ userId: person.id, channel });
    return [{ response_url, channel_id: channel, action_id: element.action_id, block_id: block.block_id }];
  });
}

/**
 * Closes a modal: with its cancel button the topmost alone (all, when the view says `clear_on_close`), with ✕ or Escape all of them.
 * The bot is told of those that ask for it; nobody waits for its answer.
 */
export function closeView(parts: ViewInteractParts, person: Person, act: ViewAct & { all: boolean }): ViewOutcome {
  const view = openView(parts, person, act);
  if (view?.type !== 'modal') return GONE;
  view.state = { values: stateOf(view.blocks, act.values) };
  const all = act.all || view.clear_on_close;
  for (const closed of parts.views.close(view.id, all)) {
    if (!closed.notify_on_close) continue;
    const payload = { ...interactionOf('view_closed', person), view: closed, is_cleared: all };
    void parts.line.send({ type: 'interactive', payload, takesAnswer: false });
  }
  return { ok: true };
}

/** The view, when the person has it before them: their Home tab, or the topmost modal of the page. */
function openView(parts: ViewInteractParts, person: Person, { client, view }: { client: string; view: string }): View | undefined {
  const home = parts.views.home(person.id);
  const top = parts.views.top({ userId: person.id, client })?.view;
  return [home, top].find((one) => one?.id === view);
}

function elementIn(blocks: readonly Block[], block: string, action: string): Element | undefined {
  const found = blocks.find((one) => one.block_id === block);
  return found && elementsOf(found).find((one) => one.action_id === action);
}

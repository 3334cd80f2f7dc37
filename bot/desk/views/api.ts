/** `views.open`, `views.push`, `views.update` and `views.publish`, as Slack answers them. */

import type { Json, View, ViewPayload } from '../shapes.ts';
import { asArray, asObjectOrJson, asText } from '../shapes.ts';
import type { Refusal } from './faults.ts';
import { refusalOf } from './faults.ts';
import type { Views } from './store.ts';
import { MAX_STACK } from './store.ts';
import type { TriggerOrigin, Triggers } from './triggers.ts';

export interface ViewsApiParts {
  views: Views;
  triggers: Triggers;
  /** Whether this is somebody of the workspace. */
  isPerson(userId: string): boolean;
}

type Method = (parts: ViewsApiParts, body: Json) => Json;

/** The methods of this file, by name. */
export const VIEW_METHODS: Readonly<Record<string, Method>> = {
  'views.open': (parts, body) => openOrPush(parts, body, (origin, payload) => parts.views.open(origin, payload)),
  'views.push': (parts, body) => openOrPush(parts, body, (origin, payload) => push(parts, origin, payload)),
  'views.update': update,
  'views.publish': publish,
};

type Place = (origin: TriggerOrigin, payload: ViewPayload) => View | { error: string };

/** A view that Slack would refuse does not use up its trigger. */
function openOrPush(parts: ViewsApiParts, body: Json, place: Place): Json {
  const payload = payloadOf(body, 'modal');
  if ('error' in payload) return refused(payload);
  const triggerId = asText(body.trigger_id) || asText(body.interactivity_pointer);
  if (triggerId === '') return refused({ error: 'invalid_arguments', messages: ['[ERROR] missing required field: trigger_id'] });
  if (isTaken(parts.views, payload)) return { ok: false, error: 'duplicate_external_id' };
  const origin = parts.triggers.take(triggerId);
  if ('error' in origin) return { ok: false, error: origin.error };
  return answered(place(origin, payload));
}

function push(parts: ViewsApiParts, origin: TriggerOrigin, payload: ViewPayload): View | { error: string } {
  const depth = parts.views.depthAt(origin.viewId ?? '');
  if (depth >= MAX_STACK) return { error: 'push_limit_reached' };
  return parts.views.push(origin.viewId ?? '', payload) ?? { error: 'not_found' };
}

function update(parts: ViewsApiParts, body: Json): Json {
  const [viewId, externalId] = [asText(body.view_id), asText(body.external_id)];
  const found = parts.views.find((view) => (viewId ? view.id === viewId : externalId !== '' && view.external_id === externalId));
  if (!found) return { ok: false, error: 'not_found' };
  const payload = payloadOf(body, found.type);
  if ('error' in payload) return refused(payload);
  if (hasOtherHash(found, body)) return { ok: false, error: 'hash_conflict' };
  if (isTaken(parts.views, payload, found.id)) return { ok: false, error: 'duplicate_external_id' };
  return answered(parts.views.update(found.id, payload) ?? { error: 'not_found' });
}

function publish(parts: ViewsApiParts, body: Json): Json {
  const userId = asText(body.user_id);
  if (userId === '') return refused({ error: 'invalid_arguments', messages: ['[ERROR] missing required field: user_id'] });
  if (!parts.isPerson(userId)) return { ok: false, error: 'user_not_found' };
  const payload = payloadOf(body, 'home');
  if ('error' in payload) return refused(payload);
  const published = parts.views.home(userId);
  if (published && hasOtherHash(published, body)) return { ok: false, error: 'hash_conflict' };
  if (isTaken(parts.views, payload, published?.id)) return { ok: false, error: 'duplicate_external_id' };
  return answered(parts.views.publish(userId, payload));
}

/** The view of a request, or of an answer to a submission, checked as Slack checks it. */
export function payloadOf(body: Json, type: 'modal' | 'home'): ViewPayload | Refusal {
  const view = asObjectOrJson(body.view);
  const refusal = refusalOf(view, type);
  return refusal ?? ({ ...view, blocks: asArray(view?.blocks) ?? [] } as ViewPayload);
}

function hasOtherHash(view: View, body: Json): boolean {
  const hash = asText(body.hash);
  return hash !== '' && hash !== view.hash;
}

function isTaken(views: Views, payload: ViewPayload, ownId?: string): boolean {
  const externalId = asText(payload.external_id);
  return externalId !== '' && views.find((view) => view.external_id === externalId && view.id !== ownId) !== undefined;
}

function answered(view: View | { error: string }): Json {
  if (!('id' in view)) return { ok: false, error: view.error };
  return { ok: true, view: structuredClone(view) };
}

function refused({ error, messages }: Refusal): Json {
  return { ok: false, error, response_metadata: { messages } };
}

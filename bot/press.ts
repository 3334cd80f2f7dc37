/**
 * A press, from Slack's user id to the answer. Denied unless everything holds: the button is ours, its incident is open, the person
 * may, and the button still counts. Every press is answered in a sentence or opens a form, and every refusal is in the audit log.
 */

import { incidentName } from '../core/incident.ts';
import { audit } from '../store/audit.ts';
import { type Button, buttonById } from '../store/button.ts';
import { incidentById } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { showIncident } from '../store/story.ts';
import { type ButtonVerb, type Press, type PressContext, SlackTrouble } from './contract.ts';
import * as metrics from './metrics.ts';
import { actorOf, nameIn, personOf } from './names.ts';
import { makeForm, type OpenParts, openForm } from './open.ts';
import { type Message, sentence } from './render/blocks.ts';
import type { ModalView } from './render/modal.ts';
import { expiredButton, formNotOpened, resolvedIncident } from './render/refusal.ts';

export interface PressParts extends OpenParts {
  buttons: ReadonlyMap<string, ButtonVerb>;
  /** Something may have been written for the notifier. */
  wake(): void;
}

/** Works on a press and answers it. Throws when Slack or the database fails. */
export async function handlePress(parts: PressParts, press: Press): Promise<void> {
  const making = answerTo(parts, press);
  const answer = press.opens ? await opened(parts, press, making) : await answerOrForm(parts, press, making);
  parts.wake();
  if (answer) await parts.slack.respond(press.responseUrl, answer);
}

/** A button that did not say so may open a form all the same, since the configuration has changed: there is nothing to wait for then. */
async function answerOrForm(parts: PressParts, press: Press, making: Promise<Message | ModalView>): Promise<Message | undefined> {
  const made = await making;
  return 'type' in made ? opened(parts, press, Promise.resolve(made)) : made;
}

async function opened(parts: PressParts, press: Press, making: Promise<Message | ModalView>): Promise<Message | undefined> {
  try {
    return await openForm(parts, press, making);
  } catch (error) {
    if (!(error instanceof SlackTrouble)) throw error;
    parts.log.warn({ slack: error.code }, 'A form could not be opened');
    // A refusal that comes late is still the answer; it must not be lost for the form that could not be opened.
    const made = await making;
    return 'type' in made ? formNotOpened(error.message) : made;
  }
}

async function answerTo(parts: PressParts, press: Press): Promise<Message | ModalView> {
  const { pool, config } = parts;
  const button = await buttonById(pool, press.buttonId);
  const verb = button && parts.buttons.get(button.verb);
  const incident = button && (await incidentById(pool, button.incidentId));
  const person = personOf(config, press.user);
  if (!button || !verb || !incident) {
    const actor = actorOf(person, press.user);
    await audit(pool, { actor, verb: 'press', subject: 'button', outcome: 'refused', reason: 'unknown-button' });
    metrics.presses.inc({ verb: 'unknown', outcome: 'refused' });
    return sentence('Rounds does not know this button. `/rounds incidents` shows what is open.');
  }
  const { log, clock } = parts;
  const context: PressContext = { pool, config, log, clock, button, incident, person, user: press.user, responseUrl: press.responseUrl };
  const refusal = await refusalOf(context, verb);
  metrics.presses.inc({ verb: verb.verb, outcome: refusal ? 'refused' : 'allowed' });
  if (refusal) return refusal;
  const form = verb.opens?.(context);
  if (!form) return verb.press(context);
  await record(context, 'done', 'form-opened');
  return makeForm(parts, form, press.user);
}

async function refusalOf(context: PressContext, verb: ButtonVerb): Promise<Message | undefined> {
  const { incident, button, config } = context;
  const permission = verb.permit(context);
  if (!permission.allowed) return refuse(context, permission.reason, sentence(permission.text));
  if (incident.state === 'resolved') {
    return refuse(context, 'incident-resolved', resolvedIncident(incident, config.timezone, context.clock.now()));
  }
  if (verb.singleUse && button.usedBy) return refuse(context, 'used-button', usedButton(button, nameIn(config)));
  if (button.expired) {
    // The post may not have changed for long: it gets fresh buttons, so that the person can press again.
    await showIncident(context.pool, incident, { priority: PRIORITY.outage, reason: 'button-expired' });
    return refuse(context, 'expired-button', expiredButton(button.madeAtMs, config.timezone));
  }
  return undefined;
}

function usedButton(button: Button, nameOf: (person: string) => string): Message {
  return sentence(`${nameOf(button.usedBy ?? '')} has pressed this already. The thread tells what came of it.`);
}

async function refuse(context: PressContext, reason: string, answer: Message): Promise<Message> {
  await record(context, 'refused', reason);
  return answer;
}

async function record({ pool, button, incident, person, user }: PressContext, outcome: 'done' | 'refused', reason: string): Promise<void> {
  const actor = actorOf(person, user);
  await audit(pool, { actor, verb: button.verb, subject: incidentName(incident.id), outcome, reason, data: button.params });
}

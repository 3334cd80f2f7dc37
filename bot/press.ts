/**
 * A press, from Slack's user id to the answer. Denied unless everything holds: the button is ours, its incident is open, the person
 * may, and the button still counts. Every press is answered in a sentence, and every refusal is in the audit log.
 */

import { timeOfDay } from '../core/duration.ts';
import { incidentName } from '../core/incident.ts';
import { audit } from '../store/audit.ts';
import { type Button, buttonById } from '../store/button.ts';
import { incidentById } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { showIncident } from '../store/story.ts';
import type { BotParts, ButtonVerb, Press, PressContext, SlackApi } from './contract.ts';
import * as metrics from './metrics.ts';
import { actorOf, nameIn, personOf } from './names.ts';
import { type Message, sentence } from './render/blocks.ts';
import { expiredButton } from './render/refusal.ts';

export interface PressParts extends BotParts {
  slack: SlackApi;
  buttons: ReadonlyMap<string, ButtonVerb>;
  /** Something may have been written for the notifier. */
  wake(): void;
}

/** Works on a press and answers it. Throws when Slack or the database fails. */
export async function handlePress(parts: PressParts, press: Press): Promise<void> {
  const answer = await answerTo(parts, press);
  parts.wake();
  await parts.slack.respond(press.responseUrl, answer);
}

async function answerTo(parts: PressParts, press: Press): Promise<Message> {
  const { pool, config } = parts;
  const button = await buttonById(pool, press.buttonId);
  const verb = button && parts.buttons.get(button.verb);
  const incident = button && (await incidentById(pool, button.incidentId));
  const person = personOf(config, press.user);
  if (!button || !verb || !incident) {
    await audit(pool, {
      actor: actorOf(person, press.user),
      verb: 'press',
      subject: 'button',
      outcome: 'refused',
      reason: 'unknown-button',
    });
    metrics.presses.inc({ verb: 'unknown', outcome: 'refused' });
    return sentence('Rounds does not know this button. `/rounds incidents` shows what is open.');
  }
  const { pool: _pool, ...rest } = parts;
  const context: PressContext = { ...rest, pool, button, incident, person, user: press.user };
  const refusal = await refusalOf(context, verb);
  metrics.presses.inc({ verb: verb.verb, outcome: refusal ? 'refused' : 'allowed' });
  return refusal ?? verb.press(context);
}

async function refusalOf(context: PressContext, verb: ButtonVerb): Promise<Message | undefined> {
  const { incident, button, config } = context;
  const permission = verb.permit(context);
  if (!permission.allowed) return refuse(context, permission.reason, sentence(permission.text));
  if (incident.state === 'resolved') {
    const at = timeOfDay(incident.resolvedAtMs ?? context.clock.now(), config.timezone);
    const name = incidentName(incident.id);
    return refuse(
      context,
      'incident-resolved',
      sentence(`${name} is resolved since ${at}: nothing is left to do. \`/rounds why ${name}\` tells its story.`),
    );
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
  const { button, incident, person, user } = context;
  await audit(context.pool, {
    actor: actorOf(person, user),
    verb: button.verb,
    subject: incidentName(incident.id),
    outcome: 'refused',
    reason,
    data: button.params,
  });
  return answer;
}

/**
 * A form that was sent, from Slack's user id to the acknowledgement. Denied unless everything holds, as for a press: the form is ours,
 * it is the one who opened it who sends it, they still may, the incident is open, and the form still counts. It works before it
 * acknowledges, since the acknowledgement says what stands wrong in which field; used once, so a second delivery changes nothing.
 */
import { timeOfDay } from '../core/duration.ts';
import { incidentName } from '../core/incident.ts';
import { audit } from '../store/audit.ts';
import { incidentById } from '../store/incident.ts';
import { closeModal, type Modal, modalById } from '../store/modal.ts';
import {
  type FormContext,
  type FormVerb,
  type OpenForm,
  type RunbookAction,
  SlackTrouble,
  type Submission,
  type SubmissionAnswer,
  type ViewPress,
} from './contract.ts';
import * as metrics from './metrics.ts';
import { actorOf, personOf } from './names.ts';
import { type OpenParts, tellDirectly } from './open.ts';
import { type Message, sentence } from './render/blocks.ts';
import { messageModal } from './render/modal.ts';
import { resolvedIncident } from './render/refusal.ts';

const TITLE = 'Rounds';

export interface FormParts extends OpenParts {
  actions: ReadonlyMap<string, RunbookAction>;
  /** Something may have been written for the notifier. */
  wake(): void;
}

/** What the acknowledgement says, and what is left to do once it is sent. */
export interface Sent {
  answer: SubmissionAnswer;
  after(): Promise<void>;
}

/** Works on a form that was sent. Throws when the database fails. */
export async function handleSubmission(parts: FormParts, submission: Submission): Promise<Sent> {
  const modal = await modalById(parts.pool, submission.form.modalId);
  const verb = modal && parts.forms.get(modal.verb);
  if (!modal || !verb) {
    await refuse(parts, submission, undefined, 'unknown-form');
    return said(sentence('Rounds does not know this form any more. Open it anew.'));
  }
  const context = await contextOf(parts, modal, submission.user);
  const refusal = refusalOf(context, verb, submission.user);
  if (refusal) {
    await refuse(parts, submission, modal, refusal.reason);
    return said(refusal.message);
  }
  const outcome = await verb.submit(context, submission.form.values);
  const [what] = Object.keys(outcome);
  metrics.forms.inc({ verb: modal.verb, outcome: what ?? '' });
  if ('errors' in outcome) return { answer: { response_action: 'errors', errors: outcome.errors }, after: nothing };
  parts.wake();
  return 'done' in outcome
    ? { answer: { response_action: 'clear' }, after: () => tell(parts, modal, outcome.done) }
    : said(outcome.refused);
}

async function contextOf(parts: FormParts, modal: Modal, user: string): Promise<FormContext> {
  const { pool, config, log, clock, actions } = parts;
  const incident = modal.button && (await incidentById(pool, modal.button.incidentId));
  return { pool, config, log, clock, actions, modal, incident, person: personOf(config, user), user };
}

function refusalOf(context: FormContext, verb: FormVerb, user: string): { reason: string; message: Message } | undefined {
  const { modal, incident, config } = context;
  if (modal.openedBy !== user)
    return { reason: 'another-person', message: sentence('Somebody else opened this form. Open one of your own.') };
  const permission = verb.permit(context);
  if (!permission.allowed) return { reason: permission.reason, message: sentence(permission.text) };
  if (incident?.state === 'resolved') {
    return { reason: 'incident-resolved', message: resolvedIncident(incident, config.timezone, context.clock.now()) };
  }
  if (modal.used) return { reason: 'used-form', message: sentence('This form was sent already. What came of it is told where you asked.') };
  if (modal.expired) {
    const from = timeOfDay(modal.madeAtMs, config.timezone);
    return { reason: 'expired-form', message: sentence(`This form is from ${from} and no longer counts. Nothing was done. Open it anew.`) };
  }
  return undefined;
}

function said(message: Message): Sent {
  return { answer: { response_action: 'update', view: messageModal(TITLE, message) }, after: nothing };
}

async function nothing(): Promise<void> {}

/** Says it where the form was opened; from the Home tab there is no such place, so it is a direct message. */
async function tell(parts: FormParts, modal: Modal, message: Message): Promise<void> {
  const { responseUrl } = modal.answerTo;
  if (responseUrl) await parts.slack.respond(responseUrl, message);
  else await tellDirectly(parts, modal.openedBy, message);
}

async function refuse(parts: FormParts, submission: Submission, modal: Modal | undefined, reason: string): Promise<void> {
  const { user } = submission;
  const actor = actorOf(personOf(parts.config, user), user);
  const subject = modal?.button ? incidentName(modal.button.incidentId) : 'form';
  metrics.forms.inc({ verb: modal?.verb ?? 'unknown', outcome: 'refused' });
  await audit(parts.pool, { actor, verb: modal?.verb ?? 'form', subject, outcome: 'refused', reason, data: modal?.params ?? {} });
}

/** Something in a form was changed that the form depends on: it is shown anew, unless it has changed once more by then. */
export async function handleFormChange(parts: FormParts, press: ViewPress & { form: OpenForm }): Promise<void> {
  const { form, user } = press;
  const modal = await modalById(parts.pool, form.modalId);
  const verb = modal && parts.forms.get(modal.verb);
  if (!modal || !verb || modal.openedBy !== user || modal.used || modal.expired) return;
  const { params, answerTo, button } = modal;
  const request = { params, answerTo, ...(button ? { button } : {}) };
  const view = verb.view({ config: parts.config, modalId: modal.id, request, values: form.values });
  try {
    await parts.slack.updateView({ id: form.viewId, hash: form.hash, view });
  } catch (error) {
    if (!(error instanceof SlackTrouble && (error.code === 'hash_conflict' || error.code === 'not_found'))) throw error;
  }
}

/** The person has closed it without sending it: it can no longer be sent. */
export async function handleFormClosed(parts: Pick<FormParts, 'pool'>, submission: Submission): Promise<void> {
  await closeModal(parts.pool, submission.form.modalId, submission.user);
}

/**
 * Opens forms. A trigger is good for 3 s from the press, and Slack itself takes a part of them: when what a form needs takes longer
 * than a second, the form opens with a word of patience and is filled in then.
 */
import { randomUUID } from 'node:crypto';
import { mintModal } from '../store/modal.ts';
import { type BotParts, type FormRequest, type FormVerb, type SlackApi, SlackTrouble, type Trigger } from './contract.ts';
import * as metrics from './metrics.ts';
import type { Message } from './render/blocks.ts';
import { loadingModal, type ModalView, messageModal } from './render/modal.ts';
import { failed } from './render/refusal.ts';

/** After the press. It leaves 1.8 s of the trigger to Slack, which usually takes a few tenths. */
const LOADING_AFTER_MS = 1_200;
const TITLE = 'Rounds';

export interface OpenParts extends BotParts {
  slack: SlackApi;
  forms: ReadonlyMap<string, FormVerb>;
}

/** Writes down what a form will mean, and renders it. */
export async function makeForm(parts: OpenParts, request: FormRequest, user: string): Promise<ModalView> {
  const { verb, ...rest } = request;
  const form = parts.forms.get(verb);
  if (!form) throw new Error(`bot/modals/${verb}.ts is not there`);
  const { config } = parts;
  const modalId = await mintModal(parts.pool, { verb, ...rest, openedBy: user, expiresInMs: form.expiresInMs });
  return form.view({ config, modalId, request: rest });
}

/**
 * Opens what is being made. Returns what is to be said elsewhere when it turned out to be a refusal and nothing stands open yet.
 * Throws `SlackTrouble` when Slack did not open it, and what `making` throws while nothing stands open.
 */
export async function openForm(
  parts: Pick<OpenParts, 'slack' | 'clock' | 'log'>,
  trigger: Trigger,
  making: Promise<ModalView | Message>,
): Promise<Message | undefined> {
  // Whoever called sees its error below; it must not count as unheard when Slack's own error is told first.
  making.catch(() => {});
  const made = await Promise.race([making, patience(parts, trigger)]);
  if (made && !isForm(made)) return made;
  const viewId = await parts.slack.openView(trigger.triggerId, made ?? loadingModal(TITLE));
  metrics.formSeconds.observe((parts.clock.monotonic() - trigger.arrivedMs) / 1_000);
  if (!made) await fillIn(parts, viewId, making);
  return undefined;
}

async function patience(parts: Pick<OpenParts, 'clock'>, trigger: Trigger): Promise<undefined> {
  const leftMs = trigger.arrivedMs + LOADING_AFTER_MS - parts.clock.monotonic();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, leftMs)).unref());
}

async function fillIn(parts: Pick<OpenParts, 'slack' | 'log'>, viewId: string, making: Promise<ModalView | Message>): Promise<void> {
  const made = await making.catch((error: Error) => {
    parts.log.error({ error: error.message }, 'A form could not be made');
    return failed();
  });
  try {
    await parts.slack.updateView({ id: viewId, view: isForm(made) ? made : messageModal(TITLE, made) });
  } catch (error) {
    // Whoever closed it meanwhile wants it no more.
    if (!(error instanceof SlackTrouble && error.code === 'not_found')) throw error;
  }
}

function isForm(made: ModalView | Message): made is ModalView {
  return 'type' in made && made.type === 'modal';
}

/** Where there is no address to answer to: a direct message. A person waits for it, so it is sent once and never looked for. */
export async function tellDirectly(parts: Pick<OpenParts, 'slack'>, user: string, message: Message): Promise<void> {
  await parts.slack.post({ channel: user, message, outboxId: randomUUID() });
}

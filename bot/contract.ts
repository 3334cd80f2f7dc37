/** What the parts of the bot know of each other and of Slack. Bolt and the Web API stay behind `slack.ts` and `web.ts`. */
import type * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Config, Person } from '../core/config/model.ts';
import type { Incident } from '../core/incident.ts';
import type { Log } from '../core/process.ts';
import type { Button } from '../store/button.ts';
import type { Pool } from '../store/db.ts';
import type { AnswerTo, Modal } from '../store/modal.ts';
import type { Message } from './render/blocks.ts';
import type { HomeView } from './render/home.ts';
import type { ModalView } from './render/modal.ts';

/** What the parts of the bot are handed. */
export interface BotParts {
  pool: Pool;
  config: Config;
  log: Log;
  clock: Clock;
}

/** What became of a request to Slack that did not succeed. */
export type TroubleKind =
  /** It never went out, or Slack said that it did not take it. */
  | 'not-sent'
  /** Nobody knows whether Slack took it. */
  | 'unclear'
  /** Slack asked to wait. */
  | 'limited'
  /** The token is not good for it. */
  | 'auth'
  /** The message or channel that it is about is not there any more. */
  | 'gone'
  /** Slack will never take it. */
  | 'refused';

/** Thrown by every call of {@link SlackApi}. */
export class SlackTrouble extends Error {
  readonly kind: TroubleKind;
  /** Slack's own word for it, such as `channel_not_found`. */
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(kind: TroubleKind, code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The one mark by which a message is found again: kept by Slack as the message's metadata. */
export interface Placed {
  /** Slack's id of the channel. */
  channel: string;
  ts: string;
}

/** The part of Slack's Web API that Rounds uses. No call repeats itself. Throws `SlackTrouble`. */
export interface SlackApi {
  /** Posts a message that carries its outbox id; `channel` is a name with `#`, or an id. `showsFiles`: files linked in its text are shown. */
  post(request: { channel: string; threadTs?: string; message: Message; outboxId: string; showsFiles?: boolean }): Promise<Placed>;
  update(request: Placed & { message: Message }): Promise<void>;
  /** The message with that outbox id among those since `oldestMs`, newest pages first. Throws when it cannot be said. */
  findByOutboxId(request: { channel: string; threadTs?: string; outboxId: string; oldestMs: number }): Promise<Placed | undefined>;
  exists(place: Placed): Promise<boolean>;
  /** Uploads a file without showing it anywhere. Returns its id, and its address for a link. */
  upload(file: { name: string; title: string; bytes: Buffer }): Promise<{ id: string; link?: string }>;
  /** Answers through the address that came with a press or command: one person, or everybody in the channel. */
  respond(responseUrl: string, message: Message, to?: 'one' | 'everybody'): Promise<void>;
  /** Opens a form for whoever the trigger came from, within 3 s of it, and returns Slack's id of it. */
  openView(triggerId: string, view: ModalView): Promise<string>;
  /** Changes a form that is open; with `hash`, only while it is as it was then. */
  updateView(request: { id: string; hash?: string; view: ModalView }): Promise<void>;
  /** Shows somebody their Home tab, unless it is another than `hash` says (`hash_conflict`). Returns the new hash. */
  publishHome(request: { user: string; hash?: string; view: HomeView }): Promise<string>;
  /** The address of a message. */
  permalink(place: Placed): Promise<string>;
  /** Resolves when Slack takes our token. */
  check(): Promise<void>;
}

/** What a form may be opened with: good for 3 s and once. */
export interface Trigger {
  triggerId: string;
  /** When it reached us, by the monotonic clock. */
  arrivedMs: number;
}

/** A press of a button in a message, acknowledged already. */
export interface Press extends Trigger {
  /** The button's value. */
  buttonId: string;
  /** Whether it says that it opens a form: a hint, never believed. */
  opens: boolean;
  /** Slack's user id. */
  user: string;
  responseUrl: string;
}

/** A slash command, acknowledged already. */
export interface CommandCall extends Trigger {
  text: string;
  user: string;
  channel: string;
  responseUrl: string;
}

/** What stands in the fields of a form, by block: one text, or what was chosen. Empty: nothing. */
export type FieldValues = Readonly<Record<string, readonly string[]>>;

/** A form as it stands before somebody. */
export interface OpenForm {
  /** Slack's id of the view. */
  viewId: string;
  hash: string;
  /** Our own id, from `private_metadata`. */
  modalId: string;
  values: FieldValues;
}

/** A press in a form or in the Home tab, acknowledged already. */
export interface ViewPress extends Trigger {
  /** Absent in the Home tab. */
  form?: OpenForm;
  actionId: string;
  user: string;
}

/** A form that was sent; its acknowledgement carries the answer. */
export interface Submission {
  form: OpenForm;
  user: string;
}

/** What Slack does with a form that was sent: docs.slack.dev/surfaces/modals */
export type SubmissionAnswer =
  | { response_action: 'errors'; errors: Record<string, string> }
  | { response_action: 'update'; view: ModalView }
  | { response_action: 'clear' };

/** A form that is to be opened. */
export interface FormRequest {
  /** The file in `modals/`. */
  verb: string;
  params: Record<string, unknown>;
  /** The button that opens it. */
  button?: Pick<Button, 'id' | 'incidentId' | 'incidentRevision'>;
  answerTo: AnswerTo;
}

/** A button that an incident's post shows. */
export interface OfferedButton {
  label: string;
  params: Record<string, unknown>;
  style?: 'primary' | 'danger';
  /** Asked before it counts. */
  confirm?: { title: string; text: string; yes: string };
  /** A press opens a form. */
  opens?: boolean;
}

export interface PressContext extends BotParts {
  button: Button;
  /** As it is now. */
  incident: Incident;
  /** Who pressed, when the configuration lists them. */
  person: Person | undefined;
  /** Slack's user id of who pressed. */
  user: string;
  responseUrl: string;
}

/** Whether a person may, and if not, what they are told. */
export type Permission = { allowed: true } | { allowed: false; reason: string; text: string };

/** One verb of the buttons: a file in `actions/`, named after it. */
export interface ButtonVerb {
  verb: string;
  /** How long after it was shown it counts, and in the source why so long. */
  expiresInMs: number;
  /** Used up by the first press. Only what changes nothing may be pressed again. */
  singleUse: boolean;
  /** The buttons of this verb that an open incident shows. `executions`: how often each runbook was asked for. */
  offered(incident: Incident, executions: ReadonlyMap<string, number>, config: Config): OfferedButton[];
  permit(context: PressContext): Permission;
  /** The form that a press opens instead; `undefined` when one press is enough. */
  opens?(context: PressContext): FormRequest | undefined;
  /** Does it, and returns what the person who pressed is told. */
  press(context: PressContext): Promise<Message>;
}

export interface CommandContext extends BotParts {
  call: CommandCall;
  person: Person | undefined;
  /** What was typed after the verb. */
  words: string[];
  /** All verbs, for `help`. */
  verbs: readonly CommandVerb[];
}

/** One verb of `/rounds`: a file in `commands/`, named after it. */
export interface CommandVerb {
  verb: string;
  /** As it is shown: `CHECK`, `[service]`; empty when there are none. */
  arguments: string;
  summary: string;
  example: string;
  /** Whether it changes anything, or makes agents work. Only people of the configuration may then. */
  changes: boolean;
  /** The form that it opens instead; `undefined` when what was typed is enough. */
  opens?(context: CommandContext): FormRequest | undefined;
  /** Does it, also when the form could not be opened. */
  run(context: CommandContext): Promise<Message>;
}

export interface FormContext extends BotParts {
  modal: Modal;
  /** Of the button that opened it, as it is now. */
  incident: Incident | undefined;
  /** Who opened it, when the configuration lists them. */
  person: Person | undefined;
  /** Slack's user id of who opened it. */
  user: string;
  /** What runbooks may run. */
  actions: ReadonlyMap<string, RunbookAction>;
}

/** What the bot needs to know of an action: its schema, and what is said before it runs. */
export interface RunbookAction {
  schema: z.ZodObject;
  preview(params: Record<string, unknown>, target: Record<string, string | number>): string;
}

/** What came of a form that was sent. */
export type FormOutcome =
  /** Shown at the fields; the form stays. */
  | { errors: Record<string, string> }
  /** Said in the place of the form. */
  | { refused: Message }
  /** Done; said where it was asked for. */
  | { done: Message };

/** One verb of the forms: a file in `modals/`, named after it. */
export interface FormVerb {
  verb: string;
  /** How long after it was opened it counts. */
  expiresInMs: number;
  /** The form, as it opens or once something in it was changed. */
  view(form: { config: Config; modalId: string; request: Omit<FormRequest, 'verb'>; values?: FieldValues }): ModalView;
  /** May this person, when it is sent. Whoever opens it has asked the same before. */
  permit(context: FormContext): Permission;
  /** Does it, once: uses the form up in the transaction of what it does. */
  submit(context: FormContext, values: FieldValues): Promise<FormOutcome>;
}

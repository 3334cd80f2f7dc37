/** What the parts of the bot know of each other and of Slack. Bolt and the Web API stay behind `slack.ts` and `web.ts`. */
import type { Clock } from '../core/clock.ts';
import type { Config, Person } from '../core/config/model.ts';
import type { Incident } from '../core/incident.ts';
import type { Log } from '../core/process.ts';
import type { Button } from '../store/button.ts';
import type { Pool } from '../store/db.ts';
import type { Message } from './render/blocks.ts';

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
  /** Answers one person through the address that came with their press or command. */
  respond(responseUrl: string, message: Message): Promise<void>;
  /** Resolves when Slack takes our token. */
  check(): Promise<void>;
}

/** A press of a button, acknowledged already. */
export interface Press {
  /** The button's value. */
  buttonId: string;
  /** Slack's user id. */
  user: string;
  responseUrl: string;
}

/** A slash command, acknowledged already. */
export interface CommandCall {
  text: string;
  user: string;
  channel: string;
  responseUrl: string;
}

/** A button that an incident's post shows. */
export interface OfferedButton {
  label: string;
  params: Record<string, unknown>;
  style?: 'primary' | 'danger';
  /** Asked before it counts. */
  confirm?: { title: string; text: string; yes: string };
}

export interface PressContext extends BotParts {
  button: Button;
  /** As it is now. */
  incident: Incident;
  /** Who pressed, when the configuration lists them. */
  person: Person | undefined;
  /** Slack's user id of who pressed. */
  user: string;
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
  offered(incident: Incident, executions: ReadonlyMap<string, number>): OfferedButton[];
  permit(context: PressContext): Permission;
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
  run(context: CommandContext): Promise<Message>;
}

/**
 * The one file that knows Bolt. Presses, commands, forms and events come in by signed HTTP, or by Socket Mode when there is an app
 * token; each is acknowledged first, then held against what was seen before, then worked on. A form alone is worked on first, since its
 * acknowledgement says what stands wrong in which field. Whoever pressed gets an answer, whatever happens.
 *
 * Bolt accepts timestamps in the future and runs a byte-identical replay again (measured on 5.1); both are refused here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { App, HTTPReceiver, SocketModeReceiver, type ViewClosedAction, type ViewSubmitAction } from '@slack/bolt';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import type { CommandCall, OpenForm, Press, Submission, SubmissionAnswer, ViewPress } from './contract.ts';
import { originOf } from './incoming.ts';
import type { Message } from './render/blocks.ts';
import { messageModal } from './render/modal.ts';
import { cameTwice, failed, stillWorking } from './render/refusal.ts';
import { slackLogger } from './slack-log.ts';
import { keepConnected, SOCKET_TIMING, type SocketTiming } from './socket.ts';
import { messageOf } from './trouble.ts';

/** As far as Slack's clock may be ahead of ours. */
const FUTURE_LIMIT_S = 60;
/** Of the 3 s that Slack waits for an acknowledgement: https://docs.slack.dev/interactivity/handling-user-interaction */
const SUBMISSION_MS = 2_000;
const TITLE = 'Rounds';

export interface SlackDoorOptions {
  signingSecret: string;
  botToken: string;
  /** With it, Socket Mode is used and no port is opened. */
  appToken?: string;
  /** Where the Web API is, when it is not Slack itself. */
  apiUrl?: string;
  socketTiming?: SocketTiming;
  host: string;
  /** 0 for a free one. */
  port: number;
  log: Log;
  clock: Clock;
  /** Whether none of these ids was seen before. */
  firstSeen(ids: readonly string[]): Promise<boolean>;
  onPress(press: Press): Promise<void>;
  onCommand(call: CommandCall): Promise<void>;
  onViewPress(press: ViewPress): Promise<void>;
  onSubmission(submission: Submission): Promise<{ answer: SubmissionAnswer; after(): Promise<void> }>;
  /** Shows an answer that came too late for the acknowledgement. */
  onLateAnswer(form: OpenForm, answer: SubmissionAnswer): Promise<void>;
  onFormClosed(submission: Submission): Promise<void>;
  onHomeOpened(user: string): Promise<void>;
  /** Tells whoever pressed or typed that Rounds itself failed. Never throws. */
  onFailure(whom: { responseUrl?: string; user?: string }, error: unknown): Promise<void>;
  /** How long the acknowledgement took. */
  onAck(seconds: number): void;
}

export interface SlackDoor {
  /** `undefined` in Socket Mode. */
  port: number | undefined;
  /** One sentence while nothing can come in, else `undefined`. */
  trouble(): string | undefined;
  stop(): Promise<void>;
}

/** Opens the door for what people do in Slack. Throws when the port is taken; Socket Mode goes on trying by itself. */
export async function openSlackDoor(options: SlackDoorOptions): Promise<SlackDoor> {
  return options.appToken ? openSocket(options, options.appToken) : openHttp(options);
}

async function openHttp(options: SlackDoorOptions): Promise<SlackDoor> {
  const receiver = new HTTPReceiver({
    signingSecret: options.signingSecret,
    endpoints: ['/slack/events'],
    logger: slackLogger(options.log),
    customPropertiesExtractor: (request) => ({ delivery: `signature:${request.headers['x-slack-signature'] ?? ''}` }),
  });
  const inner = receiver.requestListener;
  receiver.requestListener = (request: IncomingMessage, response: ServerResponse) => {
    if (!isFromTheFuture(request, options)) return inner(request, response);
    options.log.warn({}, 'A request from Slack with a timestamp in the future was refused');
    response.writeHead(401).end();
  };
  const app = appOn(receiver, options);
  const server = (await app.start({ host: options.host, port: options.port })) as import('node:http').Server;
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : undefined,
    trouble: () => undefined,
    stop: async () => {
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 1_000).unref();
      await app.stop();
    },
  };
}

/** Bolt looks at the past only. A timestamp that is no number is left to it. */
function isFromTheFuture(request: IncomingMessage, options: SlackDoorOptions): boolean {
  return Number(request.headers['x-slack-request-timestamp']) > options.clock.now() / 1000 + FUTURE_LIMIT_S;
}

/** Of one request for a connection. */
const CONNECT_MS = 10_000;

function openSocket(options: SlackDoorOptions, appToken: string): SlackDoor {
  const receiver = () =>
    new SocketModeReceiver({
      appToken,
      logger: slackLogger(options.log),
      autoReconnectEnabled: false,
      customPropertiesExtractor: ({ envelope_id: id }: { envelope_id?: unknown }) => ({ delivery: `envelope:${String(id)}` }),
      installerOptions: {
        clientOptions: {
          retryConfig: { retries: 0 },
          rejectRateLimitedCalls: true,
          timeout: CONNECT_MS,
          ...(options.apiUrl ? { slackApiUrl: options.apiUrl } : {}),
        },
      },
    });
  const app = appOn(receiver(), options);
  const open = () => {
    const one = receiver();
    one.init(app);
    return one.client;
  };
  const sockets = keepConnected({ open, log: options.log, timing: options.socketTiming ?? SOCKET_TIMING });
  return { port: undefined, trouble: sockets.trouble, stop: sockets.stop };
}

function appOn(receiver: HTTPReceiver | SocketModeReceiver, options: SlackDoorOptions): App {
  const app = new App({
    receiver,
    ...(receiver instanceof SocketModeReceiver ? { socketMode: true } : {}),
    logger: slackLogger(options.log),
    // One workspace and one token: nothing is looked up, so starting needs no Slack.
    authorize: async () => ({ botToken: options.botToken }),
  });
  const { clock } = options;
  app.action(/.*/, async ({ ack, body, action, context }) => {
    const { form, inView, ...origin } = originOf(body);
    const trigger = { user: origin.user, triggerId: origin.triggerId, arrivedMs: clock.monotonic() };
    const value = 'value' in action && typeof action.value === 'string' ? action.value : '';
    const actionId = 'action_id' in action ? action.action_id : '';
    const work = () =>
      inView
        ? options.onViewPress({ ...trigger, actionId, ...(form ? { form } : {}) })
        : options.onPress({ ...trigger, buttonId: value, opens: actionId.startsWith('open-'), responseUrl: origin.responseUrl });
    await receive(options, { ack, ids: idsOf(context, `trigger:${origin.triggerId}`), whom: origin, work });
  });
  app.command(/.*/, async ({ ack, command, context }) => {
    const { user_id: user, channel_id: channel, response_url: responseUrl, trigger_id: triggerId } = command;
    const call = { text: command.text ?? '', user, channel, responseUrl, triggerId, arrivedMs: clock.monotonic() };
    await receive(options, { ack, ids: idsOf(context, `trigger:${triggerId}`), whom: call, work: () => options.onCommand(call) });
  });
  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: /.*/ }, ({ ack, body, context }) =>
    submitted(options, { ack, body, context }),
  );
  app.view<ViewClosedAction>({ type: 'view_closed', callback_id: /.*/ }, async ({ ack, body, context }) => {
    const { form, user } = originOf(body);
    const work = async () => (form ? options.onFormClosed({ form, user }) : undefined);
    await receive(options, { ack, ids: idsOf(context, ''), whom: {}, work });
  });
  // Bolt has acknowledged an event before it comes here.
  app.event('app_home_opened', async ({ event, body, context }) => {
    const work = async () => (event.tab === 'home' ? options.onHomeOpened(event.user) : undefined);
    await receive(options, { ack: async () => {}, ids: idsOf(context, `event:${body.event_id}`), whom: {}, work });
  });
  app.error(async (error) => options.log.error({ error: messageOf(error) }, 'Bolt failed'));
  return app;
}

interface Incoming {
  ack(): Promise<void>;
  ids: string[];
  whom: { responseUrl?: string; user?: string };
  work(): Promise<void>;
}

/** What could not be acknowledged is not worked on: Slack sends it again, or tells whoever pressed that it did not arrive. */
async function receive(options: SlackDoorOptions, incoming: Incoming): Promise<void> {
  const beganMs = options.clock.monotonic();
  await incoming.ack();
  options.onAck((options.clock.monotonic() - beganMs) / 1000);
  try {
    if (!(await options.firstSeen(incoming.ids))) {
      options.log.warn({}, 'A request from Slack came a second time and has no effect');
      return;
    }
    await incoming.work();
  } catch (error) {
    options.log.error({ error: messageOf(error) }, 'What somebody asked for in Slack failed');
    await options.onFailure(incoming.whom, error);
  }
}

interface IncomingForm {
  ack(answer: SubmissionAnswer): Promise<void>;
  body: unknown;
  context: Record<string, unknown>;
}

/** Answered in the acknowledgement when that can be in time, else in the form, which says meanwhile that it is being worked on. */
async function submitted(options: SlackDoorOptions, { ack, body, context }: IncomingForm): Promise<void> {
  const beganMs = options.clock.monotonic();
  const { form, user } = originOf(body);
  if (!form) return ack({ response_action: 'clear' });
  const working = submit(options, { form, user }, idsOf(context, ''));
  const inTime = await Promise.race([
    working,
    new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), SUBMISSION_MS).unref()),
  ]);
  await ack(inTime?.answer ?? { response_action: 'update', view: messageModal(TITLE, stillWorking()) });
  options.onAck((options.clock.monotonic() - beganMs) / 1000);
  const { answer, after } = await working;
  try {
    if (!inTime) await options.onLateAnswer(form, answer);
    await after();
  } catch (error) {
    options.log.error({ error: messageOf(error) }, 'What came of a form could not be told');
  }
}

/** Never throws: whatever happens, the form says it. */
async function submit(options: SlackDoorOptions, submission: Submission, ids: string[]): ReturnType<SlackDoorOptions['onSubmission']> {
  try {
    if (await options.firstSeen(ids)) return await options.onSubmission(submission);
    options.log.warn({}, 'A form came a second time and has no effect');
    return saying(cameTwice());
  } catch (error) {
    options.log.error({ error: messageOf(error) }, 'A form that somebody sent failed');
    return saying(failed());
  }
}

function saying(message: Message): { answer: SubmissionAnswer; after(): Promise<void> } {
  return { answer: { response_action: 'update', view: messageModal(TITLE, message) }, after: async () => {} };
}

/** The signature or the envelope names the delivery, the rest what is delivered; a replay has both, and one of them is enough to know it. */
function idsOf(context: Record<string, unknown>, own: string): string[] {
  return [context.delivery, own].filter((id): id is string => typeof id === 'string' && /:./.test(id));
}

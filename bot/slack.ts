/**
 * The one file that knows Bolt. Presses and commands come in by signed HTTP, or by Socket Mode when there is an app token; each is
 * acknowledged first, then held against what was seen before, then worked on. Whoever pressed gets an answer, whatever happens.
 *
 * Bolt accepts timestamps in the future and runs a byte-identical replay again (measured on 5.1); both are refused here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { App, HTTPReceiver, SocketModeReceiver } from '@slack/bolt';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import type { CommandCall, Press } from './contract.ts';
import { slackLogger } from './slack-log.ts';

/** As far as Slack's clock may be ahead of ours. */
const FUTURE_LIMIT_S = 60;

export interface SlackDoorOptions {
  signingSecret: string;
  botToken: string;
  /** With it, Socket Mode is used and no port is opened. */
  appToken?: string;
  host: string;
  /** 0 for a free one. */
  port: number;
  log: Log;
  clock: Clock;
  /** Whether none of these ids was seen before. */
  firstSeen(ids: readonly string[]): Promise<boolean>;
  onPress(press: Press): Promise<void>;
  onCommand(call: CommandCall): Promise<void>;
  /** Tells whoever pressed or typed that Rounds itself failed. Never throws. */
  onFailure(responseUrl: string | undefined, error: unknown): Promise<void>;
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

/** Opens the door for presses and commands. Throws when the port is taken; Socket Mode goes on trying by itself. */
export async function openSlackDoor(options: SlackDoorOptions): Promise<SlackDoor> {
  return options.appToken ? openSocket(options, options.appToken) : openHttp(options);
}

async function openHttp(options: SlackDoorOptions): Promise<SlackDoor> {
  const receiver = new HTTPReceiver({
    signingSecret: options.signingSecret,
    endpoints: ['/slack/events'],
    logger: slackLogger(options.log),
    customPropertiesExtractor: (request) => ({ signature: String(request.headers['x-slack-signature'] ?? '') }),
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

/** How often a first connection is tried again; later ones Bolt renews by itself. */
const SOCKET_RETRY_MS = 5_000;

async function openSocket(options: SlackDoorOptions, appToken: string): Promise<SlackDoor> {
  const receiver = new SocketModeReceiver({ appToken, logger: slackLogger(options.log) });
  const app = appOn(receiver, options);
  let connected = false;
  let stopped = false;
  const connect = async (): Promise<void> => {
    while (!connected && !stopped) {
      try {
        await app.start();
        connected = true;
      } catch (error) {
        options.log.warn({ error: messageOf(error) }, 'Socket Mode could not connect; trying again');
        await new Promise((resolve) => setTimeout(resolve, SOCKET_RETRY_MS).unref());
      }
    }
  };
  const connecting = connect();
  return {
    port: undefined,
    trouble: () => (connected ? undefined : 'Slack cannot be reached by Socket Mode: presses and commands do not arrive.'),
    stop: async () => {
      stopped = true;
      if (connected) await app.stop();
      else void connecting;
    },
  };
}

function appOn(receiver: HTTPReceiver | SocketModeReceiver, options: SlackDoorOptions): App {
  const app = new App({
    receiver,
    ...(receiver instanceof SocketModeReceiver ? { socketMode: true } : {}),
    logger: slackLogger(options.log),
    // One workspace and one token: nothing is looked up, so starting needs no Slack.
    authorize: async () => ({ botToken: options.botToken }),
  });
  // Fields that Slack says are always there are checked all the same: the body is input.
  app.action(/.*/, async ({ ack, body, action, context }) => {
    const { responseUrl, triggerId, user } = originOf(body);
    const value = 'value' in action && typeof action.value === 'string' ? action.value : '';
    const work = () => options.onPress({ buttonId: value, user, responseUrl: responseUrl ?? '' });
    await receive(options, { ack, ids: idsOf(context, triggerId), responseUrl, work });
  });
  app.command(/.*/, async ({ ack, command, context }) => {
    const call = { text: command.text ?? '', user: command.user_id, channel: command.channel_id, responseUrl: command.response_url };
    const work = () => options.onCommand(call);
    await receive(options, { ack, ids: idsOf(context, command.trigger_id), responseUrl: command.response_url, work });
  });
  app.error(async (error) => options.log.error({ error: messageOf(error) }, 'Bolt failed'));
  return app;
}

interface Incoming {
  ack(): Promise<void>;
  ids: string[];
  responseUrl: string | undefined;
  work(): Promise<void>;
}

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
    await options.onFailure(incoming.responseUrl, error);
  }
}

/** The signature names the request, the trigger the click; a replay has both, and one of them is enough to know it. */
function idsOf(context: Record<string, unknown>, triggerId: string | undefined): string[] {
  const signature = typeof context.signature === 'string' ? context.signature : '';
  return [...(signature ? [`signature:${signature}`] : []), ...(triggerId ? [`trigger:${triggerId}`] : [])];
}

function originOf(body: object): { responseUrl: string | undefined; triggerId: string | undefined; user: string } {
  const fields = body as { response_url?: string; trigger_id?: string; user?: { id?: string } };
  return { responseUrl: fields.response_url, triggerId: fields.trigger_id, user: fields.user?.id ?? '' };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

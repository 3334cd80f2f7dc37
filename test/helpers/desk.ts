/** A desk that runs, with a real Bolt app in place of the bot and a real browser in place of the people. */
import { createServer } from 'node:net';
import type { Logger, Receiver } from '@slack/bolt';
import { App, HTTPReceiver, LogLevel, SocketModeReceiver } from '@slack/bolt';
import type { KnownBlock, ModalView } from '@slack/web-api';
import { WebClient } from '@slack/web-api';
import type { Browser, Page } from 'playwright';
import { onTestFinished } from 'vitest';
import { start } from '../../bot/desk/main.ts';
import type { Started } from '../../core/process.ts';
import { quietLog } from './log.ts';

export const SECRET = 'a-signing-secret-of-the-test';
export const TOKEN = 'xoxb-of-the-test';
export const APP_TOKEN = 'xapp-of-the-test';

export interface TestDesk {
  desk: Started;
  app: App;
  web: WebClient;
  ports: { desk: number; bot: number };
  /** An address of the desk. */
  address(path: string): string;
  /** The id of a channel, by its name. */
  channelId(name: string): Promise<string>;
  /** Sends JSON to the desk as its own page does. */
  act(path: string, body: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface TestDeskOptions {
  /** How the app listens to Slack: signed HTTP, or Socket Mode. */
  receiver?: 'http' | 'socket';
  env?: Record<string, string>;
  listen?(app: App): void;
}

/** The environment of a desk on these ports. */
export function deskEnvironment(ports: { desk: number; bot: number }): Record<string, string> {
  return {
    ROUNDS_DESK_PORT: String(ports.desk),
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_BOT_TOKEN: TOKEN,
    SLACK_APP_TOKEN: APP_TOKEN,
    ROUNDS_BOT_URL: `http://127.0.0.1:${ports.bot}/slack/events`,
  };
}

/** Starts a desk and an app that listens to it. */
export async function testDesk({ receiver = 'http', env = {}, listen }: TestDeskOptions = {}): Promise<TestDesk> {
  const ports = { desk: await freePort(), bot: await freePort() };
  const desk = await start({ env: { ...deskEnvironment(ports), ...env }, log: quietLog, options: {} });
  const address = (path: string): string => `http://127.0.0.1:${ports.desk}${path}`;
  const app = boltApp(receiver, address('/api/'));
  listen?.(app);
  if (receiver === 'http') await app.start({ port: ports.bot, host: '127.0.0.1' });
  else await app.start();
  const web = clientOf(address('/api/'), TOKEN);
  return {
    desk,
    app,
    web,
    ports,
    address,
    channelId: async (name) => (await web.conversations.list({})).channels?.find((one) => one.name === name)?.id ?? '',
    act: async (path, body) => {
      const headers = { 'content-type': 'application/json', origin: address('') };
      return (await fetch(address(path), { method: 'POST', headers, body: JSON.stringify(body) })).json() as Promise<
        Record<string, unknown>
      >;
    },
    close: async () => {
      await app.stop();
      await desk.stop();
    },
  };
}

/** What is refused and what comes too late is part of the tests. */
const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined,
};

/** The Web API as a client without repetitions. */
export function clientOf(slackApiUrl: string, token: string): WebClient {
  return new WebClient(token, { slackApiUrl, retryConfig: { retries: 0 }, logger: SILENT });
}

/** A Bolt app that calls the desk in place of Slack. Errors of its handlers are thrown away: a handler that must fail says nothing. */
export function boltApp(receiver: 'http' | 'socket', slackApiUrl: string): App {
  const app = new App({ token: TOKEN, receiver: receiverOf(receiver, slackApiUrl), clientOptions: { slackApiUrl }, logger: SILENT });
  app.error(async () => undefined);
  return app;
}

function receiverOf(kind: 'http' | 'socket', slackApiUrl: string): Receiver {
  if (kind === 'http') return new HTTPReceiver({ signingSecret: SECRET, logger: SILENT });
  // A lost connection is waited for by this long before the next: short, so that a refresh does not hold up the test.
  const clientPingTimeout = 600;
  return new SocketModeReceiver({
    appToken: APP_TOKEN,
    logger: SILENT,
    clientPingTimeout,
    installerOptions: { clientOptions: { slackApiUrl } },
  });
}

/** A tab of its own for the running test, opened by a person who has chosen who they are. */
export async function openAs(browser: Browser, desk: TestDesk, userId: string, place = '#billing-incidents'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.addInitScript((user) => sessionStorage.setItem('user', user), userId);
  await page.goto(desk.address(`/${place}`));
  await page.getByTestId('channel').first().waitFor({ state: 'attached' });
  return page;
}

/** A message in the list of the open channel. */
export function messageOf(page: Page, ts: string | undefined) {
  return page.getByTestId('messages').locator(`[data-testid="message"][data-ts="${ts}"]`);
}

export const plain = (text: string) => ({ type: 'plain_text' as const, text });

export function section(text: string): KnownBlock {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}

/** A button in a block of its own. */
export function button(actionId: string, label: string, value = 'opaque'): KnownBlock {
  return { type: 'actions', block_id: `${actionId}-block`, elements: [{ type: 'button', action_id: actionId, value, text: plain(label) }] };
}

/** A modal with these blocks. */
export function modalOf(blocks: KnownBlock[], more: Partial<ModalView> = {}): ModalView {
  return { type: 'modal', callback_id: 'form', title: plain('Run a check'), submit: plain('Run'), blocks, ...more };
}

/** A port of the loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const found = server.address();
      server.close(() => resolve(typeof found === 'object' && found ? found.port : 0));
    });
  });
}

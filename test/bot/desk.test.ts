import { request } from 'node:http';
import { createServer } from 'node:net';
import { serve } from '@hono/node-server';
import type { AckFn, BlockAction, ButtonAction, RespondFn, SlashCommand } from '@slack/bolt';
import { App, HTTPReceiver, LogLevel } from '@slack/bolt';
import type { AnyBlock, Block } from '@slack/web-api';
import { WebClient } from '@slack/web-api';
import { Hono } from 'hono';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../bot/desk/main.ts';
import { deliver } from '../../bot/desk/sign.ts';
import type { Started } from '../../core/process.ts';
import { launchBrowser } from '../helpers/browser.ts';
import { quietLog } from '../helpers/log.ts';

const SECRET = 'a-signing-secret-of-the-test';
const TOKEN = 'xoxb-of-the-test';
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let ports: { desk: number; bot: number; clinic: number };
let desk: Started;
let app: App;
let web: WebClient;
let browser: Browser;
let channel: string;
let presses: BlockAction<ButtonAction>[] = [];
let commands: SlashCommand[] = [];
const faults = [
  { fault: 'login-refused', tenant: 'riverside', on: false, title: 'Login refused', explains: 'The account is refused.' },
  { fault: 'login-refused', tenant: 'hillcrest', on: false, title: 'Login refused', explains: 'The account is refused.' },
];

beforeAll(async () => {
  ports = { desk: await freePort(), bot: await freePort(), clinic: await freePort() };
  const closeClinic = startClinic();
  desk = await start({ env: environment(), log: quietLog, options: {} });
  app = new App({
    token: TOKEN,
    receiver: new HTTPReceiver({ signingSecret: SECRET, logLevel: LogLevel.ERROR }),
    clientOptions: { slackApiUrl: address('/api/') },
    logLevel: LogLevel.ERROR,
  });
  listenToSlack();
  await app.start({ port: ports.bot, host: '127.0.0.1' });
  web = new WebClient(TOKEN, { slackApiUrl: address('/api/'), retryConfig: { retries: 0 } });
  const list = await web.conversations.list({});
  channel = list.channels?.find((one) => one.name === 'billing-incidents')?.id ?? '';
  browser = await launchBrowser();
  return async () => {
    await browser.close();
    await app.stop();
    await desk.stop();
    await closeClinic();
  };
});

beforeEach(() => {
  presses = [];
  commands = [];
});

afterAll(() => {
  expect(faults.every((fault) => !fault.on)).toBe(true);
});

describe('the Web API for the bot', () => {
  test('a channel goes by its name, metadata and ids are kept', async () => {
    const posted = await web.chat.postMessage({
      channel: '#billing-incidents',
      text: 'kept',
      blocks: [section('kept')],
      metadata: outbox('1'),
    });
    const asked = { channel, latest: posted.ts as string, oldest: posted.ts as string, inclusive: true, limit: 1 };
    const [withMetadata] = (await web.conversations.history({ ...asked, include_all_metadata: true })).messages ?? [];
    const [without] = (await web.conversations.history(asked)).messages ?? [];
    expect(withMetadata).toMatchObject({ ts: posted.ts, bot_id: 'B0ROUNDS', app_id: 'A0ROUNDS', metadata: outbox('1') });
    expect(withMetadata?.blocks?.[0]?.block_id).toMatch(/^.{5}$/);
    expect(without).not.toHaveProperty('metadata');
  });

  test('the history is cut by oldest, latest and limit, newest first', async () => {
    const posted = await Promise.all(['a', 'b', 'c', 'd'].map((text) => web.chat.postMessage({ channel, text })));
    const [a, , , d] = posted.map((one) => one.ts ?? '').sort();
    const between = await web.conversations.history({ channel, oldest: a as string, latest: d as string });
    const first = await web.conversations.history({ channel, oldest: a as string, limit: 2 });
    const second = await web.conversations.history({
      channel,
      oldest: a as string,
      limit: 2,
      cursor: first.response_metadata?.next_cursor as string,
    });
    expect(between.messages).toHaveLength(2);
    expect(first.messages?.[0]?.ts).toBe(d);
    expect(first.has_more).toBe(true);
    expect(second.messages).toHaveLength(1);
  });

  test('replies carry their metadata', async () => {
    const parent = await web.chat.postMessage({ channel, text: 'parent' });
    const ts = parent.ts as string;
    await web.chat.postMessage({ channel, text: 'reply', thread_ts: ts, metadata: outbox('2') });
    const replies = await web.conversations.replies({ channel, ts, include_all_metadata: true });
    expect(replies.messages?.map((one) => one.text)).toEqual(['parent', 'reply']);
    expect(replies.messages?.[1]).toMatchObject({ metadata: outbox('2') });
  });

  test('refuses what Slack refuses', async () => {
    const stranger = new WebClient('xoxb-somebody-else', { slackApiUrl: address('/api/'), retryConfig: { retries: 0 } });
    await expect(stranger.auth.test()).rejects.toThrow('invalid_auth');
    await expect(web.chat.update({ channel, ts: '1.000001', text: 'gone' })).rejects.toThrow('message_not_found');
    await expect(web.chat.postMessage({ channel: '#nowhere', text: 'x' })).rejects.toThrow('channel_not_found');
    await expect(web.chat.postMessage({ channel, text: 'x', blocks: [section('x'.repeat(3_001))] })).rejects.toThrow('invalid_blocks');
    await expect(web.conversations.replies({ channel, ts: '1.000001' })).rejects.toThrow('thread_not_found');
  });

  test('people are people, and the app is the bot', async () => {
    const { members = [] } = await web.users.list({});
    expect(members.map((one) => [one.id, one.is_bot])).toEqual([
      ['U0ROUNDS', true],
      ['U0ANA', false],
      ['U0BEN', false],
    ]);
    expect(await web.auth.test()).toMatchObject({ user_id: 'U0ROUNDS', bot_id: 'B0ROUNDS' });
  });
});

describe('the page', () => {
  test('shows blocks, a stored picture, an update and a thread, as they come', async () => {
    const page = await openAs('U0ANA');
    const file = await uploadPicture();
    const image: AnyBlock = { type: 'image', slack_file: { id: file }, alt_text: 'the invoice page' };
    const posted = await web.chat.postMessage({ channel, text: 'x', blocks: [section('🟠 *Billing* since `SELECT * FROM a`'), image] });
    const message = messageOf(page, posted.ts);
    await message.getByText('SELECT * FROM a').waitFor();
    await expect.poll(() => message.getByAltText('the invoice page').evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1);
    await web.chat.update({ channel, ts: posted.ts as string, text: 'x', blocks: [section('🟢 *Billing* is well')] });
    await message.getByText('is well').waitFor();
    await message.getByTestId('edited').waitFor();
    await web.chat.postMessage({ channel, text: '10:43 quorum reached', thread_ts: posted.ts as string });
    await message.getByRole('button', { name: '1 reply' }).click();
    await page.getByTestId('replies').getByText('10:43 quorum reached').waitFor();
    await page.getByTestId('thread-input').fill('I look at it');
    await page.keyboard.press('Enter');
    await page.getByTestId('replies').getByText('I look at it').waitFor();
    await web.chat.delete({ channel, ts: posted.ts as string });
    await message.waitFor({ state: 'detached' });
  });

  test('a list stays at its end though a picture arrives late, until somebody scrolls up', async () => {
    const file = await uploadPicture();
    await web.chat.postMessage({
      channel,
      text: 'x',
      blocks: [{ type: 'image', slack_file: { id: file }, alt_text: 'late' }, section('tall\n'.repeat(60))],
    });
    const last = await web.chat.postMessage({ channel, text: 'the last one' });
    const page = await openAs('U0ANA');
    await expect.poll(() => isInSight(page, last.ts)).toBe(true);
    await page.setViewportSize({ width: 700, height: 600 });
    await expect.poll(() => isInSight(page, last.ts)).toBe(true);
    await page.getByTestId('messages').evaluate((list) => list.scrollTo(0, 0));
    await expect.poll(() => page.getByTestId('messages').getAttribute('data-follow')).toBe('no');
    const later = await web.chat.postMessage({ channel, text: 'later' });
    await messageOf(page, later.ts).waitFor({ state: 'attached' });
    expect(await isInSight(page, later.ts)).toBe(false);
  });

  test('a press asks first, reaches Bolt as the person at the desk, and is answered to that person only', async () => {
    const [ana, ben] = [await openAs('U0ANA'), await openAs('U0BEN')];
    const posted = await web.chat.postMessage({ channel, text: 'x', blocks: [section('An alert'), actions('answer', true)] });
    const button = messageOf(ben, posted.ts).getByRole('button', { name: 'Press me' });
    await button.click();
    await ben.getByTestId('confirm-deny').click();
    expect(presses).toHaveLength(0);
    await button.click();
    await ben.getByTestId('confirm').getByText('SELECT * FROM b').waitFor();
    await ben.getByTestId('confirm-yes').click();
    const answer = ben.getByTestId('message').filter({ hasText: 'U0BEN may not' });
    await answer.getByText('Only visible to you').waitFor();
    expect(presses[0]).toMatchObject({
      user: { id: 'U0BEN' },
      channel: { id: channel, name: 'billing-incidents' },
      message: { ts: posted.ts, blocks: [{ type: 'section' }, { type: 'actions' }] },
      actions: [{ action_id: 'answer', value: 'opaque', type: 'button', text: { text: 'Press me' } }],
    });
    await answer.getByRole('button', { name: 'Dismiss' }).click();
    await answer.waitFor({ state: 'detached' });
    await messageOf(ana, posted.ts).waitFor();
    expect(await ana.getByText('U0BEN may not').count()).toBe(0);
  });

  test('a response URL replaces the message, and holds for 5 answers', async () => {
    const page = await openAs('U0ANA');
    const posted = await web.chat.postMessage({ channel, text: 'x', blocks: [section('Before'), actions('replace')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Press me' }).click();
    await messageOf(page, posted.ts).getByText('After').waitFor();
    const url = presses[0]?.response_url ?? '';
    const statuses = [];
    for (let use = 2; use <= 6; use += 1) statuses.push((await postJson(url, { text: `answer ${use}` })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 404]);
  });

  test('a bot that does not answer is said to be late, below its button', async () => {
    const page = await openAs('U0ANA');
    const posted = await web.chat.postMessage({ channel, text: 'x', blocks: [actions('silence')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Press me' }).click();
    await messageOf(page, posted.ts).getByText('Rounds did not answer in 3 s').waitFor();
  });

  test('a slash command reaches Bolt, and plain text is posted by the person', async () => {
    const page = await openAs('U0BEN');
    const input = page.getByTestId('composer-input');
    await input.fill('/rounds st');
    await page.getByTestId('command-hint').getByText('/rounds status [service]').click();
    await input.pressSequentially('billing');
    await input.press('Enter');
    await page.getByTestId('message').filter({ hasText: 'all well with billing' }).getByText('Only visible to you').waitFor();
    expect(commands[0]).toMatchObject({ command: '/rounds', text: 'status billing', user_id: 'U0BEN', channel_name: 'billing-incidents' });
    await input.fill('1 < 2 & <@U0ANA>');
    await input.press('Enter');
    await page.getByTestId('message').filter({ hasText: '1 < 2 & <@U0ANA>' }).waitFor();
  });

  test('the clinic is switched by the server, for one clinic or all', async () => {
    const page = await openAs('U0ANA');
    await page.getByRole('switch', { name: 'Login refused: Riverside' }).click();
    await page.getByRole('switch', { name: 'Login refused: Riverside', checked: true }).waitFor();
    expect(faults.map((fault) => fault.on)).toEqual([true, false]);
    const all = page.getByTestId('fault').getByRole('switch', { name: 'Login refused: All clinics' });
    await all.click();
    await page.getByRole('switch', { name: 'Login refused: Hillcrest', checked: true }).waitFor();
    await all.click();
    await page.getByRole('switch', { name: 'Login refused: Hillcrest', checked: false }).waitFor();
  });
});

describe('safety', () => {
  test('Bolt refuses what is signed wrongly', async () => {
    const url = `http://127.0.0.1:${ports.bot}/slack/events`;
    expect(await deliver({ url, signingSecret: 'another-secret' }, { command: '/rounds' })).toEqual({
      ok: false,
      reason: 'Rounds refused this with HTTP 401',
    });
  });

  test('a foreign page can neither press nor read', async () => {
    const body = { user: 'U0ANA', channel, text: 'from elsewhere' };
    expect((await postJson(address('/desk/type'), body, 'http://evil.example')).status).toBe(403);
    expect((await postJson(address('/desk/type'), body)).status).toBe(403);
    expect(await statusWithHost('evil.example')).toBe(403);
  });

  test('settings that are wrong are named', async () => {
    const wrong = { ...environment(), SLACK_BOT_TOKEN: 'nothing', ROUNDS_DESK_PORT: 'many' };
    await expect(start({ env: wrong, log: quietLog, options: {} })).rejects.toThrow(/SLACK_BOT_TOKEN: expected a bot token/);
    await expect(start({ env: environment(), log: quietLog, options: {} })).rejects.toThrow(`Port ${ports.desk} is taken`);
  });
});

function environment(): Record<string, string> {
  return {
    ROUNDS_DESK_PORT: String(ports.desk),
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_BOT_TOKEN: TOKEN,
    ROUNDS_BOT_URL: `http://127.0.0.1:${ports.bot}/slack/events`,
    CLINIC_CONTROL_URL: `http://127.0.0.1:${ports.clinic}`,
    CLINIC_OPS_TOKEN: 'ops-token',
  };
}

/** The clinic's switches as its control API has them, without a clinic behind. */
function startClinic(): () => Promise<void> {
  const clinic = new Hono();
  clinic.get('/faults', (context) => context.json(faults));
  clinic.post('/faults/:fault', async (context) => {
    if (context.req.header('authorization') !== 'Bearer ops-token') return context.json({}, 401);
    const { tenant, on } = await context.req.json<{ tenant?: string; on: boolean }>();
    for (const fault of faults) if (tenant === undefined || fault.tenant === tenant) fault.on = on;
    return context.json({ ok: true });
  });
  const server = serve({ fetch: clinic.fetch, port: ports.clinic, hostname: '127.0.0.1' });
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listenToSlack(): void {
  const pressed = async (ack: AckFn<void>, body: BlockAction<ButtonAction>): Promise<void> => {
    presses.push(body);
    await ack();
  };
  app.action<BlockAction<ButtonAction>>('answer', async ({ ack, body, respond }) => {
    await pressed(ack, body);
    await respond(`${body.user.id} may not`);
  });
  app.action<BlockAction<ButtonAction>>('replace', async ({ ack, body, respond }) => {
    await pressed(ack, body);
    await respond({ replace_original: true, text: 'After' });
  });
  app.action('silence', async () => {});
  app.command('/rounds', async ({ ack, command, respond }: { ack: AckFn<string>; command: SlashCommand; respond: RespondFn }) => {
    commands.push(command);
    await ack();
    await respond({ text: 'x', blocks: [section(`all well with ${command.text.split(' ')[1]}`)] });
  });
}

/** A tab of its own, opened by a person who has chosen who they are. */
async function openAs(userId: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  await page.goto(address('/#billing-incidents'));
  await page.getByTestId('user').selectOption(userId);
  await page.getByTestId('channel-title').getByText('# billing-incidents').waitFor();
  return page;
}

function messageOf(page: Page, ts: string | undefined) {
  return page.getByTestId('messages').locator(`[data-testid="message"][data-ts="${ts}"]`);
}

function isInSight(page: Page, ts: string | undefined): Promise<boolean> {
  return messageOf(page, ts).evaluate((one) => {
    const list = one.closest('ol')?.getBoundingClientRect();
    const place = one.getBoundingClientRect();
    return list !== undefined && place.top >= list.top && place.bottom <= list.bottom + 1;
  });
}

async function uploadPicture(): Promise<string> {
  const uploaded = (await web.files.uploadV2({ filename: 'invoice.png', file: PIXEL })) as unknown as {
    files: { files: { id: string }[] }[];
  };
  return uploaded.files[0]?.files[0]?.id ?? '';
}

function section(text: string): AnyBlock {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}

function actions(actionId: string, asks = false): Block & AnyBlock {
  const plain = (text: string) => ({ type: 'plain_text' as const, text });
  const confirm = {
    title: plain('Sure?'),
    text: { type: 'mrkdwn' as const, text: '`SELECT * FROM b`' },
    confirm: plain('Yes'),
    deny: plain('No'),
  };
  const button = { type: 'button' as const, action_id: actionId, value: 'opaque', text: plain('Press me'), ...(asks ? { confirm } : {}) };
  return { type: 'actions', elements: [button] };
}

function outbox(id: string) {
  return { event_type: 'rounds_post', event_payload: { outbox: id } };
}

function address(path: string): string {
  return `http://127.0.0.1:${ports.desk}${path}`;
}

function postJson(url: string, body: object, origin?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(origin ? { origin } : {}) };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

function statusWithHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: ports.desk, path: '/desk/setup', headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once('error', reject).end();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const found = server.address();
      server.close(() => resolve(typeof found === 'object' && found ? found.port : 0));
    });
  });
}

import { serve } from '@hono/node-server';
import type { App, BlockAction, types, ViewSubmitAction } from '@slack/bolt';
import type { HomeView, KnownBlock } from '@slack/web-api';
import { Hono } from 'hono';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser } from '../helpers/browser.ts';
import { button, freePort, modalOf, openAs, plain, section, type TestDesk, testDesk } from '../helpers/desk.ts';

let desk: TestDesk;
let browser: Browser;
let opened: types.AppHomeOpenedEvent[] = [];
let pressed: BlockAction[] = [];
let submitted: ViewSubmitAction[] = [];

beforeAll(async () => {
  desk = await testDesk({ listen });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await desk.close();
});
beforeEach(() => {
  [opened, pressed, submitted] = [[], [], []];
});

function homeOf(userId: string, text: string): HomeView {
  const select: KnownBlock = {
    type: 'section',
    block_id: 'which',
    text: { type: 'mrkdwn', text: '*Service*' },
    accessory: {
      type: 'static_select',
      action_id: 'service',
      placeholder: plain('Choose a service'),
      options: [
        { text: plain('Patient billing'), value: 'billing' },
        { text: plain('Clinic scheduling'), value: 'scheduling' },
      ],
    },
  };
  const header: KnownBlock = { type: 'header', text: plain(`Good morning, ${userId === 'U0ANA' ? 'Ana' : 'Ben'}`) };
  return { type: 'home', blocks: [header, section(text), select, button('run', 'Run a check…')] };
}

function listen(app: App): void {
  app.event('app_home_opened', async ({ event }) => {
    opened.push(event);
    if (event.tab === 'home') await app.client.views.publish({ user_id: event.user, view: homeOf(event.user, '*No incident is open.*') });
  });
  app.action<BlockAction>(/^(run|service)$/, async ({ ack, body, action }) => {
    pressed.push(body);
    await ack();
    const view = modalOf([section('Which?')], { callback_id: 'run' });
    if (action.action_id === 'run') await app.client.views.open({ trigger_id: body.trigger_id, view });
  });
  app.view<ViewSubmitAction>('run', async ({ ack, body }) => {
    submitted.push(body);
    await ack();
    await app.client.views.publish({ user_id: body.user.id, view: homeOf(body.user.id, 'A check *runs*.') });
  });
}

test('the Home tab is asked for when it is opened, for each person their own', async () => {
  const page = await openAs(browser, desk, 'U0ANA');
  await page.getByTestId('home').click();
  const home = page.getByTestId('home-tab');
  await home.getByText('Good morning, Ana').waitFor();
  expect(opened[0]).toMatchObject({ type: 'app_home_opened', user: 'U0ANA', tab: 'home', channel: expect.stringMatching(/^D/) });
  expect(opened[0]).not.toHaveProperty('view');
  expect(await page.getByTestId('composer').isVisible()).toBe(false);
  await page.getByTestId('user').selectOption('U0BEN');
  await home.getByText('Good morning, Ben').waitFor();
  await page.getByTestId('channel').filter({ hasText: 'operations' }).click();
  await page.getByTestId('composer').waitFor();
  expect(await home.isVisible()).toBe(false);
  await page.getByTestId('channel').filter({ hasText: 'Rounds' }).click();
  await page.getByTestId('home').click();
  await expect
    .poll(() => opened.map((event) => [event.user, event.tab, 'view' in event]))
    .toEqual([
      ['U0ANA', 'home', false],
      ['U0BEN', 'home', false],
      ['U0BEN', 'messages', false],
      ['U0BEN', 'home', true],
    ]);
});

test('a button of the Home tab opens a modal, and what comes of it is seen at once', async () => {
  const page = await openAs(browser, desk, 'U0ANA', '#/home');
  const home = page.getByTestId('home-tab');
  await home.getByLabel('Choose a service').selectOption('Clinic scheduling');
  await expect.poll(() => pressed.length).toBe(1);
  expect(pressed[0]).toMatchObject({
    container: { type: 'view' },
    view: { type: 'home' },
    actions: [{ type: 'static_select', action_id: 'service', selected_option: { value: 'scheduling' } }],
  });
  await home.getByRole('button', { name: 'Run a check…' }).click();
  await page.getByRole('dialog', { name: 'Run a check' }).getByRole('button', { name: 'Run' }).click();
  await home.getByText('A check runs.').waitFor();
  expect(submitted[0]).toMatchObject({ user: { id: 'U0ANA' }, view: { callback_id: 'run' } });
  expect(await page.getByTestId('modal').isVisible()).toBe(false);
});

test('an event that fails comes again at once, with the same id and the number of the attempt', async () => {
  const attempts: { retry: string | undefined; reason: string | undefined; id: string }[] = [];
  const deaf = new Hono().post('/slack/events', async (context) => {
    const { event_id: id } = await context.req.json<{ event_id: string }>();
    attempts.push({ retry: context.req.header('x-slack-retry-num'), reason: context.req.header('x-slack-retry-reason'), id });
    return context.text('', attempts.length === 1 ? 500 : 200);
  });
  const port = await freePort();
  const server = serve({ fetch: deaf.fetch, port, hostname: '127.0.0.1' });
  const silent = await testDesk({ env: { ROUNDS_BOT_URL: `http://127.0.0.1:${port}/slack/events` } });
  try {
    expect(await silent.act('/desk/opened', { user: 'U0ANA', tab: 'home' })).toMatchObject({ reason: 'Rounds refused this with HTTP 500' });
    await expect.poll(() => attempts.length).toBe(2);
    expect(attempts[0]).toEqual({ retry: undefined, reason: undefined, id: expect.stringMatching(/^Ev/) });
    expect(attempts[1]).toEqual({ retry: '1', reason: 'http_error', id: attempts[0]?.id });
  } finally {
    await silent.close();
    server.close();
  }
});

test('a person who was given nothing is told so', async () => {
  const silent = await testDesk({ env: { ROUNDS_BOT_URL: 'http://127.0.0.1:9/slack/events' } });
  try {
    const page = await openAs(browser, silent, 'U0ANA', '#/home');
    await page.getByText('Rounds has not published anything here yet.').waitFor();
    await page.getByTestId('home-warning').getByText('Rounds cannot be reached').waitFor();
  } finally {
    await silent.close();
  }
});

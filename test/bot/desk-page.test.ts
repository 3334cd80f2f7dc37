import { readFile } from 'node:fs/promises';
import type { AckFn, App, BlockAction, ButtonAction, RespondFn, SlashCommand } from '@slack/bolt';
import type { AnyBlock, Block } from '@slack/web-api';
import type { Browser, Page } from 'playwright';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser } from '../helpers/browser.ts';
import { messageOf, openAs, section, type TestDesk, testDesk } from '../helpers/desk.ts';

const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

let desk: TestDesk;
let browser: Browser;
let channel: string;
let presses: BlockAction<ButtonAction>[] = [];
let commands: SlashCommand[] = [];

beforeAll(async () => {
  desk = await testDesk({ listen: listenToSlack });
  channel = await desk.channelId('billing-incidents');
  browser = await launchBrowser();
  return async () => {
    await browser.close();
    await desk.close();
  };
});

beforeEach(() => {
  presses = [];
  commands = [];
});

describe('the page', () => {
  test('shows blocks, a stored picture, an update and a thread, as they come', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const file = await uploadPicture();
    const image: AnyBlock = { type: 'image', slack_file: { id: file }, alt_text: 'the invoice page' };
    const posted = await desk.web.chat.postMessage({
      channel,
      text: 'x',
      blocks: [section('🟠 *Billing* since `SELECT * FROM a`'), image],
    });
    const message = messageOf(page, posted.ts);
    await message.getByText('SELECT * FROM a').waitFor();
    await expect.poll(() => message.getByAltText('the invoice page').evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1);
    await desk.web.chat.update({ channel, ts: posted.ts as string, text: 'x', blocks: [section('🟢 *Billing* is well')] });
    await message.getByText('is well').waitFor();
    await message.getByTestId('edited').waitFor();
    await desk.web.chat.postMessage({ channel, text: '10:43 quorum reached', thread_ts: posted.ts as string });
    await message.getByRole('button', { name: '1 reply' }).click();
    await page.getByTestId('replies').getByText('10:43 quorum reached').waitFor();
    await page.getByTestId('thread-input').fill('I look at it');
    await page.keyboard.press('Enter');
    await page.getByTestId('replies').getByText('I look at it').waitFor();
    await desk.web.chat.delete({ channel, ts: posted.ts as string });
    await message.waitFor({ state: 'detached' });
  });

  test('a list stays at its end though a picture arrives late, until somebody scrolls up', async () => {
    const file = await uploadPicture();
    await desk.web.chat.postMessage({
      channel,
      text: 'x',
      blocks: [{ type: 'image', slack_file: { id: file }, alt_text: 'late' }, section('tall\n'.repeat(60))],
    });
    const last = await desk.web.chat.postMessage({ channel, text: 'the last one' });
    const page = await openAs(browser, desk, 'U0ANA');
    await expect.poll(() => isInSight(page, last.ts)).toBe(true);
    await page.setViewportSize({ width: 700, height: 600 });
    await expect.poll(() => isInSight(page, last.ts)).toBe(true);
    await page.getByTestId('messages').evaluate((list) => list.scrollTo(0, 0));
    await expect.poll(() => page.getByTestId('messages').getAttribute('data-follow')).toBe('no');
    const later = await desk.web.chat.postMessage({ channel, text: 'later' });
    await messageOf(page, later.ts).waitFor({ state: 'attached' });
    expect(await isInSight(page, later.ts)).toBe(false);
  });

  test('files are shown: pictures as such, others to be downloaded', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    await desk.web.filesUploadV2({
      channel_id: channel,
      filename: 'report.csv',
      title: 'Report of today',
      file: Buffer.from('a,b\n1,2\n'),
    });
    await desk.web.filesUploadV2({ channel_id: channel, filename: 'chart.png', title: 'Chart', file: PIXEL });
    const file = page.getByTestId('file').filter({ hasText: 'Report of today' });
    await file.getByText('CSV · 8 B').waitFor();
    const started = page.waitForEvent('download');
    await file.click();
    const download = await started;
    expect(download.suggestedFilename()).toBe('report.csv');
    expect(await readFile(await download.path(), 'utf8')).toBe('a,b\n1,2\n');
    const chart = page.getByAltText('Chart').last();
    await expect.poll(() => chart.evaluate((one) => (one as HTMLImageElement).naturalWidth)).toBe(1);
  });

  test('a direct message reaches one person, and a permalink leads to its message', async () => {
    const [ana, ben] = [await openAs(browser, desk, 'U0ANA'), await openAs(browser, desk, 'U0BEN')];
    const alert = await desk.web.chat.postMessage({ channel, text: 'the alert in question' });
    await desk.web.chat.postMessage({ channel, text: 'tall\n'.repeat(80) });
    const { permalink } = await desk.web.chat.getPermalink({ channel, message_ts: alert.ts ?? '' });
    const posted = await desk.web.chat.postMessage({ channel: 'U0BEN', text: `You are asked: <${permalink}|the alert>` });
    await ben.locator('[data-channel="Rounds"].unread').click();
    await messageOf(ben, posted.ts).getByRole('link', { name: 'the alert' }).click();
    await ben.getByTestId('channel-title').getByText('# billing-incidents').waitFor();
    await expect.poll(() => isInSight(ben, alert.ts)).toBe(true);
    await ana.getByTestId('channel').filter({ hasText: 'Rounds' }).click();
    await ana.getByTestId('channel-title').getByText('Rounds', { exact: true }).waitFor();
    expect(await ana.getByText('You are asked').count()).toBe(0);
    const reply = await desk.web.chat.postMessage({ channel, text: 'in the thread', thread_ts: alert.ts ?? '' });
    const inThread = await desk.web.chat.getPermalink({ channel, message_ts: reply.ts ?? '' });
    await ana.goto(inThread.permalink ?? '');
    await ana.getByTestId('replies').getByText('in the thread').waitFor();
  });

  test('menus in a message say what was chosen', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const text = (words: string) => ({ type: 'plain_text' as const, text: words });
    const options = [
      { text: text('One hour'), value: '1h' },
      { text: text('Four hours'), value: '4h' },
    ];
    const select = { type: 'static_select' as const, action_id: 'snooze', placeholder: text('Snooze for'), options };
    const more = { type: 'overflow' as const, action_id: 'more', options };
    const blocks = [{ type: 'actions' as const, block_id: 'menus', elements: [select, more] }];
    const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks });
    await messageOf(page, posted.ts).getByLabel('Snooze for').selectOption('Four hours');
    await expect.poll(() => presses.length).toBe(1);
    await messageOf(page, posted.ts).getByLabel('More actions').click();
    await messageOf(page, posted.ts).getByRole('button', { name: 'One hour' }).click();
    await expect.poll(() => presses.length).toBe(2);
    expect(presses[0]).toMatchObject({
      actions: [{ type: 'static_select', selected_option: { value: '4h' } }],
      state: { values: { menus: { snooze: { type: 'static_select', selected_option: { value: '4h' } } } } },
    });
    expect(presses[1]).toMatchObject({ actions: [{ type: 'overflow', action_id: 'more', selected_option: { value: '1h' } }] });
  });

  test('a press asks first, reaches Bolt as the person at the desk, and is answered to that person only', async () => {
    const [ana, ben] = [await openAs(browser, desk, 'U0ANA'), await openAs(browser, desk, 'U0BEN')];
    const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks: [section('An alert'), actions('answer', true)] });
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
    const page = await openAs(browser, desk, 'U0ANA');
    const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks: [section('Before'), actions('replace')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Press me' }).click();
    await messageOf(page, posted.ts).getByText('After').waitFor();
    const url = presses[0]?.response_url ?? '';
    const statuses = [];
    for (let use = 2; use <= 6; use += 1) statuses.push((await postJson(url, { text: `answer ${use}` })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 404]);
  });

  test('a bot that does not answer is said to be late, below its button', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks: [actions('silence')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Press me' }).click();
    await messageOf(page, posted.ts).getByText('Rounds did not answer in 3 s').waitFor();
  });

  test('a slash command reaches Bolt, and plain text is posted by the person', async () => {
    const page = await openAs(browser, desk, 'U0BEN');
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
});

function listenToSlack(app: App): void {
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
  app.action<BlockAction<ButtonAction>>(/^(snooze|more)$/, ({ ack, body }) => pressed(ack, body));
  app.action('silence', async () => {});
  app.command('/rounds', async ({ ack, command, respond }: { ack: AckFn<string>; command: SlashCommand; respond: RespondFn }) => {
    commands.push(command);
    await ack();
    await respond({ text: 'x', blocks: [section(`all well with ${command.text.split(' ')[1]}`)] });
  });
}

function isInSight(page: Page, ts: string | undefined): Promise<boolean> {
  return messageOf(page, ts).evaluate((one) => {
    const list = one.closest('ol')?.getBoundingClientRect();
    const place = one.getBoundingClientRect();
    return list !== undefined && place.top >= list.top && place.bottom <= list.bottom + 1;
  });
}

async function uploadPicture(): Promise<string> {
  const uploaded = (await desk.web.files.uploadV2({ filename: 'invoice.png', file: PIXEL })) as unknown as {
    files: { files: { id: string }[] }[];
  };
  return uploaded.files[0]?.files[0]?.id ?? '';
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

function postJson(url: string, body: object): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

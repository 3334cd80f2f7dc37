import type { App, BlockAction, ButtonAction, SlashCommand, ViewClosedAction, ViewSubmitAction } from '@slack/bolt';
import type { KnownBlock, WebAPIPlatformError } from '@slack/web-api';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launchBrowser } from '../helpers/browser.ts';
import { button, messageOf, modalOf, openAs, plain, section, type TestDesk, testDesk } from '../helpers/desk.ts';
import { FIELDS, option } from '../helpers/desk-form.ts';

let desk: TestDesk;
let browser: Browser;
let channel: string;
let submissions: ViewSubmitAction[] = [];
let closed: ViewClosedAction[] = [];
let pressed: BlockAction[] = [];
let asked: string[] = [];
/** What the app opens at the next press of "Open". */
let next = modalOf(FIELDS);
let openError: string | undefined;

beforeAll(async () => {
  desk = await testDesk({ listen });
  browser = await launchBrowser();
  channel = await desk.channelId('billing-incidents');
});
afterAll(async () => {
  await browser.close();
  await desk.close();
});
beforeEach(() => {
  [submissions, closed, pressed, asked, openError] = [[], [], [], [], undefined];
});

function listen(app: App): void {
  const open = async (trigger_id: string): Promise<void> => {
    const outcome = await app.client.views.open({ trigger_id, view: next }).catch((error: Error) => error);
    if (outcome instanceof Error) openError = (outcome as WebAPIPlatformError).data.response_metadata?.messages?.join(' ');
  };
  app.action<BlockAction<ButtonAction>>('open', async ({ ack, body }) => {
    await ack();
    await open(body.trigger_id);
  });
  app.command('/rounds', async ({ ack, command }: { ack(): Promise<void>; command: SlashCommand }) => {
    await ack();
    await open(command.trigger_id);
  });
  app.action<BlockAction>('more', async ({ ack, body }) => {
    pressed.push(body);
    await ack();
    await app.client.views.push({ trigger_id: body.trigger_id, view: modalOf([section('Above')], { title: plain('Details') }) });
  });
  app.action<BlockAction>('change', async ({ ack, body }) => {
    pressed.push(body);
    await ack();
    const view = modalOf([section('Changed'), ...next.blocks] as KnownBlock[]);
    await app.client.views.update({ view_id: body.view?.id ?? '', hash: body.view?.hash ?? '', view });
  });
  app.options('find', async ({ ack, payload }) => {
    asked.push(payload.value);
    const all = [option('INC-128 Billing', 'INC-128'), option('INC-129 Portal', 'INC-129')];
    await ack({ options: all.filter((one) => one.text.text.toLowerCase().includes(payload.value)) });
  });
  app.view<ViewSubmitAction>('form', async ({ ack, body }) => {
    submissions.push(body);
    const name = body.view.state.values.check?.name?.value;
    if (name === 'unknown') await ack({ response_action: 'errors', errors: { check: 'I know no check "unknown".' } });
    else if (name === 'strange') await ack({ response_action: 'errors', errors: { nowhere: 'Nobody sees this.' } });
    else if (name === 'another')
      await ack({ response_action: 'update', view: modalOf([section('It runs.')], { title: plain('Running') }) });
    else if (name === 'above') await ack({ response_action: 'push', view: modalOf([section('On top.')], { title: plain('Above') }) });
    else if (name === 'over') await ack({ response_action: 'clear' });
    else if (name !== 'silence') await ack();
  });
  app.view({ callback_id: 'form', type: 'view_closed' }, async ({ ack, body }) => {
    closed.push(body as ViewClosedAction);
    await ack();
  });
}

/** Opens the modal by a button in the channel. */
async function openModal(page: Page, view = modalOf(FIELDS)) {
  next = view;
  const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks: [section('An alert'), button('open', 'Open')] });
  await messageOf(page, posted.ts).getByRole('button', { name: 'Open' }).click();
  await page.getByRole('dialog', { name: view.title.text }).waitFor();
  return page.getByTestId('modal');
}

const NAME_ONLY = [FIELDS[1] as KnownBlock];

describe('a modal', () => {
  test('is filled in, corrected and submitted, and its values have the shapes that Slack gives them', async () => {
    const page = await openAs(browser, desk, 'U0BEN');
    const modal = await openModal(page);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-action'))).toBe('name');
    await modal.getByRole('button', { name: 'Run' }).click();
    await modal.locator('[data-input="check"]').getByText('Please complete this required field.').waitFor();
    expect(submissions).toHaveLength(0);
    await modal.getByLabel('Check').fill('unknown');
    await modal.getByLabel('How often').fill('2.5');
    await modal.getByLabel('Location').selectOption('South');
    await modal.getByRole('checkbox', { name: 'Lakeside' }).check();
    await modal.getByRole('checkbox', { name: 'Riverside' }).check();
    await modal.getByLabel('On behalf of').selectOption('Ana');
    await modal.getByRole('checkbox', { name: 'The owner' }).check();
    await modal.getByRole('radio', { name: 'Careful' }).check();
    await modal.getByLabel('Incident').click();
    await modal.getByLabel('Incident').pressSequentially('port');
    await modal.getByRole('option', { name: 'INC-129 Portal' }).waitFor();
    await modal.getByRole('option', { name: 'INC-128 Billing' }).waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await modal.getByLabel('Answer in').selectOption('# operations');
    await modal.getByLabel('Check').press('Enter');
    await modal.getByText('Enter a whole number.').waitFor();
    await modal.getByLabel('How often').fill('2');
    await modal.getByLabel('How often').press('Enter');
    await modal.getByText('I know no check "unknown".').waitFor();
    expect(await modal.getByLabel('Check').getAttribute('aria-invalid')).toBe('true');
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-action'))).toBe('name');
    await modal.getByLabel('Check').fill('post-invoice/riverside');
    await page.keyboard.press('Control+Enter');
    await modal.waitFor({ state: 'hidden' });
    const { view, user, response_urls: urls, trigger_id: trigger } = submissions.at(-1) as ViewSubmitAction;
    expect(user).toMatchObject({ id: 'U0BEN', name: 'ben', team_id: 'T000000001' });
    expect(trigger).toMatch(/^\d+\.\d+\.[0-9a-f]{32}$/);
    const emoji = { type: 'plain_text', emoji: true };
    expect(view.state.values).toEqual({
      check: { name: { type: 'plain_text_input', value: 'post-invoice/riverside' } },
      times: { count: { type: 'number_input', value: '2' } },
      location: { where: { type: 'static_select', selected_option: { text: { ...emoji, text: 'South' }, value: 'south' } } },
      clinics: {
        which: {
          type: 'multi_static_select',
          selected_options: [
            { text: { ...emoji, text: 'Riverside' }, value: 'riverside' },
            { text: { ...emoji, text: 'Lakeside' }, value: 'lakeside' },
          ],
        },
      },
      person: { who: { type: 'users_select', selected_user: 'U0ANA' } },
      tell: { whom: { type: 'checkboxes', selected_options: [{ text: { ...emoji, text: 'The owner' }, value: 'owner' }] } },
      speed: { pace: { type: 'radio_buttons', selected_option: { text: { ...emoji, text: 'Careful' }, value: 'careful' } } },
      until: { day: { type: 'datepicker', selected_date: '2026-03-01' } },
      at: { hour: { type: 'timepicker', selected_time: null } },
      incident: { find: { type: 'external_select', selected_option: { text: plain('INC-129 Portal'), value: 'INC-129' } } },
      answer: { there: { type: 'conversations_select', selected_conversation: await desk.channelId('operations') } },
    });
    expect(asked).toContain('port');
    expect(urls).toMatchObject([{ block_id: 'answer', action_id: 'there', channel_id: await desk.channelId('operations') }]);
    const answered = await fetch(urls?.[0]?.response_url ?? '', {
      method: 'POST',
      body: '{"text":"It runs","response_type":"in_channel"}',
    });
    expect(answered.status).toBe(200);
  });

  test('is replaced, laid above another, and cleared, as the app answers', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const modal = await openModal(page, modalOf(NAME_ONLY, { notify_on_close: true }));
    await modal.getByLabel('Check').fill('above');
    await modal.getByLabel('Check').press('Enter');
    await page.getByRole('dialog', { name: 'Above' }).getByText('On top.').waitFor();
    await modal.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('dialog', { name: 'Run a check' }).waitFor();
    expect(await modal.getByLabel('Check').inputValue()).toBe('above');
    await modal.getByLabel('Check').fill('another');
    await modal.getByRole('button', { name: 'Run' }).click();
    await page.getByRole('dialog', { name: 'Running' }).getByText('It runs.').waitFor();
    await page.keyboard.press('Escape');
    await modal.waitFor({ state: 'hidden' });
    await openModal(page, modalOf(NAME_ONLY));
    await modal.getByLabel('Check').fill('over');
    await modal.getByLabel('Check').press('Enter');
    await modal.waitFor({ state: 'hidden' });
  });

  test('says what Slack says when the app is silent, or answers what cannot be shown', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const modal = await openModal(page, modalOf(NAME_ONLY));
    await modal.getByLabel('Check').fill('strange');
    await modal.getByLabel('Check').press('Enter');
    await modal.getByText('We had some trouble connecting. Try again?').waitFor();
    await modal.getByLabel('Check').fill('silence');
    await modal.getByLabel('Check').press('Enter');
    await modal.locator('[data-testid="modal-submit"][aria-busy]').waitFor();
    await modal.getByText('We had some trouble connecting. Try again?').waitFor();
    expect(await modal.getByTestId('modal-submit').getAttribute('aria-busy')).toBeNull();
    await modal.getByRole('button', { name: 'Cancel' }).click();
    await modal.waitFor({ state: 'hidden' });
    expect(closed).toHaveLength(0);
  });

  test('tells the app that it was closed, when that is asked for', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const modal = await openModal(page, modalOf(NAME_ONLY, { notify_on_close: true, private_metadata: 'kept' }));
    await modal.getByLabel('Check').fill('half');
    await modal.getByRole('button', { name: 'Cancel' }).click();
    await modal.waitFor({ state: 'hidden' });
    await expect.poll(() => closed).toMatchObject([{ is_cleared: false, view: { private_metadata: 'kept' } }]);
    await openModal(page, modalOf(NAME_ONLY, { notify_on_close: true }));
    await page.keyboard.press('Escape');
    await expect.poll(() => closed.length).toBe(2);
    expect(closed[1]?.is_cleared).toBe(true);
  });

  test('sends presses with what is filled in; an update keeps it, a push lies above', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const blocks = [...NAME_ONLY, button('change', 'Change'), button('more', 'More')];
    const modal = await openModal(page, modalOf(blocks));
    await modal.getByLabel('Check').fill('half-done');
    await modal.getByRole('button', { name: 'Change' }).click();
    await modal.getByText('Changed', { exact: true }).waitFor();
    expect(await modal.getByLabel('Check').inputValue()).toBe('half-done');
    expect(pressed[0]).toMatchObject({
      type: 'block_actions',
      container: { type: 'view' },
      view: { type: 'modal', state: { values: { check: { name: { value: 'half-done' } } } } },
      actions: [{ action_id: 'change', type: 'button', value: 'opaque' }],
    });
    expect(pressed[0]).not.toHaveProperty('response_url');
    await modal.getByRole('button', { name: 'More' }).click();
    await page.getByRole('dialog', { name: 'Details' }).waitFor();
    await modal.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('dialog', { name: 'Run a check' }).waitFor();
    expect(await modal.getByLabel('Check').inputValue()).toBe('half-done');
  });

  test('opens by a command, in the page where it was typed and in no other', async () => {
    const [page, other] = [await openAs(browser, desk, 'U0ANA'), await openAs(browser, desk, 'U0ANA')];
    next = modalOf(NAME_ONLY);
    await page.getByTestId('composer-input').fill('/rounds run');
    await page.getByTestId('composer-input').press('Enter');
    await page.getByRole('dialog', { name: 'Run a check' }).waitFor();
    const posted = await desk.web.chat.postMessage({ channel, text: 'seen by both' });
    await messageOf(other, posted.ts).waitFor();
    expect(await other.getByTestId('modal').isVisible()).toBe(false);
    await page.getByTestId('modal-close').click();
  });

  test('that Slack would refuse is refused', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    next = modalOf(NAME_ONLY, { title: plain('A title that is much too long for Slack') });
    const posted = await desk.web.chat.postMessage({ channel, text: 'x', blocks: [button('open', 'Open')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Open' }).click();
    await expect.poll(() => openError).toContain('must be less than 25 characters [json-pointer:/view/title/text]');
  });
});

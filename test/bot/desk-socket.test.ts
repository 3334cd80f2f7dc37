import { once } from 'node:events';
import type { App, BlockAction, SlashCommand } from '@slack/bolt';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { launchBrowser } from '../helpers/browser.ts';
import { APP_TOKEN, button, clientOf, messageOf, modalOf, openAs, plain, section, type TestDesk, testDesk } from '../helpers/desk.ts';

interface Envelope {
  type: string;
  envelope_id: string;
  payload: Record<string, unknown>;
  [field: string]: unknown;
}

/** One end of a socket, by hand. */
interface Link {
  socket: WebSocket;
  received: Envelope[];
  /** The first envelope of this type that has not been taken yet. */
  next(type: string): Promise<Envelope>;
  ack(envelope: Envelope, payload?: object): void;
}

/** Connects to the desk as Slack's clients do, without a client of Slack's. */
async function connect(desk: TestDesk): Promise<Link> {
  const { url } = await clientOf(desk.address('/api/'), APP_TOKEN).apps.connections.open({});
  const socket = new WebSocket(url ?? '');
  onTestFinished(() => socket.terminate());
  const received: Envelope[] = [];
  socket.on('message', (data) => received.push(JSON.parse(String(data))));
  await once(socket, 'open');
  return {
    socket,
    received,
    next: async (type) => {
      await expect.poll(() => received.some((one) => one.type === type), { timeout: 10_000 }).toBe(true);
      return received.splice(
        received.findIndex((one) => one.type === type),
        1,
      )[0] as Envelope;
    },
    ack: (envelope, payload) => socket.send(JSON.stringify({ envelope_id: envelope.envelope_id, ...(payload ? { payload } : {}) })),
  };
}

describe('Socket Mode, with an app of Bolt', () => {
  let desk: TestDesk;
  let browser: Browser;
  let commands: SlashCommand[] = [];

  beforeAll(async () => {
    desk = await testDesk({ receiver: 'socket', listen });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await desk.close();
  });

  function listen(app: App): void {
    app.command('/rounds', async ({ ack, command, respond }) => {
      commands.push(command);
      await ack({ text: `heard ${command.text}` });
      await respond('and done');
    });
    app.action<BlockAction>('open', async ({ ack, body }) => {
      await ack();
      const element = { type: 'plain_text_input' as const, action_id: 'text' };
      const field = { type: 'input' as const, block_id: 'field', label: plain('Reason'), element };
      await app.client.views.open({ trigger_id: body.trigger_id, view: modalOf([field]) });
    });
    app.view('form', async ({ ack, view }) => {
      const text = view.state.values.field?.text?.value;
      if (text === 'no') await ack({ response_action: 'errors', errors: { field: 'Say why.' } });
      else await ack();
    });
    app.event('app_home_opened', async ({ event }) => {
      await app.client.views.publish({ user_id: event.user, view: { type: 'home', blocks: [section(`Home of ${event.user}`)] } });
    });
  }

  test('commands, presses, modals and events come by socket, before and after a refresh', async () => {
    const page = await openAs(browser, desk, 'U0ANA');
    const say = async (text: string) => {
      await page.getByTestId('composer-input').fill(`/rounds ${text}`);
      await page.getByTestId('composer-input').press('Enter');
      await page
        .getByTestId('message')
        .filter({ hasText: `heard ${text}` })
        .waitFor();
    };
    await say('before');
    const told = await desk.act('/desk/sockets/disconnect', { reason: 'refresh_requested' });
    expect(told).toEqual({ told: 1 });
    await expect.poll(async () => (await fetch(desk.address('/desk/sockets'))).json(), { timeout: 15_000 }).toEqual({ connections: 0 });
    await expect.poll(async () => (await fetch(desk.address('/desk/sockets'))).json(), { timeout: 15_000 }).toEqual({ connections: 1 });
    await say('after');
    expect(commands.map((command) => command.text)).toEqual(['before', 'after']);
    commands = [];
    const posted = await desk.web.chat.postMessage({ channel: '#billing-incidents', text: 'x', blocks: [button('open', 'Open')] });
    await messageOf(page, posted.ts).getByRole('button', { name: 'Open' }).click();
    const modal = page.getByTestId('modal');
    await modal.getByLabel('Reason').fill('no');
    await modal.getByLabel('Reason').press('Enter');
    await modal.getByText('Say why.').waitFor();
    await modal.getByLabel('Reason').fill('it is slow');
    await modal.getByLabel('Reason').press('Enter');
    await modal.waitFor({ state: 'hidden' });
    await page.getByTestId('home').click();
    await page.getByTestId('home-tab').getByText('Home of U0ANA').waitFor();
  });
});

describe('Socket Mode, by hand', () => {
  let desk: TestDesk;
  let channel: string;
  const type = (text: string) => desk.act('/desk/type', { user: 'U0ANA', channel, text });

  beforeAll(async () => {
    desk = await testDesk();
    channel = await desk.channelId('operations');
  });
  afterAll(() => desk.close());

  test('greets each connection, and gives each envelope to one of them', async () => {
    const [one, two] = [await connect(desk), await connect(desk)];
    expect(await one.next('hello')).toMatchObject({ num_connections: 1, connection_info: { app_id: 'A0ROUNDS' } });
    expect(await two.next('hello')).toMatchObject({ num_connections: 2, debug_info: { approximate_connection_time: expect.any(Number) } });
    const typed = [type('/rounds status'), type('/rounds incidents')];
    const envelopes = [await one.next('slash_commands'), await two.next('slash_commands')];
    expect(envelopes.map((envelope) => envelope.payload.text).sort()).toEqual(['incidents', 'status']);
    expect(envelopes[0]).toMatchObject({ accepts_response_payload: true, envelope_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    // An acknowledgement by the other connection is none.
    two.ack(envelopes[0] as Envelope, { text: 'wrong' });
    one.ack(envelopes[0] as Envelope, { text: 'answered' });
    two.ack(envelopes[1] as Envelope);
    expect(await Promise.all(typed)).toEqual([{ ok: true }, { ok: true }]);
    const shown = await (await fetch(desk.address(`/desk/channels/${channel}/messages?user=U0ANA`))).text();
    expect(shown).toContain('answered');
    expect(shown).not.toContain('wrong');
  });

  test('sends what was not acknowledged to another connection, and to a later one', async () => {
    const [one, two] = [await connect(desk), await connect(desk)];
    const typed = type('/rounds why INC-1');
    await expect.poll(() => [one, two].find((link) => link.received.some((envelope) => envelope.type === 'slash_commands'))).toBeDefined();
    const first = [one, two].find((link) => link.received.some((envelope) => envelope.type === 'slash_commands')) as Link;
    const second = first === one ? two : one;
    const lost = await first.next('slash_commands');
    first.socket.terminate();
    const again = await second.next('slash_commands');
    expect(again.envelope_id).toBe(lost.envelope_id);
    second.socket.terminate();
    const third = await connect(desk);
    const last = await third.next('slash_commands');
    third.ack(last);
    expect(last.envelope_id).toBe(lost.envelope_id);
    expect(await typed).toEqual({ ok: true });
  });

  test('sends nothing more to a connection that was told to go, and closes it when it stays', async () => {
    const [one, two] = [await connect(desk), await connect(desk)];
    await Promise.all([one.next('hello'), two.next('hello')]);
    expect(await desk.act('/desk/sockets/disconnect', { reason: 'warning', which: 'oldest' })).toEqual({ told: 1 });
    expect(await one.next('disconnect')).toMatchObject({ reason: 'warning' });
    for (const text of ['/rounds status', '/rounds incidents']) {
      const typed = type(text);
      two.ack(await two.next('slash_commands'));
      expect(await typed).toEqual({ ok: true });
    }
    expect(one.received).toEqual([]);
    await once(one.socket, 'close');
  });

  test('says that an app is late, and that an event comes again', async () => {
    const link = await connect(desk);
    const typed = type('/rounds status');
    await link.next('slash_commands');
    expect(await typed).toEqual({ ok: false, reason: 'Rounds did not answer in 3 s' });
    const told = desk.act('/desk/opened', { user: 'U0ANA', tab: 'home' });
    const first = await link.next('events_api');
    expect(first).toMatchObject({
      retry_attempt: 0,
      retry_reason: '',
      payload: { type: 'event_callback', event: { type: 'app_home_opened' } },
    });
    expect(await told).toMatchObject({ ok: false });
    const again = await link.next('events_api');
    link.ack(again);
    expect(again).toMatchObject({ retry_attempt: 1, retry_reason: 'http_timeout', payload: { event_id: first.payload.event_id } });
    expect(again.envelope_id).not.toBe(first.envelope_id);
  });

  test('lets nobody in without a ticket, nor twice with one, nor an eleventh', async () => {
    const closed = async (url: string) => {
      const socket = new WebSocket(url);
      const [error] = await once(socket, 'error');
      return (error as Error).message;
    };
    const { url = '' } = await clientOf(desk.address('/api/'), APP_TOKEN).apps.connections.open({});
    expect(await closed(url.replace(/ticket=\w+/, 'ticket=none'))).toContain('401');
    const links = [new WebSocket(url)];
    onTestFinished(() => {
      for (const link of links) link.terminate();
    });
    await once(links[0] as WebSocket, 'open');
    expect(await closed(url)).toContain('401');
    const others = [];
    for (let count = 2; count <= 11; count += 1) others.push(await connect(desk));
    expect(await others.at(-1)?.next('disconnect')).toMatchObject({ reason: 'too_many_websockets' });
  });
});

import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { BotOptions } from '../../bot/bot.ts';
import { SlackWeb } from '../../bot/web.ts';
import { quietLog } from '../helpers/log.ts';
import { type Answers, openIncident, SHORT, someFacts, startAnswers, type TestSlack, testSlack, until } from '../helpers/slack.ts';
import { type SlackSocket, startSlackSocket } from '../helpers/slack-socket.ts';

let slack: TestSlack;
let answers: Answers;
let socket: SlackSocket;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let turn = 0;

const QUICK = { helloMs: 1_000, steadyMs: 1, retryMs: 30, outOfStepMs: 3_600_000, closeMs: 500 };

/** A bot that speaks by Socket Mode with that server alone. */
function over(server: SlackSocket, more: Partial<BotOptions> = {}): Partial<BotOptions> {
  const web = new SlackWeb({ token: 'xoxb-1', apiUrl: server.apiUrl, timeoutMs: 2_000, log: quietLog, now: Date.now });
  return { appToken: 'xapp-1', apiUrl: server.apiUrl, slack: web, socketTiming: QUICK, timing: SHORT, ...more };
}

beforeAll(async () => {
  slack = await testSlack();
  answers = await startAnswers();
  socket = await startSlackSocket();
  bot = await slack.bot(over(socket));
  await until('two connections', async () => socket.connections.length === 2);
  return async () => {
    await answers.close();
    await slack.close();
    await socket.close();
  };
});
beforeEach(() => {
  answers.received.length = 0;
});

const command = (text: string) => {
  const own = { trigger_id: `c${++turn}`, response_url: answers.url };
  return { command: '/rounds', text, user_id: 'U0ANA', channel_id: 'C1', team_id: 'T1', ...own };
};
const pressOf = (value: string) => ({
  type: 'block_actions',
  team: { id: 'T1' },
  user: { id: 'U0ANA' },
  trigger_id: `p${++turn}`,
  response_url: answers.url,
  container: { type: 'message', message_ts: '1.2', channel_id: 'C1' },
  channel: { id: 'C1' },
  actions: [{ type: 'button', action_id: 'acknowledge:0', block_id: 'b', value }],
});
const opened = (eventId: string) => ({
  type: 'event_callback',
  team_id: 'T1',
  api_app_id: 'A1',
  event_id: eventId,
  event_time: 1,
  event: { type: 'app_home_opened', user: 'U0ANA', channel: 'D1', tab: 'home', event_ts: '1.2' },
});
/** The value of a button of a new incident. */
async function aButton(): Promise<string> {
  const incident = await openIncident(slack.pool, { scope: `socket-${++turn}`, facts: someFacts() });
  bot.wake();
  const found = await until('a button', async () =>
    (await slack.query<{ id: string }>(`select id from button where incident_id = $1 and verb = 'acknowledge'`, [incident])).at(0),
  );
  return found.id;
}
const answered = (words: string) => until(words, async () => answers.received.find((one) => one.text.includes(words)));
const isBackTo = (count: number) => until(`${count} connections`, async () => socket.connections.length === count);

describe('by Socket Mode', () => {
  test('the bot is ready, with two connections and no port for Slack', async () => {
    await until('readiness', async () => bot.trouble() === undefined);
    expect(bot.port).toBeUndefined();
    expect(socket.connections).toHaveLength(2);
  });

  test('a command and a press are acknowledged first, and answered', async () => {
    expect(await socket.send('slash_commands', command('incidents'))).toEqual({ answer: {}, deliveries: 1 });
    await answered('Nothing is open');
    expect(await socket.send('interactive', pressOf(await aButton()))).toMatchObject({ deliveries: 1 });
    await answered('is yours. The post and its thread say so.');
  });

  test('a form opens, says what stands wrong in the acknowledgement, and counts once', async () => {
    await socket.send('slash_commands', command('run'));
    const call = await until('a form', async () => socket.calls.find((one) => one.method === 'views.open'));
    expect(call.body.get('trigger_id')).toBe(`c${turn}`);
    const { private_metadata: id } = JSON.parse(call.body.get('view') ?? '') as { private_metadata: string };
    const sent = (check: object | null) => {
      const state = { values: { check: { check: { type: 'static_select', selected_option: check } } } };
      const view = { id: 'V1', type: 'modal', callback_id: 'rounds.run', private_metadata: id, hash: '1', blocks: [], state };
      return { type: 'view_submission', team: { id: 'T1' }, user: { id: 'U0ANA' }, trigger_id: `s${++turn}`, view };
    };
    const refused = { response_action: 'errors', errors: { check: 'Expected a check.' } };
    expect((await socket.send('interactive', sent(null))).answer).toEqual(refused);
    const good = sent({ text: { type: 'plain_text', text: 'Book' }, value: 'book' });
    const [first, second] = [await socket.send('interactive', good, { id: 'one' }), await socket.send('interactive', good, { id: 'one' })];
    expect(first.answer).toEqual({ response_action: 'clear' });
    expect(JSON.stringify(second.answer)).toContain('reached Rounds twice');
    await answered('Running *Book an appointment*');
    expect(await slack.query(`select 1 from ask where key = $1`, [`manual/form/${id}`])).toHaveLength(1);
  });

  test('an event publishes the Home tab, once for all its deliveries', async () => {
    await Promise.all([socket.send('events_api', opened('Ev1')), socket.send('events_api', opened('Ev1'))]);
    await until('a Home tab', async () => socket.calls.some((one) => one.method === 'views.publish'));
    // Whatever comes after it is worked on after it.
    await socket.send('slash_commands', command('help'));
    await answered('What you can type');
    expect(socket.calls.filter((one) => one.method === 'views.publish')).toHaveLength(1);
  });

  test('the same envelope a second time is acknowledged and has no effect', async () => {
    const payload = command('incidents');
    const { trigger_id: _gone, ...withoutTrigger } = payload;
    for (const _time of [1, 2]) await socket.send('slash_commands', withoutTrigger, { id: 'twice' });
    await socket.send('slash_commands', command('help'));
    await answered('What you can type');
    expect(answers.received.filter((one) => one.text.includes('Nothing is open') || one.text.includes(' open'))).toHaveLength(1);
  });
});

describe('a connection', () => {
  test('that Slack refreshes is renewed at once, and nothing of what comes meanwhile is lost or done twice', async () => {
    const before = socket.opened();
    const wanted = Array.from({ length: 12 }, (_, index) => index);
    const sent = wanted.map(async (index) => {
      // In the middle of it, both are told to go: what they have not acknowledged is sent again.
      if (index === 4) for (const connection of [...socket.connections]) socket.refresh(connection);
      return socket.send('slash_commands', command(`why INC-9${index}9`));
    });
    const deliveries = (await Promise.all(sent)).map((one) => one.deliveries);
    expect(Math.max(...deliveries)).toBeGreaterThan(1);
    for (const index of wanted) await answered(`"INC-9${index}9"`);
    expect(answers.received).toHaveLength(12);
    await isBackTo(2);
    expect(socket.opened()).toBe(before + 2);
    expect(bot.trouble()).toBeUndefined();
  });

  test('that is killed is replaced, and what it has not acknowledged goes to another', async () => {
    const [one] = socket.connections;
    const sending = socket.send('slash_commands', command('why INC-777'), { to: one! });
    one?.terminate();
    await sending;
    await answered('"INC-777"');
    await isBackTo(2);
  });

  test('both of which are killed: the bot says so until it is back', async () => {
    socket.answer('apps.connections.open', { ok: false, error: 'internal_error' }, 4);
    for (const connection of [...socket.connections]) connection.terminate();
    const trouble = await until('trouble', async () => bot.trouble());
    expect(trouble).toMatch(/^Slack cannot be reached by Socket Mode, so presses and commands do not arrive: /);
    const sending = socket.send('slash_commands', command('why INC-888'));
    await isBackTo(2);
    await sending;
    await answered('"INC-888"');
    expect(bot.trouble()).toBeUndefined();
  });
});

describe('a bot that cannot connect', () => {
  async function lonely(
    prepare: (server: SlackSocket) => void,
  ): Promise<{ bot: Awaited<ReturnType<TestSlack['bot']>>; server: SlackSocket }> {
    const server = await startSlackSocket();
    prepare(server);
    const own = await slack.bot(over(server));
    onTestFinished(async () => {
      await own.stop();
      await server.close();
    });
    return { bot: own, server };
  }

  test('for a token that Slack refuses names what to check, and goes on trying', async () => {
    const { bot: own, server } = await lonely((one) => one.answer('apps.connections.open', { ok: false, error: 'invalid_auth' }, 6));
    const trouble = await until('trouble', async () => own.trouble()?.includes('invalid_auth') && own.trouble());
    expect(trouble).toContain('Slack refuses the app token (invalid_auth); check SLACK_APP_TOKEN');
    await until('two connections', async () => server.connections.length === 2);
    expect(own.trouble()).toBeUndefined();
  });

  test('since Slack does not greet does not wait for ever', async () => {
    const { bot: own, server } = await lonely((one) => one.greet(false));
    await until('trouble', async () => own.trouble()?.includes('Slack has not greeted within 1 s'));
    server.greet(true);
    await until('two connections', async () => server.connections.length === 2);
  });

  test('since nobody is there starts all the same, and stops at once', async () => {
    const { bot: own } = await lonely((one) => void one.close());
    await until('trouble', async () => own.trouble()?.includes('Slack cannot be reached'));
  });

  test('renews its second connection out of step with the first', async () => {
    const server = await startSlackSocket();
    const own = await slack.bot(over(server, { socketTiming: { ...QUICK, outOfStepMs: 200 } }));
    onTestFinished(async () => {
      await own.stop();
      await server.close();
    });
    await until('two connections', async () => server.connections.length === 2);
    await until('a third', async () => server.opened() === 3);
    await until('two connections', async () => server.connections.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(server.opened()).toBe(3);
  });
});

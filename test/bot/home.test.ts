import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HOME_TIMING, Home } from '../../bot/home.ts';
import { loadCommandVerbs, loadFormVerbs } from '../../bot/registry.ts';
import { type HomeContent, renderHome } from '../../bot/render/home.ts';
import { SlackWeb } from '../../bot/web.ts';
import type { Service } from '../../core/config/model.ts';
import { noteLook } from '../../store/home.ts';
import { acknowledgeIncident } from '../../store/incident.ts';
import { type AtDesk, atDesk, faultsOfView, viewsSent } from '../helpers/forms.ts';
import { quietLog } from '../helpers/log.ts';
import { addRun } from '../helpers/runs.ts';
import { openIncident, settled, signed, someFacts, type TestSlack, testSlack, until } from '../helpers/slack.ts';

const QUICK = { ...HOME_TIMING, lookMs: 50, settleMs: 10, everyMs: 150, freshMs: 3_600_000 };

let slack: TestSlack;
let desk: AtDesk;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let scope = 0;

beforeAll(async () => {
  slack = await testSlack();
  desk = atDesk(slack);
  bot = await slack.bot({ homeTiming: QUICK });
  return () => slack.close();
});
beforeEach(() => {
  slack.proxy.requests.length = 0;
});

const published = (user?: string) => viewsSent(slack, 'views.publish', user);
const textOf = (view: ReturnType<typeof published>[number] | undefined) =>
  (view?.blocks ?? [])
    .flatMap((block) => [
      block.text?.text,
      ...(block.elements ?? []).map((one) => (typeof one.text === 'string' ? one.text : one.text?.text)),
    ])
    .join('\n');
const newIncident = async () => {
  const id = await openIncident(slack.pool, { scope: `home-${++scope}` });
  bot.wake();
  await settled(slack);
  return id;
};

describe('the Home tab', () => {
  test('shows somebody of the configuration what is open with a link, the services, the rounds, who is on call, and buttons', async () => {
    const id = await newIncident();
    await slack.query(`insert into check_state (check_id, scope, revision, state) values ('book/riverside', 'billing', 'test', $1)`, [
      JSON.stringify({
        locations: { north: { plannedAtMs: Date.now() - 12_000, verdict: 'up', upStreak: 3 } },
        gaps: {},
        held: 'up',
        moment: 'up',
      }),
    ]);
    await addRun(slack.pool, { check: 'book/riverside', durationMs: 1_100 });
    expect(await desk.openHome('U0ANA')).toEqual({ ok: true });
    await until('a Home tab', async () => (await desk.home('U0ANA')) !== '');
    const [view] = published('U0ANA');
    expect(faultsOfView(view!)).toEqual([]);
    const text = textOf(view);
    expect(text).toContain(`🟠 *INC-${id}* Patient billing: partial outage.`);
    expect(text).toMatch(/Since \d\d:\d\d \(6 min\), nobody has acknowledged it\. <http[^|>]*\/archives\/[^|>]*\/p\d+\|Open the post>/);
    expect(text).toContain('*On call*\nops: Ana');
    expect(text).toContain('*Patient billing* · tier 1 · 🟠 partial outage for 6 min');
    expect(text).toMatch(/Book an appointment: 1 of 2 clinics, p95 1\.1 s, last round \d+ s ago from Data centre north/);
    expect(text).toMatch(/As of \d\d:\d\d:\d\d\./);
    expect(text).toContain('Run a check…\nReport');
  });

  test('shows anybody else the same without buttons', async () => {
    const { ben, ...others } = slack.config.people;
    slack.config.people = others;
    await desk.openHome('U0BEN');
    await until('a Home tab', async () => published('U0BEN').length);
    slack.config.people = { ...others, ben: ben! };
    const text = textOf(published('U0BEN')[0]);
    expect(text).toContain('*Open incidents*');
    expect(text).not.toContain('Run a check…');
  });

  test('is published anew when something has changed, for whoever has looked within a day', async () => {
    await desk.openHome('U0ANA');
    await slack.query(`update home_view set looked_at = now() - interval '25 hours' where user_id = 'U0BEN'`);
    await until('a Home tab', async () => published('U0ANA').length);
    slack.proxy.requests.length = 0;
    const id = await newIncident();
    await until('the incident', async () => textOf(published('U0ANA').at(-1)).includes(`INC-${id}`));
    await acknowledgeIncident(slack.pool, id, 'ana', Date.now());
    await until('who has it', async () => textOf(published('U0ANA').at(-1)).includes('Ana has it'));
    expect(published('U0BEN')).toEqual([]);
  });

  test('is published again when Slack has lost it, and when Slack was away', async () => {
    await desk.openHome('U0ANA');
    await until('a Home tab', async () => published('U0ANA').length);
    slack.proxy.fail('views.publish', { kind: 'error', error: 'hash_conflict' });
    slack.proxy.fail('views.publish', { kind: 'error', error: 'internal_error' });
    slack.proxy.requests.length = 0;
    const id = await newIncident();
    // The conflict, the try without a hash that fails, and the one of the next turn.
    await until('the incident', async () => (await desk.home('U0ANA')).includes(`INC-${id}`));
    const calls = slack.proxy.requests.filter((one) => one.method === 'views.publish').map((one) => one.body.get('hash'));
    expect(calls.slice(0, 2)).toEqual([expect.any(String), null]);
  });
});

test('Slack may ask whether the address for events is ours', async () => {
  const body = JSON.stringify({ type: 'url_verification', challenge: 'are you there' });
  const { headers } = signed(body);
  const response = await fetch(bot.url, { method: 'POST', body, headers: { ...headers, 'content-type': 'application/json' } });
  expect(await response.json()).toEqual({ challenge: 'are you there' });
});

describe('its buttons', () => {
  test('Run opens the form, and the answer is a direct message', async () => {
    await desk.openHome('U0ANA');
    await until('a Home tab', async () => (await desk.home('U0ANA')).includes('home.run'));
    expect(await desk.pressHome('U0ANA', 'home.run')).toEqual({ ok: true });
    await until('a form', async () => (await desk.form('U0ANA'))?.title === 'Run a check');
    expect(viewsSent(slack, 'views.open')[0]?.blocks.map((block) => block.block_id)).toEqual(['check', 'tenants', 'locations']);
    expect(await desk.submit('U0ANA', { check: 'book' })).toEqual({ ok: true });
    await until('a direct message', async () => (await desk.sees('U0ANA', 'direct')).includes('for 2 clinics from 3 locations'));
    const [ask] = await slack.query<{ answer_to: object }>('select answer_to from ask order by id desc limit 1');
    expect(ask?.answer_to).toEqual({ user: 'U0ANA' });
    await slack.query(
      `insert into outbox (kind, lane, payload, priority, reason) values ('answer', 'ask/0', '{"user": "U0ANA", "askId": 0}', 15, 'manual-run')`,
    );
    bot.wake();
    await until('the answer', async () => (await desk.sees('U0ANA', 'direct')).includes('brought no result'));
  });

  test('Report shows how the last day went', async () => {
    await desk.openHome('U0ANA');
    await until('a Home tab', async () => (await desk.home('U0ANA')).includes('home.report'));
    await desk.pressHome('U0ANA', 'home.report');
    await until('a report', async () => (await desk.form('U0ANA'))?.html.includes('All services'));
    expect(faultsOfView(viewsSent(slack, 'views.open')[0]!)).toEqual([]);
  });

  test('pressed by somebody whom the configuration does not list any more are refused in the form', async () => {
    await desk.openHome('U0BEN');
    await until('a Home tab', async () => (await desk.home('U0BEN')).includes('home.run'));
    const { ben, ...others } = slack.config.people;
    slack.config.people = others;
    await desk.pressHome('U0BEN', 'home.run');
    await until('a refusal', async () => (await desk.form('U0BEN'))?.html.includes('You cannot run checks.'));
    slack.config.people = { ...others, ben: ben! };
    const audits = await slack.query('select outcome, reason from audit where actor = $1', ['slack:U0BEN']);
    expect(audits).toEqual([{ outcome: 'refused', reason: 'unknown-person' }]);
  });
});

describe('many at once', () => {
  async function home(timing: Partial<typeof HOME_TIMING> = {}): Promise<Home> {
    const { pool, config } = slack;
    const clock = { now: () => Date.now(), monotonic: () => performance.now() };
    const web = new SlackWeb({ token: 'xoxb-of-the-test', apiUrl: slack.proxy.url, timeoutMs: 2_000, log: quietLog, now: clock.now });
    const verbs = { forms: await loadFormVerbs(), commands: await loadCommandVerbs() };
    return new Home({ pool, config, clock, log: quietLog, slack: web, ...verbs }, { ...HOME_TIMING, ...timing });
  }
  beforeAll(async () => {
    // Without the bot of the others, which would publish as well.
    const first = slack;
    slack = await testSlack();
    return async () => {
      await slack.close();
      slack = first;
    };
  });
  beforeEach(() => slack.query('delete from home_view'));

  test('bots publish one view once, and none more often than every 30 s', async () => {
    const bots = await Promise.all([home(), home(), home()]);
    await Promise.all(bots.map((one) => one.opened('U0ANA')));
    for (const one of bots) await one.opened('U0ANA');
    await openIncident(slack.pool, { scope: `home-${++scope}` });
    for (const one of bots) await one.opened('U0ANA');
    expect(published('U0ANA')).toHaveLength(1);
    await slack.query(`update home_view set tried_at = now() - interval '31 seconds'`);
    await Promise.all(bots.map((one) => one.opened('U0ANA')));
    expect(published('U0ANA')).toHaveLength(2);
    await Promise.all(bots.map((one) => one.stop()));
  });

  test('times alone are brought up to date every 5 min, and only for who has looked within the hour', async () => {
    const one = await home({ lookMs: 20 });
    await one.opened('U0ANA');
    await noteLook(slack.pool, 'U0BEN');
    await one.opened('U0ANA');
    expect(published()).toHaveLength(2);
    await slack.query(`update home_view set tried_at = now() - interval '301 seconds'`);
    await slack.query(`update home_view set looked_at = now() - interval '61 minutes' where user_id = 'U0BEN'`);
    one.start();
    await until('new times', async () => published('U0ANA').length === 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(published('U0ANA')).toHaveLength(2);
    expect(published('U0BEN')).toHaveLength(1);
    await one.stop();
  });
});

describe('within the limits of Slack', () => {
  const long = (word: string) => `${word} ${'&<>*`~ long '.repeat(20)}`.slice(0, 80);
  const facts = someFacts();
  const services: Service[] = Array.from({ length: 300 }, (_, index) => ({
    id: `service-${index}`,
    title: long(`Service ${index}`),
    tier: 1,
    owner: 'ops',
    dependsOn: [],
    scope: 'all',
  }));

  function content(incidents: number): HomeContent {
    const check = Object.values(slack.config.checks)[0]!;
    const incident = {
      id: 1,
      scope: 'billing',
      root: 'service:billing',
      class: 'partial outage' as const,
      peak: 'partial outage' as const,
      state: 'open' as const,
      revision: 1,
      channel: '#incidents',
      facts,
      beganAtMs: facts.sinceMs,
      openedAtMs: facts.sinceMs,
    };
    const templates = (of: string) =>
      Array.from({ length: 4 }, (_, index) => ({ title: long(`Check ${of} ${index}`), checks: [check], states: new Map(), pace: {} }));
    return {
      config: slack.config,
      nowMs: Date.now(),
      open: Array.from({ length: incidents }, (_, index) => ({
        incident: { ...incident, id: index },
        link: 'https://slack.example/archives/C1/p1',
      })),
      services: services.map((service) => ({ service, templates: templates(service.id) })),
      components: templates('of components'),
      nameOf: (person) => person,
    };
  }

  test('the largest view has at most 100 blocks, and says what is cut', () => {
    const view = renderHome(content(200), { run: true, report: true });
    expect(faultsOfView(view)).toEqual([]);
    const text = JSON.stringify(view);
    for (const cut of ['and 180 more: `/rounds incidents`', 'and 241 more services', 'and 1101 more checks']) expect(text).toContain(cut);
  });

  test('with nothing at all it is still a view', () => {
    const empty = { ...slack.config, teams: {}, people: {}, services: {}, checks: {} };
    const view = renderHome({ ...content(0), config: empty, services: [], components: [] }, { run: false, report: false });
    expect(faultsOfView(view)).toEqual([]);
    expect(JSON.stringify(view)).toContain('No services are configured.');
  });
});

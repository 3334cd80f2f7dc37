import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { renderThread } from '../../bot/render/thread.ts';
import type { EscalationStep, Team } from '../../core/config/model.ts';
import type { TimelineEntry } from '../../core/incident.ts';
import { escalateDue } from '../../jobs/escalate.ts';
import { NOON_MS } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import {
  type Answers,
  openIncident,
  type SlackMessage,
  settled,
  signed,
  startAnswers,
  type TestSlack,
  testSlack,
  until,
} from '../helpers/slack.ts';

const USUAL = { tiers: [1, 2], classes: ['full interruption', 'partial outage', 'degradation'] } satisfies Partial<EscalationStep>;
const STEPS: EscalationStep[] = [
  { id: '0s on-call', afterMs: 0, to: { kind: 'on-call' }, ...USUAL },
  { id: '600s team', afterMs: 600_000, to: { kind: 'team' }, ...USUAL },
  { id: '1800s #operations', afterMs: 1_800_000, to: { kind: 'channel', channel: '#incidents' }, ...USUAL },
];

let slack: TestSlack;
let answers: Answers;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let incident: number;
let count = 0;

beforeAll(async () => {
  slack = await testSlack();
  slack.config.teams.ops = { ...slack.config.teams.ops!, title: 'Billing operations', escalation: STEPS };
  answers = await startAnswers();
  bot = await slack.bot();
});
afterAll(async () => {
  await answers.close();
  await slack.close();
});
beforeEach(async () => {
  answers.received.length = 0;
  slack.config.teams.ops!.escalation = STEPS;
  delete slack.config.teams.ops!.mayEscalate;
  incident = await openIncident(slack.pool, { scope: `scope-${++count}` });
  bot.wake();
  await settled(slack);
});

async function post(): Promise<SlackMessage> {
  const [row] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
  return (await slack.history()).find((one) => one.ts === row?.ts) as SlackMessage;
}

async function buttonValue(label: string): Promise<string | undefined> {
  const elements = (await post()).blocks?.find((block) => block.type === 'actions')?.elements ?? [];
  return elements.find((one) => (one.text as { text: string }).text === label)?.value;
}

/** Sends a signed request to the bot and waits for the answer. */
async function answered(body: Record<string, string>): Promise<string> {
  const before = answers.received.length;
  expect((await fetch(bot.url, { method: 'POST', ...signed(body, Date.now()) })).status).toBe(200);
  return until('an answer', async () => answers.received[before]?.text);
}

async function press(user: string, label = 'Escalate'): Promise<string> {
  const payload = {
    ...{
      type: 'block_actions',
      team: { id: 'T1' },
      user: { id: user },
      trigger_id: `trigger-${++count}`,
      response_url: answers.url,
      channel: { id: 'C1' },
    },
    actions: [{ type: 'button', action_id: 'any:0', block_id: 'b', value: (await buttonValue(label)) ?? '' }],
  };
  return answered({ payload: JSON.stringify(payload) });
}

const typed = (text: string) =>
  answered({ command: '/rounds', text, user_id: 'U0ANA', channel_id: 'C1', response_url: answers.url, trigger_id: `trigger-${++count}` });

async function thread(): Promise<string[]> {
  bot.wake();
  await settled(slack);
  return (await slack.replies((await post()).ts)).slice(1).map((one) => one.text.slice(6));
}

const audits = () =>
  slack.query<{ actor: string; outcome: string; reason: string }>(
    `select actor, outcome, reason from audit where subject = $1 and verb = 'escalate' order by id`,
    [`INC-${incident}`],
  );
const pressedLongAgo = () => slack.query(`update escalation set at = at - interval '1 minute' where reason = 'pressed'`);

describe('Escalate', () => {
  test('calls the next people at once, one step after the other, and says who pressed', async () => {
    expect(await press('U0ANA')).toBe(`INC-${incident} is escalated: Ana is called. The thread says so too.`);
    expect(await press('U0ANA')).toBe(`Ana escalated INC-${incident} a moment ago: Ana is called. The thread tells who is called next.`);
    await pressedLongAgo();
    expect(await press('U0ANA')).toBe(`INC-${incident} is escalated: Ana and Ben are called. The thread says so too.`);
    await pressedLongAgo();
    expect(await press('U0ANA')).toBe(`INC-${incident} is escalated: #incidents is told. The thread says so too.`);
    await pressedLongAgo();
    expect(await press('U0ANA')).toBe(`All steps for INC-${incident} were taken already. Called so far: Ana and Ben. Told: #incidents.`);
    expect(await thread()).toEqual([
      'Ana escalated. Called: <@U0ANA>, on call.',
      'Ana escalated. Called: <@U0ANA> and <@U0BEN>.',
      'Ana escalated. Told #incidents.',
    ]);
    expect(await audits()).toEqual(Array(3).fill({ actor: 'ana', outcome: 'done', reason: 'allowed' }));
    const notice = (await slack.history()).find((one) => one.text.includes('asks for help'));
    expect(notice?.text).toContain('🟠 Patient billing: partial outage. Ana asks for help.');
  });

  test('that was pressed is not taken again by the clock', async () => {
    await press('U0ANA');
    const clock = { now: () => Date.now() + 700_000, monotonic: () => 0 };
    await escalateDue({ pool: slack.pool, config: slack.config, configSeq: 0, clock, log: quietLog });
    expect(await thread()).toEqual([
      'Ana escalated. Called: <@U0ANA>, on call.',
      'Nobody acknowledged for 10 min. Called: <@U0ANA> and <@U0BEN>.',
    ]);
  });

  test('goes on after an acknowledgement, also with steps that it had stopped', async () => {
    await press('U0ANA', 'Acknowledge');
    const clock = { now: () => Date.now() + 7_200_000, monotonic: () => 0 };
    await escalateDue({ pool: slack.pool, config: slack.config, configSeq: 0, clock, log: quietLog });
    bot.wake();
    await settled(slack);
    expect(await press('U0ANA')).toContain('Ana is called');
    expect(await slack.query('select step, reason, by from escalation where incident_id = $1 order by step', [incident])).toEqual([
      { step: '0s on-call', reason: 'pressed', by: 'ana' },
      { step: '1800s #operations', reason: 'acknowledged', by: null },
      { step: '600s team', reason: 'acknowledged', by: null },
    ]);
  });

  test('is for responders, unless the team says else', async () => {
    expect(await press('U0BEN')).toBe(`You cannot escalate INC-${incident}: it needs the role responder, and you do not have it.`);
    expect(await press('U0NOBODY')).toContain(`You cannot escalate INC-${incident}`);
    slack.config.teams.ops!.mayEscalate = ['manager', 'lead'];
    expect(await press('U0ANA')).toBe(`You cannot escalate INC-${incident}: it needs the role manager or lead, and you do not have it.`);
    expect(await audits()).toMatchObject([
      { actor: 'ben', reason: 'lacks-role' },
      { actor: 'slack:U0NOBODY', reason: 'unknown-person' },
      { actor: 'ana' },
    ]);
    expect(await thread()).toEqual([]);
  });

  test('pressed by two at one moment calls once', async () => {
    const value = await buttonValue('Escalate');
    expect(value).toBeDefined();
    await Promise.all([press('U0ANA'), press('U0ANA')]);
    await until('both answers', async () => answers.received.length === 2);
    expect(answers.received.filter(({ text }) => text.includes('is escalated'))).toHaveLength(1);
    expect(await thread()).toHaveLength(1);
  });

  test('is not offered where no step is for this incident', async () => {
    slack.config.teams.ops!.escalation = STEPS.map((step) => ({ ...step, classes: ['blind'] }));
    await slack.query(
      `insert into outbox (kind, lane, channel, incident_id, priority, reason) values ('incident', $1, '#incidents', $2, 20, 'shown-anew')`,
      [`incident/${incident}`, incident],
    );
    bot.wake();
    await settled(slack);
    expect(await buttonValue('Escalate')).toBeUndefined();
    expect(await buttonValue('Acknowledge')).toBeDefined();
  });
});

describe('/rounds oncall', () => {
  const rotation = { members: ['ana', 'ben'], everyDays: 7, anchorMs: Date.UTC(2024, 0, 1, 9), timezone: 'UTC' };

  test('says who, until when, and who is next', async () => {
    const team: Team = { id: 'platform', channel: '#platform', members: [], rotation };
    slack.config.teams.platform = team;
    expect(await typed('oncall platform')).toMatch(
      /^Platform \(#platform\): (Ana until Mon \d+ \w+ 09:00, then Ben|Ben until Mon \d+ \w+ 09:00, then Ana)\.$/,
    );
    team.overrides = [{ fromMs: Date.now() - 1_000, untilMs: Date.now() + 60_000, person: 'ana', reason: 'Ben drives' }];
    expect(await typed('oncall platform')).toMatch(/: Ana until .* Stands in: Ben drives\.$/);
    delete slack.config.teams.platform;
  });

  test('of all teams, of one by its title, and of one that is not there', async () => {
    expect(await typed('oncall')).toBe('Billing operations (#incidents): Ana. No rotation: all members with a role.');
    expect(await typed('oncall billing operations')).toContain('Billing operations');
    expect(await typed('oncall opps')).toBe('I know no team "opps". Did you mean *ops*? `/rounds oncall ops`');
    slack.config.teams.empty = { id: 'empty', channel: '#empty', members: [] };
    expect(await typed('oncall empty')).toBe('Empty (#empty): nobody. Give the team a rotation, or its members a role.');
    delete slack.config.teams.empty;
  });
});

describe('the thread says', () => {
  const said = (entry: TimelineEntry) => {
    const nameOf = (id: string) => `${id[0]?.toUpperCase()}${id.slice(1)}`;
    return renderThread(entry, NOON_MS, 'UTC', nameOf, (id) => (id === 'ana' ? '<@U0ANA>' : '')).text;
  };
  const escalated = (change: Partial<Extract<TimelineEntry, { kind: 'escalated' }>>): TimelineEntry => ({
    ...{ kind: 'escalated', to: 'on-call', people: ['ana'], afterMs: 600_000 },
    ...change,
  });

  test.each([
    [escalated({ afterMs: 0 }), '12:00 Called: <@U0ANA>, on call.'],
    [escalated({}), '12:00 Nobody acknowledged for 10 min. Called: <@U0ANA>, on call.'],
    [escalated({ to: 'team', people: ['ana', 'ben'] }), '12:00 Nobody acknowledged for 10 min. Called: <@U0ANA> and Ben.'],
    [escalated({ to: 'channel', people: [], channel: '#ops' }), '12:00 Nobody acknowledged for 10 min. Told #ops.'],
    [
      escalated({ to: 'other-team', team: 'Platform', channel: '#p' }),
      '12:00 Nobody acknowledged for 10 min. Called: <@U0ANA>, on call for Platform, told in #p.',
    ],
    [escalated({ people: [] }), '12:00 Nobody acknowledged for 10 min. Nobody is on call: the next step calls others.'],
    [escalated({ to: 'person', by: 'Ben' }), '12:00 Ben escalated. Called: <@U0ANA>.'],
    [{ kind: 'handed-over', team: 'Billing', from: ['ben'], to: ['ana'] }, '12:00 On call for Billing from now on: <@U0ANA>. Before: Ben.'],
    [{ kind: 'handed-over', team: 'Billing', from: ['ben'], to: [] }, '12:00 On call for Billing from now on: nobody. Before: Ben.'],
    [{ kind: 'told-elsewhere', way: 'email', about: 'partial outage' }, '12:00 Slack was away: told by mail (partial outage).'],
    [{ kind: 'told-elsewhere', way: 'webhook', about: 'resolved' }, '12:00 Slack was away: that it is over was told by webhook.'],
  ] satisfies [TimelineEntry, string][])('%o', (entry, expected) => {
    expect(said(entry)).toBe(expected);
  });
});

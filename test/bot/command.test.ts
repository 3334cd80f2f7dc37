import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { recordDecisions } from '../../store/incident.ts';
import { enqueue, PRIORITY } from '../../store/outbox.ts';
import { addRun } from '../helpers/runs.ts';
import { type Answers, openIncident, settled, signed, startAnswers, type TestSlack, testSlack, until } from '../helpers/slack.ts';

let slack: TestSlack;
let answers: Answers;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let trigger = 0;

beforeAll(async () => {
  slack = await testSlack();
  answers = await startAnswers();
  bot = await slack.bot();
  return async () => {
    await answers.close();
    await slack.close();
  };
});
afterEach(() => {
  answers.received.length = 0;
});

/** Types `/rounds …` and waits for the answer: all its texts, a line each. */
async function type(text: string, user = 'U0ANA'): Promise<string> {
  const request = signed({
    command: '/rounds',
    text,
    user_id: user,
    channel_id: 'C1',
    team_id: 'T1',
    trigger_id: `command-${++trigger}`,
    response_url: answers.url,
  });
  const before = answers.received.length;
  expect((await fetch(bot.url, { method: 'POST', ...request })).status).toBe(200);
  const answer = await until('an answer', async () => answers.received[before]);
  expect(answer.response_type).toBe('ephemeral');
  return answer.blocks.map((block) => block.text?.text ?? '').join('\n');
}

async function addResult(checkId: string, location: string, ask: number, verdict: 'up' | 'down'): Promise<void> {
  const failure = verdict === 'down' ? { kind: 'timeout', message: 'no answer within 15 s', step: 'confirm the invoice' } : null;
  const steps = [
    { name: 'log in', durationMs: 800, outcome: 'passed' },
    { name: 'confirm the invoice', durationMs: 15_000, outcome: verdict === 'down' ? 'failed' : 'passed' },
  ];
  await addRun(slack.pool, {
    check: checkId,
    location,
    ask,
    verdict,
    failure,
    durationMs: 15_800,
    steps,
    measurements: { connect_ms: 12.4 },
  });
}

describe('what is not known', () => {
  test.each([
    ['statsu billing', 'I know no command "statsu". Did you mean *status*? `/rounds status billing`'],
    ['xyzzyxyzzy', 'I know no command "xyzzyxyzzy". `/rounds help` shows what can be typed.'],
    ['status biling', 'I know no service "biling". Did you mean *billing*? `/rounds status billing`'],
    ['run post-invoce', 'I know no check "post-invoce". Did you mean *post-invoice*? `/rounds run post-invoice`'],
    ['run <script>', 'I know no check "&lt;script&gt;".'],
    ['why INC-999', 'I know no incident "INC-999".'],
  ])('%s', async (typed, answer) => {
    expect(await type(typed)).toBe(answer);
  });
});

test('help shows every command with an example, and is what nothing typed means', async () => {
  const help = await type('help');
  for (const usage of [
    '/rounds status [service]',
    '/rounds incidents',
    '/rounds run [CHECK]',
    '/rounds why [INC-12 [all] | last | silence 7 | WHAT]',
  ])
    expect(help).toContain(usage);
  expect(await type('')).toBe(help);
});

describe('run', () => {
  test('asks for a run, says so at once, and answers with how it went', async () => {
    expect(await type('run post-invoice')).toBe(
      'Running *Post an invoice* for 2 clinics from 3 locations; the answer comes here within 20 s.',
    );
    const [ask] = await slack.query<{
      id: number;
      purpose: string;
      checks: { targets: { check: string; locations: string[] }[] };
      answer_to: object;
    }>('select * from ask');
    expect(ask).toMatchObject({ purpose: 'manual', answer_to: { responseUrl: answers.url, user: 'U0ANA', channel: 'C1' } });
    expect(ask?.checks.targets.map((one) => one.check)).toEqual(['post-invoice/riverside', 'post-invoice/hillcrest']);

    for (const location of ['north', 'south']) await addResult('post-invoice/riverside', location, ask!.id, 'down');
    await addResult('post-invoice/hillcrest', 'north', ask!.id, 'up');
    const payload = { responseUrl: answers.url, askId: ask!.id };
    await enqueue(slack.pool, [{ kind: 'answer', lane: `ask/${ask!.id}`, payload, priority: PRIORITY.answer, reason: 'manual-run' }]);
    bot.wake();
    await settled(slack);
    expect(answers.received).toHaveLength(2);
    const told = answers.received[1]?.blocks.map((block) => block.text?.text).join('\n');
    expect(answers.received[1]?.text).toBe('🔴 Post an invoice: 1 of 3 runs succeeded.');
    expect(told).toContain('🔴 Data centre north: down after 16 s at "confirm the invoice": no answer within 15 s');
    expect(told).toContain('Steps: log in 0.8 s → *confirm the invoice 15 s*');
  });

  test('is refused to whom the configuration does not list', async () => {
    expect(await type('run post-invoice', 'U0EVE')).toBe(
      'You cannot use `/rounds run`. Only people listed in rounds.yaml can, and <@U0EVE> is not among them. Ask whoever keeps it to add you under "people".',
    );
    expect(await slack.query(`select 1 from audit where actor = 'slack:U0EVE' and outcome = 'refused'`)).toHaveLength(1);
  });

  test('without a check, where no form can be opened, names those that there are', async () => {
    expect(await type('run')).toBe('Which check? There are post-invoice and book: `/rounds run post-invoice`');
  });
});

describe('of an incident', () => {
  test('status, incidents and why tell the same story', async () => {
    expect(await type('incidents')).toContain('🟢 Nothing is open.');
    const id = await openIncident(slack.pool);
    bot.wake();
    await settled(slack);
    const about = { atMs: Date.now(), scope: 'billing', incidentId: id, configRevision: 'test' };
    await recordDecisions(slack.pool, about, [
      {
        subject: 'verdict post-invoice/riverside',
        reason: 'quorum-down',
        inputs: {
          check: 'post-invoice/riverside',
          locations: { north: 'down', south: 'down', cloud: 'up' },
          quorum: 2,
          total: 3,
          fresh: ['north'],
        },
      },
      {
        subject: 'class billing',
        reason: 'critical-some-tenants',
        inputs: { criticalTotal: 2, criticalDown: 1, tenantsDown: 1, tenantsTotal: 2 },
      },
      { subject: 'post', reason: 'first-notification', inputs: {} },
      { subject: 'class scheduling', reason: 'a-rule-of-tomorrow', inputs: {} },
    ]);
    expect(await type('incidents')).toContain(`🟠 *INC-${id}* Patient billing: partial outage.`);
    expect(await type('status')).toContain('1 of 2 services is not well.');
    expect(await type('status patient billing')).toContain('🟠 partial outage for 6 min');
    const why = await type(`why ${id}`);
    expect(why).toContain('*Partial outage, not full:* 1 of 2 clinics succeed.');
    expect(why).toContain('*Not degradation:* a critical check is down, by a quorum of locations.');
    expect(why).toMatch(/\*Posted at \d\d:\d\d:\d\d:\* first notification/);
    expect(await type(`why ${id} all`)).toContain(
      'Post an invoice (Riverside Clinic): down (Data centre cloud up, Data centre north down, Data centre south down; 2 of 3 must agree)',
    );
  });
});

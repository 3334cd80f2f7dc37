import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Runbook } from '../../core/config/model.ts';
import { updateIncident } from '../../store/incident.ts';
import { enqueue, PRIORITY } from '../../store/outbox.ts';
import { type AtDesk, atDesk, faultsOfView, viewsSent } from '../helpers/forms.ts';
import { openIncident, settled, signed, someFacts, type TestSlack, testSlack, until } from '../helpers/slack.ts';

const RESTART = 'Restart billing';
const restart = (): Runbook => ({
  id: 'restart-billing',
  title: RESTART,
  when: {},
  parameters: [
    { name: 'mode', title: 'How', type: 'choice', options: ['rolling', 'all'], default: 'rolling' },
    { name: 'why', title: 'Why', type: 'text', max: 40, help: 'Told in the thread' },
    { name: 'pods', title: 'Pods', type: 'number', min: 1, max: 5, default: '2' },
    { name: 'wait', title: 'Wait', type: 'duration', default: '30s' },
  ],
  action: {
    type: 'http.request',
    location: 'north',
    params: { url: 'https://ops.example/rolling', method: 'POST', timeout: 30_000 },
    template: {
      url: `https://ops.example/\${param.mode}`,
      json: { reason: `\${param.why}`, pods: `\${param.pods}` },
      bearer: `\${secret:OPS_TOKEN}`,
      timeout: `\${param.wait}`,
    },
  },
  mayRun: ['responder'],
  verify: ['post-invoice'],
});
const offer = (tenant = 'riverside') => ({
  runbook: 'restart-billing',
  title: RESTART,
  preview: 'Restarts billing of Riverside Clinic.',
  location: 'north',
  target: { tenant },
});

let slack: TestSlack;
let desk: AtDesk;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let incident: number;
let scope = 0;

beforeAll(async () => {
  slack = await testSlack();
  desk = atDesk(slack);
  bot = await slack.bot();
  return () => slack.close();
});

async function closeForms(): Promise<void> {
  for (const user of ['U0ANA', 'U0BEN']) if (await desk.form(user)) await desk.close(user);
}

async function newIncident(): Promise<void> {
  slack.config.runbooks['restart-billing'] = restart();
  slack.config.people.ana!.roles = ['responder'];
  await closeForms();
  slack.proxy.requests.length = 0;
  incident = await openIncident(slack.pool, { scope: `scope-${++scope}`, facts: someFacts({ offers: [offer()] }) });
  bot.wake();
  await settled(slack);
}

const press = (user = 'U0ANA') => desk.press(user, incident, `${RESTART}…`);
/** Presses, and waits until the form stands. */
async function open(user = 'U0ANA'): Promise<void> {
  expect(await press(user)).toEqual({ ok: true });
  await until('a form', async () => (await desk.form(user))?.submit === RESTART);
}
const said = async (user: string, words: string) => until(words, async () => (await desk.sees(user)).includes(words));
const executions = () =>
  slack.query<{ state: string; params: object; target: object; asked_by: string }>('select * from execution where incident_id = $1', [
    incident,
  ]);
const audits = async () =>
  (
    await slack.query<{ actor: string; verb: string; outcome: string; reason: string }>(
      'select * from audit where subject = $1 order by id',
      [`INC-${incident}`],
    )
  ).map(({ actor, verb, outcome, reason }) => [actor, verb, outcome, reason].join(' '));
const shown = async (user: string) => (await desk.form(user))?.html ?? '';

describe('a runbook with parameters', () => {
  beforeEach(newIncident);

  test('opens a form with what will be done and the defaults, and is asked for once with what was filled in', async () => {
    await open();
    const [form] = viewsSent(slack, 'views.open');
    expect(faultsOfView(form!)).toEqual([]);
    expect(form).toMatchObject({ title: { text: `INC-${incident}` }, submit: { text: RESTART } });
    expect(form?.private_metadata).toMatch(/^[\w-]{22}$/);
    expect(form?.blocks[0]?.text?.text).toContain('Restarts billing of Riverside Clinic.');
    expect(form?.blocks.filter((block) => block.type === 'input').map((block) => block.label?.text)).toEqual([
      'How',
      'Why',
      'Pods',
      'Wait',
    ]);

    expect(await desk.submit('U0ANA', { 'param:mode': 'all', 'param:why': 'the queue is stuck', 'param:pods': '3' })).toEqual({ ok: true });
    expect(await desk.form('U0ANA')).toBeNull();
    await said('U0ANA', 'The thread tells how it ends.');
    expect(await executions()).toMatchObject([
      {
        state: 'wanted',
        asked_by: 'ana',
        target: { tenant: 'riverside' },
        params: {
          url: 'https://ops.example/all',
          json: { reason: 'the queue is stuck', pods: 3 },
          bearer: `\${secret:OPS_TOKEN}`,
          timeout: 30_000,
        },
      },
    ]);
    await settled(slack);
    const [post] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
    expect((await slack.replies(post!.ts)).at(-1)?.text).toMatch(
      /Ana asked for "Restart billing" with How: all, Why: the queue is stuck, Pods: 3, Wait: 30s\. Shown: Sends POST to ops\.example\.$/,
    );
    expect(await audits()).toEqual(['ana runbook done form-opened', 'ana runbook done allowed']);
  });

  test.each([
    [
      'a reference to a secret',
      { 'param:why': `\${secret:OPS_TOKEN}` },
      { 'param:why': 'Expected a text without "${": nothing is filled in here.' },
    ],
    [
      'a word that is no duration',
      { 'param:why': 'x', 'param:wait': 'soon' },
      { 'param:wait': expect.stringMatching(/^Expected a duration/) },
    ],
    // Longer than the action allows, which the declaration does not know.
    [
      'what the action refuses',
      { 'param:why': 'x', 'param:wait': '10m' },
      { 'param:wait': expect.stringMatching(/^Expected a duration of at most 5m/) },
    ],
  ])('%s is told at its field, and nothing is done', async (_what, values, errors) => {
    await open();
    expect(await desk.submit('U0ANA', values)).toEqual({ ok: false, errors });
    expect(await executions()).toEqual([]);
    // The form still counts.
    expect(await desk.submit('U0ANA', { 'param:why': 'the queue is stuck' })).toEqual({ ok: true });
    expect(await executions()).toHaveLength(1);
  });

  test('is refused to who may not, before any form opens', async () => {
    await press('U0BEN');
    await said('U0BEN', 'it needs the role responder, and you have none.');
    expect(viewsSent(slack, 'views.open')).toEqual([]);
    expect(await audits()).toEqual(['ben runbook refused lacks-role']);
  });

  test('is refused when the role was taken away while the form was open', async () => {
    await open();
    slack.config.people.ana!.roles = [];
    expect(await desk.submit('U0ANA', { 'param:why': 'x' })).toEqual({ ok: true });
    expect(await shown('U0ANA')).toContain('it needs the role responder, and you have none.');
    expect(await executions()).toEqual([]);
    expect((await audits()).at(-1)).toBe('ana runbook refused lacks-role');
  });

  test('is stale when the incident offers it to another target by then', async () => {
    await open();
    const facts = someFacts({ offers: [offer('hillcrest')] });
    await updateIncident(slack.pool, incident, { class: 'partial outage', peak: 'partial outage', facts, material: true });
    await desk.submit('U0ANA', { 'param:why': 'x' });
    expect(await shown('U0ANA')).toContain('the incident has changed since');
    expect(await executions()).toEqual([]);
    expect((await audits()).at(-1)).toBe('ana runbook refused stale-button');
  });

  test('is stale when the configuration has changed it by then', async () => {
    await open();
    slack.config.runbooks['restart-billing'] = { ...restart(), action: { ...restart().action, location: 'south' } };
    await desk.submit('U0ANA', { 'param:why': 'x' });
    expect(await shown('U0ANA')).toContain('has changed in the configuration since this form was opened');
    expect(await executions()).toEqual([]);
    expect((await audits()).at(-1)).toBe('ana runbook refused stale-form');
  });

  test('of a resolved incident, or after its time, is refused in a sentence', async () => {
    await open();
    await slack.query('update modal set expires_at = now()');
    await desk.submit('U0ANA', { 'param:why': 'x' });
    expect(await shown('U0ANA')).toContain('no longer counts. Nothing was done.');
    await open();
    await slack.query(`update incident set state = 'resolved', resolved_at = now(), resolution = 'Resolved.' where id = $1`, [incident]);
    await desk.submit('U0ANA', { 'param:why': 'x' });
    expect(await shown('U0ANA')).toContain('nothing is left to do');
    expect(await executions()).toEqual([]);
  });

  test('filled in by two people at once runs once, and the second is told who was first', async () => {
    slack.config.people.ben!.roles = ['responder'];
    await open();
    await open('U0BEN');
    await desk.submit('U0ANA', { 'param:why': 'x' });
    await desk.submit('U0BEN', { 'param:why': 'y' });
    expect(await shown('U0BEN')).toContain('is under way: Ana asked at');
    expect(await executions()).toHaveLength(1);
    slack.config.people.ben!.roles = [];
  });

  test('closed without being sent can no longer be sent', async () => {
    await open();
    await desk.close('U0ANA');
    const [form] = viewsSent(slack, 'views.open');
    await until(
      'a closed form',
      async () => (await slack.query('select 1 from modal where id = $1 and expires_at <= now()', [form?.private_metadata])).length,
    );
  });

  test('that takes its time opens with a word of patience, within the 3 s of its trigger', async () => {
    const client = await slack.pool.connect();
    await client.query('begin; lock table button in access exclusive mode');
    expect(await press()).toEqual({ ok: true });
    await until('patience', async () => (await shown('U0ANA')).includes('One moment'));
    await client.query('commit');
    client.release();
    await until('the form', async () => (await desk.form('U0ANA'))?.submit === RESTART);
    expect(viewsSent(slack, 'views.open')).toHaveLength(1);
    expect(await desk.submit('U0ANA', { 'param:why': 'x' })).toEqual({ ok: true });
    expect(await executions()).toHaveLength(1);
  });

  test('that Slack does not open is told in a sentence', async () => {
    slack.proxy.fail('views.open', { kind: 'error', error: 'expired_trigger_id' });
    await press();
    await said('U0ANA', 'The form could not be opened in time, and nothing was done.');
    await open();
  });

  test('without parameters any more, or only since the post was made, does what the configuration says now', async () => {
    const { parameters: _gone, ...one } = restart();
    slack.config.runbooks['restart-billing'] = { ...one, action: { ...one.action, params: { url: 'https://ops.example/' } } };
    await press();
    await until('an execution', async () => (await executions()).length);
    expect(await executions()).toMatchObject([{ params: { url: 'https://ops.example/' } }]);
    expect(viewsSent(slack, 'views.open')).toEqual([]);
  });
});

/** A form as Slack would deliver it, by hand. */
function submission(user: string, modalId: string, values: Record<string, Record<string, object>>): ReturnType<typeof signed> {
  const view = {
    id: 'V1',
    type: 'modal',
    callback_id: 'rounds.runbook',
    private_metadata: modalId,
    hash: '1',
    blocks: [],
    state: { values },
  };
  return signed({ payload: JSON.stringify({ type: 'view_submission', team: { id: 'T1' }, user: { id: user }, view }) });
}
const send = async (request: ReturnType<typeof signed>) => {
  const response = await fetch(bot.url, { method: 'POST', ...request });
  expect(response.status).toBe(200);
  return response.text();
};

describe('a form delivered by hand', () => {
  const why = { 'param:why': { why: { type: 'plain_text_input', value: 'x' } } };
  const rest = {
    'param:mode': { mode: { type: 'static_select', selected_option: { value: 'all' } } },
    'param:pods': { pods: { type: 'number_input', value: '2' } },
    'param:wait': { wait: { type: 'plain_text_input', value: '30s' } },
  };
  let id = '';
  beforeEach(async () => {
    await newIncident();
    await open();
    id = viewsSent(slack, 'views.open')[0]?.private_metadata ?? '';
  });

  test('by somebody else than who opened it is refused', async () => {
    slack.config.people.ben!.roles = ['responder'];
    expect(await send(submission('U0BEN', id, { ...why, ...rest }))).toContain('Somebody else opened this form.');
    slack.config.people.ben!.roles = [];
    expect(await executions()).toEqual([]);
    expect((await audits()).at(-1)).toBe('ben runbook refused another-person');
  });

  test('with an id that was never given out is refused', async () => {
    expect(await send(submission('U0ANA', 'A'.repeat(22), why))).toContain('Rounds does not know this form any more.');
    expect(await send(submission('U0ANA', '', why))).toContain('Rounds does not know this form any more.');
  });

  test('counts once: a replay byte for byte and a second one have no effect', async () => {
    const request = submission('U0ANA', id, { ...why, ...rest });
    expect(JSON.parse(await send(request))).toEqual({ response_action: 'clear' });
    expect(await send(request)).toContain('This form reached Rounds twice and counts once.');
    const again = signed({ payload: new URLSearchParams(request.body).get('payload') ?? '' }, Date.now() + 1_000);
    expect(await send(again)).toContain('This form was sent already.');
    expect(await executions()).toHaveLength(1);
  });

  test('with values that the form could not have held is told at the fields', async () => {
    const odd = {
      'param:mode': { mode: { type: 'static_select', selected_option: { value: '../admin' } } },
      'param:pods': { pods: { type: 'number_input', value: '1e99' } },
      'param:wait': { wait: { selected_options: 7 } },
    };
    expect(JSON.parse(await send(submission('U0ANA', id, odd)))).toEqual({
      response_action: 'errors',
      errors: {
        'param:mode': 'Expected one of rolling or all, got "../admin".',
        'param:why': 'Expected a text of at most 40 characters on one line; it is empty.',
        'param:pods': 'Expected a number from 1 to 5, got "1e99".',
        'param:wait': 'Expected a duration such as 30s or 5m; it is empty.',
      },
    });
  });

  test('with the database away is answered all the same', async () => {
    await slack.query('alter table modal rename to modal_away');
    try {
      expect(await send(submission('U0ANA', id, why))).toContain('Rounds could not do that');
    } finally {
      await slack.query('alter table modal_away rename to modal');
    }
  });

  test('that takes longer than Slack waits says so, and then what came of it', async () => {
    const client = await slack.pool.connect();
    await client.query('begin; lock table execution in access exclusive mode');
    const viewId = (await desk.form('U0ANA'))?.id ?? '';
    const submitting = desk.submit('U0ANA', { 'param:why': 'x' });
    expect(await submitting).toEqual({ ok: true });
    expect(await shown('U0ANA')).toContain('This takes longer than usual.');
    await client.query('commit');
    client.release();
    await until('the outcome', async () => (await shown('U0ANA')).includes('Done. What comes of it is told where you asked.'));
    expect((await desk.form('U0ANA'))?.id).toBe(viewId);
    expect(await executions()).toHaveLength(1);
  });
});

describe('run', () => {
  beforeEach(async () => {
    await closeForms();
    slack.proxy.requests.length = 0;
  });
  const lastAsk = async () =>
    (
      await slack.query<{ id: number; checks: { targets: { check: string; locations: string[] }[] }; answer_to: Record<string, unknown> }>(
        'select * from ask order by id desc limit 1',
      )
    )[0]!;
  async function openRun(user = 'U0ANA'): Promise<void> {
    expect(await desk.type(user, '/rounds run')).toEqual({ ok: true });
    await until('a form', () => desk.form(user).then((form) => form ?? undefined));
  }
  async function answer(ask: { id: number; answer_to: Record<string, unknown> }): Promise<void> {
    const payload = { ...ask.answer_to, askId: ask.id };
    await enqueue(slack.pool, [{ kind: 'answer', lane: `ask/${ask.id}`, payload, priority: PRIORITY.answer, reason: 'manual-run' }]);
    bot.wake();
    await settled(slack);
  }

  test('without a check asks which, for whom and from where', async () => {
    await openRun();
    const [form] = viewsSent(slack, 'views.open');
    expect(faultsOfView(form!)).toEqual([]);
    expect(form?.blocks.map((block) => block.block_id)).toEqual(['check', 'tenants', 'locations', 'everybody']);
    expect(await desk.submit('U0ANA', { check: 'post-invoice', tenants: ['riverside'], locations: ['north', 'south'] })).toEqual({
      ok: true,
    });
    await said('U0ANA', 'for Riverside Clinic from 2 locations; the answer comes here within 20 s.');
    const ask = await lastAsk();
    expect(ask.checks.targets).toEqual([{ check: 'post-invoice/riverside', locations: ['north', 'south'] }]);
    expect(ask.answer_to).toMatchObject({ user: 'U0ANA', responseUrl: expect.any(String) });
    await answer(ask);
    await said('U0ANA', 'The run brought no result.');
    expect(await desk.sees('U0BEN')).not.toContain('The run brought no result.');
  });

  test('shows the answer to everybody when that was asked for', async () => {
    await openRun();
    await desk.submit('U0ANA', { check: 'book', everybody: ['yes'] });
    const ask = await lastAsk();
    expect(ask.checks.targets.map((one) => one.check)).toEqual(['book/riverside', 'book/hillcrest']);
    await answer(ask);
    await said('U0BEN', 'brought no result.');
  });

  test('says at the field what cannot be', async () => {
    slack.config.checks.gate = {
      ...slack.config.checks['book/riverside']!,
      id: 'gate',
      template: 'gate',
      title: 'The gate',
      locations: ['north'],
    };
    delete slack.config.checks.gate.tenant;
    try {
      await openRun();
      const refused = (errors: object) => ({ ok: false, errors });
      expect(await desk.submit('U0ANA', { check: 'gate', tenants: ['riverside'] })).toEqual(
        refused({ tenants: 'This check is not made for each clinic: choose none.' }),
      );
      expect(await desk.submit('U0ANA', { check: 'gate', locations: ['north', 'south', 'cloud'] })).toEqual(
        refused({ locations: 'This check runs from Data centre north, not from Data centre south or Data centre cloud.' }),
      );
      const chosen = desk.submit('U0ANA', { check: 'gate' });
      delete slack.config.checks.gate;
      expect(await chosen).toEqual(refused({ check: 'This check is not in the configuration any more.' }));
    } finally {
      delete slack.config.checks.gate;
    }
  });

  test('is refused to whom the configuration does not list, before a form opens', async () => {
    const { ben, ...others } = slack.config.people;
    slack.config.people = others;
    await desk.type('U0BEN', '/rounds run');
    await said('U0BEN', 'You cannot use');
    expect(viewsSent(slack, 'views.open')).toEqual([]);
    slack.config.people = { ...others, ben: ben! };
  });

  test('with thousands of checks is narrowed by typing', async () => {
    const before = slack.config.checks;
    const many = Array.from({ length: 3_000 }, (_, index) => ({
      ...before['book/riverside']!,
      id: `check-${index}`,
      template: `check-${index}`,
    }));
    slack.config.checks = Object.fromEntries(many.map((check, index) => [check.id, { ...check, title: `Number ${index} of many` }]));
    try {
      await openRun();
      expect(faultsOfView(viewsSent(slack, 'views.open')[0]!)).toEqual([]);
      expect(await desk.enter('U0ANA', 'find', 'number 2999')).toEqual({ ok: true });
      await until('a shorter list', async () => (await shown('U0ANA')).includes('1 check found.'));
      expect(faultsOfView(viewsSent(slack, 'views.update')[0]!)).toEqual([]);
      expect(await desk.submit('U0ANA', { check: 'check-2999' })).toEqual({ ok: true });
      expect((await lastAsk()).checks.targets.map((one) => one.check)).toEqual(['check-2999']);
    } finally {
      slack.config.checks = before;
    }
  });
});

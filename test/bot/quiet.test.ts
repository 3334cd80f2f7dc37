import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Maintenance } from '../../core/config/model.ts';
import { activeSilences } from '../../store/silence.ts';
import { type AtDesk, atDesk, faultsOfView, viewsSent } from '../helpers/forms.ts';
import {
  type Answers,
  openIncident,
  settled,
  signed,
  someFacts,
  startAnswers,
  type TestSlack,
  testSlack,
  until,
} from '../helpers/slack.ts';

const HOUR_MS = 3_600_000;

let slack: TestSlack;
let desk: AtDesk;
let answers: Answers;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let trigger = 0;
let scope = 0;

beforeAll(async () => {
  slack = await testSlack();
  desk = atDesk(slack);
  answers = await startAnswers();
  bot = await slack.bot();
  return async () => {
    await answers.close();
    await slack.close();
  };
});

beforeEach(() => slack.query('truncate silence, scope'));
afterEach(() => {
  answers.received.length = 0;
  slack.config.maintenance = {};
});

/** Types `/rounds …` and waits for the answer: all its texts, a line each. */
async function type(text: string, user = 'U0ANA'): Promise<string> {
  const who = { user_id: user, channel_id: 'C1', team_id: 'T1', trigger_id: `quiet-${++trigger}` };
  const request = signed({ command: '/rounds', text, ...who, response_url: answers.url });
  const before = answers.received.length;
  expect((await fetch(bot.url, { method: 'POST', ...request })).status).toBe(200);
  const answer = await until('an answer', async () => answers.received[before]);
  expect(answer.response_type).toBe('ephemeral');
  return answer.blocks.map((block) => block.text?.text ?? '').join('\n');
}

const silences = () => activeSilences(slack.pool, Date.now());
const audits = async () =>
  (
    await slack.query<{ actor: string; subject: string; outcome: string; reason: string }>(
      `select actor, subject, outcome, reason from audit where verb in ('silence', 'snooze') order by id`,
    )
  ).map(({ actor, subject, outcome, reason }) => [actor, subject, outcome, reason].join(' '));
const lastAudit = async () => (await audits()).at(-1);
const dirty = async () => (await slack.query<{ id: string }>('select id from scope where dirty_seq > judged_seq')).map((row) => row.id);

describe('/rounds silence', () => {
  test('silences a service with reason and end, has it judged anew, and is in the audit log', async () => {
    const answer = await type('silence billing 2h “known: vendor works on it”');
    expect(answer).toMatch(/^\*Patient billing\* is silent until (\w+ \d+ \w+ )?\d\d:\d\d \(2 h\): known: vendor works on it\n/);
    const [made] = await silences();
    expect(made).toMatchObject({
      kind: 'silence',
      by: 'ana',
      title: 'Patient billing',
      reason: 'known: vendor works on it',
      services: ['billing'],
    });
    expect(made!.untilMs - made!.fromMs).toBe(2 * HOUR_MS);
    expect(answer).toContain(`/rounds silence end ${made!.id}`);
    expect(await dirty()).toEqual(['billing']);
    expect(await lastAudit()).toBe('ana billing done allowed');
  });

  test.each<[string, object, string]>([
    ['riverside 30m moving house', { tenants: ['riverside'] }, 'Riverside Clinic'],
    ['Riverside Clinic 30m moving house', { tenants: ['riverside'] }, 'Riverside Clinic'],
    ['postgres 1.5h vacuum', { components: ['postgres'] }, 'PostgreSQL (shared cluster) and what stands on it'],
    ['book 1d vendor', { checks: ['book'] }, 'Book an appointment'],
    ['post-invoice/hillcrest 7d vendor', { checks: ['post-invoice/hillcrest'] }, 'Post an invoice (Hillcrest Dental)'],
    ['check post-invoice 30m vendor', { checks: ['post-invoice'] }, 'Post an invoice'],
  ])('takes %s', async (typed, covered, title) => {
    expect(await type(`silence ${typed}`)).toContain(`*${title}* is silent until`);
    expect(await silences()).toMatchObject([{ services: [], ...covered, title }]);
  });

  test.each([
    ['billing', 'For how long? Expected 30m, 2h or at most 7d: `/rounds silence billing 2h why`'],
    ['billing 2h', 'Why? Whoever finds it quiet wants to know: `/rounds silence billing 2h known: the vendor works on it`'],
    ['billing 2h ""', 'Why? Whoever finds it quiet wants to know: `/rounds silence billing 2h known: the vendor works on it`'],
    ['billing 8d vendor', 'A silence lasts at most 7d, got 8d. What is out of use for longer is better taken out of rounds.yaml.'],
    ['billing 5s vendor', 'A silence lasts at least a minute: `/rounds silence billing 30m why`'],
    [
      'biling 2h vendor',
      'I know no service, clinic, component or check "biling". Did you mean *billing*? `/rounds silence billing 2h why`',
    ],
    ['INC-999 2h vendor', 'I know no incident "INC-999". `/rounds incidents` shows what is open.'],
    ['end 999', 'I know no silence "999". `/rounds silence list` shows what is on.'],
    ['end billing', 'I know no silence "billing". `/rounds silence list` shows what is on.'],
  ])('says of %s what is wrong with it', async (typed, answer) => {
    expect(await type(`silence ${typed}`)).toBe(answer);
    expect(await silences()).toEqual([]);
  });

  test('asks which is meant when a name is that of several', async () => {
    slack.config.components.book = { id: 'book', title: 'Bookings', dependsOn: [] };
    expect(await type('silence book 2h vendor')).toBe(
      '"book" is a component and a check. Say which: `/rounds silence component book 2h why`',
    );
    delete slack.config.components.book;
  });

  test('silences what an incident is about, and not what fails besides', async () => {
    const id = await openIncident(slack.pool, { scope: `scope-${++scope}`, facts: someFacts({ members: ['post-invoice/riverside'] }) });
    expect(await type(`silence INC-${id} 1h vendor`)).toContain(`*INC-${id}, Patient billing* is silent until`);
    expect(await silences()).toMatchObject([{ services: [], checks: ['post-invoice/riverside'] }]);
    await slack.query(`update incident set state = 'resolved', resolved_at = now() where id = $1`, [id]);
    expect(await type(`silence INC-${id} 1h vendor`)).toMatch(new RegExp(`^INC-${id} is resolved since`));
  });

  test('is refused to whom has no role, with those who may', async () => {
    expect(await type('silence billing 2h vendor', 'U0BEN')).toBe(
      'You cannot silence anything: it needs a role, and you have none. Those who may: Ana.',
    );
    expect(await lastAudit()).toBe('ben billing 2h refused lacks-role');
    expect(await type('silence billing 2h vendor', 'U0EVE')).toBe(
      'You cannot silence anything. Only people listed in rounds.yaml can, and <@U0EVE> is not among them. Ask whoever keeps it to add you under "people". Those who may: Ana.',
    );
    expect(await lastAudit()).toBe('slack:U0EVE billing 2h refused unknown-person');
    expect(await silences()).toEqual([]);
  });

  test('shows anybody what is silenced, and ends it for whoever may', async () => {
    expect(await type('silence list', 'U0EVE')).toBe('Nothing is silenced. `/rounds maintenance` shows the windows of maintenance.');
    await type('silence riverside 30m moving <house>');
    const [made] = await silences();
    const list = await type('silence', 'U0EVE');
    expect(list).toContain('*1 silence is on*');
    expect(list).toMatch(new RegExp(`\\*${made!.id}\\* · \\*Riverside Clinic\\* until .*\\((30|29) min left\\)`));
    expect(list).toMatch(/Ana, .*\d\d:\d\d: moving &lt;house&gt;/);

    expect(await type(`silence end ${made!.id}`, 'U0BEN')).toContain('You cannot end a silence');
    await slack.query('update scope set judged_seq = dirty_seq');
    expect(await type(`silence end ${made!.id}`)).toBe(
      'The silence of *Riverside Clinic* is ended. What is wrong there is posted from now on.',
    );
    expect(await lastAudit()).toBe('ana Riverside Clinic done ended');
    expect(await dirty()).toEqual(['billing']);
    expect(await silences()).toEqual([]);
    expect(await type(`silence end ${made!.id}`)).toMatch(/^The silence of \*Riverside Clinic\* is over since \d\d:\d\d by Ana\.$/);
  });
});

describe('/rounds maintenance', () => {
  const window = (id: string, change: Partial<Maintenance>): Maintenance => ({
    ...{ id, title: id, services: [], components: [], tenants: [], checks: [], exceptDaysMs: [], exceptWallsMs: [] },
    timezone: 'UTC',
    ...change,
  });

  test('shows what is on, and what comes in the next 7 days', async () => {
    const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    slack.config.maintenance = {
      patches: window('Patches', { components: ['postgres'], tenants: ['riverside'], fromWallMs: hourMs, lastsMs: 2 * HOUR_MS }),
      later: window('Later', { services: ['billing'], fromWallMs: hourMs + 50 * HOUR_MS, lastsMs: HOUR_MS }),
      daily: window('Daily', { rrule: 'FREQ=DAILY', fromWallMs: hourMs + 60 * HOUR_MS, lastsMs: HOUR_MS }),
      far: window('Far', { fromWallMs: hourMs + 300 * HOUR_MS, lastsMs: HOUR_MS }),
    };
    const shown = await type('maintenance', 'U0EVE');
    expect(shown).toContain(
      '*Maintenance is on*\n*Patches*: PostgreSQL (shared cluster) and what stands on it, for Riverside Clinic, until ',
    );
    expect(shown).toMatch(
      /\*In the next 7 days\*\n\w{3} \d+ \w{3} \d\d:00 \(1 h\) · \*Later\*: Patient billing\n.* \(1 h\), and 4 more times · \*Daily\*: everything$/,
    );
  });

  test('says so when there is none', async () => {
    expect(await type('maintenance')).toBe('*No maintenance is on.*\n*In the next 7 days*\nNone.');
  });
});

describe('Snooze…', () => {
  let incident: number;

  beforeEach(async () => {
    for (const user of ['U0ANA', 'U0BEN']) if (await desk.form(user)) await desk.close(user);
    slack.proxy.requests.length = 0;
    incident = await openIncident(slack.pool, { scope: `scope-${++scope}`, facts: someFacts({ members: ['post-invoice/riverside'] }) });
    bot.wake();
    await settled(slack);
  });

  async function open(): Promise<void> {
    expect(await desk.press('U0ANA', incident, 'Snooze…')).toEqual({ ok: true });
    await until('a form', async () => (await desk.form('U0ANA'))?.submit === 'Snooze');
  }

  test('opens a form with three choices and a reason, and silences what fails in the incident', async () => {
    await open();
    const [form] = viewsSent(slack, 'views.open');
    expect(faultsOfView(form!)).toEqual([]);
    expect(form?.title?.text).toBe(`Snooze INC-${incident}`);
    const options = form?.blocks.flatMap((block) => (block.element?.options as { text: { text: string } }[] | undefined) ?? []);
    expect(options?.map((one) => one.text.text)).toEqual([
      '30 minutes',
      '2 hours',
      expect.stringMatching(/^Until (08:00 today|tomorrow, \w{3} \d+ \w{3} 08:00)$/),
    ]);

    expect(await desk.submit('U0ANA', { lasts: '30m', reason: 'the vendor works on it' })).toEqual({ ok: true });
    await until('the answer', async () => (await desk.sees('U0ANA')).includes('the vendor works on it'));
    const [made] = await silences();
    expect(made).toMatchObject({
      checks: ['post-invoice/riverside'],
      reason: 'the vendor works on it',
      title: `INC-${incident}, Patient billing`,
    });
    expect(made!.untilMs - made!.fromMs).toBe(HOUR_MS / 2);
    expect(await lastAudit()).toBe(`ana INC-${incident} done allowed`);
  });

  test('until the morning is 08:00 of the configured zone', async () => {
    await open();
    expect(await desk.submit('U0ANA', { lasts: 'morning', reason: 'sleep' })).toEqual({ ok: true });
    const [made] = await until('a silence', async () => ((await silences()).length > 0 ? silences() : undefined));
    expect(new Date(made!.untilMs).toISOString().slice(11)).toBe('08:00:00.000Z');
    expect(made!.untilMs - made!.fromMs).toBeGreaterThan(2 * HOUR_MS - 60_000);
    expect(made!.untilMs - made!.fromMs).toBeLessThan(26 * HOUR_MS);
  });

  test('needs a reason', async () => {
    await open();
    expect(await desk.submit('U0ANA', { lasts: '2h', reason: '     ' })).toMatchObject({ ok: false });
    expect(await silences()).toEqual([]);
  });

  test('is refused to whom has no role', async () => {
    await desk.press('U0BEN', incident, 'Snooze…');
    await until('a refusal', async () => (await desk.sees('U0BEN')).includes('Those who may: Ana.'));
    expect(await desk.form('U0BEN')).toBeNull();
    expect(await lastAudit()).toBe(`ben INC-${incident} refused lacks-role`);
  });
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fallback } from '../../core/config/model.ts';
import { type FallbackDeps, tellElsewhere } from '../../jobs/fallback.ts';
import { openWays, type Ways } from '../../jobs/ways.ts';
import { claimTellings } from '../../store/elsewhere.ts';
import { keepingLog, type LogLine } from '../helpers/log.ts';
import { startHook, startMail, type TestHook, type TestMail } from '../helpers/mail.ts';
import { openIncident, settled, someFacts, type TestSlack, tellThread, testSlack, wantPost } from '../helpers/slack.ts';

let slack: TestSlack;
let mail: TestMail;
let hook: TestHook;
let ways: Ways;
let log: ReturnType<typeof keepingLog>;
beforeEach(async () => {
  log = keepingLog();
  slack = await testSlack();
  [mail, hook] = [await startMail({ plain: true }), await startHook()];
  ways = openWays({ smtpUrl: `smtp://127.0.0.1:${mail.port}`, webhookUrl: hook.url, webhookToken: 'token-of-the-test', timeoutMs: 1_000 });
});
afterEach(async () => {
  await Promise.all([slack.close(), mail.close(), hook.close()]);
});

const FALLBACK: Fallback = {
  afterMs: 300_000,
  email: ['ops@clinic.example'],
  webhook: true,
  classes: ['full interruption', 'partial outage'],
};

function deps(fallback: Partial<Fallback> = {}): FallbackDeps {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  return { pool: slack.pool, config: { ...slack.config, fallback: { ...FALLBACK, ...fallback } }, configSeq: 0, clock, log };
}

/** Everything that waits has waited so many minutes longer. */
async function later(minutes: number): Promise<void> {
  await slack.query(`update outbox set made_at = made_at - $1 * interval '1 minute'`, [minutes]);
  await slack.query(`update told_elsewhere set not_before = now() - interval '1 second' where state = 'wanted'`);
}

/** As judging does it: the post, and the line of the thread, in one transaction. */
async function changed(id: number, klass: 'full interruption' | 'partial outage' | 'resolved'): Promise<void> {
  const state =
    klass === 'resolved' ? `state = 'resolved', resolved_at = now(), resolution = 'Resolved after 8 min.'` : `class = '${klass}'`;
  await slack.query(`update incident set ${state} where id = $1`, [id]);
  await wantPost(slack.pool, id, klass === 'resolved' ? 'resolved' : 'class-raised');
  if (klass === 'resolved') return tellThread(slack.pool, id, { kind: 'resolved', afterMs: 480_000, reason: 'resolved', text: '' });
  await tellThread(slack.pool, id, { kind: 'class-raised', from: 'partial outage', to: klass, headline: 'Patient billing', reason: 'x' });
}

const tell = (fallback: Partial<Fallback> = {}) => tellElsewhere(deps(fallback), ways);
const subjects = () => mail.received.map((one) => one.headers.get('subject'));
const rows = () =>
  slack.query<{ about: string; way: string; state: string; possible_duplicate: boolean; error: string | null }>(
    'select about, way, state, possible_duplicate, error from told_elsewhere order by wanted_at, way',
  );
const states = async () => (await rows()).map((row) => `${row.about} ${row.way} ${row.state}`);

describe('while Slack is away', () => {
  test('what has waited for longer than the bound is told by mail and webhook, once', async () => {
    const id = await openIncident(slack.pool, {
      facts: someFacts({ likelyCause: { text: 'a report blocks 23 sessions.', evidence: 'Began 40 s before.' } }),
    });
    await later(4.9);
    expect(await tell()).toBe(0);
    await later(0.2);
    expect(await tell()).toBe(2);
    expect(await tell()).toBe(0);
    await later(60);
    expect(await tell()).toBe(0);
    expect(subjects()).toEqual([`🟠 Patient billing: partial outage (INC-${id})`]);
    const text = mail.received[0]?.text ?? '';
    expect(text.split('\r\n')[0]).toBe('🟠 Patient billing: partial outage. 1 of 2 clinics cannot post invoices: Riverside Clinic.');
    expect(text).toMatch(/Since \w+ \d+ \w+ \d\d:\d\d \(6 min\)\./);
    expect(text).toContain('Likely cause: a report blocks 23 sessions. Began 40 s before.');
    expect(text).toContain('On call: Ana. Owner: ops.');
    expect(hook.received[0]?.body).toMatchObject({
      ...{ incident: `INC-${id}`, about: 'partial outage', onCall: ['Ana'], owner: 'ops', channel: '#incidents' },
      likelyCause: 'a report blocks 23 sessions. Began 40 s before.',
    });
    expect(await slack.query(`select 1 from decision where subject = 'fallback' and reason = 'slack-away'`)).toHaveLength(1);
  });

  test('a token that was revoked counts as away, and when Slack is back the thread says what was told and when', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'token_revoked' }, 4);
    await openIncident(slack.pool);
    const notifier = await slack.notifier({ retryMs: 400 });
    notifier.start();
    await later(6);
    expect(await tell()).toBe(2);
    notifier.wake();
    await settled(slack);
    const [post] = await slack.history();
    const replies = (await slack.replies(post?.ts ?? '')).map((one) => one.text);
    expect(replies).toHaveLength(3);
    expect(
      replies
        .slice(1)
        .map((one) => one.slice(6))
        .sort(),
    ).toEqual(['Slack was away: told by mail (partial outage).', 'Slack was away: told by webhook (partial outage).']);
    expect(replies[1]).toMatch(/^\d\d:\d\d Slack/);
  });

  test('a raise is told, once for each class, and never what is less than was told before', async () => {
    const id = await openIncident(slack.pool);
    await later(6);
    await tell({ webhook: false });
    await changed(id, 'full interruption');
    // Slack has been away for long enough already: a raise does not wait once more.
    expect(await tell({ webhook: false })).toBe(1);
    await slack.query(`update incident set class = 'partial outage' where id = $1`, [id]);
    await later(60);
    await tell({ webhook: false });
    expect(subjects()).toEqual([`🟠 Patient billing: partial outage (INC-${id})`, `🔴 Patient billing: full interruption (INC-${id})`]);
    const [first, second] = mail.received;
    expect(second?.headers.get('in-reply-to')).toBe(first?.headers.get('message-id'));
  });

  test('the end is told of what was told, the ways it was told, and of nothing else', async () => {
    const told = await openIncident(slack.pool, { scope: 'a' });
    await later(6);
    await tell({ email: [] });
    const untold = await openIncident(slack.pool, { scope: 'b' });
    for (const id of [told, untold]) await changed(id, 'resolved');
    await later(6);
    expect(await tell()).toBe(1);
    expect(mail.received).toEqual([]);
    expect(hook.received.map((one) => [one.body.incident, one.body.about])).toEqual([
      [`INC-${told}`, 'partial outage'],
      [`INC-${told}`, 'resolved'],
    ]);
    expect(String(hook.received[1]?.body.text)).toMatch(/^🟢 Patient billing: well again\. Resolved after 8 min\.\nFrom /);
  });

  test('other classes are told only where they are configured', async () => {
    const id = await openIncident(slack.pool);
    await slack.query(`update incident set class = 'degradation' where id = $1`, [id]);
    await later(30);
    expect(await tell()).toBe(0);
    expect(await tell({ classes: ['degradation'] })).toBe(2);
  });

  test('a post that Slack refuses for good is told too', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'msg_too_long' }, 99);
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await slack.query('select pg_sleep(0.5)');
    await later(6);
    expect(await tell()).toBe(2);
  });
});

describe('while Slack is there', () => {
  test('nothing is told, though posts are changed again and again', async () => {
    const id = await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    await later(30);
    expect(await tell()).toBe(0);
    // It goes away after the post: what only keeps the post current is no news.
    for (let turn = 0; turn < 3; turn++) {
      await slack.query(
        `insert into outbox (kind, lane, channel, incident_id, priority, reason, not_before)
        values ('incident', $1, '#elsewhere', $2, 20, 'shown-anew', now() + interval '1 hour')`,
        [`incident/${id}`, id],
      );
    }
    await later(30);
    expect(await tell()).toBe(0);
    expect(await rows()).toEqual([]);
  });

  test('again before it was told, it is dropped; away once more, it is told', async () => {
    const id = await openIncident(slack.pool);
    await later(6);
    await tellElsewhere(deps(), {});
    expect(await states()).toEqual(['partial outage email wanted', 'partial outage webhook wanted']);
    const notifier = await slack.notifier();
    notifier.start();
    await settled(slack);
    expect(await tell()).toBe(0);
    expect((await rows()).map((row) => [row.state, row.error])).toEqual([
      ['dropped', 'Slack has it'],
      ['dropped', 'Slack has it'],
    ]);
    await notifier.stop();
    await changed(id, 'partial outage');
    await later(6);
    expect(await tell()).toBe(2);
  });

  test('what is over, or another class by now, is not told as it was', async () => {
    const [over, worse] = [await openIncident(slack.pool, { scope: 'a' }), await openIncident(slack.pool, { scope: 'b' })];
    await later(6);
    await tellElsewhere(deps({ webhook: false }), {});
    await changed(over, 'resolved');
    await changed(worse, 'full interruption');
    expect(await tell({ webhook: false })).toBe(1);
    expect(subjects()).toEqual([`🔴 Patient billing: full interruption (INC-${worse})`]);
    expect(await states()).toEqual(['partial outage email dropped', 'partial outage email dropped', 'full interruption email sent']);
  });
});

describe('faults', () => {
  test('a mail server that is away is tried again, and the webhook does not wait for it', async () => {
    await openIncident(slack.pool);
    await later(6);
    const { port } = mail;
    await mail.close();
    expect(await tell()).toBe(1);
    expect(hook.received).toHaveLength(1);
    expect(await tell()).toBe(0);
    mail = await startMail({ plain: true, port });
    expect(await tell()).toBe(0);
    await later(1);
    mail.refuse(1);
    expect(await tell()).toBe(0);
    await later(1);
    expect(await tell()).toBe(1);
    expect(mail.received).toHaveLength(1);
    expect(hook.received).toHaveLength(1);
    expect((await rows()).map((row) => row.possible_duplicate)).toEqual([false, false]);
  });

  test('a webhook is tried again under the same key', async () => {
    hook.answer(503, 0);
    await openIncident(slack.pool);
    await later(6);
    for (let turn = 0; turn < 3; turn++) {
      await tell({ email: [] });
      await later(1);
    }
    // The second one was taken and broken off: nobody knew, so it came again.
    expect(hook.received).toHaveLength(2);
    expect(new Set(hook.received.map((one) => one.headers['idempotency-key'])).size).toBe(1);
    expect(await rows()).toMatchObject([{ state: 'sent', possible_duplicate: true }]);
  });

  test('a worker that is killed between the mail and its record: told again with the same Message-ID, and one line in the thread', async () => {
    const id = await openIncident(slack.pool);
    await later(6);
    await tellElsewhere(deps({ webhook: false }), {});
    const [claim] = await claimTellings(slack.pool, { ways: ['email'], most: 1, leaseMs: 60_000 });
    await ways.email?.({ id: claim?.id ?? '', subject: 'x', lines: ['x'], facts: {}, to: ['ops@clinic.example'] });
    expect(await tell({ webhook: false })).toBe(0);
    await slack.query(`update told_elsewhere set lease_until = now() - interval '1 second'`);
    expect(await tell({ webhook: false })).toBe(1);
    expect(mail.received).toHaveLength(2);
    expect(new Set(mail.received.map((one) => one.headers.get('message-id'))).size).toBe(1);
    expect(await rows()).toMatchObject([{ state: 'sent', possible_duplicate: true }]);
    expect(await slack.query(`select 1 from timeline where incident_id = $1 and kind = 'told-elsewhere'`, [id])).toHaveLength(1);
  });

  test('of two workers at one moment one tells', async () => {
    for (const scope of ['a', 'b', 'c']) await openIncident(slack.pool, { scope });
    await later(6);
    const told = await Promise.all(Array.from({ length: 5 }, () => tell()));
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(6);
    expect([mail.received.length, hook.received.length]).toEqual([3, 3]);
  });

  test('a way that the environment lacks is told of in the log, and the other is gone', async () => {
    await openIncident(slack.pool);
    await later(6);
    const { email: _email, ...rest } = ways;
    expect(await tellElsewhere(deps(), rest)).toBe(1);
    expect(log.lines.find((line: LogLine) => line.level === 'error')?.message).toContain('ROUNDS_SMTP_URL is not set');
    expect(await tellElsewhere(deps(), ways)).toBe(1);
  });

  test('nothing secret is in the log', async () => {
    mail.refuse(9);
    hook.answer(500, 500);
    await openIncident(slack.pool);
    await later(6);
    await tell();
    expect(JSON.stringify(log.lines)).not.toMatch(/token-of-the-test|\/hook|clinic\.example/);
  });
});

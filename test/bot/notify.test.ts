import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reconcilePosts } from '../../bot/reconcile.ts';
import { SlackWeb } from '../../bot/web.ts';
import { updateIncident } from '../../store/incident.ts';
import { claimNext } from '../../store/outbox.ts';
import { insertPicture } from '../../store/picture.ts';
import { quietLog } from '../helpers/log.ts';
import type { Fault } from '../helpers/proxy.ts';
import {
  CHANNEL,
  openIncident,
  SHORT,
  settled,
  someFacts,
  type TestSlack,
  tellThread,
  testSlack,
  until,
  wantPost,
} from '../helpers/slack.ts';

let slack: TestSlack;
beforeEach(async () => {
  slack = await testSlack();
});
afterEach(() => slack.close());

const first = (message: { blocks?: { text?: { text: string } }[] } | undefined) => message?.blocks?.[0]?.text?.text ?? '';

async function onePost() {
  const messages = await slack.history();
  expect(messages).toHaveLength(1);
  return messages[0]!;
}

describe('an incident', () => {
  test('becomes one post with its story in the thread', async () => {
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    const post = await onePost();
    expect(first(post)).toBe('🟠 *Patient billing: partial outage.* 1 of 2 clinics cannot post invoices: Riverside Clinic.');
    expect(post.blocks?.[1]?.text?.text).toContain('Fails at "confirm the invoice": no answer within 15 s.');
    const labels = post.blocks?.find((block) => block.type === 'actions')?.elements?.map((one) => (one.text as { text: string }).text);
    expect(labels).toEqual(['Acknowledge', 'Reopen sign-in', 'Details', 'Snooze…']);
    expect((await slack.replies(post.ts)).map((one) => one.text.replace(/^\d\d:\d\d /, ''))).toEqual([
      '🟠 Patient billing: partial outage. Seen from Data centre north, Data centre south and Data centre cloud.',
    ]);
  });

  test('is kept current in place, and what is told in between stays in order', async () => {
    const id = await openIncident(slack.pool);
    const notifier = await slack.notifier();
    notifier.start();
    await settled(slack);
    for (const by of ['Ana', 'Ben', 'Cleo', 'Dora']) {
      await tellThread(slack.pool, id, { kind: 'acknowledged', by });
      await wantPost(slack.pool, id, 'impact-changed');
    }
    notifier.wake();
    await settled(slack);
    const post = await onePost();
    const said = (await slack.replies(post.ts)).map((one) => one.text.split(' ').slice(1).join(' '));
    expect(said.slice(1)).toEqual(['Ana acknowledged.', 'Ben acknowledged.', 'Cleo acknowledged.', 'Dora acknowledged.']);
  });

  test('is told at once, however many older ones wait for their turn to be changed', async () => {
    const notifier = await slack.notifier({ updateGapMs: 600_000, atOnce: 2 });
    const older = [];
    for (const scope of ['one', 'two', 'three', 'four']) older.push(await openIncident(slack.pool, { scope }));
    notifier.start();
    await settled(slack);
    for (const id of older) await wantPost(slack.pool, id, 'impact-changed');
    const open = async () =>
      (await slack.query<{ reason: string }>(`select reason from outbox where state in ('wanted', 'claimed')`)).length;
    await until('one change', async () => (await open()) === 3);
    await openIncident(slack.pool, { scope: 'five' });
    await until('the fifth post', async () => (await slack.history()).length === 5);
    expect(await open(), 'the changes of three, which waited no shorter').toBeGreaterThanOrEqual(3);
  });

  test('that changed five times before anybody could send is posted once, as it is now', async () => {
    const id = await openIncident(slack.pool);
    for (let change = 0; change < 4; change++) await wantPost(slack.pool, id, 'impact-changed');
    await updateIncident(slack.pool, id, { class: 'full interruption', peak: 'full interruption', facts: someFacts(), material: true });
    (await slack.notifier()).start();
    await settled(slack);
    expect(first(await onePost())).toContain('full interruption');
    expect(slack.proxy.requests.filter((one) => one.method.startsWith('chat.') && !one.body.get('thread_ts'))).toHaveLength(1);
    const states = await slack.query<{ state: string }>(`select state from outbox where kind = 'incident' order by seq`);
    expect(states.map((row) => row.state)).toEqual(['superseded', 'superseded', 'superseded', 'superseded', 'sent']);
  });

  test('shows its picture once that is uploaded, and does not wait for it', async () => {
    const pictureId = await insertPicture(slack.pool, { run: 'r', mime: 'image/png', bytes: randomBytes(200) });
    slack.proxy.fail('files.getUploadURLExternal', { kind: 'reset' });
    await openIncident(slack.pool, { pictureId });
    (await slack.notifier()).start();
    const post = await until('a post with a picture', async () => {
      const [message] = await slack.history();
      return message?.blocks?.some((block) => block.type === 'image') && message;
    });
    await settled(slack);
    const [recorded] = await slack.query<{ file_id: string; picture_id: number }>('select file_id, picture_id from post');
    expect(post.blocks?.find((block) => block.type === 'image')?.slack_file?.id).toBe(recorded?.file_id);
    expect(recorded?.picture_id).toBe(pictureId);
    const methods = slack.proxy.requests.map((one) => one.method);
    expect(methods.indexOf('chat.postMessage')).toBeLessThan(methods.indexOf('files.getUploadURLExternal'));
  });
});

const FAULTS: Fault[] = [
  { kind: 'lost-reply' },
  { kind: 'after-503' },
  { kind: 'limited', retryAfterS: 1 },
  { kind: 'reset' },
  { kind: 'black-hole' },
  { kind: 'error', error: 'internal_error' },
  { kind: 'error', error: 'invalid_auth' },
];
const isThread = (body: URLSearchParams) => body.has('thread_ts');

test.each(FAULTS)('one post, kept current, with its thread in order, when Slack answers each kind of request with %o', async (fault) => {
  slack.proxy.fail('chat.postMessage', fault, 1, (body) => !isThread(body));
  slack.proxy.fail('chat.postMessage', fault, 1, isThread);
  slack.proxy.fail('chat.update', fault);
  const id = await openIncident(slack.pool);
  await tellThread(slack.pool, id, { kind: 'acknowledged', by: 'Ana' });
  (await slack.notifier()).start();
  await settled(slack);
  const replies = await slack.replies((await onePost()).ts);
  expect(replies).toHaveLength(2);
  expect(replies[0]?.text).toContain('partial outage');
  expect(replies[1]?.text).toContain('Ana acknowledged.');

  await updateIncident(slack.pool, id, { class: 'full interruption', peak: 'full interruption', facts: someFacts(), material: true });
  await wantPost(slack.pool, id, 'class-raised');
  await settled(slack);
  expect(first(await onePost())).toContain('full interruption');
});

describe('when nothing is known of a post', () => {
  test('and the history cannot be searched, it is sent again and marked', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'lost-reply' }, 1, (body) => !isThread(body));
    slack.proxy.fail('conversations.history', { kind: 'error', error: 'missing_scope' }, 9);
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    expect(await slack.query(`select 1 from outbox where possible_duplicate and state = 'sent'`)).toHaveLength(1);
    expect(slack.log.lines.some((line) => line.message.includes('may be there twice'))).toBe(true);
  });

  test('a look-up that fails is made again, and nothing is sent meanwhile', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'lost-reply' }, 1, (body) => !isThread(body));
    slack.proxy.fail('conversations.history', { kind: 'reset' }, 2);
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    await onePost();
  });

  test('it is looked for only when the request can no longer arrive', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'lost-reply' }, 1, (body) => !isThread(body));
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    const sent = slack.proxy.requests.find((one) => one.method === 'chat.postMessage');
    const looked = slack.proxy.requests.find((one) => one.method === 'conversations.history');
    expect((looked?.atMs ?? 0) - (sent?.atMs ?? 0)).toBeGreaterThanOrEqual(SHORT.requestTimeoutMs + SHORT.graceMs - 50);
  });
});

describe('a bot that is killed', () => {
  test('between claim and send: another sends', async () => {
    await openIncident(slack.pool);
    await claimNext(slack.pool, { leaseMs: 300, channelGapMs: 0 });
    (await slack.notifier()).start();
    await settled(slack);
    expect(await slack.replies((await onePost()).ts)).toHaveLength(1);
  });

  test('after Slack took the post: another finds it', async () => {
    await openIncident(slack.pool);
    const claim = (await claimNext(slack.pool, { leaseMs: 300, channelGapMs: 0 }))!;
    await slack.query('update outbox set sending_since = now() where id = $1', [claim.id]);
    const web = new SlackWeb({ token: 'xoxb-of-the-test', apiUrl: slack.proxy.url, timeoutMs: 5_000, log: quietLog, now: Date.now });
    await web.post({ channel: CHANNEL, message: { text: 'as it was then', blocks: [] }, outboxId: claim.id });
    (await slack.notifier()).start();
    await settled(slack);
    expect(first(await onePost())).toContain('Patient billing: partial outage.');
  });
});

describe('two bots', () => {
  test('send every incident once and every thread in order', async () => {
    const ids: number[] = [];
    for (let scope = 0; scope < 6; scope++) ids.push(await openIncident(slack.pool, { scope: `scope-${scope}` }));
    for (const id of ids) {
      for (const by of ['one', 'two', 'three']) await tellThread(slack.pool, id, { kind: 'acknowledged', by });
      await wantPost(slack.pool, id, 'impact-changed');
    }
    for (const notifier of [await slack.notifier(), await slack.notifier()]) notifier.start();
    await settled(slack);
    const posts = await slack.history();
    expect(posts).toHaveLength(ids.length);
    for (const post of posts) {
      const said = (await slack.replies(post.ts)).map((one) => one.text.split(' ')[1]);
      expect(said.slice(1)).toEqual(['one', 'two', 'three']);
    }
  });

  test('a slow one that was overtaken records nothing', async () => {
    const held = slack.proxy.hold('chat.postMessage');
    await openIncident(slack.pool);
    const slow = await slack.notifier({ requestTimeoutMs: 20_000, leaseMs: 200 });
    slow.start();
    await held.arrived;
    (await slack.notifier()).start();
    await settled(slack);
    const [before] = await slack.query<{ ts: string }>('select ts from post');
    held.release();
    await slow.stop();
    const [after] = await slack.query<{ ts: string }>('select ts from post');
    expect(after).toEqual(before);
  });
});

describe('a post that is gone', () => {
  test('is posted anew when it is to be changed, and its thread goes on there', async () => {
    const id = await openIncident(slack.pool);
    const notifier = await slack.notifier();
    notifier.start();
    await settled(slack);
    await slack.remove((await onePost()).ts);
    await tellThread(slack.pool, id, { kind: 'acknowledged', by: 'Ana' });
    await wantPost(slack.pool, id, 'acknowledged');
    await settled(slack);
    const replies = await slack.replies((await onePost()).ts);
    expect(replies.map((one) => one.text.split(' ').slice(1).join(' ')).sort()).toEqual([
      'Ana acknowledged.',
      'Posted anew: the earlier post was gone from Slack.',
    ]);
    expect(await slack.query(`select 1 from decision where subject = 'post' and reason = 'post-gone'`)).toHaveLength(1);
  });

  test('is noticed at the start, after Slack has forgotten everything', async () => {
    await openIncident(slack.pool);
    const notifier = await slack.notifier();
    notifier.start();
    await settled(slack);
    await notifier.stop();
    await slack.restartDesk();
    const bot = await slack.bot();
    const post = await until('a new post', async () => (await slack.history())[0]);
    await settled(slack);
    expect((await slack.replies(post.ts))[0]?.text).toContain('Posted anew');
    expect(bot.trouble()).toBeUndefined();
  });

  test('is left alone when it is there', async () => {
    await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    const web = new SlackWeb({ token: 'xoxb-of-the-test', apiUrl: slack.proxy.url, timeoutMs: 5_000, log: quietLog, now: Date.now });
    const parts = { pool: slack.pool, config: slack.config, log: quietLog, clock: { now: Date.now, monotonic: () => 0 }, slack: web };
    expect(await reconcilePosts(parts)).toBe(0);
  });
});

describe('what Slack will never take', () => {
  test('is refused with its reason and told in the log; the rest goes on', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'msg_too_long' }, 1, isThread);
    const id = await openIncident(slack.pool);
    await tellThread(slack.pool, id, { kind: 'acknowledged', by: 'Ana' });
    (await slack.notifier()).start();
    await settled(slack);
    const refused = await slack.query<{ error: string }>(`select error from outbox where state = 'refused'`);
    expect(refused).toEqual([{ error: 'Slack answered msg_too_long.' }]);
    expect(slack.log.lines.some((line) => line.level === 'error' && line.message.includes('msg_too_long'))).toBe(true);
    expect((await slack.replies((await onePost()).ts)).map((one) => one.text.split(' ')[1])).toEqual(['Ana']);
  });
});

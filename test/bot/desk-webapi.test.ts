import type { WebAPIPlatformError } from '@slack/web-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { APP_TOKEN, clientOf, section, type TestDesk, testDesk } from '../helpers/desk.ts';

let desk: TestDesk;
let channel: string;

beforeAll(async () => {
  desk = await testDesk();
  channel = await desk.channelId('billing-incidents');
});
afterAll(() => desk.close());

describe('the Web API for the bot', () => {
  test('a channel goes by its name, metadata and ids are kept', async () => {
    const posted = await desk.web.chat.postMessage({
      channel: '#billing-incidents',
      text: 'kept',
      blocks: [section('kept')],
      metadata: outbox('1'),
    });
    const asked = { channel, latest: posted.ts as string, oldest: posted.ts as string, inclusive: true, limit: 1 };
    const [withMetadata] = (await desk.web.conversations.history({ ...asked, include_all_metadata: true })).messages ?? [];
    const [without] = (await desk.web.conversations.history(asked)).messages ?? [];
    expect(withMetadata).toMatchObject({ ts: posted.ts, bot_id: 'B0ROUNDS', app_id: 'A0ROUNDS', metadata: outbox('1') });
    expect(withMetadata?.blocks?.[0]?.block_id).toMatch(/^.{5}$/);
    expect(without).not.toHaveProperty('metadata');
  });

  test('the history is cut by oldest, latest and limit, newest first', async () => {
    const posted = await Promise.all(['a', 'b', 'c', 'd'].map((text) => desk.web.chat.postMessage({ channel, text })));
    const [a, , , d] = posted.map((one) => one.ts ?? '').sort();
    const between = await desk.web.conversations.history({ channel, oldest: a as string, latest: d as string });
    const first = await desk.web.conversations.history({ channel, oldest: a as string, limit: 2 });
    const second = await desk.web.conversations.history({
      channel,
      oldest: a as string,
      limit: 2,
      cursor: first.response_metadata?.next_cursor as string,
    });
    expect(between.messages).toHaveLength(2);
    expect(first.messages?.[0]?.ts).toBe(d);
    expect(first.has_more).toBe(true);
    expect(second.messages).toHaveLength(1);
  });

  test('replies carry their metadata', async () => {
    const parent = await desk.web.chat.postMessage({ channel, text: 'parent' });
    const ts = parent.ts as string;
    await desk.web.chat.postMessage({ channel, text: 'reply', thread_ts: ts, metadata: outbox('2') });
    const replies = await desk.web.conversations.replies({ channel, ts, include_all_metadata: true });
    expect(replies.messages?.map((one) => one.text)).toEqual(['parent', 'reply']);
    expect(replies.messages?.[1]).toMatchObject({ metadata: outbox('2') });
  });

  test('refuses what Slack refuses', async () => {
    const stranger = clientOf(desk.address('/api/'), 'xoxb-somebody-else');
    await expect(stranger.auth.test()).rejects.toThrow('invalid_auth');
    await expect(desk.web.chat.update({ channel, ts: '1.000001', text: 'gone' })).rejects.toThrow('message_not_found');
    await expect(desk.web.chat.postMessage({ channel: '#nowhere', text: 'x' })).rejects.toThrow('channel_not_found');
    await expect(desk.web.chat.postMessage({ channel, text: 'x', blocks: [section('x'.repeat(3_001))] })).rejects.toThrow('invalid_blocks');
    await expect(desk.web.conversations.replies({ channel, ts: '1.000001' })).rejects.toThrow('thread_not_found');
  });

  test('says what is wrong with blocks as Slack says it', async () => {
    const twice = { type: 'button' as const, action_id: 'twice', text: { type: 'plain_text' as const, text: 'x' } };
    const blocks = [section('x'), { type: 'actions' as const, block_id: 'a', elements: [twice, twice] }];
    const refused = await desk.web.chat.postMessage({ channel, text: 'x', blocks }).catch((error: WebAPIPlatformError) => error.data);
    expect(refused).toMatchObject({
      error: 'invalid_blocks',
      response_metadata: { messages: ['[ERROR] `action_id` "twice" already exists [json-pointer:/blocks/1/elements/1/action_id]'] },
    });
  });

  test('a direct conversation is opened, and its id and those of channels outlive the desk', async () => {
    const direct = await desk.web.conversations.open({ users: 'U0BEN', return_im: true });
    const posted = await desk.web.chat.postMessage({ channel: 'U0BEN', text: 'for Ben' });
    const history = await desk.web.conversations.history({ channel: direct.channel?.id ?? '' });
    expect(direct.channel).toMatchObject({ is_im: true, user: 'U0BEN' });
    expect(posted.channel).toBe(direct.channel?.id);
    expect(history.messages?.map((one) => one.text)).toEqual(['for Ben']);
    const other = await testDesk();
    try {
      expect(await other.channelId('billing-incidents')).toBe(channel);
      expect((await other.web.conversations.open({ users: 'U0BEN' })).channel?.id).toBe(direct.channel?.id);
    } finally {
      await other.close();
    }
  });

  test('a channel that is made later keeps one id too', async () => {
    const made = await desk.web.conversations.create({ name: 'inc-128' });
    expect(await desk.channelId('inc-128')).toBe(made.channel?.id);
    await desk.web.chat.postMessage({ channel: made.channel?.id ?? '', text: 'hello' });
    expect((await desk.web.conversations.info({ channel: made.channel?.id ?? '' })).channel?.name).toBe('inc-128');
  });

  test('sockets are opened with the app-level token and with no other', async () => {
    await expect(desk.web.apps.connections.open({})).rejects.toThrow('not_allowed_token_type');
    await expect(clientOf(desk.address('/api/'), APP_TOKEN).auth.test()).rejects.toThrow('not_allowed_token_type');
    await expect(clientOf(desk.address('/api/'), 'xapp-other').apps.connections.open({})).rejects.toThrow('invalid_auth');
  });

  test('people are people, and the app is the bot', async () => {
    const { members = [] } = await desk.web.users.list({});
    expect(members.map((one) => [one.id, one.is_bot])).toEqual([
      ['U0ROUNDS', true],
      ['U0ANA', false],
      ['U0BEN', false],
    ]);
    expect(await desk.web.auth.test()).toMatchObject({ user_id: 'U0ROUNDS', bot_id: 'B0ROUNDS' });
  });
});

function outbox(id: string) {
  return { event_type: 'rounds_post', event_payload: { outbox: id } };
}

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../../bot/render/blocks.ts';
import { renderNotice } from '../../bot/render/notice.ts';
import { type NewNotice, type NoticePayload, tellNotice } from '../../store/notice.ts';
import { PRIORITY } from '../../store/outbox.ts';
import type { Fault } from '../helpers/proxy.ts';
import { CHANNEL, openIncident, type SlackMessage, settled, type TestSlack, testSlack, until } from '../helpers/slack.ts';

let slack: TestSlack;
beforeEach(async () => {
  slack = await testSlack();
});
afterEach(() => slack.close());

function aNotice(payload: Partial<NoticePayload> = {}, change: Partial<NewNotice> = {}): NewNotice {
  const said = { mark: '🟢', title: 'Sunday patches are over', lines: ['All is well again.'], ...payload };
  return { channel: CHANNEL, kind: 'maintenance-over', payload: said, reason: 'window-ended', key: 'maintenance/sunday/1', ...change };
}

const linesOf = (message: SlackMessage) =>
  (message.blocks ?? []).flatMap((block) => block.text?.text.split('\n') ?? (block.elements ?? []).map((one) => String(one.text)));

async function onlyNotice(): Promise<SlackMessage> {
  const messages = await slack.history();
  expect(messages).toHaveLength(1);
  return messages[0]!;
}

describe('a notice', () => {
  test('becomes one message with its title, its lines and a text for the phone', async () => {
    expect(await tellNotice(slack.pool, aNotice({ call: ['ana', 'nobody'] }))).toBe(true);
    (await slack.notifier()).start();
    await settled(slack);
    const message = await onlyNotice();
    expect(linesOf(message)).toEqual(['🟢 *Sunday patches are over*', '<@U0ANA>', 'All is well again.']);
    expect(message.text).toBe('🟢 Sunday patches are over All is well again.');
  });

  test('that is wanted twice under one key is told once, also when it was told long ago', async () => {
    expect(await Promise.all([tellNotice(slack.pool, aNotice()), tellNotice(slack.pool, aNotice())])).toContain(false);
    (await slack.notifier()).start();
    await settled(slack);
    expect(await tellNotice(slack.pool, aNotice())).toBe(false);
    expect(await tellNotice(slack.pool, aNotice({}, { key: 'maintenance/sunday/2' }))).toBe(true);
    await settled(slack);
    expect(await slack.history()).toHaveLength(2);
  });

  test('shows incidents as they are when it is sent, with a link to the post of each', async () => {
    const id = await openIncident(slack.pool);
    (await slack.notifier()).start();
    await settled(slack);
    await slack.query(`update incident set class = 'full interruption' where id = $1`, [id]);
    await tellNotice(slack.pool, aNotice({ incidents: [id, 999] }));
    await settled(slack);
    const lines = linesOf((await slack.history())[1]!);
    expect(lines[2]).toMatch(new RegExp(`^🔴 <http[^|]+\\|INC-${id}> · Patient billing: full interruption\\. No clinic can post invoices`));
    expect(lines[3]).toBe('An incident that it was about is not known any more.');
  });

  test('keeps within Slack’s limits whatever it is given', () => {
    const payload = {
      mark: '🔵',
      title: 'Möller & Söhne <*x*> '.repeat(300),
      lines: Array.from({ length: 90 }, () => 'lang & breit '.repeat(90)),
    };
    const { text, blocks } = renderNotice({ payload, incidents: [], mentionOf: () => '' });
    expect(text.length).toBeLessThanOrEqual(LIMITS.fallback);
    expect(JSON.stringify(blocks).length).toBeLessThan(12_000);
    for (const block of blocks) if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(LIMITS.section);
  });

  test('that is true no more is not told', async () => {
    await tellNotice(slack.pool, aNotice({ untilMs: Date.now() - 1_000 }));
    await tellNotice(slack.pool, aNotice({}, { key: 'old' }));
    await slack.query(`update outbox set made_at = now() - interval '13 hours' where key = 'old'`);
    (await slack.notifier()).start();
    await settled(slack);
    expect(await slack.history()).toEqual([]);
    const refused = await slack.query<{ error: string }>(`select error from outbox where state = 'refused' order by seq`);
    expect(refused.map((row) => row.error)).toEqual(['it was true no more', 'it could not be posted for 12 h']);
  });

  test('about what is over by then is not told, when it is only for what is open', async () => {
    const id = await openIncident(slack.pool);
    await tellNotice(slack.pool, aNotice({ incidents: [id], whileOpen: true }));
    await slack.query(`update incident set state = 'resolved', resolved_at = now() where id = $1`, [id]);
    (await slack.notifier()).start();
    await settled(slack);
    const [row] = await slack.query<{ state: string; error: string }>(`select state, error from outbox where kind = 'notice'`);
    expect(row).toEqual({ state: 'refused', error: 'it was true no more' });
  });

  test('that says nothing is refused with its reason', async () => {
    await tellNotice(slack.pool, aNotice({ title: '' }));
    (await slack.notifier()).start();
    await settled(slack);
    expect(await slack.query('select state, error from outbox')).toEqual([{ state: 'refused', error: 'it says nothing, or nowhere' }]);
  });

  test('waits until somebody has let the bot into its channel', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'not_in_channel' });
    await tellNotice(slack.pool, aNotice());
    const notifier = await slack.notifier();
    notifier.start();
    await until('that it is told', async () => notifier.trouble()?.includes('invite it there'));
    await slack.query(`update outbox set not_before = now()`);
    await settled(slack);
    await onlyNotice();
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

test.each(FAULTS)('one notice from two bots, when Slack answers with %o', async (fault) => {
  slack.proxy.fail('chat.postMessage', fault);
  await tellNotice(slack.pool, aNotice({}, { priority: PRIORITY.interruption }));
  for (const notifier of [await slack.notifier(), await slack.notifier()]) notifier.start();
  await settled(slack);
  await onlyNotice();
  expect(await slack.query('select 1 from outbox where possible_duplicate')).toEqual([]);
});

test('a bot that is killed after its request went out leaves one notice', async () => {
  await tellNotice(slack.pool, aNotice());
  const held = slack.proxy.hold('chat.postMessage');
  const dying = await slack.notifier();
  dying.start();
  await held.arrived;
  // Nothing more is heard of it: its lease runs out, and the other looks before it sends.
  await slack.query(`update outbox set lease_until = now() - interval '1 second', token = token + 1`);
  held.release();
  await until('the message of the dead', async () => (await slack.history()).length === 1);
  (await slack.notifier()).start();
  await settled(slack);
  await onlyNotice();
});

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ReportNumbers } from '../../core/report/figures.ts';
import { makeNumbers } from '../../core/report/numbers.ts';
import { inTransaction } from '../../store/db.ts';
import { claimNext, markSending } from '../../store/outbox.ts';
import { recordReportFile, takeSlot, wantAskedReport, wantReport } from '../../store/report.ts';
import { NOON_MS } from '../helpers/domain.ts';
import type { Fault } from '../helpers/proxy.ts';
import { CHANNEL, type SlackMessage, settled, signed, startAnswers, type TestSlack, testSlack, until } from '../helpers/slack.ts';

const HOUR_MS = 3_600_000;
let slack: TestSlack;
beforeEach(async () => {
  slack = await testSlack();
});
afterEach(() => slack.close());

function someNumbers(): ReportNumbers {
  const frame = { id: 'noon', title: 'Noon rounds', timeZone: 'UTC', services: ['billing', 'scheduling'], fromMs: NOON_MS - 24 * HOUR_MS };
  const parts = { startMs: frame.fromMs, widthMs: HOUR_MS };
  const rounds = Object.keys(slack.config.checks).map((check) => ({
    check,
    part: 3,
    well: 60,
    failed: check === 'post-invoice/riverside' ? 2 : 0,
    unseen: 0,
  }));
  const counted = { rounds, runs: [], parts: [], exceptions: [], underWay: 0, incidents: [] };
  return makeNumbers(slack.config, { ...frame, untilMs: NOON_MS, slotMs: NOON_MS, parts }, counted);
}

/** As the worker does it. Returns the report's number. */
async function wanted(channel = CHANNEL): Promise<number> {
  return inTransaction(slack.pool, async (db) => {
    const id = await takeSlot(db, 'noon', NOON_MS);
    if (id === undefined) throw new Error('the slot is taken');
    await wantReport(db, id, someNumbers(), { channel, reason: 'scheduled' });
    return id;
  });
}

async function onlyPost(): Promise<SlackMessage> {
  const messages = await slack.history();
  expect(messages).toHaveLength(1);
  return messages[0]!;
}

const pictureIn = (message: SlackMessage) => message.blocks?.find((block) => block.type === 'image')?.slack_file?.id;
const uploads = () => slack.proxy.requests.filter((one) => one.method === 'files.completeUploadExternal').length;
const outbox = () => slack.query<{ state: string; error: string | null }>(`select state, error from outbox where kind = 'report'`);

describe('a report', () => {
  test('becomes one message: what was not well, the figures, the chart, and the table as a link', async () => {
    await wanted();
    (await slack.notifier()).start();
    await settled(slack);
    const post = await onlyPost();
    expect(post.blocks?.[0]?.text?.text).toBe('*🟡 Patient billing: 98.36 % available, 2 of 122 rounds failed. All else was well.*');
    expect(JSON.stringify(post.blocks)).toContain('🟡 Post an invoice: 98.36 %');
    expect(post.text).toMatch(/<http[^|]+\|All figures \(CSV\)>$/);
    const [row] = await slack.query<{ files: { picture: { id: string }; table: { id: string } } }>('select files from report');
    expect(pictureIn(post)).toBe(row?.files.picture.id);
    const methods = slack.proxy.requests.map((one) => one.method);
    expect(methods.lastIndexOf('files.completeUploadExternal')).toBeLessThan(methods.indexOf('chat.postMessage'));
  });

  test('shows files that can be opened: a PNG and a table', async () => {
    await wanted();
    (await slack.notifier()).start();
    await settled(slack);
    const [row] = await slack.query<{ files: { picture: { id: string }; table: { id: string; link: string } } }>(
      'select files from report',
    );
    const picture = await fetch(new URL(`desk/files/${row?.files.picture.id}`, slack.deskUrl));
    expect(
      Buffer.from(await picture.arrayBuffer())
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    const table = await fetch(row?.files.table.link ?? '');
    expect(await table.text()).toContain('Patient billing,post-invoice/riverside,Post an invoice,Riverside Clinic,60,2,0,');
  });
});

const FAULTS: Fault[] = [
  { kind: 'lost-reply' },
  { kind: 'after-503' },
  { kind: 'limited', retryAfterS: 1 },
  { kind: 'reset' },
  { kind: 'error', error: 'internal_error' },
  { kind: 'error', error: 'invalid_auth' },
];

test.each(FAULTS)('one message with its chart from two bots, when Slack answers a post with %o', async (fault) => {
  slack.proxy.fail('chat.postMessage', fault);
  await wanted();
  for (const notifier of [await slack.notifier(), await slack.notifier()]) notifier.start();
  await settled(slack);
  expect(pictureIn(await onlyPost())).toBeDefined();
  expect(await slack.query('select 1 from outbox where possible_duplicate')).toEqual([]);
  expect(uploads()).toBe(2);
});

test.each(FAULTS)('one message with its files, when Slack answers an upload with %o', async (fault) => {
  slack.proxy.fail('files.completeUploadExternal', fault);
  await wanted();
  (await slack.notifier()).start();
  await settled(slack);
  const post = await onlyPost();
  // A token that is refused is not asked again for a mere picture.
  const given = fault.kind === 'error' && fault.error === 'invalid_auth';
  expect(pictureIn(post) === undefined).toBe(given);
  if (given) expect(JSON.stringify(post.blocks)).toContain('The chart could not be uploaded.');
});

describe('a bot that is killed', () => {
  test('between the files and the message leaves both to the next, which uploads nothing again', async () => {
    const id = await wanted();
    const claim = await claimNext(slack.pool, { leaseMs: 300, channelGapMs: 0 });
    expect(claim).toMatchObject({ kind: 'report', payload: { reportId: id } });
    const upload = async (name: string) => {
      const { SlackWeb } = await import('../../bot/web.ts');
      const log = { ...slack.log, debug() {}, info() {}, warn() {}, error() {}, child: () => log } as never;
      const web = new SlackWeb({ token: 'xoxb-of-the-test', apiUrl: slack.proxy.url, timeoutMs: 5_000, log, now: () => Date.now() });
      return web.upload({ name, title: name, bytes: Buffer.from('x') });
    };
    await recordReportFile(slack.pool, id, 'picture', await upload('chart.png'));
    await recordReportFile(slack.pool, id, 'table', await upload('table.csv'));
    (await slack.notifier()).start();
    await settled(slack);
    expect(pictureIn(await onlyPost())).toBeDefined();
    expect(uploads()).toBe(2);
  });

  test('after its request went out leaves one message', async () => {
    await wanted();
    const held = slack.proxy.hold('chat.postMessage');
    const dying = await slack.notifier();
    dying.start();
    await held.arrived;
    // Nothing more is heard of it: its lease runs out, and the other looks before it sends.
    await slack.query(`update outbox set lease_until = now() - interval '1 second', token = token + 1 where kind = 'report'`);
    held.release();
    await until('the message of the dead', async () => (await slack.history()).length === 1);
    (await slack.notifier()).start();
    await settled(slack);
    await onlyPost();
    expect((await outbox())[0]?.state).toBe('sent');
  });

  test('before its request went out leaves one message', async () => {
    await wanted();
    const claim = await claimNext(slack.pool, { leaseMs: 200, channelGapMs: 0 });
    await markSending(slack.pool, claim!, 200);
    (await slack.notifier()).start();
    await settled(slack);
    await onlyPost();
  });
});

describe('a message that Slack will not take', () => {
  test('with the picture is tried again, then links it', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'invalid_blocks' }, 4);
    await wanted();
    (await slack.notifier()).start();
    await settled(slack);
    const post = await onlyPost();
    expect(pictureIn(post)).toBeUndefined();
    expect(post.text).toMatch(/\|Chart> · <.*\|All figures/);
  });

  test('in its channel waits for an invitation, and the bot says so', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'not_in_channel' }, 9);
    await wanted();
    const notifier = await slack.notifier();
    notifier.start();
    await until('a sentence', async () => notifier.trouble()?.includes('invite it there'));
    expect((await outbox())[0]).toMatchObject({ state: 'wanted' });
  });

  test('for half a day is old news: it is given up, and the next report can say so', async () => {
    await wanted();
    await slack.query(`update report set made_at = now() - interval '13 hours'`);
    (await slack.notifier()).start();
    await settled(slack);
    expect(await slack.history()).toEqual([]);
    expect((await outbox())[0]?.state).toBe('refused');
    expect(await slack.query('select state, reason from report')).toEqual([{ state: 'missed', reason: 'not-posted' }]);
  });

  test('and that somebody asked for is answered with why', async () => {
    slack.proxy.fail('chat.postMessage', { kind: 'error', error: 'not_in_channel' }, 9);
    const answers = await startAnswers();
    await inTransaction(slack.pool, (db) =>
      wantAskedReport(db, someNumbers(), { by: 'U0ANA', channel: CHANNEL, responseUrl: answers.url }),
    );
    (await slack.notifier()).start();
    const [answer] = await until('an answer', async () => answers.received.length > 0 && answers.received);
    expect(answer?.text).toContain('invite it here');
    await settled(slack);
    await answers.close();
  });
});

describe('/rounds report', () => {
  const command = async (bot: { url: string }, text: string, user: string, responseUrl: string) => {
    const form = { command: '/rounds', text, user_id: user, channel_id: CHANNEL, response_url: responseUrl, trigger_id: `${text}${user}` };
    return fetch(bot.url, { method: 'POST', ...signed(form) });
  };

  test('answers whoever asked, and names what is missing', async () => {
    const [bot, answers] = [await slack.bot(), await startAnswers()];
    await command(bot, 'report', 'U0BEN', answers.url);
    const [answer] = await until('an answer', async () => answers.received.length > 0 && answers.received);
    expect(answer?.text).toBe('⚪ No data: nothing was seen.');
    expect(JSON.stringify(answer)).toContain('Chart and table come with `--here`');
    expect(await slack.query('select 1 from report')).toEqual([]);
    await answers.close();
  });

  test('with --here posts it for everybody, once, and only for people of the configuration', async () => {
    const [bot, answers] = [await slack.bot(), await startAnswers()];
    await command(bot, 'report --here', 'U0STRANGER', answers.url);
    const [refusal] = await until('a refusal', async () => answers.received.length > 0 && answers.received);
    expect(refusal?.text).toContain('Only people listed in rounds.yaml can');
    await command(bot, 'report --here', 'U0ANA', answers.url);
    await until('a post', async () => (await slack.history()).length === 1);
    await settled(slack);
    expect(pictureIn(await onlyPost())).toBeDefined();
    expect(answers.received.at(-1)?.text).toBe('All services comes here in a moment.');
    const audited = await slack.query<{ outcome: string }>(`select outcome from audit where verb = 'report' order by id`);
    expect(audited.map((row) => row.outcome)).toEqual(['refused', 'done']);
    await answers.close();
  });

  test('with a name that is nearly right says which', async () => {
    slack.config.reports.morning = {
      ...{ id: 'morning', title: 'Morning rounds', cron: '0 7 * * *', timezone: 'UTC', channel: CHANNEL, services: ['billing'] },
    };
    const [bot, answers] = [await slack.bot(), await startAnswers()];
    await command(bot, 'report mornin', 'U0ANA', answers.url);
    const [answer] = await until('an answer', async () => answers.received.length > 0 && answers.received);
    expect(answer?.text).toBe('I know no report "mornin". Did you mean *morning*? `/rounds report morning`');
    await answers.close();
  });
});

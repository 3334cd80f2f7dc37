import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { updateIncident } from '../../store/incident.ts';
import {
  type Answers,
  openIncident,
  type Signed,
  type SlackMessage,
  settled,
  signed,
  someFacts,
  startAnswers,
  type TestSlack,
  testSlack,
  until,
} from '../helpers/slack.ts';

let slack: TestSlack;
let answers: Answers;
let bot: Awaited<ReturnType<TestSlack['bot']>>;
let incident: number;
let scope = 0;
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
beforeEach(async () => {
  answers.received.length = 0;
  incident = await openIncident(slack.pool, { scope: `scope-${++scope}` });
  bot.wake();
  await settled(slack);
});

/** The value of a button on the incident's post. */
async function buttonValue(label: string): Promise<string> {
  const [post] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
  const message = (await slack.history()).find((one) => one.ts === post?.ts) as SlackMessage;
  const elements = message.blocks?.find((block) => block.type === 'actions')?.elements ?? [];
  return elements.find((one) => (one.text as { text: string }).text === label)?.value ?? '';
}

function pressOf(user: string, value: string, atMs = Date.now()): Signed {
  const payload = {
    type: 'block_actions',
    team: { id: 'T1' },
    user: { id: user },
    trigger_id: `trigger-${++trigger}`,
    response_url: answers.url,
    channel: { id: 'C1' },
    actions: [{ type: 'button', action_id: 'any:0', block_id: 'b', value }],
  };
  return signed({ payload: JSON.stringify(payload) }, atMs);
}

const send = (request: Signed) => fetch(bot.url, { method: 'POST', ...request });

/** Presses and waits for the answer. */
async function press(user: string, value: string): Promise<string> {
  const before = answers.received.length;
  expect((await send(pressOf(user, value))).status).toBe(200);
  return until('an answer', async () => answers.received[before]?.text);
}

const executions = () =>
  slack.query<{ state: string; runbook: string; target: object; asked_by: string; verify: string[] }>(
    'select * from execution where incident_id = $1',
    [incident],
  );
const audits = () =>
  slack.query<{ actor: string; verb: string; outcome: string; reason: string }>(
    'select actor, verb, outcome, reason from audit where subject = $1 order by id',
    [`INC-${incident}`],
  );

describe('acknowledge', () => {
  test('by somebody with a role: the incident is theirs, the post and its thread say so', async () => {
    expect(await press('U0ANA', await buttonValue('Acknowledge'))).toBe(`INC-${incident} is yours. The post and its thread say so.`);
    await settled(slack);
    expect(await audits()).toEqual([{ actor: 'ana', verb: 'acknowledge', outcome: 'done', reason: 'allowed' }]);
    expect(await buttonValue('Acknowledge')).toBe('');
    const [post] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
    expect((await slack.replies(post!.ts)).at(-1)?.text).toMatch(/^\d\d:\d\d Ana acknowledged\.$/);
  });

  test('twice: once, and the second time says who and when', async () => {
    const value = await buttonValue('Acknowledge');
    await press('U0ANA', value);
    expect(await press('U0ANA', value)).toBe('Ana has pressed this already. The thread tells what came of it.');
  });

  test('by somebody without a role, or whom nobody knows: refused, told, and in the audit log', async () => {
    const value = await buttonValue('Acknowledge');
    expect(await press('U0BEN', value)).toBe(`You cannot acknowledge INC-${incident}: it needs a role, and you have none.`);
    expect(await press('U0EVE', value)).toBe(
      `You cannot acknowledge INC-${incident}. Only people listed in rounds.yaml can, and <@U0EVE> is not among them. On call now: Ana.`,
    );
    expect(await audits()).toEqual([
      { actor: 'ben', verb: 'acknowledge', outcome: 'refused', reason: 'lacks-role' },
      { actor: 'slack:U0EVE', verb: 'acknowledge', outcome: 'refused', reason: 'unknown-person' },
    ]);
  });
});

describe('a runbook', () => {
  test('by a responder: wanted once, bound to what was shown, told in the thread', async () => {
    expect(await press('U0ANA', await buttonValue('Reopen sign-in'))).toBe('Asked for: "Reopen sign-in". The thread tells how it ends.');
    expect(await executions()).toMatchObject([
      { state: 'wanted', runbook: 'reopen-sign-in', target: { tenant: 'riverside' }, asked_by: 'ana', verify: ['post-invoice'] },
    ]);
    await settled(slack);
    const [post] = await slack.query<{ ts: string }>('select ts from post where incident_id = $1', [incident]);
    expect((await slack.replies(post!.ts)).at(-1)?.text).toContain(
      'Ana asked for "Reopen sign-in". Shown: Reopens sign-in for Riverside Clinic.',
    );
  });

  test('by somebody who lacks the role: refused with who may', async () => {
    expect(await press('U0BEN', await buttonValue('Reopen sign-in'))).toBe(
      'You cannot run "Reopen sign-in": it needs the role responder, and you have none. On call now: Ana.',
    );
    expect(await executions()).toEqual([]);
    expect(await audits()).toEqual([{ actor: 'ben', verb: 'runbook', outcome: 'refused', reason: 'lacks-role' }]);
  });

  test('again with the post’s next button while it is under way: told so', async () => {
    await press('U0ANA', await buttonValue('Reopen sign-in'));
    await settled(slack);
    expect(await press('U0ANA', await buttonValue('Reopen sign-in'))).toMatch(
      /^"Reopen sign-in" is under way: Ana asked at \d\d:\d\d:\d\d\./,
    );
    expect(await executions()).toHaveLength(1);
  });

  test('two presses of one button at the same moment: one execution', async () => {
    const value = await buttonValue('Reopen sign-in');
    await Promise.all([send(pressOf('U0ANA', value)), send(pressOf('U0ANA', value))]);
    await until('two answers', async () => answers.received.length === 2);
    expect(await executions()).toHaveLength(1);
  });

  test('after the incident has changed to another target: stale', async () => {
    const value = await buttonValue('Reopen sign-in');
    const [offer] = someFacts().offers;
    const facts = someFacts({ offers: [{ ...offer!, target: { tenant: 'hillcrest' } }] });
    await updateIncident(slack.pool, incident, { class: 'partial outage', peak: 'partial outage', facts, material: true });
    expect(await press('U0ANA', value)).toMatch(
      /^This button is from \d\d:\d\d; the incident has changed since\. The current one is in the post above\.$/,
    );
    expect(await executions()).toEqual([]);
  });

  test('after a change that offers the same: taken', async () => {
    const value = await buttonValue('Reopen sign-in');
    await updateIncident(slack.pool, incident, {
      class: 'full interruption',
      peak: 'full interruption',
      facts: someFacts(),
      material: true,
    });
    expect(await press('U0ANA', value)).toContain('Asked for');
  });

  test('with an expired button: refused, and the post gets a fresh one that counts', async () => {
    const value = await buttonValue('Reopen sign-in');
    await slack.query(`update button set expires_at = now() where id = $1`, [value]);
    expect(await press('U0ANA', value)).toMatch(/^This button is from \d\d:\d\d and no longer counts\./);
    expect(await executions()).toEqual([]);
    await settled(slack);
    expect(await press('U0ANA', await buttonValue('Reopen sign-in'))).toContain('Asked for');
  });
});

describe('any press', () => {
  test('on a resolved incident is answered in a sentence', async () => {
    const value = await buttonValue('Reopen sign-in');
    await slack.query(`update incident set state = 'resolved', resolved_at = now(), resolution = 'Resolved after 8 min.' where id = $1`, [
      incident,
    ]);
    expect(await press('U0ANA', value)).toMatch(new RegExp(`^INC-${incident} is resolved since \\d\\d:\\d\\d: nothing is left to do\\.`));
    expect(await executions()).toEqual([]);
  });

  test('with a value that was never given out is refused', async () => {
    expect(await press('U0ANA', 'A'.repeat(22))).toContain('Rounds does not know this button.');
    expect(await press('U0ANA', '')).toContain('Rounds does not know this button.');
  });

  test('replayed byte for byte has no effect', async () => {
    const request = pressOf('U0ANA', await buttonValue('Details'));
    await send(request);
    await until('an answer', async () => answers.received[0]);
    expect((await send(request)).status).toBe(200);
    await press('U0ANA', await buttonValue('Details'));
    expect(answers.received).toHaveLength(2);
  });

  test('with a timestamp in the future, a stale one, or a wrong signature is refused', async () => {
    const value = await buttonValue('Reopen sign-in');
    expect((await send(pressOf('U0ANA', value, Date.now() + 3_600_000))).status).toBe(401);
    expect((await send(pressOf('U0ANA', value, Date.now() - 3_600_000))).status).toBe(401);
    const request = pressOf('U0ANA', value);
    expect((await send({ ...request, body: `${request.body}&x=1` })).status).toBe(401);
    expect(answers.received).toEqual([]);
  });

  test('that fails inside Rounds is told to whoever pressed', async () => {
    const value = await buttonValue('Details');
    await slack.query('alter table result rename to result_away');
    try {
      expect(await press('U0ANA', value)).toContain('Rounds could not do that');
    } finally {
      await slack.query('alter table result_away rename to result');
    }
  });
});

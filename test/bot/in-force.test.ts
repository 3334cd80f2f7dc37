import { expect, test } from 'vitest';
import type { Config } from '../../core/config/model.ts';
import { openIncident, settled, signed, startAnswers, testSlack, until } from '../helpers/slack.ts';

test('a bot that runs answers and posts by the configuration that is in force at that moment', async () => {
  const slack = await testSlack();
  const answers = await startAnswers();
  let config: Config = slack.config;
  const bot = await slack.bot({
    get config() {
      return config;
    },
  });
  let trigger = 0;
  const type = async (text: string) => {
    const form = {
      command: '/rounds',
      text,
      user_id: 'U0NEW',
      channel_id: 'C1',
      team_id: 'T1',
      trigger_id: `t${++trigger}`,
      response_url: answers.url,
    };
    const before = answers.received.length;
    expect((await fetch(bot.url, { method: 'POST', ...signed(form) })).status).toBe(200);
    const answer = await until('an answer', async () => answers.received[before]);
    return answer.blocks.map((block) => block.text?.text ?? '').join('\n');
  };
  const [check] = Object.keys(config.checks);
  const refused = await type(`run ${check}`);
  const people = { ...config.people, nina: { id: 'nina', name: 'Nina', slack: 'U0NEW', roles: ['responder'] } };
  config = { ...config, revision: 'second', people };
  expect(await type(`run ${check}`)).not.toBe(refused);
  expect(await slack.query(`select outcome, actor from audit where verb = 'run' order by id`)).toMatchObject([
    { outcome: 'refused', actor: 'slack:U0NEW' },
    { outcome: 'done', actor: 'nina' },
  ]);
  config = { ...config, timezone: 'Asia/Kolkata' };
  await openIncident(slack.pool);
  await settled(slack);
  const at = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Kolkata', hour: '2-digit', minute: '2-digit' });
  const [post] = await slack.history();
  const [row] = await slack.query<{ facts: { sinceMs: number } }>('select facts from incident');
  expect(JSON.stringify(post)).toContain(at.format(row?.facts.sinceMs));
  await answers.close();
  await slack.close();
});

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start } from '../../bot/desk/main.ts';
import { deliver } from '../../bot/desk/sign.ts';
import { deskEnvironment, type TestDesk, testDesk } from '../helpers/desk.ts';
import { quietLog } from '../helpers/log.ts';

let desk: TestDesk;

beforeAll(async () => {
  desk = await testDesk();
});
afterAll(() => desk.close());

describe('safety', () => {
  test('Bolt refuses what is signed wrongly', async () => {
    const url = `http://127.0.0.1:${desk.ports.bot}/slack/events`;
    const form = { contentType: 'application/x-www-form-urlencoded', body: 'command=%2Frounds' };
    expect(await deliver({ url, signingSecret: 'another-secret' }, form)).toMatchObject({
      ok: false,
      reason: 'Rounds refused this with HTTP 401',
    });
  });

  test('a foreign page can neither press nor read', async () => {
    const body = { user: 'U0ANA', channel: await desk.channelId('operations'), text: 'from elsewhere' };
    expect((await postJson(desk.address('/desk/type'), body, 'http://evil.example')).status).toBe(403);
    expect((await postJson(desk.address('/desk/type'), body)).status).toBe(403);
    expect((await postJson(desk.address('/desk/sockets/disconnect'), {}, 'http://evil.example')).status).toBe(403);
    expect(await statusWithHost('evil.example')).toBe(403);
  });

  test('settings that are wrong are named', async () => {
    const wrong = { ...deskEnvironment(desk.ports), SLACK_BOT_TOKEN: 'nothing', ROUNDS_DESK_PORT: 'many' };
    await expect(start({ env: wrong, log: quietLog, options: {} })).rejects.toThrow(/SLACK_BOT_TOKEN: expected a bot token/);
    await expect(start({ env: deskEnvironment(desk.ports), log: quietLog, options: {} })).rejects.toThrow(
      `Port ${desk.ports.desk} is taken`,
    );
  });
});

function postJson(url: string, body: object, origin?: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(origin ? { origin } : {}) };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

function statusWithHost(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: desk.ports.desk, path: '/desk/setup', headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.once('error', reject).end();
  });
}

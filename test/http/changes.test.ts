/** `POST /changes` on a real server, with a real database behind it. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import type { NewChange } from '../../core/change.ts';
import { type ChangesOptions, changesApp, changesToken } from '../../http/changes.ts';
import { type HealthServer, serveHealth } from '../../http/health.ts';
import { changesBetween, reportChanges } from '../../store/change.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { bodyOf, DELIVERIES, headersOf } from '../helpers/changes.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const TOKEN = 'a-token-of-the-test-with-some-length';
const NOW_MS = Date.UTC(2026, 0, 15, 11, 45);
const JSON_TYPE = { 'content-type': 'application/json' };
const BEARER = { authorization: `Bearer ${TOKEN}` };

let database: TestDatabase;
let pool: Pool;
const servers: HealthServer[] = [];

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 4, log: quietLog });
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await pool.query('truncate change');
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function start(change: Partial<ChangesOptions> = {}) {
  const config = aConfig([aCheck()]);
  const log = keepingLog();
  const counted: NewChange[] = [];
  const app = changesApp({
    token: TOKEN,
    config: () => config,
    clock: { now: () => NOW_MS, monotonic: () => 0 },
    log,
    report: (told) => reportChanges(pool, config, told),
    counted: (one) => counted.push(one),
    ...change,
  });
  const others = async (request: Request) => app.fetch(request);
  const server = await serveHealth({ process: 'worker', host: '127.0.0.1', port: 0, ready: async () => undefined, others });
  servers.push(server);
  const url = `http://127.0.0.1:${server.port}/changes`;
  const post = async (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method: 'POST', body, headers });
    return { status: response.status, body: JSON.parse(await response.text()), headers: response.headers };
  };
  return { server, url, post, log, counted, stored: () => changesBetween(pool, 0, NOW_MS) };
}

/** How each sender proves that it has the token. */
function proofOf(name: string, body: string): Record<string, string> {
  const signature = `sha256=${createHmac('sha256', TOKEN).update(body).digest('hex')}`;
  if (name.startsWith('github')) return { 'x-hub-signature-256': signature };
  if (name.startsWith('gitlab')) return { 'x-gitlab-token': TOKEN };
  return name.startsWith('flux') ? { 'x-signature': signature } : BEARER;
}

function standard(body: string, token: string, seconds = NOW_MS / 1000, key: string | Buffer = token): Record<string, string> {
  const digest = createHmac('sha256', key).update(`msg_1.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,AAAA v1,${digest}` };
}

const NO_CHANGE = ['github-ping', 'github-pull-request'];
/** The ends of what nobody has told of. */
const ENDS = ['flux-kustomization-failed', 'flux-kustomization-reconciled'];

describe('a delivery', () => {
  it.each(DELIVERIES)('of %s is taken as its sender sends it, and known when it comes again', async (name) => {
    const { post, stored, counted } = await start();
    const body = bodyOf(name);
    const headers = { ...JSON_TYPE, ...headersOf(name), ...proofOf(name, body) };
    const first = await post(body, headers);
    const again = await post(body, headers);
    const isChange = ![...NO_CHANGE, ...ENDS].includes(name);
    expect([first.status, again.status]).toEqual(isChange ? [201, 200] : [202, 202]);
    const changes = await stored();
    expect(changes).toHaveLength(isChange ? (first.body.changes as object[]).length : 0);
    expect(counted).toHaveLength(changes.length);
    if (isChange) expect(changes.map(({ id }) => id).sort()).toEqual(again.body.changes.map((one: { id: number }) => one.id).sort());
    else expect(first.body).toEqual({ nothing: expect.stringMatching(/\.$/) });
  });

  it('that comes out of order, and twenty times at once, is one change', async () => {
    const { post, stored, counted } = await start();
    const names = ['github-deployment-status-success', 'github-deployment', 'github-deployment-status-in-progress'];
    const deliveries = Array.from({ length: 20 }, (_, index) => names[index % names.length] ?? '');
    const answers = await Promise.all(
      deliveries.map((name) => post(bodyOf(name), { ...JSON_TYPE, ...headersOf(name), ...proofOf(name, bodyOf(name)) })),
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    expect(await stored()).toMatchObject([
      { outcome: 'done', atMs: Date.UTC(2026, 0, 15, 11, 38), endedAtMs: Date.UTC(2026, 0, 15, 11, 41) },
    ]);
    expect(counted).toHaveLength(1);
  });

  it('that tells of several changes names each', async () => {
    const { post } = await start();
    const body = bodyOf('gitlab-pipeline');
    const answer = await post(body, { ...JSON_TYPE, ...headersOf('gitlab-pipeline'), ...BEARER });
    expect(answer.body).toEqual({
      changes: [
        { id: expect.any(Number), is: 'new' },
        { id: expect.any(Number), is: 'new' },
      ],
    });
  });

  it('that is no change is refused with place and expectation', async () => {
    const { post } = await start();
    const answer = await post('{"title":"x","services":["biling"],"kidn":"other"}', { ...JSON_TYPE, ...BEARER });
    expect(answer.status).toBe(400);
    expect(answer.body.problems).toEqual([
      { path: 'kidn', message: 'unknown key "kidn"; did you mean "kind"?' },
      { path: 'services[0]', message: 'expected one of the services billing, scheduling, got "biling"; did you mean "billing"?' },
    ]);
  });

  it.each([
    ['no JSON', '{"title":', 400, /^Expected JSON/],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, /^Expected JSON/],
    ['nothing', '', 400, /^Expected JSON/],
    ['a list', '[]', 400, /^This is no change/],
    [
      'nested without end',
      `{"title":"x","services":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      400,
      /^(Expected fewer|This is no change)/,
    ],
    ['hostile in its keys', '{"__proto__":{"title":"x"},"constructor":1}', 400, /^This is no change/],
    ['too large', `{"title":"${'x'.repeat(256 * 1024)}"}`, 413, /^Expected a body of at most 256 KB/],
  ] as const)('that is %s is refused', async (_, body, status, error) => {
    const { post, stored } = await start();
    const answer = await post(body as string, { ...JSON_TYPE, ...BEARER });
    expect({ status: answer.status, error: answer.body.error }).toEqual({ status, error: expect.stringMatching(error) });
    expect(await stored()).toEqual([]);
  });

  it('that is no JSON by its type is refused, as GitHub sends it unless told otherwise', async () => {
    const { post } = await start();
    const body = `payload=${encodeURIComponent(bodyOf('github-push'))}`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...headersOf('github-push'), ...proofOf('github', body) };
    expect(await post(body, headers)).toMatchObject({ status: 415, body: { error: 'Expected the content type application/json.' } });
  });

  it('is to be sent again when the database is away', async () => {
    const { post, log } = await start({ report: () => Promise.reject(new Error('connection refused')) });
    const answer = await post('{"title":"x"}', { ...JSON_TYPE, ...BEARER });
    expect({ status: answer.status, after: answer.headers.get('retry-after') }).toEqual({ status: 503, after: '5' });
    expect(log.lines.some(({ message }) => message === 'a change could not be stored')).toBe(true);
  });
});

describe('a proof', () => {
  const body = '{"title":"x"}';
  const hex = (key: string, of = body) => createHmac('sha256', key).update(of).digest('hex');

  it.each([
    ['the token', { authorization: `bearer ${TOKEN}` }],
    ['the token of GitLab', { 'x-gitlab-token': TOKEN }],
    ['the signature of GitHub', { 'x-hub-signature-256': `sha256=${hex(TOKEN)}` }],
    ['the signature of Flux', { 'x-signature': `sha256=${hex(TOKEN)}` }],
    ['the signature of GitLab', standard(body, TOKEN)],
    ['one good proof beside a bad one', { authorization: 'Bearer other', 'x-signature': `sha256=${hex(TOKEN)}` }],
  ])('%s is enough', async (_, headers) => {
    const { post } = await start();
    expect(await post(body, { ...JSON_TYPE, ...headers })).toMatchObject({ status: 201 });
  });

  it('GitLab signs with a key that is written in base64', async () => {
    const key = Buffer.alloc(32, 7);
    const token = `whsec_${key.toString('base64')}`;
    const { post } = await start({ token });
    expect(await post(body, { ...JSON_TYPE, ...standard(body, token, NOW_MS / 1000, key) })).toMatchObject({ status: 201 });
    expect(await post(body, { ...JSON_TYPE, ...standard(body, token) })).toMatchObject({ status: 401 });
  });

  it.each([
    ['nothing', {}],
    ['another token', { authorization: 'Bearer another-token-of-some-length' }],
    ['a part of it', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['the token under another scheme', { authorization: `Basic ${TOKEN}` }],
    ['an empty token', { 'x-gitlab-token': '' }],
    ['a signature with another key', { 'x-hub-signature-256': `sha256=${hex('another')}` }],
    ['a signature of another body', { 'x-hub-signature-256': `sha256=${hex(TOKEN, '{}')}` }],
    ['a signature without its method', { 'x-hub-signature-256': hex(TOKEN) }],
    ['the old signature of GitHub', { 'x-hub-signature': `sha1=${createHmac('sha1', TOKEN).update(body).digest('hex')}` }],
    ['a signature that is six minutes old', standard(body, TOKEN, NOW_MS / 1000 - 360)],
    ['a signature of six minutes ahead', standard(body, TOKEN, NOW_MS / 1000 + 360)],
    ['a signature without its time', { ...standard(body, TOKEN), 'webhook-timestamp': '' }],
    ['a signature with another time', { ...standard(body, TOKEN), 'webhook-timestamp': String(NOW_MS / 1000 - 1) }],
  ])('%s is none', async (_, headers) => {
    const { post, stored } = await start();
    expect(await post(body, { ...JSON_TYPE, ...headers })).toMatchObject({
      status: 401,
      body: { error: 'Expected the token, or a signature made with it.' },
    });
    expect(await stored()).toEqual([]);
  });

  it('who has none learns nothing from what they send', async () => {
    const { post, url } = await start();
    const bad = { 'x-signature': `sha256=${hex('another')}` };
    const bodies = [body, '{', `"${'x'.repeat(300_000)}"`, bodyOf('github-push')];
    const answers = await Promise.all([
      ...bodies.map((one) => post(one, { ...bad, ...JSON_TYPE })),
      ...bodies.map((one) => post(one, {})),
      ...bodies.map((one) => post(one, { ...bad, 'content-type': 'text/plain' })),
    ]);
    expect(new Set(answers.map((one) => JSON.stringify([one.status, one.body]))).size).toBe(1);
    expect((await fetch(url)).status).toBe(405);
  });
});

it('without a token nothing is taken, and the answer says how to switch it on', async () => {
  const { post } = await start({ token: undefined });
  expect(await post('{"title":"x"}', { ...JSON_TYPE, authorization: 'Bearer undefined' })).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('set ROUNDS_CHANGES_TOKEN') },
  });
});

it('a sender gone wrong is told to wait, and may go on after a while', async () => {
  let nowMs = 0;
  const { post } = await start({
    clock: { now: () => NOW_MS, monotonic: () => nowMs },
    report: async (told) => told.map(() => ({ id: 1, is: 'known' })),
  });
  const send = () => post('{"title":"x"}', { ...JSON_TYPE, ...BEARER });
  const statuses = (await Promise.all(Array.from({ length: 301 }, send))).map(({ status }) => status);
  expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  expect(await send()).toMatchObject({ status: 429 });
  nowMs = 100;
  expect([(await send()).status, (await send()).status]).toEqual([200, 429]);
});

it('a body without a length is cut off where it becomes too large', async () => {
  const { server } = await start();
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /changes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const answer = once(socket, 'data');
  const chunk = 'x'.repeat(64 * 1024);
  for (let sent = 0; sent < 6; sent++) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

it('of what is sent nothing is logged but number, source and kind', async () => {
  const { post, log } = await start();
  await post('{"title":"secret words","by":"ana","services":["billing"]}', { ...JSON_TYPE, ...BEARER });
  await post('{"title":"more secret words"}', JSON_TYPE);
  await post('{"title":7}', { ...JSON_TYPE, ...BEARER });
  expect(log.lines.map(({ message }) => message)).toEqual(['a change was reported', 'a report of a change was refused']);
  expect(JSON.stringify(log.lines)).toMatch(/"change":\d+,"source":"api","kind":"deployment"/);
  expect(JSON.stringify(log.lines)).not.toMatch(/secret|ana|billing|token/);
});

describe('the token', () => {
  test('is at least 20 characters long', () => {
    expect(changesToken(undefined)).toBeUndefined();
    expect(changesToken('')).toBeUndefined();
    expect(changesToken('x'.repeat(20))).toBe('x'.repeat(20));
    expect(() => changesToken('x'.repeat(19))).toThrow(
      'ROUNDS_CHANGES_TOKEN: expected at least 20 characters, such as the output of "openssl rand -hex 32"; got 19.',
    );
  });
});

test('a process that answers nothing else says so', async () => {
  const server = await serveHealth({ process: 'bot', host: '127.0.0.1', port: 0, ready: async () => undefined });
  servers.push(server);
  expect((await fetch(`http://127.0.0.1:${server.port}/changes`, { method: 'POST' })).status).toBe(404);
});

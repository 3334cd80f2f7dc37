/** What an answer must be: status, text, headers, JSON, size, and the time of each phase. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { probe, probeWith, webServers } from '../helpers/web.ts';

const { serve } = webServers();

function answering(body: string, headers: Record<string, string | string[]> = {}, status = 200) {
  return serve((_request, response) => response.writeHead(status, headers).end(body));
}

async function failureOf(url: string, expectation: Record<string, unknown>) {
  const { verdict, failure } = await probe({ url, expect: expectation });
  return { verdict, ...failure };
}

const wrong = (message: string) => ({ verdict: 'down', kind: 'assertion', message });

describe('text', () => {
  test('must be there, all of a list, also by regular expression', async () => {
    const { url } = await answering('<h1>Patient portal</h1> version 2.14');
    expect((await probe({ url, expect: { text: ['portal', '/version 2\\.\\d+/'], notText: ['error', '/fatal/i'] } })).verdict).toBe('up');
    expect(await failureOf(url, { text: ['portal', 'billing'] })).toEqual(wrong('the answer does not contain "billing"'));
    expect(await failureOf(url, { text: '/version 3/' })).toEqual(wrong('the answer does not contain a match of /version 3/'));
    expect(await failureOf(url, { notText: ['error', '/PORTAL/i'] })).toEqual(wrong('the answer contains a match of /PORTAL/i'));
    expect(await failureOf(url, { notText: 'portal' })).toEqual(wrong('the answer contains "portal"'));
  });

  test('an empty answer neither holds nor lacks a text', async () => {
    const { url } = await answering('');
    expect(await failureOf(url, { text: 'ok' })).toEqual(wrong('the answer is empty, expected "ok"'));
    expect(await failureOf(url, { notText: 'error' })).toEqual(wrong('the answer is empty, expected a text without "error"'));
  });

  test('is read in the charset of the answer', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=ISO-8859-1' }).end(Buffer.from('Vergütung', 'latin1'));
    });
    expect((await probe({ url, expect: { text: 'Vergütung' } })).verdict).toBe('up');
    const unknown = await answering('Vergütung', { 'content-type': 'text/html; charset=klingon' });
    expect((await probe({ url: unknown.url, expect: { text: 'Vergütung' } })).verdict).toBe('up');
  });

  test.each(['^(a+)+$', `${'a?'.repeat(40)}${'a'.repeat(60)}$`])(
    'an expression without end is stopped, a fault of the check: /%s/',
    async (source) => {
      const { url } = await answering(`${'a'.repeat(59)}!`);
      await expect(probe({ url, expect: { text: `/${source}/` } })).rejects.toMatchObject({
        kind: 'parameters',
        message: `The regular expression /${source}/ takes longer than 500 ms on this answer; take out repetitions of repetitions.`,
      });
    },
  );
});

test('an expression that its secret breaks is a fault of the check, and the secret is not quoted', async () => {
  const { url } = await answering('ok');
  const run = probeWith({ WORD: '(unclosed' }, { url, expect: { text: `/\${secret:WORD}/` } });
  const message = 'A regular expression of this check is none once its secrets are filled in.';
  await expect(run).rejects.toMatchObject({ kind: 'parameters', message });
});

describe('headers', () => {
  test('are compared by name, whole, by expression or as numbers', async () => {
    const { url } = await answering('', {
      'Content-Type': 'application/json; charset=utf-8',
      'X-RateLimit-Remaining': '12',
    });
    const headers = {
      'content-type': '/^application\\/json/',
      'X-RATELIMIT-Remaining': { above: 5, below: 100 },
      'x-powered-by': { exists: false },
      date: { exists: true },
    };
    expect((await probe({ url, expect: { headers } })).verdict).toBe('up');
  });

  test.each([
    [{ 'content-type': 'text/html' }, 'header content-type is "text/plain", expected "text/html"'],
    [{ 'content-type': '/html/' }, 'header content-type is "text/plain", expected a match of /html/'],
    [{ 'x-missing': 'yes' }, 'header x-missing is missing, expected "yes"'],
    [{ 'x-missing': '/./' }, 'header x-missing is missing, expected a match of /./'],
    [{ 'x-missing': { exists: true } }, 'header x-missing is missing, expected it to be there'],
    [{ 'x-missing': { below: 5 } }, 'header x-missing is missing, expected less than 5'],
    [{ 'x-missing': { not: 'old' } }, 'header x-missing is missing, expected anything but "old"'],
    [{ age: { below: 60 } }, 'header age is 90, expected less than 60'],
    [{ 'x-queue': { below: 60 } }, 'header x-queue is "none", expected less than 60'],
    [{ server: { exists: false } }, 'header server is "ancient", expected it to be absent'],
  ])('%j', async (headers, message) => {
    const { url } = await answering('ok', { 'Content-Type': 'text/plain', Age: '90', Server: 'ancient', 'X-Queue': 'none' });
    expect(await failureOf(url, { headers })).toEqual(wrong(message));
  });

  test('one of several cookies is enough', async () => {
    const { url } = await answering('', { 'Set-Cookie': ['lang=de', 'session=abc; Secure; HttpOnly'] });
    expect((await probe({ url, expect: { headers: { 'set-cookie': '/^session=.*; Secure/' } } })).verdict).toBe('up');
    expect((await failureOf(url, { headers: { 'set-cookie': '/SameSite=Strict/' } })).kind).toBe('assertion');
  });
});

describe('JSON', () => {
  const body = { status: 'ready', version: '2.14.1', queue: { depth: 7, oldest: null }, items: [{ id: 'a' }, { id: 'b' }], 'a.b': true };

  test.each([
    ['status', 'ready'],
    ['$.status', 'ready'],
    ['queue.oldest', null],
    ['queue.oldest', { exists: true }],
    ['queue.depth', { above: 6, below: 8 }],
    ['items[1].id', 'b'],
    ['items.0.id', 'a'],
    ['items.length', { above: 1 }],
    ["['a.b']", true],
    ['["a.b"]', true],
    ['version', { matches: '/^2\\./' }],
    ['queue.depth', { matches: '/^\\d$/' }],
    ['status', { not: 'starting' }],
    ['error', { exists: false }],
    ['$', { exists: true }],
  ])('%s is %j', async (path, expected) => {
    const { url } = await answering(JSON.stringify(body));
    expect(await probe({ url, expect: { json: { [path]: expected } } })).toMatchObject({ verdict: 'up' });
  });

  test.each([
    ['status', 'up', 'status is "ready", expected "up"'],
    ['queue.depth', '7', 'queue.depth is 7, expected "7"'],
    ['queue.depth', { above: 7 }, 'queue.depth is 7, expected more than 7'],
    ['queue.depth', { above: 7, below: 9 }, 'queue.depth is 7, expected more than 7 and less than 9'],
    ['queue.oldest', { below: 60 }, 'queue.oldest is null, expected less than 60'],
    ['queue.lag', { below: 60 }, 'queue.lag is missing, expected less than 60'],
    ['queue.lag', { not: 0 }, 'queue.lag is missing, expected anything but 0'],
    ['queue.lag', { matches: '/.*/' }, 'queue.lag is missing, expected a match of /.*/'],
    ['version', { below: 3 }, 'version is "2.14.1", expected less than 3'],
    ['version', { matches: '/^3/' }, 'version is "2.14.1", expected a match of /^3/'],
    ['items', { matches: '/a/' }, 'items is a list, expected a match of /a/'],
    ['queue', { matches: '/a/' }, 'queue is an object, expected a match of /a/'],
    ['status', { exists: false }, 'status is "ready", expected it to be absent'],
    ['status', { not: 'ready' }, 'status is "ready", expected anything but "ready"'],
    ['constructor', { exists: true }, 'constructor is missing, expected it to be there'],
    ['items[2].id', 'c', 'items[2].id is missing, expected "c"'],
  ])('%s is not %j', async (path, expected, message) => {
    const { url } = await answering(JSON.stringify(body));
    expect(await failureOf(url, { json: { [path]: expected } })).toEqual(wrong(message));
  });

  test('an empty answer is none', async () => {
    const { url } = await answering('');
    expect(await failureOf(url, { json: { error: { exists: false } } })).toEqual(wrong('the answer is empty, expected JSON'));
  });

  test('a secret in the answer is not quoted, also where the quotation is cut', async () => {
    const secret = 'correct-horse-battery-staple-'.repeat(4);
    const { url } = await answering(JSON.stringify({ error: `bad token ${secret}`, id: secret }));
    const quoting = async (json: Record<string, string>) =>
      (await probe({ url, expect: { json } }, { secrets: [secret] })).failure?.message;
    expect(await quoting({ error: 'none' })).toBe('error is "bad token [hidden]", expected "none"');
    expect(await quoting({ id: 'x' })).toBe('id is "[hidden]", expected "x"');
  });
});

describe('size', () => {
  test.each([
    [{ above: '2B', below: '1KB' }, undefined],
    [{ above: '500B' }, 'the answer has 300 bytes, expected more than 500 bytes'],
    [{ below: '300B' }, 'the answer has 300 bytes, expected less than 300 bytes'],
  ])('%j', async (size, message) => {
    const { url } = await answering('x'.repeat(300));
    expect((await probe({ url, expect: { size } })).failure?.message).toBe(message);
  });

  test('of an empty answer is none', async () => {
    const { url } = await answering('', {}, 204);
    expect(await failureOf(url, { size: { above: '1B' } })).toEqual(wrong('the answer has 0 bytes, expected more than 1 byte'));
  });
});

describe('within', () => {
  test('a phase that takes longer is degraded, and named', async () => {
    const { url } = await serve(async (_request, response) => {
      await sleep(60);
      response.end('ok');
    });
    const slow = await probe({ url, expect: { text: 'ok', within: { connect: '5s', firstByte: '50ms', total: '5s' } } });
    expect(slow).toMatchObject({ verdict: 'degraded', failure: { kind: 'slow-phase' } });
    expect(slow.failure?.message).toMatch(/^the first byte took \d+ ms, expected at most 50 ms$/);
    const total = await probe({ url, expect: { within: { total: '50ms' } } });
    expect(total.failure?.message).toMatch(/^the request took \d+ ms, expected at most 50 ms$/);
    const inTime = await probe({ url, expect: { within: { connect: '5s', firstByte: '5s', download: '5s', total: '5s' } } });
    expect(inTime.verdict).toBe('up');
  });

  test('a body that drips is a slow download, not a slow first byte', async () => {
    const { url } = await serve(async (_request, response) => {
      response.write('o');
      await sleep(60);
      response.end('k');
    });
    const { failure } = await probe({ url, expect: { text: 'ok', within: { firstByte: '5s', download: '50ms' } } });
    expect(failure?.message).toMatch(/^the download took \d+ ms, expected at most 50 ms$/);
  });

  test('what is wrong is down, slow or not', async () => {
    const { url } = await answering('no');
    const outcome = await probe({ url, expect: { text: 'ok', within: { total: '1ms' } } });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'assertion' } });
  });

  test.each([
    ['tls', 'within.tls cannot be judged: there was no TLS handshake'],
    ['dns', 'within.dns cannot be judged: no name was looked up'],
  ])('a limit on %s, which did not take place, is a fault and no pass', async (phase, message) => {
    const { url } = await answering('ok');
    const outcome = await probe({ url, expect: { within: { [phase]: '5s' } } });
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { kind: 'unreadable', message } });
  });

  test('the look-up of a name counts', async () => {
    const { port } = await answering('ok');
    const outcome = await probe({ url: `http://localhost:${port}/`, expect: { within: { dns: '5s' } } });
    expect(outcome.verdict).toBe('up');
    expect(outcome.measurements).toHaveProperty('dns_ms');
  });
});

/** Several requests in one run: what is kept between them, how the run is told, and what may never be told. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import http from '../../probes/types/http.ts';
import { listening, probeContext } from '../helpers/probing.ts';
import { probe, probeWith, webServers } from '../helpers/web.ts';

const { keep, serve } = webServers();

/** A server by path; it remembers what came, with its body. */
async function clinic(answers: Record<string, RequestListener>) {
  const seen: { request: IncomingMessage; body: string }[] = [];
  const server = await serve(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ request, body });
    const answer = answers[(request.url ?? '').replace(/\?.*$/, '')];
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  });
  return { ...server, seen, base: server.url.slice(0, -1) };
}

const json = (value: unknown, headers: Record<string, string> = {}): RequestListener => {
  return (_request, response) => response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
};

describe('a chain', () => {
  test('runs in order, hands on what was saved, and tells its steps', async () => {
    const { base, seen } = await clinic({
      '/login': json({ access: { token: 'tk-4711-long' } }, { 'X-Session': 'sess/42' }),
      '/form': (_request, response) => response.end('<input name="csrf" value="a+b/c=">'),
      '/book/17': json({ ok: true }),
    });
    const outcome = await probe({
      steps: [
        {
          name: 'log in',
          url: `${base}/login`,
          method: 'POST',
          save: { token: { json: 'access.token' }, session: { header: 'x-session' } },
        },
        { name: 'open the form', url: `${base}/form`, save: { csrf: { body: '/name="csrf" value="([^"]+)"/' } } },
        {
          name: 'book',
          url: `${base}/book/17?session=\${saved.session}`,
          method: 'POST',
          headers: { Authorization: `Bearer \${saved.token}`, 'Content-Type': 'application/x-www-form-urlencoded' },
          body: `csrf=\${saved.csrf}&slot=9`,
          expect: { json: { ok: true } },
        },
      ],
    });
    expect(outcome).toMatchObject({ verdict: 'up' });
    expect(outcome.failure).toBeUndefined();
    expect(outcome.steps?.map(({ name, outcome: how }) => [name, how])).toEqual([
      ['log in', 'passed'],
      ['open the form', 'passed'],
      ['book', 'passed'],
    ]);
    for (const step of outcome.steps ?? []) expect(step.durationMs).toBeGreaterThan(0);
    expect(outcome.durationMs).toBeGreaterThanOrEqual(outcome.steps?.reduce((sum, step) => sum + step.durationMs, 0) ?? 0);
    expect(seen[2]?.request.url).toBe('/book/17?session=sess%2F42');
    expect(seen[2]?.request.headers.authorization).toBe('Bearer tk-4711-long');
    expect(seen[2]?.body).toBe('csrf=a%2Bb%2Fc%3D&slot=9');
    expect(JSON.stringify(outcome)).not.toMatch(/tk-4711|sess|a\+b/);
  });

  test('in a JSON body a saved value stays within its text', async () => {
    const { base, seen } = await clinic({ '/a': json({ name: 'Ada "the" \\ nurse' }), '/b': json({}) });
    const body = `{"who": "\${saved.name}"}`;
    const second = { name: 'b', url: `${base}/b`, method: 'POST', headers: { 'content-type': 'application/json' }, body };
    await probe({ steps: [{ name: 'a', url: `${base}/a`, save: { name: { json: 'name' } } }, second] });
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ who: 'Ada "the" \\ nurse' });
  });

  test('stops at the first step that fails, and names it', async () => {
    const { base, seen } = await clinic({ '/a': json({}), '/c': json({}) });
    const outcome = await probe({
      steps: [
        { name: 'open', url: `${base}/a` },
        { name: 'confirm the booking', url: `${base}/missing` },
        { name: 'log out', url: `${base}/c` },
      ],
    });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'status', step: 'confirm the booking', message: 'answered 404, expected 200 to 399' },
      steps: [
        { name: 'open', outcome: 'passed' },
        { name: 'confirm the booking', outcome: 'failed' },
        { name: 'log out', outcome: 'skipped', durationMs: 0 },
      ],
    });
    expect(seen).toHaveLength(2);
  });

  test('goes on after a step that is merely slow, and is degraded', async () => {
    const slow: RequestListener = async (_request, response) => {
      await sleep(60);
      response.end('ok');
    };
    const { base, seen } = await clinic({ '/slow': slow, '/c': json({}) });
    const first = { name: 'report', url: `${base}/slow`, expect: { within: { firstByte: '50ms' } } };
    const outcome = await probe({ steps: [first, { name: 'log out', url: `${base}/c` }] });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'slow-phase', step: 'report' } });
    expect(seen).toHaveLength(2);
    const then = await probe({ steps: [first, { name: 'gone', url: `${base}/missing` }] });
    expect(then).toMatchObject({ verdict: 'down', failure: { kind: 'status', step: 'gone' } });
  });

  test('has one time budget, and a limit that cannot be judged is a fault', async () => {
    const { base } = await clinic({ '/a': json({}), '/hang': () => {} });
    const steps = [
      { name: 'open', url: `${base}/a` },
      { name: 'hang', url: `${base}/hang` },
    ];
    const outcome = await probe({ steps }, { timeoutMs: 400 });
    expect(outcome.failure).toEqual({ kind: 'timeout', step: 'hang', message: 'no answer within what was left of 400 ms' });
    const blind = await probe({ steps: [{ ...steps[0], expect: { within: { tls: '1s' } } }] });
    expect(blind).toMatchObject({ verdict: 'fault', failure: { kind: 'unreadable', step: 'open' } });
  });

  test('adds up its phases, and ends at once when the agent stops', async () => {
    const { base } = await clinic({ '/a': json({ n: 1 }), '/hang': () => {} });
    const twice = await probe({
      steps: [
        { name: 'one', url: `${base}/a` },
        { name: 'two', url: `${base}/a` },
      ],
    });
    expect(Object.keys(twice.measurements ?? {}).sort()).toEqual(['body_bytes', 'connect_ms', 'download_ms', 'first_byte_ms']);
    expect(twice.measurements?.body_bytes).toBe(7);
    const stop = new AbortController();
    const run = probe({ steps: [{ name: 'hang', url: `${base}/hang` }] }, { signal: stop.signal });
    const stopping = new Error('stopping');
    stop.abort(stopping);
    await expect(run).rejects.toBe(stopping);
  });
});

describe('saving', () => {
  test.each([
    [{ json: 'token' }, 't cannot be saved: token is missing'],
    [{ json: 'nothing' }, 't cannot be saved: nothing is neither a text nor a number'],
    [{ json: 'list' }, 't cannot be saved: list is neither a text nor a number'],
    [{ json: 'empty' }, 't cannot be saved: empty is empty'],
    [{ json: 'long' }, 't cannot be saved: long is longer than 10000 characters'],
    [{ header: 'x-token' }, 't cannot be saved: header x-token is missing'],
    [{ body: '/token=(\\w+)/' }, 't cannot be saved: a match of /token=(\\w+)/ is missing'],
    [{ body: '/nothing"(x)?/' }, 't cannot be saved: a match of /nothing"(x)?/ is missing'],
  ])('%j', async (source, message) => {
    const { base } = await clinic({ '/': json({ nothing: null, list: ['a'], empty: '', long: 'x'.repeat(10_001) }) });
    const outcome = await probe({ steps: [{ name: 'log in', url: base, save: { t: source } }] });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'save', step: 'log in', message } });
  });

  test('from an answer that is no JSON', async () => {
    const { base } = await clinic({ '/': (_request, response) => response.end('<html>') });
    const outcome = await probe({ steps: [{ name: 'log in', url: base, save: { t: { json: 'a' } } }] });
    expect(outcome.failure).toEqual({ kind: 'assertion', step: 'log in', message: 'the answer is not JSON' });
  });

  test('numbers and truth values are saved as they are written', async () => {
    const { base, seen } = await clinic({ '/': json({ id: 42, on: true }), '/42/true': json({}) });
    const save = { id: { json: 'id' }, on: { json: 'on' } };
    const steps = [
      { name: 'a', url: base, save },
      { name: 'b', url: `${base}/\${saved.id}/\${saved.on}` },
    ];
    expect((await probe({ steps })).verdict).toBe('up');
    expect(seen[1]?.request.url).toBe('/42/true');
  });

  test('what was saved is never quoted, whole or in part, long or short', async () => {
    const token = `eyJ${'h4x'.repeat(60)}`;
    const { base } = await clinic({ '/': json({ token, id: 7, code: 'k9' }), '/echo': json({ error: `bad ${token}`, id: 7, code: 'k9' }) });
    const told = async (path: string) => {
      const save = { token: { json: 'token' }, id: { json: 'id' }, code: { json: 'code' } };
      const echo = { name: 'echo', url: `${base}/echo`, expect: { json: { [path]: 'other' } } };
      return (await probe({ steps: [{ name: 'log in', url: base, save }, echo] })).failure?.message;
    };
    expect(await told('error')).toBe('error is "bad [hidden]", expected "other"');
    expect(await told('id')).toBe('id is [hidden], expected "other"');
    expect(await told('code')).toBe('code is "[hidden]", expected "other"');
  });

  test('a value that no header may hold fails the step that uses it', async () => {
    const { base, seen } = await clinic({ '/': json({ token: 'a\r\nX-Admin: yes' }) });
    const use = { name: 'use it', url: base, headers: { 'X-Token': `\${saved.token}` } };
    const outcome = await probe({ steps: [{ name: 'log in', url: base, save: { token: { json: 'token' } } }, use] });
    const message = 'a saved value holds characters that no header may hold';
    expect(outcome.failure).toEqual({ kind: 'save', step: 'use it', message });
    expect(seen).toHaveLength(1);
  });
});

describe('a saved address', () => {
  test('may be relative, or a path behind a host that is written out', async () => {
    const { base, seen } = await clinic({ '/list': json({ next: '/page?after=3&size=2', id: 'x y' }), '/page': json({}) });
    const save = { next: { json: 'next' } };
    const outcome = await probe({
      steps: [
        { name: 'list', url: `${base}/list`, save },
        { name: 'relative', url: `\${saved.next}` },
        { name: 'behind', url: `${base}\${saved.next}` },
      ],
    });
    expect(outcome.failure).toBeUndefined();
    expect(seen.map(({ request }) => request.url)).toEqual(['/list', '/page?after=3&size=2', '/page?after=3&size=2']);
  });

  test.each([
    ['@other', '@127.0.0.1:PORT/'],
    ['whole', 'http://127.0.0.1:PORT/steal'],
    ['without scheme', '//127.0.0.1:PORT/steal'],
    ['no address', 'http://['],
  ])('never leads to another host: %s', async (kind, next) => {
    let stolen = 0;
    const thief = await serve((_request, response) => {
      stolen++;
      response.end();
    });
    const { base } = await clinic({ '/': json({ next: next.replace('PORT', String(thief.port)) }) });
    const url = kind === '@other' ? `${base}\${saved.next}` : `\${saved.next}`;
    const steps = [
      { name: 'list', url: base, save: { next: { json: 'next' } } },
      { name: 'follow', url, headers: { Authorization: 'Bearer secret-of-ours' } },
    ];
    const message = 'the saved address leads to another host than the steps name';
    expect((await probe({ steps })).failure).toEqual({ kind: 'save', step: 'follow', message });
    expect(stolen).toBe(0);
  });
});

describe('cookies', () => {
  const cookies = (request: IncomingMessage | undefined) => request?.headers.cookie;

  test('are kept between the steps and through redirects, and forgotten after the run', async () => {
    const login: RequestListener = (_request, response) => {
      response.writeHead(302, { location: '/home', 'set-cookie': ['session=s-1; Path=/; HttpOnly', 'lang=de; Path=/reports'] }).end();
    };
    const logout: RequestListener = (_request, response) => {
      response.writeHead(200, { 'set-cookie': 'session=; Path=/; Max-Age=0' }).end();
    };
    const { base, seen } = await clinic({
      '/login': login,
      '/home': json({}),
      '/reports/daily': json({}),
      '/logout': logout,
      '/after': json({}),
    });
    const steps = ['login', 'reports/daily', 'logout', 'after'].map((path) => ({ name: path, url: `${base}/${path}` }));
    expect((await probe({ steps })).verdict).toBe('up');
    expect(seen.map(({ request }) => cookies(request))).toEqual([
      undefined,
      'session=s-1',
      'lang=de; session=s-1',
      'session=s-1',
      undefined,
    ]);
    await probe({ url: `${base}/home` });
    expect(cookies(seen.at(-1)?.request)).toBeUndefined();
  });

  test('are added to those that the check sends itself, and go to no other host', async () => {
    const seen: (string | undefined)[] = [];
    const note: RequestListener = (request, response) => {
      seen.push(request.headers.cookie);
      response.writeHead(200, { 'set-cookie': ['a=1', 'evil=1; Domain=example.com', 'local=1; Domain=localhost'] }).end();
    };
    const server = await serve(note);
    const elsewhere = server.url.replace('127.0.0.1', 'localhost');
    const steps = [
      { name: 'one', url: server.url },
      { name: 'two', url: server.url, headers: { cookie: 'theme=dark' } },
      { name: 'elsewhere', url: elsewhere },
      { name: 'elsewhere again', url: elsewhere },
    ];
    expect((await probe({ steps })).verdict).toBe('up');
    expect(seen).toEqual([undefined, 'theme=dark; a=1', undefined, 'a=1; local=1']);
  });
});

test('a secret of the file reaches the server and no message', async () => {
  const { base, seen } = await clinic({ '/login': json({ echo: 'pw is hunter2-long' }) });
  const outcome = await probeWith(
    { PASSWORD: 'hunter2-long' },
    { steps: [{ name: 'log in', url: `${base}/login`, method: 'POST', body: `pw=\${secret:PASSWORD}`, expect: { json: { echo: 'ok' } } }] },
  );
  expect(seen[0]?.body).toBe('pw=hunter2-long');
  expect(outcome.failure).toEqual({ kind: 'assertion', step: 'log in', message: 'echo is "pw is [hidden]", expected "ok"' });
});

test('an order of the version before, with one request and its options as they were, still runs', async () => {
  const server = await keep(listening(createTcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nready')))));
  const old = {
    url: server.url,
    method: 'GET',
    headers: {},
    redirects: 'follow',
    bodyLimit: 1_000_000,
    expect: { status: [200], text: 'ready' },
  };
  expect((await http.run(old as never, probeContext())).verdict).toBe('up');
});

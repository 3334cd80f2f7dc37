import type { IncomingMessage } from 'node:http';
import { createServer as createTcp } from 'node:net';
import { describe, expect, test } from 'vitest';
import { blackHole, listening } from '../helpers/probing.ts';
import { probe, webServers } from '../helpers/web.ts';

const { keep, serve } = webServers();

describe('an answer as expected', () => {
  test('is up, with a time for each phase that took place', async () => {
    const { url } = await serve((_request, response) => response.end('all is well'));
    const outcome = await probe({ url, expect: { status: 200, text: 'well' } });
    expect(outcome.verdict).toBe('up');
    expect(Object.keys(outcome.measurements ?? {}).sort()).toEqual(['body_bytes', 'connect_ms', 'download_ms', 'first_byte_ms']);
    expect(outcome.measurements?.body_bytes).toBe(11);
  });

  test('sends method, headers, body and the traceparent, on a connection that is closed afterwards', async () => {
    const seen: IncomingMessage[] = [];
    let body = '';
    const server = await serve((request, response) => {
      seen.push(request);
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => response.end());
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await probe({ url: server.url, method: 'PUT', headers: { 'X-Clinic': 'riverside' }, body: 'ward 7' }, { traceparent });
    expect(seen[0]?.method).toBe('PUT');
    expect(seen[0]?.headers).toMatchObject({ 'x-clinic': 'riverside', traceparent, connection: 'close' });
    expect(body).toBe('ward 7');
    await server.drained();
  });

  test('values in JSON are compared by path', async () => {
    const { url } = await serve((_request, response) => response.end('{"status":"ready","checks":{"database":true}}'));
    expect((await probe({ url, expect: { json: { status: 'ready', 'checks.database': true } } })).verdict).toBe('up');
    const missing = await probe({ url, expect: { json: { 'checks.queue': true } } });
    expect(missing.failure).toEqual({ kind: 'assertion', message: 'checks.queue is missing, expected true' });
  });
});

describe('an answer that is not as expected', () => {
  test.each([
    [503, {}, 'status', 'answered 503, expected 200 to 399'],
    [404, { status: [200, 204] }, 'status', 'answered 404, expected 200 or 204'],
    [200, { text: 'ready' }, 'assertion', 'the answer does not contain "ready"'],
    [200, { json: { status: 'up' } }, 'assertion', 'the answer is not JSON'],
  ])('%i with %j is down: %s', async (status, expectation, kind, message) => {
    const { url } = await serve((_request, response) => response.writeHead(status).end('nothing'));
    const outcome = await probe({ url, expect: expectation });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind, message } });
  });

  test('an endless body is cut at the limit', async () => {
    const server = await serve((_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(16_000)));
      };
      response.on('drain', more);
      more();
    });
    const outcome = await probe({ url: server.url, bodyLimit: '100KB' });
    expect(outcome.failure).toEqual({ kind: 'too-large', message: 'the answer is larger than 100 kB' });
    await server.drained();
  });

  test('what is not HTTP is told as such', async () => {
    const server = await keep(listening(createTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))));
    expect((await probe({ url: server.url })).failure?.kind).toBe('protocol');
  });

  test('a head without end is cut', async () => {
    const { url } = await serve((_request, response) => response.writeHead(200, { 'x-endless': 'x'.repeat(20_000) }).end());
    const failure = { kind: 'too-large', message: 'the head of the answer is larger than 16 kB' };
    expect((await probe({ url })).failure).toEqual(failure);
  });

  test('a connection that is closed before the answer', async () => {
    const server = await keep(listening(createTcp((socket) => socket.once('data', () => socket.destroy()))));
    expect((await probe({ url: server.url })).failure?.kind).toBe('connection-reset');
  });
});

describe('no answer', () => {
  test('a server that accepts and says nothing', async () => {
    const server = await keep(blackHole());
    const outcome = await probe({ url: server.url }, { timeoutMs: 200 });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'timeout', message: 'no answer within 200 ms' } });
    await server.drained();
  });

  test('a body that stops half-way', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
    });
    const outcome = await probe({ url: server.url }, { timeoutMs: 200 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'the answer was not complete within 200 ms' });
    await server.drained();
  });

  test('a TLS handshake that is never answered', async () => {
    const server = await keep(blackHole());
    const outcome = await probe({ url: server.url.replace('http:', 'https:') }, { timeoutMs: 1000 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no TLS handshake within 1 s' });
  });

  test('nothing listens', async () => {
    const server = await blackHole();
    await server.close();
    const outcome = await probe({ url: `http://127.0.0.1:${server.port}/` });
    expect(outcome.failure).toEqual({ kind: 'connection-refused', message: `127.0.0.1:${server.port} refused the connection` });
  });

  test('a name that does not exist', async () => {
    expect((await probe({ url: 'http://no-such-clinic.invalid/' })).failure?.kind).toBe('dns');
  });
});

describe('redirects', () => {
  test('are followed, and the phases added up', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/login' }).end();
      else response.end('Log in');
    });
    expect((await probe({ url, expect: { status: 200, text: 'Log in' } })).verdict).toBe('up');
    expect((await probe({ url, redirects: 'stay', expect: { status: 302 } })).verdict).toBe('up');
  });

  test('end after five', async () => {
    const { url } = await serve((_request, response) => response.writeHead(302, { location: '/' }).end());
    expect((await probe({ url })).failure).toEqual({ kind: 'redirect', message: 'more than 5 redirects' });
  });

  test('to another origin carry neither the headers nor the body', async () => {
    const seen: IncomingMessage['headers'][] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    const { url } = await serve((_request, response) => response.writeHead(307, { location: other.url }).end());
    await probe({ url, method: 'POST', headers: { Authorization: 'Bearer long-and-secret' }, body: 'x' });
    expect(seen[0]).not.toHaveProperty('authorization');
    expect(seen[0]?.['content-length'] ?? '0').toBe('0');
  });
});

test('an agent that stops ends the request at once, and it is nobody’s failure', async () => {
  const server = await keep(blackHole());
  const stop = new AbortController();
  const stopping = new Error('stopping');
  const run = probe({ url: server.url }, { signal: stop.signal });
  stop.abort(stopping);
  await expect(run).rejects.toBe(stopping);
});

/** Bodies: packed, broken, endless, absent, and sent. */
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { listening } from '../helpers/probing.ts';
import { probe, webServers } from '../helpers/web.ts';

const { keep, serve } = webServers();

const TEXT = 'all clinics are well. '.repeat(50);

function packed(encoding: string, body: Buffer): RequestListener {
  return (_request, response) => response.writeHead(200, { 'content-encoding': encoding, 'content-length': body.length }).end(body);
}

describe('a packed body', () => {
  test.each([
    ['gzip', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['GZIP, br', brotliCompressSync(gzipSync(TEXT))],
    ['identity', Buffer.from(TEXT)],
  ])('%s is unpacked, and its size is that of what it holds', async (encoding, body) => {
    const { url } = await serve(packed(encoding, body));
    const outcome = await probe({ url, expect: { text: 'all clinics are well' } });
    expect(outcome).toMatchObject({ verdict: 'up', measurements: { body_bytes: TEXT.length } });
  });

  test('is asked for, and the check may ask otherwise', async () => {
    const asked: (string | string[] | undefined)[] = [];
    const { url } = await serve((request, response) => {
      asked.push(request.headers['accept-encoding']);
      response.end();
    });
    await probe({ url });
    await probe({ url, headers: { 'Accept-Encoding': 'identity' } });
    expect(asked).toEqual(['gzip, br, deflate', 'identity']);
  });

  test('that unpacks to more than the limit is cut off', async () => {
    const { url } = await serve(packed('gzip', gzipSync(Buffer.alloc(5_000_000))));
    const outcome = await probe({ url, bodyLimit: '100KB' });
    expect(outcome.failure).toEqual({ kind: 'too-large', message: 'the answer is larger than 100 kB' });
  });

  test.each([
    ['broken', Buffer.from('this is no gzip at all')],
    ['cut off', gzipSync(TEXT).subarray(0, 40)],
  ])('that is %s is down, whatever is expected of it', async (_, body) => {
    const { url } = await serve(packed('gzip', body));
    const failure = { kind: 'encoding', message: 'the answer cannot be unpacked: it is no sound gzip' };
    expect((await probe({ url })).failure).toEqual(failure);
  });

  test('a status that is wrong is told first', async () => {
    const { url } = await serve((_request, response) => response.writeHead(503, { 'content-encoding': 'gzip' }).end('no gzip'));
    expect((await probe({ url })).failure?.kind).toBe('status');
  });

  test.each([
    ['utf-8', { text: 'ok' }],
    ['utf-8', { notText: 'error' }],
    ['gzip, gzip, gzip, gzip', { size: { above: '1B' } }],
    ['zstd', { json: { a: 1 } }],
  ])('in %s cannot be read where it is asked for', async (encoding, expectation) => {
    const { url } = await serve(packed(encoding, Buffer.from('ok')));
    const message = `the answer is encoded as "${encoding}", expected one of gzip, br, deflate`;
    expect((await probe({ url, expect: expectation })).failure).toEqual({ kind: 'encoding', message });
    expect((await probe({ url })).verdict).toBe('up');
  });

  test.each(['HEAD', 'GET'])('of nothing is nothing: %s', async (method) => {
    const { url } = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end());
    expect(await probe({ url, method })).toMatchObject({ verdict: 'up', measurements: { body_bytes: 0 } });
  });
});

describe('a body that breaks off', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf';

  test.each([
    ['with a reset', (socket: Socket) => socket.write(HEAD, () => setTimeout(() => socket.resetAndDestroy(), 20))],
    ['by closing', (socket: Socket) => socket.end(HEAD)],
    ['within a chunk', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf')],
  ])('%s', async (_, answer) => {
    const server = await keep(listening(createTcp((socket) => socket.once('data', () => answer(socket)))));
    const outcome = await probe({ url: server.url });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'connection-reset', message: `127.0.0.1:${server.port} closed the connection` },
    });
    expect(outcome.measurements).toHaveProperty('first_byte_ms');
    expect(outcome.measurements).not.toHaveProperty('download_ms');
    await server.drained();
  });

  test('an answer without a length ends with its connection', async () => {
    const server = await keep(listening(createTcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')))));
    expect((await probe({ url: server.url, expect: { text: 'all of it' } })).verdict).toBe('up');
  });

  test('a server that changes the protocol has answered', async () => {
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    const server = await keep(listening(createTcp((socket) => socket.once('data', () => socket.write(upgrade)))));
    expect((await probe({ url: server.url })).failure?.message).toBe('answered 101, expected 200 to 399');
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    expect(await probe({ url: server.url, headers, expect: { status: 101 } })).toMatchObject({
      verdict: 'up',
      measurements: { body_bytes: 0 },
    });
    await server.drained();
  });
});

describe('a request', () => {
  const seen: IncomingMessage[] = [];
  const bodies: string[] = [];
  const note: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push(request);
    bodies.push(body);
    response.end();
  };

  test.each([
    ['POST', 'Größe', '7'],
    ['POST', undefined, '0'],
    ['PUT', undefined, '0'],
    ['DELETE', 'why', '3'],
    ['GET', 'query', '5'],
    ['GET', undefined, undefined],
    ['OPTIONS', undefined, undefined],
  ])('%s with the body %j tells its length', async (method, body, length) => {
    const { url } = await serve(note);
    expect((await probe({ url, method, ...(body === undefined ? {} : { body }) })).verdict).toBe('up');
    expect(seen.at(-1)?.method).toBe(method);
    expect(seen.at(-1)?.headers['content-length']).toBe(length);
    expect(seen.at(-1)?.headers['transfer-encoding']).toBeUndefined();
    expect(bodies.at(-1)).toBe(body ?? '');
  });

  test('says each header once, and the check has the last word', async () => {
    const { url, port } = await serve(note);
    const headers = { Accept: 'text/html', 'USER-AGENT': 'clinic', host: 'riverside.example', Traceparent: 'none' };
    await probe({ url, headers });
    expect(seen.at(-1)?.headersDistinct).toMatchObject({
      accept: ['text/html'],
      'user-agent': ['clinic'],
      host: ['riverside.example'],
      traceparent: ['none'],
      connection: ['close'],
    });
    await probe({ url });
    expect(seen.at(-1)?.headers.host).toBe(`127.0.0.1:${port}`);
  });

  test('logs in with what stands in its address, also after a redirect to the same origin', async () => {
    const logins: (string | undefined)[] = [];
    const { port } = await serve((request, response) => {
      logins.push(request.headers.authorization);
      if (request.url === '/') response.writeHead(302, { location: `http://127.0.0.1:${port}/in` }).end();
      else response.end();
    });
    await probe({ url: `http://rounds:p%40ss@127.0.0.1:${port}/` });
    const basic = `Basic ${Buffer.from('rounds:p@ss').toString('base64')}`;
    expect(logins).toEqual([basic, basic]);
  });

  test('that a redirect turned into GET is not sent again', async () => {
    const sent: string[] = [];
    const { url } = await serve(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      sent.push(`${request.method} ${request.url} ${body}`);
      if (request.url === '/') response.writeHead(303, { location: '/done' }).end();
      else if (request.url === '/again') response.writeHead(308, { location: '/there' }).end();
      else response.end();
    });
    await probe({ url, method: 'POST', body: 'x' });
    await probe({ url: `${url}again`, method: 'PUT', body: 'y' });
    await probe({ url, method: 'HEAD' });
    expect(sent).toEqual(['POST / x', 'GET /done ', 'PUT /again y', 'PUT /there y', 'HEAD / ', 'HEAD /done ']);
  });

  test('with a header that cannot be sent is the fault of the check, and nothing of it is quoted', async () => {
    const { url } = await serve(note);
    const run = probe({ url, headers: { 'X-Token': 'long secret \n with a line break' } });
    await expect(run).rejects.toMatchObject({ kind: 'parameters', message: 'The request cannot be made (ERR_INVALID_CHAR).' });
  });

  test('over IPv6', async () => {
    const server = createHttp((request, response) => response.end(request.headers.host));
    await new Promise<void>((resolve) => server.listen(0, '::1', resolve));
    const { port } = server.address() as AddressInfo;
    const outcome = await probe({ url: `http://[::1]:${port}/`, expect: { text: `[::1]:${port}` } });
    server.close();
    expect(outcome.verdict).toBe('up');
  });
});

import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import request from '../../runbooks/actions/http.request.ts';
import { actionContext } from '../helpers/acting.ts';
import { listening, type TestServer } from '../helpers/probing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function act(answer: RequestListener, params: Record<string, unknown> = {}) {
  const server = await listening(createServer(answer));
  open.push(server);
  return await request.run(request.schema.parse({ url: `http://127.0.0.1:${server.port}/fix`, ...params }), actionContext());
}

test('sends token, body and the execution as idempotency key, and tells the summary of the answer', async () => {
  const seen: IncomingMessage[] = [];
  let body = '';
  const outcome = await act(
    (incoming, response) => {
      seen.push(incoming);
      incoming.on('data', (chunk) => {
        body += chunk;
      });
      incoming.on('end', () => response.end('{"summary": "Logins of\\nRiverside work <again>."}'));
    },
    { bearer: 'a-token', json: { tenant: 'riverside' } },
  );
  expect(outcome).toEqual({ outcome: 'done', summary: 'Logins of Riverside work again .' });
  expect(seen[0]?.method).toBe('POST');
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Bearer a-token',
    'idempotency-key': 'execution-1',
    'content-type': 'application/json',
  });
  expect(JSON.parse(body)).toEqual({ tenant: 'riverside' });
});

test.each([
  [204, '', 'done', /^Done: answered 204\.$/],
  [500, 'a stack trace', 'failed', /^127\.0\.0\.1:\d+ answered 500\.$/],
  [409, '{"summary":"Already running."}', 'failed', /answered 409\. Already running\.$/],
  [302, '', 'failed', /answered 302\.$/],
  [200, 'x'.repeat(100_000), 'done', /^Done: answered 200\.$/],
])('an answer of %i', async (status, body, expected, summary) => {
  const outcome = await act((_incoming, response) => response.writeHead(status).end(body));
  expect(outcome.outcome).toBe(expected);
  expect(outcome.summary).toMatch(summary);
});

test('nothing listens', async () => {
  const server = await listening(createServer());
  await server.close();
  const outcome = await request.run(request.schema.parse({ url: `http://127.0.0.1:${server.port}/` }), actionContext());
  expect(outcome).toEqual({ outcome: 'failed', summary: `127.0.0.1:${server.port} refused the connection. Nothing was done.` });
});

/** What a target said and what was expected, in messages that hold no secret, whole or in part. */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { expectedInWords, hiding, quoted } from '../../probes/quote.ts';
import tcp from '../../probes/types/tcp.ts';
import { listening, probeContext } from '../helpers/probing.ts';
import { probeWith, webServers } from '../helpers/web.ts';

const SECRET = 'correct horse/battery+staple';
const hide = hiding(() => [SECRET, 'abc', '']);

describe('a secret is hidden', () => {
  test.each([
    ['as it is', `token ${SECRET}!`, 'token [hidden]!'],
    ['in an address', `?t=${encodeURIComponent(SECRET)}&u=1`, '?t=[hidden]&u=1'],
    ['as a path', `/t/${encodeURI(SECRET)}/u`, '/t/[hidden]/u'],
    ['in a header', `Basic ${Buffer.from(SECRET).toString('base64')}.`, 'Basic [hidden].'],
    ['cut off at the end', 'token correct hors', 'token [hidden]'],
    ['when it is short and stands alone', 'abc', '[hidden]'],
  ])('%s', (_, text, shown) => {
    expect(hide(text)).toBe(shown);
  });

  test('but a short one is left in words, and half an emoji breaks nothing', () => {
    expect(hide('abcdef')).toBe('abcdef');
    expect(hiding(() => ['\ud800 secret'])('a \ud800 secret')).toBe('a [hidden]');
  });

  test('before the text is cut', () => {
    expect(quoted(`${'x'.repeat(70)} ${SECRET}`, hide)).toBe(`"${'x'.repeat(70)} [hidden]"`);
    expect(expectedInWords(`/^${SECRET}$/`, hide)).toBe('a match of /^[hidden]$/');
    expect(expectedInWords('a\n  <b>\u0007', hide)).toBe('"a b"');
  });
});

describe('what is expected is a secret that is longer than a message', () => {
  const LONG = 'correct-horse-battery-staple-'.repeat(9);
  const { serve } = webServers();

  test.each([
    { expect: { json: { token: `\${secret:TOKEN}` } } },
    { expect: { json: { token: { not: 'wrong', matches: `/^\${secret:TOKEN}$/` } } } },
    { expect: { text: `\${secret:TOKEN}` } },
    { expect: { text: `/\${secret:TOKEN}x+/` } },
    { expect: { notText: 'wrong', headers: { etag: `\${secret:TOKEN}` } } },
    { steps: [{ name: 'one', url: 'URL', save: { session: { body: `/\${secret:TOKEN}(x+)/` } } }] },
  ])('%j', async (params) => {
    const { url } = await serve((_request, response) => response.end('{"token": "wrong"}'));
    const at = params.steps ? { steps: params.steps.map((step) => ({ ...step, url })) } : { url };
    const outcome = await probeWith({ TOKEN: LONG }, { ...params, ...at });
    expect(outcome.verdict).toBe('down');
    expect(outcome.failure?.message).not.toContain('correct');
  });

  test('tcp', async () => {
    const server = await listening(createServer((socket) => socket.end('-ERR')));
    const params = tcp.schema.parse({ host: '127.0.0.1', port: server.port, expect: LONG });
    const outcome = await tcp.run(params, probeContext({ secrets: [LONG] }));
    await server.close();
    expect(outcome.failure?.message).toBe(`127.0.0.1:${server.port} answered "-ERR", expected "[hidden]"`);
  });
});

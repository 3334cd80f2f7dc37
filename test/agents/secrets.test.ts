import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { redactor } from '../../agents/redact.ts';
import { secretsFrom } from '../../agents/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'rounds-secrets-'));
writeFileSync(join(folder, 'FROM_FILE'), 'file-value\n');
writeFileSync(join(folder, 'BOTH'), 'of-the-file');
afterAll(() => rmSync(folder, { recursive: true }));

const ref = (name: string) => `\${secret:${name}}`;
const secrets = secretsFrom({
  folder,
  env: { FROM_ENV: 'env-value', BOTH: 'of-the-env', ROUNDS_QUEUE_URL: 'postgres://queue', EMPTY: '' },
});

describe('references', () => {
  test('are filled in wherever they stand, from a file first', async () => {
    const resolved = await secrets.resolve({
      url: `postgres://rounds:${ref('FROM_FILE')}@db/main`,
      account: { user: 'a', password: ref('FROM_ENV') },
      mask: [ref('BOTH')],
      port: 5432,
    });
    expect(resolved.params).toEqual({
      url: 'postgres://rounds:file-value@db/main',
      account: { user: 'a', password: 'env-value' },
      mask: ['of-the-file'],
      port: 5432,
    });
    expect(resolved.secrets.toSorted()).toEqual(['env-value', 'file-value', 'of-the-file']);
  });

  test('what a secret holds is not expanded again', async () => {
    const odd = secretsFrom({ env: { A: `${ref('B')}$&`, B: 'b' } });
    expect((await odd.resolve({ x: ref('A') })).params).toEqual({ x: `${ref('B')}$&` });
  });

  test.each(['NOWHERE', 'EMPTY', 'ROUNDS_QUEUE_URL'])('%s is missing, and is named', async (name) => {
    const resolving = secrets.resolve({ x: `${ref(name)} and ${ref('FROM_ENV')}` });
    await expect(resolving).rejects.toMatchObject({
      kind: 'secret-missing',
      message: expect.stringContaining(`The secret ${name} is not on this agent`),
    });
    await expect(resolving).rejects.not.toMatchObject({ message: expect.stringContaining('env-value') });
  });
});

describe('what leaves the agent', () => {
  const redact = redactor(['postgres://rounds:p%40ss%2Fword@db.example:5432/main?token=tk-12345', 'swordfish&7"x']);

  test.each([
    ['login refused for swordfish&7"x', 'login refused for [hidden]'],
    ['GET /?p=swordfish%267%22x', 'GET /?p=[hidden]'],
    [`Authorization: ${Buffer.from('swordfish&7"x').toString('base64')}`, 'Authorization: [hidden]'],
    ['{"p":"swordfish&7\\"x"}', '{"p":"[hidden]"}'],
    ['with p@ss/word and tk-12345', 'with [hidden] and [hidden]'],
    ['at postgres://other:unknown@db.example/x', 'at [hidden]@db.example/x'],
    ['Bearer abc.def-ghi', 'Bearer [hidden]'],
    ['password=hunter2&user=ana', 'password=[hidden]&user=ana'],
    ['{"token": "abc def"}', '{"token": [hidden]}'],
    ['ana.miller@clinic.example is unknown', '[address] is unknown'],
    ['patient 4711 0815 2342 not found', 'patient [number] not found'],
    ['born 1980-01-31', 'born [number]'],
    ['answered 503, expected 200 to 399', 'answered 503, expected 200 to 399'],
    ['127.0.0.1:54321 refused the connection', '127.0.0.1:54321 refused the connection'],
    [
      'report (hillcrest_app, pid 4194304, running 7 min) blocks 23 sessions',
      'report (hillcrest_app, pid 4194304, running 7 min) blocks 23 sessions',
    ],
    ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678901Z'],
  ])('%s', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  test('is cut after it was cleaned', () => {
    expect(redact(`${'x'.repeat(95)} swordfish&7"x`, 100)).toBe(`${'x'.repeat(95)} [hi…`);
  });
});

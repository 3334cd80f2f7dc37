import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../../jobs/main.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { testQueue } from '../helpers/queues.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  await testQueue('PostgreSQL', database.url);
});
afterEach(() => database.drop());

function file(fallback: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'rounds-fallback-')), 'rounds.yaml');
  const text = `version: 1
timezone: UTC
locations: { north: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops } }
checks: { door: { service: billing, every: 1h, http: { url: 'http://127.0.0.1:1/' } } }
${fallback}
`;
  writeFileSync(path, text);
  return path;
}

const begin = (fallback: string, env: Record<string, string> = {}) =>
  start({ env: { DATABASE_URL: database.url, ...env }, log: quietLog, options: { config: file(fallback) } });

describe('a worker', () => {
  test.each([
    ['fallback: { email: [ops@clinic.example] }', {}, /rounds\.yaml has fallback\.email, but ROUNDS_SMTP_URL is not set: expected/],
    ['fallback: { webhook: true }', { ROUNDS_SMTP_URL: 'smtp://127.0.0.1' }, /fallback\.webhook, but ROUNDS_FALLBACK_WEBHOOK is not set/],
    ['', { ROUNDS_FALLBACK_WEBHOOK: 'ftp://hooks.example' }, /^ROUNDS_FALLBACK_WEBHOOK is no such address: expected an https address/],
  ])('does not start with %s and %o', async (fallback, env, expected) => {
    await expect(begin(fallback, env as Record<string, string>)).rejects.toThrow(expected);
  });

  test('starts with what the configuration asks for, and says so when a reload asks for more', async () => {
    const path = file('fallback: { email: [ops@clinic.example] }');
    const env = { DATABASE_URL: database.url, ROUNDS_SMTP_URL: 'smtp://127.0.0.1:1' };
    const worker = await start({ env, log: quietLog, options: { config: path } });
    expect(await worker.ready()).toBeUndefined();
    writeFileSync(path, readFileSync(path, 'utf8').replace('[ops@clinic.example]', '[ops@clinic.example], webhook: true'));
    await worker.reload?.();
    expect(await worker.ready()).toContain('ROUNDS_FALLBACK_WEBHOOK is not set');
    await worker.stop();
  });
});

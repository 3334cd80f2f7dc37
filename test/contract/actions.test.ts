/** What every action keeps, whoever writes it. */
import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadActions } from '../../runbooks/registry.ts';
import { actionContext } from '../helpers/acting.ts';
import { blackHole, type TestServer } from '../helpers/probing.ts';

const actions = await loadActions();
const SECRET = 'correct-horse-battery-staple';
const TARGET = { pid: 4121, backendStart: '2026-01-01T00:00:00.000000Z' };

const AT_PORT: Record<string, (port: number) => Record<string, unknown>> = {
  'http.request': (port) => ({ url: `http://127.0.0.1:${port}/restart?token=${SECRET}`, bearer: SECRET, timeout: '250ms' }),
  'postgres.cancel': (port) => ({ url: `postgres://admin:${SECRET}@127.0.0.1:${port}/main`, timeout: '250ms' }),
};

const open: TestServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function pointed(type: string): Promise<{ server: TestServer; written: Record<string, unknown> }> {
  const server = await blackHole();
  open.push(server);
  const at = AT_PORT[type];
  if (!at) throw new Error(`test/contract/actions.test.ts must know how "${type}" is pointed at a port`);
  return { server, written: at(server.port) };
}

describe.each([...actions])('action %s', (type, action) => {
  test('describes itself', () => {
    expect(action.type).toBe(type);
    expect(action.summary).toMatch(/^[A-Z].+\.$/);
    for (const [name, option] of Object.entries(action.schema.shape)) {
      expect((option as { description?: string }).description, name).toBeTruthy();
    }
  });

  test.each(action.examples)('example parses: %s', (example) => {
    const { [type]: options } = parse(example) as Record<string, Record<string, unknown>>;
    const { location, ...own } = options ?? {};
    expect(location).toBeTruthy();
    const parsed = action.schema.parse(own);
    expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed);
  });

  test('its preview is one sentence without a secret', async () => {
    const { written } = await pointed(type);
    const preview = action.preview(action.schema.parse(written), TARGET);
    expect(preview).toMatch(/^[A-Z].+\.$/);
    expect(preview).not.toContain(SECRET);
  });

  test('fails in its time against a port that never answers, tells no secret and leaves no connection', async () => {
    const { server, written } = await pointed(type);
    const outcome = await action.run(action.schema.parse(written), actionContext({ target: TARGET }));
    expect(outcome.outcome).toBe('failed');
    expect(outcome.summary).toMatch(/^[A-Z0-9].+\.$/);
    expect(outcome.summary).not.toContain(SECRET);
    await server.drained();
  });

  test('ends when the agent stops', async () => {
    const { server, written } = await pointed(type);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopping')), 50);
    const params = action.schema.parse({ ...written, timeout: '30s' });
    const outcome = await action.run(params, actionContext({ target: TARGET, signal: stop.signal }));
    expect(outcome.outcome).toBe('failed');
    await server.drained();
  });
});

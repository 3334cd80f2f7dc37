import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import type { WarmBrowser } from '../../agents/browser.ts';
import { testBrowser } from '../helpers/agent-browser.ts';

const never = new AbortController().signal;
const open: WarmBrowser[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function browser(changes: Parameters<typeof testBrowser>[0] = {}): WarmBrowser {
  const made = testBrowser(changes);
  open.push(made);
  return made;
}

/** Opens a page in a context and says its title. */
const title = (one: WarmBrowser) =>
  one.withContext(async (context) => {
    const page = await context.newPage();
    await page.goto('data:text/html,<title>seen</title>');
    return await page.title();
  }, never);

test('starts with the first run, stays warm, lends a fresh context each time, and leaves nothing', async () => {
  let launches = 0;
  const one = browser({ onLaunch: () => launches++ });
  expect(one.pid()).toBeUndefined();
  const cookies = await one.withContext(async (context) => {
    await context.addCookies([{ name: 'session', value: '1', url: 'http://clinic.example' }]);
    return (await context.cookies()).length;
  }, never);
  expect(cookies).toBe(1);
  expect(await one.withContext(async (context) => (await context.cookies()).length, never)).toBe(0);
  expect(launches).toBe(1);
  const pid = one.pid();
  await one.close();
  await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false);
  await expect(title(one)).rejects.toMatchObject({ kind: 'no-browser' });
});

test('is started again after it was killed, and the run that it broke is a fault', async () => {
  const one = browser();
  const broken = one.withContext(async (context) => {
    const page = await context.newPage();
    process.kill(one.pid() ?? 0, 'SIGKILL');
    await page.goto('data:text/html,never');
  }, never);
  await expect(broken).rejects.toThrow(/closed/);
  expect(await title(one)).toBe('seen');
});

test('is replaced between two runs when it has served long', async () => {
  const one = browser({ maxRuns: 2 });
  await title(one);
  const first = one.pid();
  await title(one);
  expect(one.pid()).toBeUndefined();
  await title(one);
  expect(one.pid()).not.toBe(first);
});

test('is replaced when it is large at rest', async () => {
  const one = browser({ maxIdleBytes: 1 });
  await title(one);
  expect(one.pid()).toBeUndefined();
});

test('lends no more contexts at once than allowed, and whoever gives up waiting leaves the line', async () => {
  const one = browser({ maxContexts: 1 });
  const gate = Promise.withResolvers<void>();
  const order: string[] = [];
  const first = one.withContext(async () => {
    order.push('first');
    await gate.promise;
  }, never);
  await expect.poll(() => order).toEqual(['first']);
  const impatient = new AbortController();
  const second = one.withContext(async () => void order.push('second'), impatient.signal);
  const third = one.withContext(async () => void order.push('third'), never);
  impatient.abort(new Error('given up'));
  await expect(second).rejects.toThrow('given up');
  gate.resolve();
  await Promise.all([first, third]);
  expect(order).toEqual(['first', 'third']);
});

test('a context is taken back from a run that does not end', async () => {
  const one = browser({ maxContexts: 1 });
  const stop = new AbortController();
  const endless = one.withContext(() => new Promise(() => {}), stop.signal);
  await expect.poll(() => one.pid()).toBeDefined();
  stop.abort(new Error('time is up'));
  await expect(endless).rejects.toThrow('time is up');
  expect(await title(one)).toBe('seen');
});

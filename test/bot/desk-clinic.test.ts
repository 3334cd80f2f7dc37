import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../helpers/browser.ts';
import { freePort, openAs, type TestDesk, testDesk } from '../helpers/desk.ts';

let desk: TestDesk;
let browser: Browser;
let closeClinic: () => Promise<void>;
const faults = [
  { fault: 'login-refused', tenant: 'riverside', on: false, title: 'Login refused', explains: 'The account is refused.' },
  { fault: 'login-refused', tenant: 'hillcrest', on: false, title: 'Login refused', explains: 'The account is refused.' },
];

beforeAll(async () => {
  const port = await freePort();
  closeClinic = startClinic(port);
  desk = await testDesk({ env: { CLINIC_CONTROL_URL: `http://127.0.0.1:${port}`, CLINIC_OPS_TOKEN: 'ops-token' } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser.close();
  await desk.close();
  await closeClinic();
});

test('the clinic is switched by the server, for one clinic or all', async () => {
  const page = await openAs(browser, desk, 'U0ANA');
  await page.getByRole('switch', { name: 'Login refused: Riverside' }).click();
  await page.getByRole('switch', { name: 'Login refused: Riverside', checked: true }).waitFor();
  expect(faults.map((fault) => fault.on)).toEqual([true, false]);
  const all = page.getByTestId('fault').getByRole('switch', { name: 'Login refused: All clinics' });
  await all.click();
  await page.getByRole('switch', { name: 'Login refused: Hillcrest', checked: true }).waitFor();
  await all.click();
  await page.getByRole('switch', { name: 'Login refused: Hillcrest', checked: false }).waitFor();
  expect(faults.map((fault) => fault.on)).toEqual([false, false]);
});

/** The clinic's switches as its control API has them, without a clinic behind. */
function startClinic(port: number): () => Promise<void> {
  const clinic = new Hono();
  clinic.get('/faults', (context) => context.json(faults));
  clinic.post('/faults/:fault', async (context) => {
    if (context.req.header('authorization') !== 'Bearer ops-token') return context.json({}, 401);
    const { tenant, on } = await context.req.json<{ tenant?: string; on: boolean }>();
    for (const fault of faults) if (tenant === undefined || fault.tenant === tenant) fault.on = on;
    return context.json({ ok: true });
  });
  const server = serve({ fetch: clinic.fetch, port, hostname: '127.0.0.1' });
  return () => new Promise((resolve) => server.close(() => resolve()));
}

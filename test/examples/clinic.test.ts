import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { start } from '../../examples/clinic/main.ts';
import { readSettings } from '../../examples/clinic/settings.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { clinicEnv, PASSWORD, RunningClinic } from './clinic-running.ts';
import { alertOf, type Visitor } from './clinic-visitor.ts';

let database: TestDatabase;
let clinic: RunningClinic;

async function draft(visitor: Visitor): Promise<string> {
  const page = await visitor.submit('/invoices/new', '/invoices', { patient: '1', description: 'Consultation', amount: '48.50' });
  expect(page.text).toContain('<h1>Draft invoice</h1>');
  return page.url;
}

beforeAll(async () => {
  database = await testDatabase();
  clinic = new RunningClinic(database.adminUrl);
  await clinic.start();
});

afterAll(async () => {
  await clinic.stop();
  await database.drop();
});

afterEach(async () => {
  for (const fault of ['login-refused', 'slow-query', 'lock-held', 'report-failing', 'tenant-down', 'everything-down']) {
    const { body } = await clinic.post(`/faults/${fault}`, { on: false });
    expect(body).toMatchObject({ ok: true });
  }
});

describe('the clinic', () => {
  test('says in one sentence what it is missing, and no value', () => {
    expect(() => readSettings({ CLINIC_ADMIN_DATABASE_URL: 'mysql://owner:hidden@host/db', CLINIC_OPS_TOKEN: 'short' })).toThrow(
      /CLINIC_ADMIN_DATABASE_URL: expected postgres.*CLINIC_OPS_TOKEN: .*8 characters.*CLINIC_MONITOR_PASSWORD/,
    );
    expect(() => readSettings({ CLINIC_ADMIN_DATABASE_URL: 'mysql://owner:hidden@host/db' })).not.toThrow(/hidden/);
  });

  test('refuses a wrong password and an unknown user with the same words', async () => {
    const wrong = await clinic.visit('riverside').signIn('not the password');
    const unknown = await clinic.visit('riverside').submit('/login', '/login', { user: 'nobody', password: PASSWORD });
    expect([wrong.status, alertOf(wrong)]).toEqual([401, 'Sign-in failed. The user name or the password is wrong.']);
    expect(alertOf(unknown)).toBe(alertOf(wrong));
  });

  test('refuses forms without the token, before and after the sign-in', async () => {
    const visitor = clinic.visit('riverside');
    expect((await visitor.signIn(PASSWORD, 'forged')).status).toBe(403);
    await visitor.signIn(PASSWORD);
    const forged = await visitor.submit('/invoices/new', '/invoices', { patient: '1', description: 'x', amount: '1' }, 'forged');
    expect([forged.status, alertOf(forged)?.startsWith('This form was refused.')]).toEqual([403, true]);
  });

  test('keeps sessions to one clinic, and ends them in the database at sign-out', async () => {
    const visitor = clinic.visit('riverside');
    expect((await visitor.signIn(PASSWORD)).text).toContain('<h1>Today</h1>');
    const elsewhere = clinic.visit('hillcrest');
    for (const [name, value] of visitor.cookies) elsewhere.cookies.set(name, value);
    expect((await elsewhere.get('/patients')).url).toBe('/login');
    const kept = new Map(visitor.cookies);
    await visitor.submit('/day', '/logout', {});
    for (const [name, value] of kept) visitor.cookies.set(name, value);
    expect((await visitor.get('/patients')).url).toBe('/login');
  });

  test('books an appointment into the list of its day, and says what a field lacks', async () => {
    const visitor = clinic.visit('saint-anne');
    await visitor.signIn(PASSWORD);
    const booking = { patient: '1', date: '2031-03-04', time: '09:00', reason: 'Check-up <b>7</b>' };
    const day = await visitor.submit('/appointments/new', '/appointments', booking);
    expect(day.url).toBe('/day?date=2031-03-04');
    expect(day.text).toContain('Check-up &lt;b&gt;7&lt;/b&gt; <span class="tag">synthetic</span>');
    const refused = await visitor.submit('/appointments/new', '/appointments', { ...booking, date: '2031-02-30' });
    expect([refused.status, alertOf(refused)]).toEqual([422, 'The appointment was not booked. Enter a date such as 2026-07-03.']);
  });

  test('takes an invoice from draft to paid, once', async () => {
    const visitor = clinic.visit('riverside');
    await visitor.signIn(PASSWORD);
    const path = await draft(visitor);
    const confirmed = await visitor.submit(path, `${path}/confirm`, {});
    const number = /<h1>Invoice (\d+)<\/h1>/.exec(confirmed.text)?.[1];
    expect(confirmed.text).toContain('Register payment');
    expect((await visitor.submit(path, `${path}/confirm`, {})).text).toContain(`<h1>Invoice ${number}</h1>`);
    expect((await visitor.submit(path, `${path}/payment`, {})).text).toContain('Paid in full');
    expect((await visitor.submit(path, `${path}/payment`, {})).text).toContain('Paid in full');
    expect(await clinic.query('SELECT amount_cents FROM riverside.payments WHERE invoice_id = $1', [path.slice(10)])).toHaveLength(1);
  });

  test('keeps no more than the newest 50 rows of the monitor', async () => {
    const visitor = clinic.visit('saint-anne');
    await visitor.signIn(PASSWORD);
    await clinic.query(`INSERT INTO saint_anne.invoices (patient_id, description, amount_cents, synthetic)
      SELECT 1, 'old', 100, true FROM generate_series(1, 80)`);
    await draft(visitor);
    expect(await clinic.query('SELECT count(*)::int AS kept FROM saint_anne.invoices WHERE synthetic')).toEqual([{ kept: 50 }]);
  });
});

describe('faults', () => {
  test('login-refused: nobody can sign in at that clinic, others can', async () => {
    await clinic.turnOn('login-refused', 'riverside');
    const refused = await clinic.visit('riverside').signIn(PASSWORD);
    expect([refused.status, alertOf(refused)]).toEqual([500, 'Sign-in failed. The database does not permit the clinic to write this.']);
    expect((await clinic.visit('hillcrest').signIn(PASSWORD)).text).toContain('<h1>Today</h1>');
    expect(await clinic.post('/ops/reopen-sign-in', { tenant: 'riverside' })).toEqual({
      status: 200,
      body: { ok: true, summary: 'Sign-in reopened for Riverside Clinic.' },
    });
    expect((await clinic.visit('riverside').signIn(PASSWORD)).text).toContain('<h1>Today</h1>');
    expect(await clinic.isOn('login-refused', 'riverside')).toBe(false);
  });

  test('a fault survives a restart, and shows as off when somebody repaired it by hand', async () => {
    await clinic.turnOn('login-refused', 'riverside');
    await clinic.stop();
    await clinic.start();
    expect(await clinic.isOn('login-refused', 'riverside')).toBe(true);
    await clinic.query('GRANT INSERT ON riverside.sessions TO riverside_app');
    expect(await clinic.isOn('login-refused', 'riverside')).toBe(false);
  });

  test('slow-query: confirming takes the database seconds, in that clinic', async () => {
    await clinic.turnOn('slow-query', 'hillcrest');
    const visitor = clinic.visit('hillcrest');
    await visitor.signIn(PASSWORD);
    const path = await draft(visitor);
    const confirming = visitor.submit(path, `${path}/confirm`, {});
    // The database itself is seen at work on it.
    const working = `SELECT 1 FROM pg_stat_activity WHERE usename = 'hillcrest_app' AND state = 'active'
      AND query LIKE 'UPDATE invoices%' AND now() - query_start > interval '2 s'`;
    await expect.poll(() => clinic.query(working), { timeout: 10_000, interval: 200 }).toHaveLength(1);
    expect((await confirming).text).toContain('Register payment');
    await clinic.post('/ops/restore-balances', {});
    expect(await clinic.isOn('slow-query', 'hillcrest')).toBe(false);
  });

  test('slow-query: a clinic that is stopped meanwhile takes its queries back', async () => {
    await clinic.turnOn('slow-query', 'riverside');
    const visitor = clinic.visit('riverside');
    await visitor.signIn(PASSWORD);
    const path = await draft(visitor);
    const confirming = visitor.submit(path, `${path}/confirm`, {}).catch(() => 'cut off');
    const working = `SELECT 1 FROM pg_stat_activity WHERE usename = 'riverside_app' AND state = 'active' AND query LIKE 'UPDATE invoices%'`;
    await expect.poll(() => clinic.query(working), { timeout: 10_000, interval: 50 }).toHaveLength(1);
    await clinic.stop();
    expect(await confirming).toBe('cut off');
    expect(await clinic.query(working)).toEqual([]);
    await clinic.start();
    expect(await clinic.query('SELECT status FROM riverside.invoices WHERE id = $1', [path.slice(10)])).toEqual([{ status: 'draft' }]);
  });

  test('lock-held: a report of Hillcrest holds up Riverside, until it is cancelled', async () => {
    await clinic.turnOn('lock-held');
    await clinic.turnOn('lock-held');
    expect(await clinic.isOn('lock-held')).toBe(true);
    const visitor = clinic.visit('riverside');
    await visitor.signIn(PASSWORD);
    const path = await draft(visitor);
    const confirming = visitor.submit(path, `${path}/confirm`, {});
    const blockers = `SELECT DISTINCT b.pid, b.usename, b.application_name AS name FROM pg_stat_activity w
      JOIN pg_stat_activity b ON b.pid = ANY (pg_blocking_pids(w.pid)) WHERE w.usename = 'riverside_app'`;
    await expect.poll(() => clinic.query(blockers), { timeout: 10_000, interval: 100 }).toHaveLength(1);
    const [blocker] = await clinic.query<{ pid: number }>(blockers);
    expect(blocker).toMatchObject({ usename: 'hillcrest_app', name: 'hillcrest month-end report' });
    await clinic.query('SELECT pg_cancel_backend($1)', [blocker?.pid]);
    expect((await confirming).text).toContain('Register payment');
    expect(await clinic.isOn('lock-held')).toBe(false);
  });

  test('lock-held: a report that outlived its clinic is seen by the next one, and can be ended', async () => {
    const report = clinic.connection({ application_name: 'hillcrest month-end report' });
    const ended = new Promise((resolve) => report.on('error', resolve));
    await clinic.stop();
    await report.connect();
    await report.query('BEGIN; LOCK TABLE shared.billing_numbers IN EXCLUSIVE MODE');
    await clinic.start();
    expect(await clinic.isOn('lock-held')).toBe(true);
    await clinic.post('/faults/lock-held', { on: false });
    await ended;
    expect(await clinic.isOn('lock-held')).toBe(false);
  });

  test('lock-held: who waits for 12 s is told why, and the draft stays', async () => {
    await clinic.turnOn('lock-held');
    const visitor = clinic.visit('saint-anne');
    await visitor.signIn(PASSWORD);
    const path = await draft(visitor);
    const refused = await visitor.submit(path, `${path}/confirm`, {});
    expect([refused.status, alertOf(refused)?.startsWith('The invoice was not confirmed. Somebody else holds')]).toEqual([503, true]);
    expect((await visitor.get(path)).text).toContain('<h1>Draft invoice</h1>');
  });

  test('report-failing: the query of the report fails on a row', async () => {
    const visitor = clinic.visit('riverside');
    await visitor.signIn(PASSWORD);
    expect((await visitor.get('/reports/monthly')).text.match(/<th scope="row">/g)).toHaveLength(6);
    await clinic.turnOn('report-failing', 'riverside');
    const failed = await visitor.get('/reports/monthly');
    expect([failed.status, alertOf(failed)]).toEqual([500, 'The monthly report failed. A value in the database cannot be read.']);
    await clinic.post('/ops/clear-report', { tenant: 'riverside' });
    expect((await visitor.get('/reports/monthly')).status).toBe(200);
  });

  test('tenant-down: that clinic answers 503 on every page, the others are well', async () => {
    await clinic.turnOn('tenant-down', 'saint-anne');
    const page = await clinic.visit('saint-anne').get('/login');
    expect([page.status, alertOf(page)?.startsWith('Saint Anne Hospital is not available.')]).toEqual([503, true]);
    expect((await fetch(`${clinic.site}/saint-anne/health`)).status).toBe(503);
    expect((await fetch(`${clinic.site}/riverside/health`)).status).toBe(200);
    await clinic.post('/ops/restore-tenant', { tenant: 'all' });
    expect((await fetch(`${clinic.site}/saint-anne/health`)).status).toBe(200);
  });

  test('everything-down: connections are refused, and the control API can start it again', async () => {
    await clinic.turnOn('everything-down');
    await expect(fetch(`${clinic.site}/health`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    expect(await clinic.process.ready()).toBeUndefined();
    expect((await clinic.post('/ops/start', {})).body.summary).toBe('Web server started for all clinics.');
    expect((await fetch(`${clinic.site}/health`)).status).toBe(200);
  });
});

describe('the control API', () => {
  test('changes nothing without the token', async () => {
    const { status } = await clinic.post('/faults/everything-down', { on: true }, { authorization: 'Bearer another' });
    expect([status, await clinic.isOn('everything-down')]).toEqual([401, false]);
  });

  test('names what there is when it is asked for something else', async () => {
    expect((await clinic.post('/faults/login-refusd', { on: true })).body.summary).toContain('login-refused, slow-query');
    expect((await clinic.post('/faults/login-refused', { tenant: 'lakeside', on: true })).body.summary).toContain(
      'expected all, riverside',
    );
    expect((await clinic.post('/faults/login-refused', {})).body.summary).toContain('on: expected true or false');
    expect((await clinic.post('/ops/toString', {})).status).toBe(404);
  });

  test('gives the same answer again under the same Idempotency-Key, and does the work once', async () => {
    const key = { 'idempotency-key': 'execution-1' };
    await clinic.turnOn('report-failing', 'riverside');
    const first = await clinic.post('/ops/clear-report', { tenant: 'riverside' }, key);
    await clinic.turnOn('report-failing', 'riverside');
    expect(await clinic.post('/ops/clear-report', { tenant: 'riverside' }, key)).toEqual(first);
    expect(await clinic.isOn('report-failing', 'riverside')).toBe(true);
    expect((await clinic.post('/ops/clear-report', { tenant: 'hillcrest' }, key)).status).toBe(422);
  });
});

test('a port that is taken is told in one sentence', async () => {
  const env = clinicEnv(database.adminUrl, new URL(clinic.site).port);
  await expect(start({ env, log: quietLog, options: {} })).rejects.toThrow(/^Port \d+ is taken by another program/);
});

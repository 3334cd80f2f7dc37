/**
 * The month-end story on a real PostgreSQL: three clinics in one database; one of them runs its report, which reads a lot and holds a lock
 * that the others need. What the real probe samples before and during it names the clinic.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../core/config/model.ts';
import { nameTenant } from '../../core/load/owners.ts';
import type { Finding } from '../../core/result.ts';
import { foldReport } from '../../jobs/fold.ts';
import type { Outcome } from '../../probes/probe.ts';
import postgres from '../../probes/types/postgres.ts';
import { noisyTenants, tenantHoursSince } from '../../store/load.ts';
import { aCheck, aConfig, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { probeContext } from '../helpers/probing.ts';
import { type TenantsServer, tenantsServer } from '../helpers/tenants-server.ts';

const CLINICS = { riverside: 'Riverside Clinic', hillcrest: 'Hillcrest Dental', 'saint-anne': 'Saint Anne Hospital' };
const roleOf = (clinic: string) => `${clinic.replace('-', '_')}_app`;
const tenants: Record<string, Tenant> = Object.fromEntries(
  Object.entries(CLINICS).map(([id, title]) => [id, { id, title, fields: { id, title, database: 'clinic', role: roleOf(id) } }]),
);
const { service: _, ...check } = aCheck({ template: 'vital-signs', component: 'postgres', type: 'postgres', locations: ['north'] });
const config = aConfig([check], { tenants });

let server: TenantsServer;
let jobs: TestJobs;
const sessions = new Map<string, pg.Client>();

beforeAll(async () => {
  server = await tenantsServer(Object.keys(CLINICS).map(roleOf));
  await server.admin.query(`
    CREATE TABLE billing_numbers (series text PRIMARY KEY, next_number bigint);
    INSERT INTO billing_numbers VALUES ('invoice', 1);
    CREATE TABLE invoices AS SELECT g AS id, g % 400 AS patient, g % 90 AS amount FROM generate_series(1, 20000) g;
    GRANT ALL ON billing_numbers, invoices TO public`);
  for (const clinic of Object.keys(CLINICS)) sessions.set(clinic, await server.as(roleOf(clinic)));
  jobs = await testJobs(config, NOON_MS);
});
afterAll(async () => {
  await jobs?.close();
  await server?.stop();
});

const INVOICE = `UPDATE billing_numbers SET next_number = next_number + 1`;

/** What every clinic does all day. */
async function ordinaryWork(): Promise<void> {
  for (const session of sessions.values()) {
    await session.query('SELECT sum(amount) FROM invoices WHERE patient = 7');
    await session.query(INVOICE);
  }
}

let slot = 0;
/** One run of the check: the probe, and what the worker makes of it. The server's own clock goes on by a second at least. */
async function round(): Promise<Outcome> {
  await sleep(1_000);
  const params = postgres.schema.parse({ url: server.url, load: true, lockWait: { down: '100ms' } });
  const outcome = await postgres.run(params, probeContext());
  const { verdict, durationMs, failure, findings = [], loads } = outcome;
  const input = said(check, 'north', ++slot, verdict, { durationMs, findings, ...(failure ? { failure } : {}) });
  await order(jobs, check, [input]);
  jobs.at(input.plannedAtMs + 1_000);
  await foldReport(jobs.deps, 'north', asReport([asResult(input, loads ? { loads } : {})]));
  return outcome;
}

const noisy = () => noisyTenants(jobs.deps.pool, ['postgres'], jobs.deps.clock.now());

test('the clinic whose month-end report holds up the others is named, and they are not', async () => {
  for (let sample = 0; sample < 8; sample++) {
    await ordinaryWork();
    expect((await round()).verdict).toBe('up');
  }
  expect(await noisy()).toEqual([]);

  const report = await server.as('hillcrest_app', 'month-end report');
  await report.query('BEGIN');
  await report.query('LOCK TABLE billing_numbers IN EXCLUSIVE MODE');
  const reporting = report
    .query(
      'SELECT sum(a.amount) FROM invoices a JOIN invoices b USING (patient) JOIN invoices c USING (patient) JOIN invoices d USING (patient)',
    )
    .catch(() => {});
  const waiting = ['riverside', 'saint-anne', 'hillcrest'].map((clinic) =>
    sessions
      .get(clinic)
      ?.query(INVOICE)
      .catch(() => {}),
  );
  let last: Outcome | undefined;
  for (let sample = 0; sample < 3; sample++) last = await round();

  expect(last).toMatchObject({ verdict: 'down', failure: { kind: 'lock-wait' } });
  const found = await noisy();
  expect(new Set(found.map(({ tenant }) => tenant))).toEqual(new Set(['hillcrest']));
  expect(found[0]).toMatchObject({ component: 'postgres', blocks: 2, sinceMs: expect.any(Number) });
  expect(found[0]?.sinceMs).toBeGreaterThan(NOON_MS + 8 * SLOT_MS);
  expect(found[0]?.sinceMs).toBeLessThanOrEqual(NOON_MS + 9 * SLOT_MS);
  const words = found.map(({ text }) => text);
  expect(words).toContainEqual(
    expect.stringMatching(
      /^Hillcrest Dental: (1|0\.\d+) s of statements a second of \S+, usually 0\.\d+; 2 sessions of others wait for it$/,
    ),
  );
  expect(words).toContainEqual(
    expect.stringMatching(/^Hillcrest Dental: 1 lock held of 1, usually none; 2 sessions of others wait for it$/),
  );
  const [finding] = last?.findings ?? [];
  expect(nameTenant(finding as Finding, config, 'postgres')).toEqual({ id: 'hillcrest', title: 'Hillcrest Dental' });

  await server.admin.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'month-end report'`);
  await reporting;
  await report.query('ROLLBACK');
  await Promise.all(waiting);
  await ordinaryWork();
  expect((await round()).verdict).toBe('up');
  expect(await noisy()).toEqual([]);
  const hours = await tenantHoursSince(jobs.deps.pool, ['postgres'], NOON_MS);
  const noisyHours = hours.filter((one) => one.noisyHours > 0).map(({ tenant, measure }) => `${tenant} ${measure}`);
  expect(noisyHours).toEqual(['hillcrest locks-held', 'hillcrest statement-time']);
});

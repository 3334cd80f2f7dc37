/**
 * The month-end story on a real PostgreSQL: three clinics in one database; one of them runs its report, which reads a lot and holds a lock
 * that the others need. What the real probe samples before and during it names the clinic.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../core/config/model.ts';
import type { Incident } from '../../core/incident.ts';
import { nameTenant } from '../../core/load/owners.ts';
import type { Finding } from '../../core/result.ts';
import { headlineOf } from '../../core/words.ts';
import { foldReport } from '../../jobs/fold.ts';
import { judgeDirty } from '../../jobs/judge.ts';
import type { Outcome } from '../../probes/probe.ts';
import http from '../../probes/types/http.ts';
import postgres from '../../probes/types/postgres.ts';
import { noisyTenants, tenantHoursSince } from '../../store/load.ts';
import { aCheck, aConfig, NOON_MS, SLOT_MS, said } from '../helpers/domain.ts';
import { asReport, asResult, order, type TestJobs, testJobs } from '../helpers/jobs.ts';
import { listening, probeContext, type TestServer } from '../helpers/probing.ts';
import { type TenantsServer, tenantsServer } from '../helpers/tenants-server.ts';

const CLINICS = { riverside: 'Riverside Clinic', hillcrest: 'Hillcrest Dental', 'saint-anne': 'Saint Anne Hospital' };
const roleOf = (clinic: string) => `${clinic.replace('-', '_')}_app`;
const tenants: Record<string, Tenant> = Object.fromEntries(
  Object.entries(CLINICS).map(([id, title]) => [id, { id, title, fields: { id, title, database: 'clinic', role: roleOf(id) } }]),
);
const { service: _, ...check } = aCheck({ template: 'vital-signs', component: 'postgres', type: 'postgres', locations: ['north'] });
/** A clinic's page, by the ingress that all share: it takes an invoice number on the way. */
const pages = Object.keys(CLINICS).map((tenant) =>
  aCheck({ template: 'invoices', title: 'Open the invoices', does: 'open invoices', tenant, locations: ['north'], degradedAboveMs: 300 }),
);
const config = aConfig([check, ...pages], { tenants });

let server: TenantsServer;
let jobs: TestJobs;
let web: TestServer;
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
  const pools = new Map<string, pg.Client>();
  for (const clinic of Object.keys(CLINICS)) {
    const session = await server.as(roleOf(clinic));
    await session.query(`SET statement_timeout = '700ms'`);
    pools.set(clinic, session);
  }
  web = await listening(
    createServer(async (request, response) => {
      await pools
        .get(request.url?.slice(1) ?? '')
        ?.query(INVOICE)
        .catch(() => undefined);
      response.end('ok');
    }),
  );
});
afterAll(async () => {
  await jobs?.close();
  await web?.close();
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

/** One round of the others' pages: the probe, and what the worker makes of it. */
async function pageRound(): Promise<void> {
  for (const page of pages.filter((one) => one.tenant !== 'hillcrest')) {
    const outcome = await http.run(http.schema.parse({ url: `http://127.0.0.1:${web.port}/${page.tenant}` }), probeContext());
    const verdict = outcome.verdict === 'up' && outcome.durationMs > 300 ? 'degraded' : outcome.verdict;
    const failure = verdict === 'degraded' ? { kind: 'slow', message: `took ${Math.round(outcome.durationMs)} ms` } : outcome.failure;
    const input = said(page, 'north', slot, verdict, { durationMs: outcome.durationMs, ...(failure ? { failure } : {}) });
    await order(jobs, page, [input]);
    jobs.at(input.plannedAtMs + 2_000);
    await foldReport(jobs.deps, 'north', asReport([asResult(input)]));
  }
}

const posted = async () => {
  await judgeDirty(jobs.deps, new Map());
  const rows = await jobs.query<{ id: number; class: Incident['class']; facts: Incident['facts'] }>(
    'select id, class, facts from incident order by id',
  );
  return rows.map(({ class: klass, facts }) => [
    headlineOf(facts, klass),
    facts.likelyCause?.text ?? facts.components[0]?.findings[0]?.text ?? '',
  ]);
};

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
    await pageRound();
  }
  expect(await noisy()).toEqual([]);
  expect(await posted()).toEqual([]);

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
  for (let sample = 0; sample < 3; sample++) {
    last = await round();
    await pageRound();
    const [[headline, cause] = []] = await posted();
    expect(cause, `from the first post on, the tenant is named: ${headline}`).toContain('Hillcrest Dental');
  }
  expect(await posted(), 'one post for one problem, and the others are those who are hit').toEqual([
    [
      expect.stringMatching(/^Patient billing: degradation\. "Open the invoices" is slow: Riverside Clinic and Saint Anne Hospital\.$/),
      expect.stringMatching(/^PostgreSQL \(shared cluster\): .*Hillcrest Dental/),
    ],
  ]);

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

/** An agent on the real queue: what is put on the queues of its location comes back on its own. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Agent, startAgent } from '../../agents/agent.ts';
import { reporterTo } from '../../agents/reporter.ts';
import { secretsFrom } from '../../agents/secrets.ts';
import { openSpool } from '../../agents/spool.ts';
import type { Order } from '../../core/run.ts';
import { QUEUES, type QueueRef, type Report, reportSchema } from '../../jobs/contract.ts';
import { openQueues, type Queues } from '../../jobs/queue.ts';
import { loadProbes } from '../../probes/registry.ts';
import { loadActions } from '../../runbooks/registry.ts';
import { JOURNEYS, testBrowser } from '../helpers/agent-browser.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { blackHole, listening, type TestServer } from '../helpers/probing.ts';
import { onEachQueue, type TestQueue, testQueue } from '../helpers/queues.ts';

let database: TestDatabase;
let queue: TestQueue;
let queues: Queues;
let agent: Agent;
let reports: Report[];
let server: TestServer;
let hole: TestServer;
let closers: (() => Promise<unknown>)[];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

onEachQueue((backend) => {
  beforeEach(async () => {
    database = await testDatabase();
    queue = await testQueue(backend, database.url);
    reports = [];
    server = await listening(createServer((_request, response) => response.end('{"summary":"Restarted."}')));
    hole = await blackHole();
    const folder = mkdtempSync(join(tmpdir(), 'rounds-agent-'));
    queues = await openQueues({ url: queue.url, log: quietLog, name: 'test' });
    await queues.prepare('north');
    const spool = await openSpool({ folder, log: quietLog, now: clock.now });
    const reporter = reporterTo({ queues, spool, location: 'north', agent: 'north', clock, log: quietLog });
    const browser = testBrowser();
    const common = { queues, reporter, browser, clock, log: quietLog, secrets: secretsFrom({ env: { TOKEN: 'swordfish-7' } }) };
    const plugins = { probes: await loadProbes(), actions: await loadActions() };
    queues.work(
      QUEUES.results('north'),
      { concurrency: 1, policy: 'until-stored' },
      async ({ data }) => void reports.push(reportSchema.parse(data)),
    );
    agent = startAgent({ ...common, ...plugins, location: 'north', filesFolder: JOURNEYS, drainMs: 300 });
    closers = [
      () => agent.stop(),
      () => reporter.close(),
      () => browser.close(),
      () => queues.close(),
      () => queue.drop(),
      () => database.drop(),
      () => server.close(),
      () => hole.close(),
      async () => rmSync(folder, { recursive: true }),
    ];
  });
  afterEach(async () => {
    for (const close of closers) await close();
  });

  let slot = 0;
  function order(changes: Partial<Order> = {}): Order {
    const check = `check-${++slot}`;
    const base = { run: `${check}@north@${slot}@scheduled@0`, check, title: check, timeoutMs: 5_000, retries: 0, revision: 'r1' };
    const due = { notBeforeMs: Date.now(), notAfterMs: Date.now() + 60_000 };
    return { ...base, ...due, type: 'http', params: http(server.port), ...changes };
  }

  const http = (port: number, path = '') => ({
    url: `http://127.0.0.1:${port}/${path}`,
    method: 'GET',
    headers: {},
    redirects: 'follow',
    bodyLimit: 1e6,
    expect: {},
  });

  const put = (ref: QueueRef, orders: Order[]) => queues.add(ref, [{ id: orders[0]?.run ?? '', data: { v: 1, orders } }], 'once');
  const results = () => reports.flatMap((report) => report.results);
  const verdicts = () => Object.fromEntries(results().map(({ run, verdict }) => [run, verdict]));

  test('a round comes back, what is wrong before the rest', async () => {
    const good = order();
    const bad = order({ params: http(1) });
    const slow = order({ params: http(hole.port), timeoutMs: 300 });
    await put(QUEUES.round('north'), [good, bad, slow]);
    await expect.poll(verdicts, { timeout: 15_000 }).toEqual({ [good.run]: 'up', [bad.run]: 'down', [slow.run]: 'down' });
    expect(reports[0]?.results.map(({ run }) => run)).toEqual([bad.run]);
  });

  test('a journey runs in the browser of the agent', async () => {
    const { url: baseUrl } = http(server.port);
    const params = { file: 'visit.ts', baseUrl, with: {}, mask: [], viewport: { width: 1280, height: 800 } };
    await put(QUEUES.journey('north'), [order({ type: 'journey', params })]);
    await expect.poll(results, { timeout: 20_000 }).toHaveLength(1);
    expect(results()[0]).toMatchObject({ verdict: 'down', failure: { kind: 'assertion', step: 'find it wrong' } });
    expect(results()[0]?.picture?.mime).toBe('image/jpeg');
  });

  test('what is stale or unknown is handed back, unrun', async () => {
    const stale = order({ notBeforeMs: Date.now() - 90_000, notAfterMs: Date.now() - 30_000 });
    const unknown = order({ type: 'carrier-pigeon' });
    await put(QUEUES.round('north'), [stale, unknown]);
    const refusals = () => reports.flatMap((report) => report.refusals);
    await expect.poll(refusals, { timeout: 15_000 }).toHaveLength(2);
    expect(refusals()).toEqual(
      expect.arrayContaining([
        { run: stale.run, reason: 'stale' },
        { run: unknown.run, reason: 'unknown-type' },
      ]),
    );
    expect(results()).toEqual([]);
  });

  test('an action runs once and tells what came of it; one that comes too late is refused', async () => {
    const job = (execution: string, notAfterMs: number) => ({
      id: execution,
      data: {
        v: 1,
        execution,
        token: 3,
        type: 'http.request',
        params: { url: `http://127.0.0.1:${server.port}/`, method: 'POST', bearer: `\${secret:TOKEN}`, timeout: 5_000 },
        target: {},
        notAfterMs,
      },
    });
    await queues.add(QUEUES.action('north'), [job('in-time', Date.now() + 60_000), job('late', Date.now() - 1)], 'once');
    const actions = () => reports.flatMap((report) => report.actions).toSorted((a, b) => a.execution.localeCompare(b.execution));
    await expect.poll(actions, { timeout: 15_000 }).toHaveLength(2);
    expect(actions()).toMatchObject([
      { execution: 'in-time', token: 3, outcome: 'done', summary: 'Restarted.' },
      { execution: 'late', outcome: 'refused', summary: 'It reached the agent too late. Nothing was done.' },
    ]);
  });

  test('an agent that is told to stop hands back what does not end in time', async () => {
    const slow = order({ params: http(hole.port), timeoutMs: 60_000 });
    const later = order({ notBeforeMs: Date.now() + 60_000, notAfterMs: Date.now() + 90_000 });
    await put(QUEUES.round('north'), [slow, later]);
    await expect.poll(() => hole.open(), { timeout: 15_000 }).toBe(1);
    await agent.stop();
    const refusals = () => reports.flatMap((report) => report.refusals);
    await expect.poll(refusals, { timeout: 15_000 }).toHaveLength(2);
    expect(refusals()).toEqual(
      expect.arrayContaining([
        { run: slow.run, reason: 'stopping' },
        { run: later.run, reason: 'stopping' },
      ]),
    );
    await hole.drained();
  });
});

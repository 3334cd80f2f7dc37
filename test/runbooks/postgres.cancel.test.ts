import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import postgres from '../../probes/types/postgres.ts';
import cancel from '../../runbooks/actions/postgres.cancel.ts';
import { actionContext } from '../helpers/acting.ts';
import { type Blocked, blockedSessions } from '../helpers/blocking.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { probeContext } from '../helpers/probing.ts';
import { type TestServer, testServer } from '../helpers/server.ts';

// A server of its own: who blocks whom is asked of all of it, and other tests hold locks too.
let server: TestServer;
let database: TestDatabase;
const open: Blocked[] = [];
beforeAll(async () => {
  server = await testServer();
  database = await testDatabase(server.adminUrl);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.end();
});
afterAll(async () => {
  await database.drop();
  await server.stop();
});

async function blocked(waiters: number, query?: string): Promise<Blocked> {
  const made = await blockedSessions(database.url, waiters, query);
  open.push(made);
  return made;
}

/** What the probe would bind the button to. */
async function found(): Promise<Record<string, string | number>> {
  const outcome = await postgres.run(postgres.schema.parse({ url: database.url }), probeContext());
  return outcome.findings?.[0]?.target ?? {};
}

function act(target: Record<string, string | number>, params: Record<string, unknown> = {}) {
  return cancel.run(cancel.schema.parse({ url: database.url, ...params }), actionContext({ target }));
}

test('cancels the query that blocks, and the others go on', async () => {
  const { waiting } = await blocked(3, 'SELECT pg_sleep(600)');
  const outcome = await act(await found());
  expect(outcome).toEqual({ outcome: 'done', summary: expect.stringMatching(/^Cancelled in \d+\.\d s\. 3 sessions go on\.$/) });
  expect(await Promise.all(waiting)).toEqual([true, true, true]);
});

test('ends a session that is idle in its transaction, unless told not to', async () => {
  const { waiting } = await blocked(1);
  const target = await found();
  const refused = await act(target, { terminate: false });
  expect(refused).toMatchObject({ outcome: 'refused', summary: expect.stringContaining('there is no query to cancel') });
  const outcome = await act(target);
  expect(outcome).toMatchObject({ outcome: 'done', summary: expect.stringMatching(/^Ended the session in .+ 1 session goes on\.$/) });
  expect(await Promise.all(waiting)).toEqual([true]);
});

test('does nothing to a session that has the pid but began at another time', async () => {
  const { pid, waiting } = await blocked(1);
  const outcome = await act({ ...(await found()), backendStart: '2020-01-01T00:00:00.000000Z' });
  expect(outcome).toEqual({ outcome: 'refused', summary: `Pid ${pid} is gone or has become another session. Nothing was done.` });
  await open.splice(0)[0]?.end();
  expect(await Promise.all(waiting)).toEqual([true]);
});

test('does nothing to a session that blocks nobody any more', async () => {
  const { pid } = await blocked(1);
  const target = await found();
  await open.splice(0)[0]?.end();
  const gone = await act(target);
  expect(gone).toMatchObject({ outcome: 'refused', summary: expect.stringContaining(`Pid ${pid} is gone`) });
  const idle = await blocked(0);
  const alone = await act({ pid: idle.pid, backendStart: await startOf(idle.pid) });
  expect(alone).toEqual({ outcome: 'refused', summary: `Pid ${idle.pid} blocks nobody any more. Nothing was done.` });
});

test('an incident without a finding is refused', async () => {
  expect(await act({})).toMatchObject({ outcome: 'refused' });
});

async function startOf(pid: number): Promise<string> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const text = `to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  const answer = await client.query(`SELECT ${text} AS at FROM pg_stat_activity WHERE pid = $1`, [pid]);
  await client.end();
  return answer.rows[0].at;
}

/**
 * The same story with a process killed (-9) in the middle of each step. The database holds it at the very statement: a trigger
 * waits for an advisory lock that the test has, the process is killed while it waits, and only then the lock is given back. So
 * what was committed before is there, what comes after is not, and nothing in Rounds knows of the test.
 */
import type { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Channel, type ChannelMessage, channelOf } from './channel.ts';
import { pressAs } from './press.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';

const MINUTE_MS = 60_000;
/** Any number that no advisory lock of Rounds uses. */
const HOLD_LOCK = 990_001;

interface KillPoint {
  after: string;
  /** The first statement of the next step. */
  table: string;
  when: string;
  /** Who executes it. */
  victim: 'worker' | 'bot';
}

const KILL_POINTS: KillPoint[] = [
  {
    after: 'a result was received',
    table: 'run',
    when: `before insert on run for each row when (new.verdict = 'down')`,
    victim: 'worker',
  },
  { after: 'a check was folded', table: 'incident', when: 'before insert on incident for each row', victim: 'worker' },
  {
    after: 'an incident was judged',
    table: 'outbox',
    when: `before update on outbox for each row when (new.state = 'claimed' and old.state = 'wanted' and new.kind = 'incident')`,
    victim: 'bot',
  },
  {
    after: 'an outbox row was claimed',
    table: 'outbox',
    when: `before update on outbox for each row when (new.sending_since is not null and old.sending_since is null and new.kind = 'incident')`,
    victim: 'bot',
  },
  {
    after: 'a post was sent, but not recorded',
    table: 'outbox',
    when: `before update on outbox for each row when (new.state = 'sent' and old.state <> 'sent' and new.kind = 'incident')`,
    victim: 'bot',
  },
];

/** The story with kills, on a system that is started so. */
export function killInEachStep(title: string, begin: () => Promise<SystemOptions> = async () => ({})): void {
  describe(title, () => {
    let system: System;
    let channel: Channel;
    let database: Client;

    beforeAll(async () => {
      system = await startSystem(await begin());
      channel = channelOf(system);
      database = await system.database();
      await database.query(
        `create function hold_here() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock_shared(${HOLD_LOCK}); return new; end $$`,
      );
      await database.query(`set statement_timeout = '20s'`);
    }, 3 * MINUTE_MS);

    afterAll(async () => {
      await database?.end();
      await system?.stop();
      system?.remove();
    }, MINUTE_MS);

    /** Waits until some process stands at the trigger, and returns the backend that serves it. */
    async function heldBackend(): Promise<number> {
      const waiting = async () =>
        (
          await database.query<{ pid: number }>(
            `select pid from pg_locks where locktype = 'advisory' and objid = ${HOLD_LOCK} and not granted`,
          )
        ).rows[0]?.pid;
      await expect.poll(waiting, { timeout: 2 * MINUTE_MS, interval: 100 }).toBeDefined();
      return (await waiting()) as number;
    }

    /** Kills the process at that statement, in the worst moment and with all that its connection held. */
    async function killAt(point: KillPoint, cause: () => Promise<void>): Promise<void> {
      await database.query(`select pg_advisory_lock(${HOLD_LOCK})`);
      await database.query(`create trigger hold_here ${point.when} execute function hold_here()`);
      await cause();
      const backend = await heldBackend();
      // The step before is over, so its worker may die as well: a judged incident needs nobody's memory.
      const victims = point.victim === 'worker' ? ['worker'] : ['bot', 'worker'];
      const before = victims.map((name) => ({ name, pid: system.table().processes[name]?.pid ?? 0 }));
      for (const name of victims) system.kill(name);
      await database.query('select pg_terminate_backend($1)', [backend]);
      // Others of that process may stand there too; DROP TRIGGER waits for nobody who is gone.
      await database.query(`select pg_advisory_unlock(${HOLD_LOCK})`);
      await expect
        .poll(
          () =>
            database.query(`drop trigger if exists hold_here on ${point.table}`).then(
              () => true,
              () => false,
            ),
          { timeout: MINUTE_MS },
        )
        .toBe(true);
      for (const { name, pid } of before) await system.back(name, pid);
    }

    async function onlyNewPost(known: ReadonlySet<string>, pattern: RegExp): Promise<ChannelMessage> {
      const fresh = async () => (await channel.posts()).filter((post) => !known.has(post.ts));
      await expect
        .poll(async () => (await fresh()).map((post) => post.all).join('\n'), { timeout: 3 * MINUTE_MS, interval: 500 })
        .toMatch(pattern);
      const posts = await fresh();
      expect(posts.map((post) => post.text)).toHaveLength(1);
      return posts[0] as ChannelMessage;
    }

    async function threadSays(ts: string, pattern: RegExp): Promise<void> {
      await expect.poll(async () => (await channel.thread(ts)).join('\n'), { timeout: 2 * MINUTE_MS, interval: 500 }).toMatch(pattern);
    }

    describe('the same story, with a process killed', () => {
      it.each(KILL_POINTS)('after $after', { timeout: 8 * MINUTE_MS }, async (point) => {
        const known = new Set((await channel.posts()).map((post) => post.ts));
        await killAt(point, () => system.fault('login-refused', true, 'riverside'));
        const { ts } = await onlyNewPost(known, /partial outage/);
        await system.fault('login-refused', true);
        expect((await onlyNewPost(known, /full interruption/)).ts).toBe(ts);
        await pressAs(system, 'U0ANA', ts, 'Acknowledge');
        await threadSays(ts, /Ana acknowledged/);
        await pressAs(system, 'U0ANA', ts, 'Reopen sign-in');
        await threadSays(ts, /Checked again from 3 locations/);
        const resolved = await onlyNewPost(known, /Resolved after/);
        expect(resolved.ts).toBe(ts);
        await threadSays(ts, /Resolved/);
        const lines = await channel.thread(ts);
        expect(new Set(lines).size, lines.join('\n')).toBe(lines.length);
        const { rows } = await database.query(`select count(*)::int as open from incident where state = 'open'`);
        expect(rows).toEqual([{ open: 0 }]);
        const executions = await database.query(
          "select state from execution where asked_at > now() - interval '8 minutes' order by asked_at desc limit 1",
        );
        expect(executions.rows).toEqual([{ state: 'done' }]);
      });

      it('and started again: it finds its incident, and posts it anew where Slack has lost it', { timeout: 6 * MINUTE_MS }, async () => {
        const known = new Set((await channel.posts()).map((post) => post.ts));
        await system.fault('login-refused', true, 'riverside');
        await onlyNewPost(known, /partial outage/);
        const pids = Object.values(system.table().processes).map((one) => one.pid);
        await database.end();
        expect(await system.stop()).toBe(0);
        expect(pids.filter(isAlive)).toEqual([]);
        await system.start();
        database = await system.database();
        const post = await onlyNewPost(new Set(), /partial outage/);
        await threadSays(post.ts, /posted anew|Posted anew/);
        await system.fault('login-refused', false);
        expect((await onlyNewPost(new Set(), /Resolved after/)).ts).toBe(post.ts);
      });
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

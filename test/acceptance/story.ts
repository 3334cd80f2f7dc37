import type { Client } from 'pg';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../helpers/browser.ts';
import { type Channel, type ChannelMessage, channelOf } from './channel.ts';
import { type Desk, openDesk } from './desk.ts';
import { type System, type SystemOptions, startSystem } from './system.ts';

const MINUTE_MS = 60_000;
const HEALTHY_SLOTS = 10;

export interface Telling {
  /** Starts what the system stands on. */
  begin?(): Promise<SystemOptions>;
  /** Kills what it stands on, while an incident is open. */
  inTheMiddle(system: System): Promise<void>;
  /** Everything else that was kept somewhere and may hold no secret. */
  alsoKept?(): Promise<string[]>;
  end?(): Promise<void>;
}

/** The whole story: watched, broken, killed in the middle, and repaired. */
export function tellTheStory(title: string, telling: Telling): void {
  describe(title, () => {
    let system: System;
    let channel: Channel;
    let browser: Browser;
    let desk: Desk;
    let database: Client;

    beforeAll(async () => {
      system = await startSystem(await telling.begin?.());
      channel = channelOf(system);
      browser = await launchBrowser();
      desk = await openDesk(browser, system);
      database = await system.database();
    }, 3 * MINUTE_MS);

    afterAll(async () => {
      await database?.end();
      await browser?.close();
      await system?.stop();
      system?.remove();
      await telling.end?.();
    }, MINUTE_MS);

    /** Waits until the one post of the channel says this. */
    async function thePostSays(pattern: RegExp, withinMs: number): Promise<ChannelMessage> {
      await expect.poll(async () => (await channel.posts()).at(-1)?.all ?? '', { timeout: withinMs, interval: 500 }).toMatch(pattern);
      const posts = await channel.posts();
      expect(posts.map((post) => post.text)).toHaveLength(1);
      return posts[0] as ChannelMessage;
    }

    async function threadSays(ts: string, pattern: RegExp, withinMs: number): Promise<string> {
      await expect.poll(async () => (await channel.thread(ts)).join('\n'), { timeout: withinMs, interval: 500 }).toMatch(pattern);
      return (await channel.thread(ts)).join('\n');
    }

    let ts = '';

    it('says nothing while ten slots are healthy', { timeout: 5 * MINUTE_MS }, async () => {
      const healthy = async () => {
        const { rows } = await database.query<{ slots: number }>(
          `select min(slots)::int as slots from (
           select check_id, count(distinct planned_at) filter (where verdict = 'up') as slots from result group by check_id) as one`,
        );
        return rows[0]?.slots ?? 0;
      };
      await expect.poll(healthy, { timeout: 4 * MINUTE_MS, interval: 1_000 }).toBeGreaterThanOrEqual(HEALTHY_SLOTS);
      expect(await channel.posts()).toEqual([]);
      expect(await desk.command('/rounds status billing')).toMatch(/Patient billing.*all well/s);
      await desk.picture('1-healthy');
    });

    it('posts one partial outage when one clinic cannot sign in', { timeout: 3 * MINUTE_MS }, async () => {
      await desk.flip(/^Sign-in refused: Riverside/);
      const post = await thePostSays(/partial outage.*1 of 2 clinics cannot/s, 2 * MINUTE_MS);
      expect(post.all).toMatch(/1 of 2 clinics cannot .*: Riverside Clinic/);
      await expect.poll(async () => (await channel.posts())[0]?.all, { timeout: MINUTE_MS, interval: 500 }).toMatch(/cannot sign in/);
      const settled = await thePostSays(/seen from 3 of 3 locations/, MINUTE_MS);
      expect(settled.all).toMatch(/Fails at "sign in"/);
      expect(settled.buttons).toEqual(expect.arrayContaining(['Acknowledge', 'Reopen sign-in', 'Details']));
      await expect.poll(async () => (await channel.posts())[0]?.picture, { timeout: MINUTE_MS, interval: 500 }).toBe(true);
      ts = settled.ts;
      await desk.picture('2-partial-outage');
    });

    it('raises the same post to a full interruption when no clinic can', { timeout: 3 * MINUTE_MS }, async () => {
      await desk.flip(/^Sign-in refused: all/i);
      expect((await thePostSays(/full interruption/, 2 * MINUTE_MS)).ts).toBe(ts);
      expect((await thePostSays(/None of 2 clinics can sign in/, MINUTE_MS)).ts).toBe(ts);
      await threadSays(ts, /[Ff]ull interruption/, MINUTE_MS);
      await desk.picture('3-full-interruption');
    });

    it('goes on when what it stands on was killed in the middle', { timeout: 3 * MINUTE_MS }, async () => {
      await telling.inTheMiddle(system);
      await database.end().catch(() => undefined);
      database = await system.database();
      const { rows } = await database.query<{ now: Date }>('select now()');
      const freshSlots = async () =>
        (
          await database.query<{ slots: number }>('select count(distinct planned_at)::int as slots from result where planned_at > $1', [
            rows[0]?.now ?? new Date(0),
          ])
        ).rows[0]?.slots ?? 0;
      await expect.poll(freshSlots, { timeout: 2 * MINUTE_MS, interval: 500 }).toBeGreaterThanOrEqual(3);
      expect((await thePostSays(/full interruption/, MINUTE_MS)).ts).toBe(ts);
    });

    it('tells who may not press, and why it is so', { timeout: MINUTE_MS }, async () => {
      await desk.as('U0BEN');
      await desk.press('Reopen sign-in');
      await expect
        .poll(async () => (await desk.toldToMe()).join('\n'), { timeout: 15_000 })
        .toMatch(/cannot run .Reopen sign-in.*responder.*Ana/s);
      const { rows } = await database.query('select count(*)::int as executions from execution');
      expect(rows).toEqual([{ executions: 0 }]);
      await desk.as('U0ANA');
    });

    it('explains itself', { timeout: MINUTE_MS }, async () => {
      expect(await desk.command('/rounds why INC-1')).toMatch(/[Ff]ull interruption/);
      expect(await desk.command('/rounds incidents')).toMatch(/INC-1/);
      expect(await desk.command('/rounds status biling')).toMatch(/Did you mean .*billing/s);
      expect(await desk.command('/rounds stats')).toMatch(/Did you mean .*status/s);
      expect(await desk.command('/rounds help')).toMatch(/why/);
      await desk.picture('4-why');
    });

    it('is acknowledged and repaired with the buttons, verified by the journeys, and resolved', { timeout: 4 * MINUTE_MS }, async () => {
      await desk.press('Acknowledge');
      await threadSays(ts, /Ana acknowledged/, 30_000);
      await desk.press('Reopen sign-in');
      await threadSays(ts, /Ana .*"?Reopen sign-in"?/, 30_000);
      await threadSays(ts, /Sign-in reopened/i, MINUTE_MS);
      await threadSays(ts, /Checked again from 3 locations/, MINUTE_MS);
      const post = await thePostSays(/Resolved after/, 2 * MINUTE_MS);
      expect(post.ts).toBe(ts);
      expect(post.all).toMatch(/Reopen sign-in/);
      expect(post.buttons).not.toContain('Reopen sign-in');
      await threadSays(ts, /Resolved/, 30_000);
      await desk.page.getByTestId('open-thread').last().click();
      await desk.picture('5-resolved');
    });

    it('says nothing more, and told each thing once', { timeout: 2 * MINUTE_MS }, async () => {
      const slotsBefore = (await database.query<{ last: Date }>('select max(planned_at) as last from result')).rows[0]?.last ?? new Date(0);
      const later = async () =>
        (
          await database.query<{ slots: number }>(
            'select count(distinct planned_at)::int as slots from result where check_id = $1 and planned_at > $2',
            ['post-invoice/riverside', slotsBefore],
          )
        ).rows[0]?.slots ?? 0;
      await expect.poll(later, { timeout: MINUTE_MS, interval: 1_000 }).toBeGreaterThanOrEqual(3);
      expect((await channel.posts()).map((post) => post.ts)).toEqual([ts]);
      const lines = await channel.thread(ts);
      // On a busy machine the clinic may fail twice in a minute in the same way, but not one after the other.
      expect(lines.filter((line, index) => line === lines[index - 1])).toEqual([]);
      const told = await database.query(`select count(*)::int as lines from outbox where kind = 'thread' and state = 'sent'`);
      expect(lines, lines.join('\n')).toHaveLength(told.rows[0]?.lines);
      expect(lines.filter((line) => /Resolved/.test(line))).toHaveLength(1);
      expect(lines.filter((line) => /acknowledged/.test(line))).toHaveLength(1);
      const { rows } = await database.query(
        `select state, count(*)::int from outbox where state not in ('sent', 'superseded') group by state`,
      );
      expect(rows).toEqual([]);
    });

    it('keeps every secret out of the log, the tables and the channel', { timeout: MINUTE_MS }, async () => {
      const secrets = [
        'agents/MONITOR_PASSWORD',
        'agents/CLINIC_OPS_TOKEN',
        'SLACK_SIGNING_SECRET',
        'SLACK_BOT_TOKEN',
        'POSTGRES_PASSWORD',
      ].map((name) => system.secret(name));
      const { rows: tables } = await database.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
      );
      const contents: string[] = [];
      for (const { name } of tables) contents.push(JSON.stringify((await database.query(`select t::text from ${name} t`)).rows));
      const told = [...(await channel.posts()).map((post) => post.all), ...(await channel.thread(ts))];
      for (const secret of secrets) {
        for (const text of [system.output(), ...contents, ...told, ...((await telling.alsoKept?.()) ?? [])])
          expect(text.includes(secret)).toBe(false);
      }
    });
  });
}

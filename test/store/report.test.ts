import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { claimNext } from '../../store/outbox.ts';
import { usualDurations } from '../../store/usual.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const files = readdirSync(new URL('../../store/migrations', import.meta.url)).sort();
const before = files.findIndex((file) => file.includes('_report.'));

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog, before);
  pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const report = () =>
  pool.query(`insert into outbox (kind, lane, channel, priority, reason) values ('report', 'report/x', '#x', 60, 'scheduled')`);

describe('a database from before reports', () => {
  it('keeps what it has, and takes reports afterwards', async () => {
    await pool.query(`insert into outbox (kind, lane, priority, reason) values ('answer', 'answer/1', 15, 'run')`);
    await pool.query(
      `insert into run (name, check_id, location, slot, purpose, revision, planned_at, not_after, state)
       values ('r', 'post-invoice/riverside', 'north', now(), 'scheduled', 'test', now(), now(), 'run')`,
    );
    await pool.query(
      `insert into result (run, check_id, location, purpose, revision, planned_at, verdict, duration_ms, start_lateness_ms, steps,
         measurements, attempts, findings)
       values ('r', 'post-invoice/riverside', 'north', 'scheduled', 'test', now(), 'up', 900, 3, '[]', '{}', '[]', '[]')`,
    );
    await expect(report()).rejects.toThrow('outbox_kind_check');
    expect(await migrate(database.url, quietLog)).toContain('0004_report');
    await report();
    expect([...(await usualDurations(pool, Date.now() - 60_000))]).toEqual([['post-invoice', 900]]);
    const claims = [await claimNext(pool, { leaseMs: 1_000, channelGapMs: 0 }), await claimNext(pool, { leaseMs: 1_000, channelGapMs: 0 })];
    expect(claims.map((claim) => claim?.kind)).toEqual(['answer', 'report']);
  });

  it('refuses what it does not know, as before', async () => {
    await expect(pool.query(`insert into outbox (kind, lane, priority, reason) values ('gossip', 'x', 1, 'x')`)).rejects.toThrow(
      'outbox_kind_check',
    );
  });
});

import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkpoint } from '../../jobs/decision-log.ts';
import { openPool } from '../../store/db.ts';
import { openLog } from '../../store/decision-log-read.ts';
import { recordDecisions } from '../../store/incident.ts';
import { migrate } from '../../store/migrate.ts';
import { lockDirtyScope, markJudged } from '../../store/scope.ts';
import { aConfig } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0014').length;

it('a database with decisions gets a log, and a place where a replay can begin', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  await pool.query(
    `insert into decision (at, scope, subject, reason, inputs, config_revision) values (now(), 'billing', 'class billing', 'none', '{}', 'test')`,
  );
  await pool.query(
    `insert into scope (id, dirty_seq, memory) values ('billing', 3, '{"quieted": {"7": ["book"]}, "explained": {}, "burning": []}')`,
  );
  await pool.query(`insert into config_revision (revision, config) values ('test', '{"timezone": "UTC"}')`);

  expect(await migrate(database.url, quietLog)).toContain('0014_decision_log');
  const memory = { quieted: { 7: ['book'] }, explained: {}, burning: [] };
  expect(await lockDirtyScope(pool, 'billing', 0)).toEqual({ seq: 3, memory });
  await markJudged(pool, 'billing', { seq: 3, memory });
  await recordDecisions(pool, { atMs: 0, scope: 'billing', configRevision: 'test' }, [{ subject: 'post', reason: 'resolved', inputs: {} }]);
  const { rows } = await pool.query<{ known: boolean }>('select xid is not null as known from decision order by id');
  expect(rows).toEqual([{ known: false }, { known: true }]);

  await checkpoint({ pool, config: aConfig([]), clock: { now: () => 5, monotonic: () => 0 } });
  const { rows: log } = await pool.query<{ kind: string; at_ms: number }>('select kind, at_ms from decision_log');
  expect(log).toEqual([{ kind: 'checkpoint', at_ms: 5 }]);
  const client = await pool.connect();
  await client.query('begin isolation level repeatable read');
  const reader = await openLog(client, {});
  expect(reader.checkpoint.content.scopes).toEqual({ billing: { memory, logged: {} } });
  expect(reader.config.timezone).toBe('UTC');
  await client.query('rollback');
  client.release();
  await pool.end();
  await database.drop();
});

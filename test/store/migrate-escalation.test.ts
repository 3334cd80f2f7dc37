import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { tellNotice } from '../../store/notice.ts';
import { claimNext } from '../../store/outbox.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0009').length;

it('notices come to a database with rows that wait for Slack, which go out as before', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  await pool.query(`insert into outbox (kind, lane, payload, priority, reason) values
    ('answer', 'answer/1', '{"text": "Done.", "user": "U0ANA"}', 15, 'asked'), ('answer', 'answer/2', '{}', 15, 'asked')`);

  expect(await migrate(database.url, quietLog)).toContain('0009_escalation');
  const payload = { mark: '', title: 'On call for Billing until Mon 09:00: Ana', lines: [] };
  const notice = { channel: '#billing', kind: 'on-call', payload, priority: 10, reason: 'handed-over', key: 'on-call/billing/1' };
  expect([await tellNotice(pool, notice), await tellNotice(pool, notice)]).toEqual([true, false]);
  const claims = [];
  for (let turn = 0; turn < 4; turn++) claims.push(await claimNext(pool, { leaseMs: 60_000, channelGapMs: 0 }));
  expect(claims.map((claim) => claim?.kind)).toEqual(['notice', 'answer', 'answer', undefined]);
  expect(claims[0]).toMatchObject({ lane: 'notice/on-call/billing/1', payload: { ...payload, kind: 'on-call' } });
  await expect(pool.query(`insert into outbox (kind, lane, priority, reason) values ('letter', 'x', 1, 'x')`)).rejects.toThrow(
    'outbox_kind_check',
  );
  await pool.end();
  await database.drop();
});

import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';

const files = readdirSync(new URL('../../store/migrations', import.meta.url)).map((file) => file.replace(/\.sql$/, ''));

it('brings an empty database up to date once, however many processes start', async () => {
  const database = await testDatabase();
  const ran = await Promise.all([1, 2, 3].map(() => migrate(database.url, quietLog)));
  expect(ran.flat().sort()).toEqual(files.sort());
  expect(await migrate(database.url, quietLog)).toEqual([]);
  await database.drop();
});

it('lets nobody change what was audited', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog);
  const pool = openPool({ url: database.url, name: 'test', max: 1, log: quietLog });
  await pool.query(`insert into audit (actor, verb, subject, outcome, reason) values ('ana', 'acknowledge', 'INC-1', 'done', 'pressed')`);
  for (const text of [`update audit set actor = 'ben'`, 'delete from audit', 'truncate audit']) {
    await expect(pool.query(text)).rejects.toThrow('append-only');
  }
  await pool.end();
  await database.drop();
});

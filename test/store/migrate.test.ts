import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { unqueuedRuns } from '../../store/run.ts';
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

it('keeps which runs nobody has queued yet when batches take the place of marks', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, 1);
  const pool = openPool({ url: database.url, name: 'test', max: 1, log: quietLog });
  const columns = 'name, check_id, location, slot, purpose, revision, planned_at, not_after';
  await pool.query(
    `insert into run (${columns}, state, queued_at)
     select name, name, location, now(), 'scheduled', 'r1', now(), now() + interval '1 hour', state, queued_at
     from (values ('queued', 'north', 'due', now()), ('left north', 'north', 'due', null), ('left south', 'south', 'due', null),
       ('ended', 'north', 'missed', null)) as one (name, location, state, queued_at)`,
  );
  await migrate(database.url, quietLog);
  const left = await unqueuedRuns(pool, Date.now(), 0);
  expect(left.map(({ check, location }) => [check, location]).sort()).toEqual([
    ['left north', 'north'],
    ['left south', 'south'],
  ]);
  await pool.end();
  await database.drop();
});

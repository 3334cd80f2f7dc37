import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPool } from '../../store/db.ts';
import { openIncidentsOf } from '../../store/incident.ts';
import { migrate } from '../../store/migrate.ts';
import { lockDirtyScope } from '../../store/scope.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';
import { someFacts } from '../helpers/slack.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0013').length;

it('incidents that were open go on with what was known of them, each by what it was about', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  const { root: _r, members: _m, suspects: _s, changes: _c, burns: _b, locations: _l, shown: _h, ...old } = someFacts();
  const component = { id: 'postgres', title: 'PostgreSQL', check: 'vitals', verdict: 'down', findings: [], sinceMs: 0 };
  const insert = `insert into incident (scope, class, peak, channel, facts, config_revision, began_at, opened_at)
    values ($1, 'risk', 'risk', '#x', $2, 'test', now(), now())`;
  await pool.query(insert, ['billing', JSON.stringify(old)]);
  await pool.query(insert, ['redis', JSON.stringify({ ...old, services: [], components: [component] })]);
  await pool.query(insert, ['dark', JSON.stringify({ ...old, services: [] })]);
  await pool.query(`insert into scope (id, dirty_seq) values ('billing', 3)`);

  expect(await migrate(database.url, quietLog)).toContain('0013_causes');
  const [ofService] = await openIncidentsOf(pool, 'billing');
  expect(ofService).toMatchObject({
    root: 'service:billing',
    facts: { members: ['post-invoice/riverside'], suspects: [], shown: { atMs: [] } },
  });
  expect(ofService?.facts.services).toEqual(old.services);
  expect((await openIncidentsOf(pool, 'redis'))[0]).toMatchObject({ root: 'component:postgres', facts: { members: ['vitals'] } });
  expect((await openIncidentsOf(pool, 'dark'))[0]).toMatchObject({ root: 'blind:checks', facts: { members: [] } });
  expect(await lockDirtyScope(pool, 'billing', 0)).toEqual({ seq: 3, memory: { quieted: {}, explained: {}, burning: [] } });
  await pool.query(insert.replace('scope, class', 'root, scope, class').replace('($1,', `('service:other', $1,`), [
    'billing',
    JSON.stringify(old),
  ]);
  expect(await openIncidentsOf(pool, 'billing'), 'two problems of one scope').toHaveLength(2);
  await pool.end();
  await database.drop();
});

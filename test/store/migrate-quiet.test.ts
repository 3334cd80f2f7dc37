import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { keptBack, noteWindows, seenWindows, settleWindows } from '../../store/quiet.ts';
import { insertSilence, openSilences } from '../../store/silence.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';

const before = readdirSync(new URL('../../store/migrations', import.meta.url)).filter((file) => file < '0010').length;

it('windows and silences come to a database with decisions', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  await pool.query(
    `insert into decision (at, scope, subject, reason, inputs, config_revision)
     values (now(), 'billing', 'class billing', 'none', '{}', 'test'), (now(), 'billing', 'quiet', 'suppressed-by-maintenance', $1, 'test')`,
    [{ quiet: 'nightly@0', checks: ['book'] }],
  );

  expect(await migrate(database.url, quietLog)).toContain('0010_quiet');
  const covered = { services: ['billing', 'a b'], components: [], tenants: ['riverside'], checks: [] };
  const window = { kind: 'maintenance' as const, id: 'nightly@0', title: 'Nightly', fromMs: 0, untilMs: 3_600_000, ...covered };
  expect(await noteWindows(pool, [window], 1_000)).toEqual(['nightly@0']);
  expect(await seenWindows(pool)).toEqual([{ ...window, sinceMs: 0 }]);
  expect([...(await keptBack(pool, [{ id: 'nightly@0', sinceMs: 0 }]))]).toEqual([
    ['nightly@0', { checks: ['book'], incidents: [], budgets: [] }],
  ]);
  expect(await settleWindows(pool, ['nightly@0'], 3_600_000)).toHaveLength(1);
  expect(await settleWindows(pool, ['nightly@0'], 3_600_001)).toEqual([]);
  expect(await noteWindows(pool, [window], 3_599_000)).toEqual([]);

  const nowMs = Date.now();
  const silence = { ...covered, title: 'Billing', reason: 'known', madeBy: 'ana', madeAtMs: nowMs, endsAtMs: nowMs + 60_000 };
  const id = await insertSilence(pool, silence);
  expect(await openSilences(pool, nowMs)).toEqual([{ id, ...silence }]);
  await pool.end();
  await database.drop();
});

import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { rollUp } from '../../jobs/rollup.ts';
import { openPool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';
import { quietLog } from '../helpers/log.ts';
import { testDatabase } from '../helpers/postgres.ts';
import { type RawRun, tell } from '../helpers/rollup.ts';

const files = readdirSync(new URL('../../store/migrations', import.meta.url)).sort();
const before = files.findIndex((file) => file.includes('_rollup.'));

it('counts what the ledger held before there were rollups', async () => {
  const database = await testDatabase();
  await migrate(database.url, quietLog, before);
  const pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
  const nowMs = Date.now();
  const runs = Array.from({ length: 240 }, (_, slot): RawRun => {
    const slotMs = Math.floor(nowMs / 60_000) * 60_000 - (slot + 1) * 60_000;
    return {
      ...{ check: 'post-invoice', location: 'north', slotMs, ask: 0, purpose: 'scheduled', plannedAtMs: slotMs },
      ...{ verdict: slot < 10 ? 'down' : 'up', durationMs: 900, connectMs: null },
    };
  });
  await tell(pool, runs);
  await pool.query(`update run set received_at = slot + interval '2 s'`);

  await migrate(database.url, quietLog);
  const config = aConfig([aCheck({ locations: ['north'] })]);
  const deps = { pool, config, clock: { now: () => nowMs, monotonic: () => performance.now() }, log: quietLog };
  const memory = { forgotMs: nowMs };
  // As many steps as it takes: of each minute that went by one.
  for (let turn = 0; turn < 100 && (await rollUp(deps, memory)); turn++);
  const { rows } = await pool.query(`select sum(good)::int as good, sum(bad)::int as bad from rollup_minute`);
  expect(rows).toEqual([{ good: 230, bad: 10 }]);
  const { rows: hours } = await pool.query(`select sum(good + bad)::int >= 120 as most from rollup_hour`);
  expect(hours).toEqual([{ most: true }]);
  await pool.end();
  await database.drop();
});
